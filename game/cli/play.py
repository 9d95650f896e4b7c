"""`scale-diffusion play`: a person drives; one scenario ends, the next one loads."""

import dataclasses
from pathlib import Path

import click

from game.cli.doctor import from_options
from game.cli.output import emit, narrator


@click.command("play")
@click.option("--scenario", default="", help="The first one; without it the library's first.")
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
    seed: int | None,
    style: str | None,
    bot: bool,
    drives: int,
    data: Path | None,
    as_json: bool,
) -> None:
    """Drive through Midtown with keyboard and mouse.

    W A S D or arrows, Space hand brake, R reverse, C camera, right mouse button looks around,
    [ ] styles, V dreamt picture on and off, P pause recording, Esc ends.
    """
    from game.play.sitting import sit

    settings = from_options(options).settings
    play = dataclasses.replace(
        settings.play,
        scenario=scenario or settings.play.scenario,
        seed=seed or settings.play.seed,
        driver="bot" if bot else settings.play.driver,
    )
    stream = dataclasses.replace(settings.stream, style=style or settings.stream.style)
    paths = dataclasses.replace(settings.paths, data=data.resolve()) if data else settings.paths
    chosen = dataclasses.replace(settings, play=play, stream=stream, paths=paths)
    tally = sit(chosen, drives, narrator())
    emit(
        as_json,
        dataclasses.asdict(tally),
        lambda: click.echo(f"{tally.drives} drives, {tally.passed} passed"),
    )
