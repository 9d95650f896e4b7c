"""What a captured frame costs on this machine's renderer, ours against a node per building."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import atan2, cos, sin
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from game.atlas.load import load
from game.atlas.streets import find_junction
from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS
from game.view import buildings
from game.view.mesh import geom_node, quad_indices
from game.view.picture import averaged
from game.view.renderer import SceneRenderer
from game.view.window import Window
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState

FRAMES = 60
PLACES = ("W 42 St & 7 Av", "W 34 St & 5 Av", "W 57 St & 6 Av", "E 50 St & Lexington Av")
RUSH = "60 vehicles, 100 people, night, rain"
LIMIT_MS, WORST_MS, EDGES_MS = 12.0, 16.0, 2.0
CARS = ("taxi", "sedan", "van", "bus", "suv", "lorry")
BUILD_LIMIT_S = 2.0  # leaves one for the program, the pack and the first picture
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


def _rush(city: City) -> list[WorldState]:
    """The first place with 60 vehicles and 100 people in sight."""
    before = _drive(city, PLACES[0], 0)
    ego = before[0].ego
    ux, uy = cos(ego.heading), sin(ego.heading)
    cars = [(CARS[i % len(CARS)], 8 + i // 4 * 7.5, i % 4 * 3.3 - 5.0) for i in range(60)]
    walkers = [("pedestrian", 6 + i // 2 * 1.9, (-9.0, 9.0)[i % 2] + i % 5 * 0.5)
               for i in range(100)]  # fmt: skip
    others = tuple(
        EntityState(i + 1, body, ego.x + ux * a - uy * b, ego.y + uy * a + ux * b, ego.heading, 3.0)
        for i, (body, a, b) in enumerate(cars + walkers)
    )
    return [replace(state, actors=others) for state in before]


def _ms(draw: Callable[[WorldState, WorldState], object], states: list[WorldState]) -> float:
    """CPU time of one frame over all threads, read-back included [ms]."""
    for state in states[:: len(states) // 4]:
        draw(state, state)
    start = time.process_time()
    for before, state in pairwise(states):
        draw(state, before)
    return (time.process_time() - start) / (len(states) - 1) * 1000.0


def _unbundle(window: Window, city: City) -> None:
    """The naive way: take the tiles out and hang up one node a building, same shader."""
    scene = window._scene
    houses = scene.houses
    houses.hiding = False
    houses.whole()
    naive = scene._walls.getParent().attachNewNode("naive")
    naive.setState(scene._walls.getState())
    for layer in (scene._walls, scene._shops):  # still kept up to date, seen by nobody
        layer.stash()
    look = buildings.looks(city.footprints)
    height = np.array([f.height for f in city.footprints])
    wall = buildings.edges(buildings.flatten(city.footprints), height, look)
    quads = buildings.walls(wall, height, look)
    ends = np.searchsorted(wall.owner, np.arange(len(city.footprints) + 1))
    for low, high in pairwise(ends):
        mesh = quads[low:high].reshape(-1), quad_indices(int(high - low))
        naive.attachNewNode(geom_node("building", mesh))


def _views(city: City) -> dict[str, list[WorldState]]:
    named = {place: _drive(city, place, 0) for place in PLACES}
    return {**named, RUSH: _rush(city)}


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table: the whole island, the rush at night in rain."""
    city, profile = load(Path("manhattan")), CaptureProfile()
    night = replace(profile, hour=22.0, weather="rain")
    views = _views(city)
    start = time.process_time()
    window, dark = (Window(city, p, mode="offscreen") for p in (profile, night))
    built = (time.process_time() - start) / 2
    found = [_row("scene built", built, "CPU s", f"limit {BUILD_LIMIT_S}", built / BUILD_LIMIT_S)]

    def colour(now: WorldState, _: WorldState) -> object:
        return window.capture(now)

    def rainy(now: WorldState, _: WorldState) -> object:
        return dark.capture(now)

    each = {name: _ms(rainy if name == RUSH else colour, some) for name, some in views.items()}
    dark.close()
    for name, spent in each.items():
        found.append(_row(f"480x480, {name}", spent, "CPU ms", f"limit {WORST_MS}",
                          spent / WORST_MS))  # fmt: skip
    mean = sum(each.values()) / len(each)
    found.append(_row(f"480x480, mean of five views, {window.family}", mean, "CPU ms",
                      f"limit {LIMIT_MS}", mean / LIMIT_MS))  # fmt: skip
    bare = _bare(window, views[PLACES[0]], colour)
    found.append(_row("furniture and parked cars", each[PLACES[0]] - bare, "CPU ms",
                      f"of a frame at {PLACES[0]}", (each[PLACES[0]] - bare) / bare))  # fmt: skip
    soft = _edges(window, views[PLACES[0]])
    found.append(_row("of it smooth edges", soft, "CPU ms", f"limit {EDGES_MS:g}",
                      soft / EDGES_MS))  # fmt: skip
    ours = sum(each[place] for place in PLACES) / len(PLACES)
    _unbundle(window, city)
    naive = sum(_ms(colour, views[place]) for place in PLACES) / len(PLACES)
    found.append(_row("the same, a node per building", naive, "CPU ms", "ours, same run",
                      naive / ours))  # fmt: skip
    window.close()
    return found + _labelled(city, (profile, night), views, mean)


