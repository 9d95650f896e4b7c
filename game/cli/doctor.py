"""`scale-diffusion doctor`: what is here, what is missing, what to do."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from game.cli.output import emit
from game.doctor import BAD, GOOD, Answer, examine
from game.settings import Loaded, load

_COLOURS = {GOOD: "green", BAD: "red"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.option("--settings", "show_settings", is_flag=True, help="Also list settings and origins.")
@click.pass_obj
def command(options: dict[str, object], as_json: bool, show_settings: bool) -> None:
    """Look at this machine and prove that ticks are exact on it. Exit 3: something is missing."""
    loaded = from_options(options)
    answers = list(examine(loaded.settings))
    missing = [answer.name for answer in answers if answer.state == BAD]
    data = {"ok": not missing, "missing": missing, "answers": [asdict(a) for a in answers]}
    if show_settings:
        data["settings"] = {
            key: {"value": _value(loaded, key), "origin": origin}
            for key, origin in loaded.origins.items()
        }
    emit(as_json, data, lambda: _show(answers, loaded if show_settings else None))
    if missing:
        sys.exit(3)


def from_options(options: dict[str, object]) -> Loaded:
    """The settings as the options of the whole program ask for them."""
    file = options["settings_file"]
    overrides = options["overrides"]
    return load(
        str(options["profile"]),
        Path(str(file)) if file else None,
        tuple(str(x) for x in overrides) if isinstance(overrides, tuple) else (),
    )


def _value(loaded: Loaded, key: str) -> str:
    section, _, name = key.partition(".")
    return str(getattr(getattr(loaded.settings, section), name))


def _show(answers: list[Answer], loaded: Loaded | None) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "found", "what to do"):
        table.add_column(column, overflow="fold")
    for answer in answers:
        colour = _COLOURS.get(answer.state, "yellow")
        mark = f"[{colour}]{answer.state}[/{colour}]"
        table.add_row(mark, answer.name, escape(answer.detail), escape(answer.remedy))
    console = Console(highlight=False)
    console.print(table)
    if loaded is not None:
        listed = Table(box=None, pad_edge=False)
        for column in ("setting", "value", "origin"):
            listed.add_column(column, overflow="fold")
        for key, origin in loaded.origins.items():
            listed.add_row(key, _value(loaded, key), origin)
        console.print(listed)
