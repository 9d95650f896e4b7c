"""`scale-diffusion play`: a person drives; one scenario ends, the next one loads."""

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import psutil

from game.cli.doctor import from_options
from game.cli.output import emit, narrator

if TYPE_CHECKING:
    from game.play.session_loop import Tally
    from game.settings import Settings


@click.command("play")
@click.option("--scenario", default="", help="The first one; without it the library's first.")
@click.option("--free", is_flag=True, help="Drive where you like in the living city.")
@click.option("--from", "place", help="A free drive starts here: 'W 34 St & 7 Av'.")
@click.option(
    "--city",
    "level",
    type=click.Choice(("none", "light", "full")),
    help="How much of the city lives around a free drive. [default: full]",
)
@click.option("--pack", type=click.Path(path_type=Path), help="'midtown', 'manhattan' or a folder.")
@click.option("--seconds", type=click.FloatRange(1, 86400), help="End each drive after so long.")
@click.option("--seed", type=click.IntRange(1, 2**31 - 1), help="Of every drive; else drawn.")
@click.option("--ghost", type=click.Path(exists=True, path_type=Path),
              help="Race a drive: a file of `session share`, or a session's folder.")  # fmt: skip
@click.option("--style", help="The first look: day, dusk, night, rain, noir, neon.")
@click.option("--bot", is_flag=True, help="Let the bot drive, to watch.")
@click.option("--drives", default=0, help="Stop after so many drives; 0 goes on.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep all here.")
@click.option(
    "--app/--no-app",
    "app",
    default=None,
    help="With terminal, menus and results, or drive after drive at once. [default: with them "
    "where there is a display and nothing but what to drive is asked for]",
)
@click.option(
    "--consent",
    is_flag=True,
    help="You have read what is recorded (play --terms) and agree to it. The app asks by itself.",
)
@click.option(
    "--terms", is_flag=True, help="Show what is recorded and what becomes of it, and end."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.pass_obj
def command(
    options: dict[str, object],
    scenario: str,
    free: bool,
    place: str | None,
    level: str | None,
    pack: Path | None,
    seconds: float | None,
    seed: int | None,
    ghost: Path | None,
    style: str | None,
    bot: bool,
    drives: int,
    data: Path | None,
    app: bool | None,
    consent: bool,
    terms: bool,
    as_json: bool,
) -> None:
    """Drive through Manhattan with keyboard, mouse, wheel or pad: scenarios, or freely with --free.

    With a display and no options it opens with a terminal and leads through menus; Esc is a break.
    W A S D or arrows, Space hand brake, R reverse, C camera, H horn, N siren, right mouse looks,
    [ ] styles, T types a prompt, V dreamt picture on and off, hold Q to peek at the game,
    - and = less and more of it, G latency graph, P pause recording, Esc a break or the end.
    """
    if terms:
        _say_terms()
        return
    if ghost is not None and (free or place or seed):
        raise click.UsageError("--ghost brings its scenario and seed along")
    if scenario and (free or place):
        raise click.UsageError("--scenario names a scenario, --free and --from drive without one")
    chosen = _chosen(
        from_options(options).settings,
        play={
            "scenario": scenario, "free": free or place is not None, "place": place, "city": level,
            "seconds": seconds, "seed": seed, "ghost": str(ghost.resolve()) if ghost else None,
            "driver": "bot" if bot else None,
        },
        stream={"style": style},
        paths={"data": data.resolve() if data else None, "pack": pack},
    )  # fmt: skip
    if app is None:
        app = not any((seconds, bot, drives, as_json)) and _welcomes_app(chosen)
    tally = (
        _in_app(chosen, options["settings_file"], drives)
        if app
        else _at_once(chosen, drives, consent, as_json)
    )
    emit(
        as_json,
        dataclasses.asdict(tally),
        lambda: click.echo(f"{tally.drives} drives, {tally.passed} passed"),
    )


def _say_terms() -> None:
    from game.play.app.consent import PLAIN, VERSION

    click.echo("\n\n".join((*PLAIN, f"Version of this text: {VERSION}")))


def _welcomes_app(settings: "Settings") -> bool:
    """Whether a person sits before a display."""
    from game.settings import has_display

    play = settings.play
    return has_display() and play.window == "auto" and play.driver == "human"


def _in_app(settings: "Settings", file: object, drives: int) -> "Tally":
    from game.play.app.start import run
    from game.settings import user_file

    began = time.monotonic() - (time.time() - psutil.Process().create_time())
    return run(settings, Path(str(file)) if file else user_file(), drives, narrator(), began)


def _at_once(settings: "Settings", drives: int, consent: bool, as_json: bool) -> "Tally":
    from game.cli.consent import agreed
    from game.play.sitting import sit

    return sit(settings, drives, narrator(), agreed(settings, consent, as_json))


def _chosen(settings: "Settings", **asked: dict[str, object]) -> "Settings":
    """The settings with what was asked for on the command line laid over them."""
    sections: dict[str, Any] = {
        name: dataclasses.replace(
            getattr(settings, name), **{key: value for key, value in wanted.items() if value}
        )
        for name, wanted in asked.items()
    }
    return dataclasses.replace(settings, **sections)