def _edges(window: Window, states: list[WorldState]) -> float:
    """What smooth edges add to the read-back of one frame, mean of some [CPU ms]."""
    spent = {"hard": 0.0, "smooth": 0.0}
    for state in states:
        window.capture(state)
        for edges in spent:
            window.redraw(edges)
            start = time.process_time()
            window._target.bgra()
            spent[edges] += time.process_time() - start
    return (spent["smooth"] - spent["hard"]) / len(states) * 1000.0


def _bare(
    window: Window, states: list[WorldState], draw: Callable[[WorldState, WorldState], object]
) -> float:
    """Without furniture."""
    scenery: Any = window._scene.scenery
    scenery.root.stash()
    spent = _ms(draw, states)
    scenery.root.unstash()
    return spent


def _labelled(
    city: City, profiles: tuple[CaptureProfile, CaptureProfile],
    views: dict[str, list[WorldState]], mean: float,
) -> list[dict[str, Any]]:  # fmt: skip
    renderer, dark = (SceneRenderer(city, profile) for profile in profiles)

    def all_of(by: SceneRenderer) -> Callable[[WorldState, WorldState], object]:
        return lambda now, before: by.render(now, CHANNELS, 480, 480, previous=before)

    def wide(by: SceneRenderer) -> Callable[[WorldState, WorldState], object]:
        return lambda now, _: by.render(now, ["colour"], 832, 480)

    def soft(now: WorldState, _: WorldState) -> object:
        large = renderer.render(now, ["colour"], 960, 960)["colour"]
        return averaged(np.asarray(large, np.uint8), 2)

    def framed(now: WorldState, _: WorldState) -> object:
        return renderer.boxes(now)

    by = {name: dark if name == RUSH else renderer for name in views}
    each = [_ms(all_of(by[name]), states) for name, states in views.items()]
    large = [_ms(wide(by[name]), states) for name, states in views.items()]
    smooth = _ms(soft, views[PLACES[0]])
    boxes = _ms(framed, views[RUSH][:5])
    labelled = sum(each) / len(each)
    resident = psutil.Process().memory_info().rss / 1e6
    renderer.close()
    dark.close()
    return [
        _row("all labels and flow, mean", labelled, "CPU ms", "colour alone", labelled / mean),
        _row("all labels and flow, worst", max(each), "CPU ms", "limit 21", max(each) / 21.0),
        _row("832x480, mean", sum(large) / len(large), "CPU ms", "limit 20",
             sum(large) / len(large) / 20.0),
        _row("480x480 from four times as many pixels (city shot)", smooth, "CPU ms", "", None),
        _row("boxes of 160 with what hides them", boxes, "CPU ms", "", None),
        _row("memory with two scenes of the island", resident, "MB", "", None),
    ]  # fmt: skip
