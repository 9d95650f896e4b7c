"""What a captured frame costs on this machine's renderer, ours against a node per building."""

import time
from itertools import pairwise
from math import atan2, cos, sin
from typing import Any

import numpy as np

from game.atlas.load import load
from game.atlas.streets import find_junction
from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS
from game.view import buildings
from game.view.mesh import geom_node, quad_indices
from game.view.renderer import SceneRenderer
from game.view.window import Window
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState

FRAMES = 60
PLACES = ("W 42 St & 7 Av", "W 34 St & 5 Av", "W 57 St & 6 Av", "E 50 St & Lexington Av")
LIMIT_MS = 12.0
BUILD_LIMIT_S = 1.5
CROWD = ("taxi", "sedan", "van", "bus", "pedestrian", "bicycle", "suv", "pedestrian")


def _row(name: str, value: float, unit: str, against: str, ratio: float | None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "against": against,
            "ratio": None if ratio is None else round(ratio, 3)}  # fmt: skip


def _drive(city: City, name: str, crowd: int) -> list[WorldState]:
    """Fifteen moments of an approach to a junction, with `crowd` others on the way."""
    junction = find_junction(city, name)
    lane = max(
        (lane for lane in city.lanes if lane.end == junction.id),
        key=lambda lane: abs(lane.points[-1][0] - lane.points[0][0]),
    )
    (ax, ay), (bx, by) = lane.points[-2:]
    heading = atan2(by - ay, bx - ax)
    ux, uy = cos(heading), sin(heading)
    others = tuple(
        EntityState(i + 1, CROWD[i % 8], bx + ux * (i * 1.7 - 40) - uy * (i % 5 * 3 - 6),
                    by + uy * (i * 1.7 - 40) + ux * (i % 5 * 3 - 6), heading, 3.0)
        for i in range(crowd)
    )  # fmt: skip
    return [
        WorldState(tick, 1, EntityState(0, "sedan", bx - ux * (60 - tick), by - uy * (60 - tick),
                                        heading, 10.0), others)
        for tick in range(FRAMES // len(PLACES))
    ]  # fmt: skip


def _mean_ms(window: Window, states: list[WorldState]) -> float:
    """CPU time of one frame over all threads, read-back included [ms]."""
    for state in states[:: len(states) // 4]:
        window.capture(state)
    start = time.process_time()
    for state in states:
        window.capture(state)
    return (time.process_time() - start) / len(states) * 1000.0


def _unbundle(window: Window, city: City) -> None:
    """The naive way: take the tiles out and hang up one node a building, same shader."""
    scene = window._scene
    scene._horizon = None
    for paths in scene._cells:
        for path in paths:
            path.unstash()
    for layer in (scene._walls, scene._shops):
        layer.node().removeAllChildren()
    look = buildings.looks(city.footprints)
    height = np.array([f.height for f in city.footprints])
    wall = buildings.edges(buildings.flatten(city.footprints), height, look)
    quads = buildings.walls(wall, height, look)
    ends = np.searchsorted(wall.owner, np.arange(len(city.footprints) + 1))
    for low, high in pairwise(ends):
        mesh = quads[low:high].reshape(-1), quad_indices(int(high - low))
        scene._walls.attachNewNode(geom_node("building", mesh))


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    city, profile = load(), CaptureProfile()
    start = time.process_time()
    window = Window(city, profile, mode="offscreen")
    built = time.process_time() - start
    empty = [s for place in PLACES for s in _drive(city, place, 0)]
    full = [s for place in PLACES for s in _drive(city, place, 160)]
    ours, crowded = _mean_ms(window, empty), _mean_ms(window, full)
    _unbundle(window, city)
    naive = _mean_ms(window, empty)
    family = window.family
    window.close()
    labelled = _labelled(city, profile, empty)
    return [
        _row("scene built", built, "CPU s", f"limit {BUILD_LIMIT_S}", built / BUILD_LIMIT_S),
        _row(f"captured frame, {family}", ours, "CPU ms", f"limit {LIMIT_MS}", ours / LIMIT_MS),
        _row("the same, a node per building", naive, "CPU ms", "ours, same run", naive / ours),
        _row("frame with 160 others", crowded, "CPU ms", f"limit {LIMIT_MS}", crowded / LIMIT_MS),
        _row("frame with all labels", labelled, "CPU ms", "colour alone", labelled / ours),
    ]  # fmt: skip


def _labelled(city: City, profile: CaptureProfile, states: list[WorldState]) -> float:
    renderer = SceneRenderer(city, profile)
    renderer.render(states[0], list(CHANNELS), profile.width, profile.height)
    start = time.process_time()
    for state in states:
        renderer.render(state, list(CHANNELS), profile.width, profile.height)
    spent = (time.process_time() - start) / len(states) * 1000.0
    renderer.close()
    return spent
