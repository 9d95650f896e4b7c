"""Where a recording drove and what happened to it there: streets, blocks, manoeuvres, spots.

All of it is counted from the stored states, ten times a second. Owns the limits that stand beside
it here; draws nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin
from typing import Any

from game.atlas.streets import StreetIndex
from game.dataset.splits import tile
from game.world.city import City, Junction
from game.world.state import WorldState

TURN_M = 15.0
"""A junction is crossed from this far before its middle to as far behind it [m]."""
STRAIGHT_RAD, BACK_RAD = 0.52, 2.6
STILL_M_S, STOP_S, BACKWARD_M_S = 0.2, 1.0, -0.5
HARD_M_S2 = 3.5
CLOSE_M = 10.0
"""Whoever comes nearer than this counts as met closely, centre to centre [m]."""
SPOT_M = 25.0
"""Spots are told by the middle of a square of this side, so that a thousand sessions fit [m]."""
_HARD_S = 0.3
_JUNCTION_CELL = 40.0

MANOEUVRES = ("straight on", "turn left", "turn right", "turn back", "stop", "hard braking",
              "reverse")  # fmt: skip

Spots = Counter[tuple[str, int, int]]


def coverage(
    states: Sequence[WorldState], hz: int, city: City, near: Iterable[int], scenario: str,
    capture: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Metres on each street and block, map tiles, who was met, manoeuvres, and where.

    near: ticks at which a near miss began. capture: hour and weather of the pictures.
    """
    every = max(1, hz // 10)
    track = [states[tick] for tick in range(0, len(states), every)]
    found: dict[str, Any] = {"pack": city.name, **_roads(track, city)}
    spots: Spots = Counter()
    _manoeuvres(track, every / hz, city, spots)
    for tick in near:
        _mark(spots, "near miss", states[tick])
    for before, after in pairwise(track):
        for _ in range(after.collisions - before.collisions):
            _mark(spots, "contact", after)
    kinds = Counter(kind for kind, _, _ in spots.elements())
    found["manoeuvres"] = {name: kinds[name] for name in MANOEUVRES if kinds[name]}
    found["spots"] = [[*place, count] for place, count in sorted(spots.items())]
    found["met"], found["met_closely"] = _met(track)
    found["situations"] = {scenario: 1}
    found["light"] = {f"{capture.get('weather', 'clear')}, {capture.get('hour', 13.0):g} h": 1}
    return found


def _roads(track: Sequence[WorldState], city: City) -> dict[str, Any]:
    """Metres in all, by street name and by block (a stretch between two junctions)."""
    index = StreetIndex(city) if city.streets else None
    streets: dict[str, float] = {}
    blocks: dict[int, float] = {}
    tiles, metres = set(), 0.0
    steps = track[::5]
    for number, state in enumerate(steps):
        here = (state.ego.x, state.ego.y)
        tiles.add(tile(*here))
        if number == 0:
            continue
        last = steps[number - 1].ego
        gone = hypot(here[0] - last.x, here[1] - last.y)
        metres += gone
        street = index.street_near(*here) if index is not None and gone else None
        name = (street.name if street else "") or "unnamed"
        if gone:
            streets[name] = streets.get(name, 0.0) + gone
        if street is not None:
            blocks[street.id] = blocks.get(street.id, 0.0) + gone
    return {
        "metres": metres, "streets": {k: round(v, 1) for k, v in longest(streets)},
        "blocks": {str(k): round(v, 1) for k, v in sorted(blocks.items())},
        "tiles": sorted(tiles),
    }  # fmt: skip


def longest(metres: Mapping[str, float]) -> list[tuple[str, float]]:
    """Longest first."""
    return sorted(metres.items(), key=lambda each: (-each[1], each[0]))


def _met(track: Sequence[WorldState]) -> tuple[dict[str, int], dict[str, int]]:
    """Bodies of all who were there, and of those who came close."""
    bodies: dict[int, str] = {}
    close: set[int] = set()
    for state in track:
        for each in state.actors:
            bodies[each.id] = each.body
            if hypot(each.x - state.ego.x, each.y - state.ego.y) < CLOSE_M:
                close.add(each.id)
    counted = (Counter(bodies.values()), Counter(bodies[each] for each in close))
    return dict(counted[0].most_common()), dict(counted[1].most_common())


def _mark(spots: Spots, kind: str, state: WorldState) -> None:
    spots[kind, int(state.ego.x // SPOT_M), int(state.ego.y // SPOT_M)] += 1


def _manoeuvres(track: Sequence[WorldState], step_s: float, city: City, spots: Spots) -> None:
    """Count what the car did, each once, where it began (a turn: where it ended)."""
    crossing = _Crossing(city.junctions)
    still, backward, hard = 0, False, False
    span = max(1, round(_HARD_S / step_s))
    moved = False
    for number, state in enumerate(track):
        speed = state.ego.speed
        done = crossing.step(state)
        if done:
            _mark(spots, done, state)
        still = still + 1 if abs(speed) < STILL_M_S else 0
        if still == round(STOP_S / step_s) and moved:
            _mark(spots, "stop", state)
        moved = moved or abs(speed) > 1.0
        if speed < BACKWARD_M_S and not backward:
            _mark(spots, "reverse", state)
        backward = speed < BACKWARD_M_S
        before = track[max(0, number - span)].ego.speed
        braking = before - speed > HARD_M_S2 * _HARD_S and speed > 0 and number >= span
        if braking and not hard:
            _mark(spots, "hard braking", state)
        hard = braking


class _Crossing:
    """Watches the car go through junctions and says how it left each."""

    def __init__(self, junctions: Sequence[Junction]) -> None:
        self._cells: dict[tuple[int, int], list[Junction]] = {}
        for each in junctions:
            cell = (int(each.x // _JUNCTION_CELL), int(each.y // _JUNCTION_CELL))
            self._cells.setdefault(cell, []).append(each)
        self._in: Junction | None = None
        self._heading = 0.0
        self._near = TURN_M

    def step(self, state: WorldState) -> str:
        """A manoeuvre that ended just now, or ''."""
        ego = state.ego
        if self._in is not None:
            away = hypot(ego.x - self._in.x, ego.y - self._in.y)
            self._near = min(self._near, away)
            if away < TURN_M:
                return ""
            # beside the middle of a junction lies another street, not a crossing of this one
            crossed = self._near < TURN_M / 2
            self._in = None
            return _turned(ego.heading - self._heading) if crossed else ""
        at = (int(ego.x // _JUNCTION_CELL), int(ego.y // _JUNCTION_CELL))
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                for each in self._cells.get((at[0] + dx, at[1] + dy), ()):
                    if hypot(ego.x - each.x, ego.y - each.y) < TURN_M:
                        self._in, self._heading, self._near = each, ego.heading, TURN_M
                        return ""
        return ""


def _turned(angle: float) -> str:
    angle = atan2(sin(angle), cos(angle))
    if abs(angle) < STRAIGHT_RAD:
        return "straight on"
    if abs(angle) > min(BACK_RAD, pi):
        return "turn back"
    return "turn left" if angle > 0 else "turn right"


def total(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums over the coverage of many sessions. blocks: pack -> block -> [metres, sessions]."""
    streets: Counter[str] = Counter()
    blocks: dict[str, dict[str, list[float]]] = {}
    where: dict[str, Counter[str]] = {}
    spots: dict[str, Spots] = {}
    tiles: set[str] = set()
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("situations", "manoeuvres", "met", "met_closely", "light")
    }
    for each in parts:
        for name, counter in counts.items():
            counter.update(each[name])
        tiles.update(f"{each['pack']}:{name}" for name in each["tiles"])
        for name, metres in each["streets"].items():
            streets[name] += metres
            for situation in each["situations"]:
                where.setdefault(name, Counter())[situation] += metres
        mine = blocks.setdefault(each["pack"], {})
        for block, metres in each["blocks"].items():
            old = mine.setdefault(block, [0.0, 0])
            mine[block] = [round(old[0] + metres, 1), old[1] + 1]
        for kind, x, y, count in each["spots"]:
            spots.setdefault(each["pack"], Counter())[kind, x, y] += count
    return {
        "metres": sum(each["metres"] for each in parts), "tiles": len(tiles),
        "streets": dict(longest(streets)), "blocks": blocks,
        "by_street": {name: dict(where[name]) for name, _ in longest(streets)},
        "spots": {
            pack: [[*place, count] for place, count in sorted(mine.items())]
            for pack, mine in sorted(spots.items())
        },
        **{name: dict(counter.most_common()) for name, counter in counts.items()},
    }  # fmt: skip
