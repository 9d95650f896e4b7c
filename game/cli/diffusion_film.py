"""Films drives as the embedded network paints them, by place and by style; or makes a sheet."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from game.cli.output import emit, narrator
from game.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from game.session.pictures import Rgb
    from game.world.city import City
    from game.world.state import WorldState
    from streaming.frames import Pixels

FPS = 30
PLACES = (
    "W 42 St & 7 Av",
    "E 38 St & Park Av",
    "W 46 St & 9 Av",
    "W 34 St & 5 Av",
    "E 50 St & Lexington Av",
    "W 57 St & 6 Av",
)
SETTLED, CELL = 8, 240  # of a sheet: frames that a painter has seen; side of a picture [px]
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
    help=".mp4; .webp: half as large, 10 pictures a second, for a page; .jpg: a sheet.",
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
    """Film the bot's drives: as captured on the left, as painted on the right.

    As a sheet: each place as captured, and in every style.
    """
    from streaming.backends.tiny_files import SIZES, read_card

    asked = tuple(filter(None, (name.strip() for name in styles.split(","))))
    known = read_card().styles
    for name in asked or ("",):
        if name not in known:
            raise UsageError(f"no style '{name}'; choose of: {', '.join(known)}")
    if size not in SIZES:
        raise UsageError(f"no size {size}; choose one of: {', '.join(map(str, SIZES))}")
    if out.suffix not in (".mp4", ".webp", ".jpg"):
        raise UsageError(f"'{out.name}' is neither .mp4 nor .webp nor .jpg")
    told: dict[str, Any] = {"path": str(out), "styles": list(asked), "places": list(places)}
    if out.suffix == ".jpg":
        _sheet(out, places, seed, asked, size)
    else:
        told["frames"] = max(1, round(seconds * FPS))
        _film(out, _pictures(places, seed, asked, told["frames"], size), told["frames"])
    emit(as_json, told, lambda: click.echo(str(out)))


def _film(out: Path, pictures: "Iterator[Rgb]", frames: int) -> None:
    """Write a film, whole or not at all."""
    from game.dataset.video import Mp4, Webp

    say, part = narrator(), out.with_name(f".{out.name}.{os.getpid()}")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        film_of = (
            Webp(part, FPS, (480, 240)) if out.suffix == ".webp" else Mp4(part, FPS, (960, 480))
        )
        with film_of as made:
            for picture in pictures:
                made.put(picture)
                if made.count % FPS == 0:
                    say(f"{made.count} of {frames} frames")
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


class _Studio:
    """The captured pictures of the bot's drives, and who paints them."""

    def __init__(self, size: int) -> None:
        from game.atlas.load import load
        from game.session.format import CaptureProfile
        from game.view.renderer import make_renderer
        from streaming.backends.tiny import Choice, Tiny

        self._city, self._profile = load(), CaptureProfile()
        self.tiny = Tiny(budget_ms=1e9)
        self.tiny.choice = Choice(size, 1)
        self._renderer = make_renderer(self._city, self._profile)

    def __enter__(self) -> "_Studio":
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()

    def drive(self, place: str, seed: int, frames: int) -> "Iterator[Pixels]":
        """BGRA pictures of a drive from there."""
        from game.dataset.dream import bgra

        width, height = self._profile.width, self._profile.height
        for state in _drive(self._city, place, seed, frames):
            yield bgra(self._renderer.render(state, ("colour",), width, height)["colour"])


def _pictures(
    places: tuple[str, ...], seed: int, styles: tuple[str, ...], frames: int, size: int
) -> "Iterator[Rgb]":
    """Source and painted picture side by side, (480, 960, 3) RGB."""
    import numpy as np

    with _Studio(size) as studio:
        for number, place in enumerate(places):
            share = frames * (number + 1) // len(places) - frames * number // len(places)
            painter = studio.tiny.painter()
            for at, bgra in enumerate(studio.drive(place, seed, share)):
                painted = painter.style(bgra, "", 0, styles[at * len(styles) // share])
                yield np.concatenate([bgra[..., 2::-1], painted[..., 2::-1]], axis=1)


def _sheet(
    out: Path, places: tuple[str, ...], seed: int, styles: tuple[str, ...], size: int
) -> None:
    """A row a place: as captured, then as painted in each style after some frames of it."""
    from game.dataset.pairs.store import scaled
    from game.view.picture import sheet, write_jpeg

    cells = []
    with _Studio(size) as studio:
        for place in places:
            drawn = list(studio.drive(place, seed, SETTLED))
            cells.append(drawn[-1])
            for style in styles:
                painter = studio.tiny.painter()
                cells.append([painter.style(bgra, "", 0, style) for bgra in drawn][-1])
    small = [scaled(cell[..., 2::-1], CELL) for cell in cells]
    write_jpeg(out, sheet(small, 1 + len(styles), gap=0), coarseness=3)


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
