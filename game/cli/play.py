"""`scale-diffusion play`: a person drives; one scenario ends, the next one loads."""

import dataclasses
from pathlib import Path

import click

from game.cli.doctor import from_options
from game.cli.output import emit, narrator


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
@click.option("--style", help="The first look: day, dusk, night, rain, noir, neon.")
@click.option("--bot", is_flag=True, help="Let the bot drive, to watch.")
@click.option("--drives", default=0, help="Stop after so many drives; 0 goes on.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep all here.")
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
    style: str | None,
    bot: bool,
    drives: int,
    data: Path | None,
    as_json: bool,
) -> None:
    """Drive through Manhattan with keyboard and mouse: scenarios, or freely with --free.

    W A S D or arrows, Space hand brake, R reverse, C camera, right mouse button looks around,
    [ ] styles, T types a prompt, V dreamt picture on and off, hold Q to peek at the game,
    - and = less and more of it, G latency graph, P pause recording, Esc ends.
    """
    from game.play.sitting import sit

    if scenario and (free or place):
        raise click.UsageError("--scenario names a scenario, --free and --from drive without one")
    settings = from_options(options).settings
    play = dataclasses.replace(
        settings.play,
        scenario=scenario or settings.play.scenario,
        free=free or place is not None or settings.play.free,
        place=place or settings.play.place,
        city=level or settings.play.city,
        seconds=seconds or settings.play.seconds,
        seed=seed or settings.play.seed,
        driver="bot" if bot else settings.play.driver,
    )
    stream = dataclasses.replace(settings.stream, style=style or settings.stream.style)
    paths = dataclasses.replace(
        settings.paths,
        data=data.resolve() if data else settings.paths.data,
        pack=pack or settings.paths.pack,
    )
    chosen = dataclasses.replace(settings, play=play, stream=stream, paths=paths)
    tally = sit(chosen, drives, narrator())
    emit(
        as_json,
        dataclasses.asdict(tally),
        lambda: click.echo(f"{tally.drives} drives, {tally.passed} passed"),
    )
