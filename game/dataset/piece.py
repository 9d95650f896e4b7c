"""One stretch of pictures of a drive: what is wanted of it, and how a process draws it into files.

Owns the renderer of this process. A piece appears with its mark, whole; nothing here knows where
the states come from.
"""

import importlib
import json
import os
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from game.atlas.load import bundled_names
from game.atlas.load import load as load_city
from game.dataset.camera import Camera
from game.dataset.errors import DatasetError
from game.dataset.video import Mp4
from game.errors import MissingPart
from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS
from game.world.city import City
from game.world.digest import unpack_state
from game.world.state import WorldState

EVERY_CHANNEL = (*CHANNELS, "boxes")
FORMS = ("npy", "npz", "mp4")
RENDERER = "game.view.renderer:make_renderer"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw. every: ticks from picture to picture. size: (width, height), None as captured.

    form: npy one plain array a picture and channel, npz one compressed file a picture, mp4 one
    film of the colours. states: from the stored states, whatever this build could simulate.
    """

    channels: tuple[str, ...] = ("colour",)
    every: int = 2
    size: tuple[int, int] | None = None
    camera: Camera = field(default_factory=Camera)
    form: str = "npy"
    states: bool = False
    first: int = 0
    last: int = -1

    def __post_init__(self) -> None:
        unknown = [name for name in self.channels if name not in EVERY_CHANNEL]
        if unknown or not self.channels:
            raise DatasetError(f"no channel {unknown}; there are {', '.join(EVERY_CHANNEL)}")
        if self.form not in FORMS or self.every < 1 or self.first < 0:
            raise DatasetError(f"--as is one of {', '.join(FORMS)}; --every is 1 or more")
        if self.form == "mp4" and self.channels != ("colour",):
            raise DatasetError("a film holds the channel colour alone; others as npy or npz")


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of pictures. before: the state in front of it, for the flow."""

    folder: Path
    pack: str
    capture: CaptureProfile
    wanted: Wanted
    size: tuple[int, int]
    states: tuple[bytes, ...]
    before: bytes | None

    @property
    def first(self) -> int:
        return unpack_state(self.states[0], ()).tick

    @property
    def mark(self) -> Path:
        return self.folder / "pieces" / f"{self.first:06d}.json"


_kept: dict[tuple[str, CaptureProfile], Any] = {}  # this process's renderer: opening one takes 3 s


def renderer_of(pack: str, capture: CaptureProfile) -> Any:
    """The renderer of this process for a city, opened once and kept. Raises MissingPart."""
    if (pack, capture) not in _kept:
        while _kept:
            _kept.popitem()[1].close()
        module, name = RENDERER.split(":")
        try:
            make = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise MissingPart(
                f"the renderer does not load ({error})", "see: scale-diffusion doctor"
            ) from error
        _kept[pack, capture] = make(city_of(pack), capture)
    return _kept[pack, capture]


def close_renderer() -> None:
    """Give back what this process keeps between sessions."""
    while _kept:
        _kept.popitem()[1].close()


def city_of(pack: str) -> City:
    """The city of a manifest's pack name; an unknown one is the bundled default."""
    return load_city(Path(pack) if pack in bundled_names() else None)


def draw(piece: Piece) -> tuple[int, str]:
    """Draw one piece into files; returns its pictures and the renderer's family."""
    renderer, wanted = renderer_of(piece.pack, piece.capture), piece.wanted
    before = None if piece.before is None else unpack_state(piece.before, ())
    with ExitStack() as stack:
        film = None
        if wanted.form == "mp4":
            rate = 60.0 / wanted.every
            film = stack.enter_context(
                Mp4(piece.mark.with_suffix(".part.mp4"), rate, piece.size, gop=30)
            )
        for packed in piece.states:
            state = unpack_state(packed, ())
            drawn = _picture(renderer, wanted, piece.size, state, before)
            if film is not None:
                film.put(drawn["colour"])
            else:
                _save(piece.folder, wanted.form, state.tick, drawn)
            before = state
    if film is not None:
        piece.mark.with_suffix(".part.mp4").replace(piece.mark.with_suffix(".mp4"))
    mark = {"pictures": len(piece.states), "renderer": renderer.family}
    part = piece.mark.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(mark), encoding="utf-8")
    part.replace(piece.mark)
    return len(piece.states), renderer.family


def _picture(
    renderer: Any, wanted: Wanted, size: tuple[int, int], state: WorldState,
    before: WorldState | None,
) -> dict[str, Any]:  # fmt: skip
    """Channels of one state; the first picture of a drive has none before it, so no flow."""
    view = wanted.camera.eye(state)
    was = None if before is None else (wanted.camera.eye(before), before)
    names = [c for c in wanted.channels if c != "boxes" and (c != "flow" or was is not None)]
    drawn = dict(renderer.render_from(view, state, names, *size, before=was)) if names else {}
    if "boxes" in wanted.channels:
        drawn["boxes"] = [asdict(box) for box in renderer.boxes_from(view, state, *size)]
    return drawn


def _save(folder: Path, form: str, tick: int, drawn: dict[str, Any]) -> None:
    boxes = drawn.pop("boxes", None)
    if boxes is not None:
        text = json.dumps(boxes, default=float)
        (folder / f"boxes-{tick:06d}.json").write_text(text, encoding="utf-8")
    if form == "npz" and drawn:
        np.savez_compressed(folder / f"{tick:06d}.npz", **drawn)
    elif form == "npy":
        for name, picture in drawn.items():
            np.save(folder / f"{name}-{tick:06d}.npy", picture)
