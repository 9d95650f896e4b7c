"""Films drives as the embedded network paints them, place by place and style by style."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from game.cli.output import emit, narrator
from game.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from game.session.pictures import Rgb
    from game.world.city import City
    from game.world.state import WorldState

FPS = 30
PLACES = (
    "W 42 St & 7 Av",
    "E 38 St & Park Av",
    "W 46 St & 9 Av",
    "W 34 St & 5 Av",
    "E 50 St & Lexington Av",
    "W 57 St & 6 Av",
)
LEAD_S = 5.0
"""Driven before the camera runs: the bot starts from a stand."""


@click.command()
@click.option(
    "--place",
    "places",
    multiple=True,
    default=PLACES,
    show_default=True,
    help="A crossing to drive from; again for more.",
)
@click.option("--styles", default="day,dusk,night,rain", show_default=True, help="At each place.")
@click.option(
    "--seconds",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.1, 600),
    help="Of the whole film.",
)
@click.option("--size", default=480, show_default=True, help="That the network runs at [px].")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help=".mp4, or .webp: half as large, 10 pictures a second, for a page.",
)
@click.option("--json", "as_json", is_flag=True)
def film(
    as_json: bool,
    places: tuple[str, ...],
    styles: str,
    seconds: float,
    size: int,
    seed: int,
    out: Path,
) -> None:
    """Film the bot's drives: as captured on the left, as painted on the right."""
    from game.dataset.video import Mp4, Webp
    from streaming.backends.tiny_files import SIZES, read_card

    asked = tuple(filter(None, (name.strip() for name in styles.split(","))))
    known = read_card().styles
    for name in asked or ("",):
        if name not in known:
            raise UsageError(f"no style '{name}'; choose of: {', '.join(known)}")
    if size not in SIZES:
        raise UsageError(f"no size {size}; choose one of: {', '.join(map(str, SIZES))}")
    if out.suffix not in (".mp4", ".webp"):
        raise UsageError(f"'{out.name}' is neither .mp4 nor .webp")
    say, frames = narrator(), max(1, round(seconds * FPS))
    part = out.with_name(f".{out.name}.{os.getpid()}")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        film_of = (
            Webp(part, FPS, (480, 240)) if out.suffix == ".webp" else Mp4(part, FPS, (960, 480))
        )
        with film_of as made:
            for picture in _pictures(places, seed, asked, frames, size):
                made.put(picture)
                if made.count % FPS == 0:
                    say(f"{made.count} of {frames} frames")
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    told = {"path": str(out), "frames": frames, "styles": list(asked), "places": list(places)}
    emit(as_json, told, lambda: click.echo(str(out)))


def _pictures(
    places: tuple[str, ...], seed: int, styles: tuple[str, ...], frames: int, size: int
) -> "Iterator[Rgb]":
    """Source and painted picture side by side, (480, 960, 3) RGB."""
    import numpy as np

    from game.atlas.load import load
    from game.session.format import CaptureProfile
    from game.view.renderer import make_renderer
    from streaming.backends.tiny import Choice, Tiny

    city, profile = load(), CaptureProfile()
    tiny = Tiny(budget_ms=1e9)
    tiny.choice = Choice(size, 1)
    renderer = make_renderer(city, profile)
    bgra = np.full((profile.height, profile.width, 4), 255, np.uint8)
    try:
        for number, place in enumerate(places):
            share = frames * (number + 1) // len(places) - frames * number // len(places)
            painter = tiny.painter()
            for at, state in enumerate(_drive(city, place, seed, share)):
                drawn = renderer.render(state, ("colour",), profile.width, profile.height)["colour"]
                bgra[..., :3] = np.asarray(drawn)[..., ::-1]
                painted = painter.style(bgra, "", 0, styles[at * len(styles) // share])
                yield np.concatenate([bgra[..., 2::-1], painted[..., 2::-1]], axis=1)
    finally:
        renderer.close()


def _drive(city: "City", place: str, seed: int, frames: int) -> "Iterator[WorldState]":
    """What the bot lives through, a state for each frame."""
    from game.world.step import step
    from game.world.version import TICK_HZ
    from scenarios.driver import Bot
    from scenarios.free import free_stage

    staged = free_stage(city, place, seed, seconds=LEAD_S + frames / FPS + 1.0)
    bot, state = Bot(staged, city), staged.state
    lead = round(LEAD_S * TICK_HZ)
    for tick in range(lead + frames * TICK_HZ // FPS):
        if tick >= lead and (tick - lead) % (TICK_HZ // FPS) == 0:
            yield state
        state = step(city, state, bot.controls(state))
