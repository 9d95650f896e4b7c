"""One picture of a named place: where the eye stands and what it sees. Behind `city shot`."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import atan2, cos, dist, radians, sin

import numpy as np

from game.atlas.streets import address, find_junction, lane_near
from game.session.format import CaptureProfile
from game.session.protocols import Picture
from game.view.boxes import Box
from game.view.camera import Eye, eye, standing
from game.view.picture import averaged
from game.view.renderer import SceneRenderer
from game.world.city import City, Lane
from game.world.entity import EntityState
from game.world.state import WorldState
from game.world.version import TICK_HZ

_BACK = 30.0  # from the junction, along the lane that leads to it [m]
_STEP = 10.0 * 2 / TICK_HZ  # driven since the frame before [m]


@dataclass(frozen=True, slots=True)
class Shot:
    """What was drawn: the picture of one channel and where it was taken from.

    boxes: of everyone in the picture, where they were asked for.
    """

    picture: Picture
    eye: Eye
    address: str
    renderer: str
    boxes: tuple[Box, ...] = ()


def shoot(
    city: City,
    at: str,
    channel: str = "colour",
    size: tuple[int, int] = (480, 480),
    heading: float | None = None,
    on_foot: bool = False,
    profile: CaptureProfile | None = None,
    tick: int = 0,
    boxes: bool = False,
    smooth: int = 1,
) -> Shot:
    """Draw the junction named `at`, from a car that approaches it or from someone standing in it.

    heading: counter-clockwise from east [degree], None: along the lane. size: width, height [px].
    smooth: colour is drawn so many times as large along both sides, and averaged; labels never are.
    The flow is that of a drive at 10 m/s, two ticks after the frame before.
    """
    state = WorldState(tick=tick, seed=0, ego=approach(city, at, heading))
    renderer = SceneRenderer(city, profile or CaptureProfile())
    try:
        ego = state.ego
        view = standing(ego.x, ego.y, ego.heading) if on_foot else eye(state)
        earlier = replace(
            state,
            ego=ego._replace(
                x=ego.x - _STEP * cos(ego.heading), y=ego.y - _STEP * sin(ego.heading)
            ),
        )
        was = standing(earlier.ego.x, earlier.ego.y, ego.heading) if on_foot else eye(earlier)
        finer = smooth if channel == "colour" else 1
        large = size[0] * finer, size[1] * finer
        found = renderer.render_from(
            view, state, [channel], *large, ego=not on_foot, before=(was, earlier)
        )[channel]
        if finer > 1:
            found = averaged(np.asarray(found, np.uint8), finer)
        framed = renderer.boxes_from(view, state, *size, ego=not on_foot) if boxes else ()
        return Shot(found, view, address(city, ego.x, ego.y), renderer.family, framed)
    finally:
        renderer.close()


def approach(city: City, at: str, heading: float | None) -> EntityState:
    """A car standing in a lane just before the junction."""
    junction = find_junction(city, at)
    wanted = None if heading is None else radians(heading)
    leading = [lane for lane in city.lanes if lane.end == junction.id]
    if wanted is None and leading:
        lane = max(leading, key=lambda lane: (_length(lane) > _BACK, -lane.index, -lane.id))
        (x0, y0), (x1, y1) = lane.points[-2:]
        wanted = atan2(y1 - y0, x1 - x0)
    x, y = junction.x, junction.y
    if wanted is None:
        return EntityState(0, "sedan", x, y, 0.0, 0.0)
    back = _before(x, y, wanted)
    lane, along, _ = lane_near(city, *back, heading=wanted)
    px, py = _point(lane, along)
    return EntityState(0, "sedan", px, py, wanted, 0.0)


def _before(x: float, y: float, heading: float) -> tuple[float, float]:
    return x - cos(heading) * _BACK, y - sin(heading) * _BACK


def _length(lane: Lane) -> float:
    return sum(dist(a, b) for a, b in pairwise(lane.points))


def _point(lane: Lane, along: float) -> tuple[float, float]:
    """The point of a lane at arc length `along` [m]."""
    for (ax, ay), (bx, by) in pairwise(lane.points):
        step = dist((ax, ay), (bx, by))
        if along <= step and step > 0.0:
            return ax + (bx - ax) * along / step, ay + (by - ay) * along / step
        along -= step
    return lane.points[-1]
