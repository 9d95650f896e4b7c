"""scale-diffusion scenario list | check | show | run | compare | schema | from-session."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from game.cli.output import emit
from game.cli.scenario_export import command as export
from game.cli.scenario_golden import command as golden
from game.cli.scenario_near import command as from_session
from game.cli.scenario_run import compare_command, run_command, seeds_of

if TYPE_CHECKING:
    from game.world.city import City
    from scenarios.model import Scenario

DRIVER_NAMES = ("bot", "idle", "full-throttle")
JSON_HELP = "Print the result as JSON, as the last line."


@click.group("scenario")
def command() -> None:
    """List, check, show and run scenarios."""


command.add_command(export)
command.add_command(from_session)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def list_scenarios(as_json: bool) -> None:
    """What comes with the game: scenarios, and missions of some minutes with several stops."""
    from scenarios.load import catalogue, load

    rows = [_entry(load(name)) for name in catalogue()]
    if as_json:
        click.echo(json.dumps(rows, separators=(",", ":")))
        return
    table = Table(*("id", "title", "place", "entities", "time limit", "stops"))
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


def _entry(scenario: "Scenario") -> dict[str, Any]:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "place": scenario.place.at,
        "entities": scenario.entities,
        "duration_s": scenario.duration_s,
        "stops": len(scenario.stops),
    }


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--seeds", default="0:3", show_default=True, help="Cases to stage, FIRST:END.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def check(files: tuple[Path, ...], seeds: str, as_json: bool) -> None:
    """Read FILES and set them up in the city; every mistake comes with file, line and key."""
    from game.atlas.load import load as load_city

    city = load_city()
    cases = seeds_of(seeds)
    found = {str(file): _mistakes(file, city, cases) for file in files}

    def render() -> None:
        for file, mistakes in found.items():
            click.echo("\n".join(mistakes) if mistakes else f"{file}: fine")

    emit(as_json, {"ok": not any(found.values()), "files": found}, render)
    if any(found.values()):
        sys.exit(2)


def _mistakes(file: Path, city: "City", seeds: Iterable[int]) -> list[str]:
    from scenarios.errors import PlaceUnknown, ScenarioError
    from scenarios.load import catalogue, load_source
    from scenarios.spawn import stage

    try:
        scenario, source = load_source(str(file) if str(file) in catalogue() else file)
    except ScenarioError as wrong:
        return str(wrong).splitlines()
    try:
        for seed in seeds:
            stage(scenario, city, seed)
    except PlaceUnknown as wrong:
        where = _where(scenario, wrong.place)
        line, _ = source.locate(where)
        key = ".".join(str(part) for part in where)
        return [f"{source.file}:{line}: {key}: {wrong.why}"]
    except ScenarioError as wrong:
        return [f"{source.file}: {wrong}"]
    return []


def _where(scenario: "Scenario", place: str) -> tuple[str | int, ...]:
    """The key of a file that names this place."""
    from scenarios.goals import Stop
    from scenarios.terms import Anchor

    anchors: list[tuple[tuple[str | int, ...], Anchor | None]] = [(("place",), scenario.place)]
    for i, wanted in enumerate(scenario.success):
        if isinstance(wanted, Stop):
            anchors.append((("success", i, "place"), wanted.place))
    for at, anchor in anchors:
        for key in ("at", "towards"):
            if anchor is not None and getattr(anchor, key) == place:
                return (*at, key)
    return ("place", "at")


@command.command("show")
@click.argument("name")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A .svg or .png to write."
)
@click.option("--driver", type=click.Choice(DRIVER_NAMES), help="Also draw where this driver goes.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def show(name: str, seed: int, out: Path | None, driver: str | None, as_json: bool) -> None:
    """What NAME (of the library, or a file) holds; --out draws it on the real street plan."""
    from game.atlas.load import load as load_city
    from scenarios.driver import DRIVERS
    from scenarios.load import load
    from scenarios.run import drive
    from scenarios.sheet import save
    from scenarios.show import draw
    from scenarios.spawn import stage

    scenario, city = load(name), load_city()
    staged = stage(scenario, city, seed)
    if out is not None:
        driven: list[Any] = []
        if driver is not None:
            pilot = DRIVERS[driver](staged, city)
            drive(staged, city, pilot, lambda state: driven.append(state.ego))
        save(draw(staged, city, tuple(driven)), out)
    data = {
        **_entry(scenario),
        "description": scenario.description,
        "seed": seed,
        "drawn": dict(staged.drawn),
        "success": [condition.model_dump(mode="json") for condition in scenario.success],
        "picture": str(out) if out is not None else None,
    }

    def render() -> None:
        console = Console(highlight=False)
        console.print(f"[bold]{scenario.title}[/bold]  {scenario.place.at}\n{scenario.description}")
        table = Table("entity", "kind", "body", "wave", "sets off", title=f"seed {seed}")
        for part in staged.state.cast:
            off = f"{(part.trigger.at_tick + part.trigger.delay) / 60:.1f} s"
            table.add_row(part.name, part.kind.name.lower(), part.body, str(part.wave), off)
        console.print(table)
        if out is not None:
            console.print(f"picture: {out}")

    emit(as_json, data, render)


@command.command("schema")
def schema() -> None:
    """The JSON schema of a scenario file, so that editors complete and check."""
    from scenarios.model import json_schema

    click.echo(json.dumps(json_schema(), indent=2, sort_keys=True))


command.add_command(run_command)
command.add_command(compare_command)
command.add_command(golden)
