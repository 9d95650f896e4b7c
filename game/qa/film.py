"""Films a bundle: the drive done again, seen through the windscreen, as an MP4 file."""

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from game.session.format import CaptureProfile
from game.world.state import WorldState
from game.world.version import TICK_HZ

if TYPE_CHECKING:
    from game.session.protocols import Renderer
    from game.world.city import City

EVERY_TICKS = 4
"""Fifteen pictures a second."""


def film(bundle: Path, city: "City", folder: Path) -> Path:
    """Draw the drive of a bundle into `folder`; the file appears whole or not at all.

    Raises BundleUnreadable, and MissingPart where this machine cannot draw.
    """
    from game.view.renderer import make_renderer
    from scenarios.batch import replay

    states: list[WorldState] = []

    def watch(state: WorldState) -> None:
        if state.tick % EVERY_TICKS == 0:
            states.append(state)

    replay(bundle, city, measure=False, watch=watch)
    profile = CaptureProfile(every_ticks=EVERY_TICKS)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{bundle.stem}.mp4"
    part = out.with_name(f".{out.name}.{os.getpid()}")
    renderer = make_renderer(city, profile)
    try:
        _encode(part, states, profile, renderer)
        os.replace(part, out)
    finally:
        renderer.close()
        part.unlink(missing_ok=True)
    return out


def _encode(
    part: Path, states: list[WorldState], profile: CaptureProfile, renderer: "Renderer"
) -> None:
    import av
    import numpy as np

    size = (profile.width, profile.height)
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=TICK_HZ // EVERY_TICKS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, TICK_HZ)
        for state in states:
            colour = renderer.render(state, ("colour",), *size)["colour"]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(colour), format="rgb24")
            frame.pts, frame.time_base = state.tick, Fraction(1, TICK_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
