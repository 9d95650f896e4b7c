"""A moment of a recorded drive as a scenario file for others: the same place, the same traffic.

Everybody around is told as they moved in the recording; the other of the moment keeps to it, the
rest brake for whoever drives now. Lights keep their own clock. Nothing of who drove is in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, degrees, dist, hypot, inf, sin
from typing import Any

import yaml

from game.atlas.streets import find_junction, street_near
from game.errors import GameError
from game.world.city import City
from game.world.entity import BODIES, EntityState
from game.world.state import WorldState
from game.world.version import TICK_HZ
from scenarios.curve import Pose, fitted, knots, stands
from scenarios.errors import ScenarioError, StageImpossible
from scenarios.load import parse
from scenarios.model import Scenario
from scenarios.near import Moment
from scenarios.place import Frame, anchor_frame
from scenarios.spawn import stage
from scenarios.terms import Anchor

BEFORE_S, AFTER_S = 5.0, 4.0
AROUND_M = 75.0
"""Who comes no nearer to the ego than this is left out [m]."""
MOST = 40
"""At most so many others, the nearest of them."""
SECONDS_MORE = 12.0
"""So much longer than the recording one may take [s]."""
_FACING = ("north", "east", "south", "west")


@dataclass(frozen=True, slots=True)
class Retold:
    """The text of the file and what it means."""

    text: str
    scenario: Scenario
    first: int
    last: int


def retell(
    states: Sequence[WorldState], city: City, moment: Moment, source: str,
    before_s: float = BEFORE_S, after_s: float = AFTER_S,
) -> Retold:  # fmt: skip
    """The scenario of a moment. states: of a whole drive, by tick. source: what was driven.

    Raises ScenarioError where no file of it could be driven (nothing around, inside a building).
    """
    first = max(0, moment.tick - int(before_s * TICK_HZ))
    last = min(len(states) - 1, moment.tick + int(after_s * TICK_HZ))
    if last - first < TICK_HZ:
        raise StageImpossible("near-miss", moment.tick, "less than a second of it is recorded")
    window = [states[tick] for tick in range(first, last + 1)]
    anchor, frame = _anchor(city, window[moment.tick - first].ego)
    others = _others(window, moment.id)
    said = _document(city, anchor, frame, window, others, moment, source)
    while True:
        text = _written(said, moment, source)
        scenario = parse(text.encode(), "near-miss.yaml")[0]
        try:
            stage(scenario, city, 0)
        except StageImpossible as wrong:
            name = next((a["id"] for a in said["actors"] if f"'{a['id']}'" in wrong.why), None)
            if name is None or name in said["hazards"]:
                raise
            said["actors"] = [each for each in said["actors"] if each["id"] != name]
            continue
        return Retold(text, scenario, first, last)


def _anchor(city: City, ego: EntityState) -> tuple[dict[str, str], Frame]:
    """The nearest crossing that its own name finds, and a way to face there."""
    near = sorted(city.junctions, key=lambda j: (hypot(j.x - ego.x, j.y - ego.y), j.id))
    for junction in near[:40]:
        if "&" not in junction.name:
            continue
        try:
            if find_junction(city, junction.name).id != junction.id:
                continue
        except (GameError, LookupError, ValueError):
            continue
        best: tuple[float, dict[str, str], Frame] | None = None
        for facing in _FACING:
            told = {"at": junction.name, "facing": facing}
            try:
                frame = anchor_frame(Anchor.model_validate(told), city, "near-miss")
            except ScenarioError:
                continue
            turned = abs(((frame.heading - ego.heading) + 9.42477796) % 6.28318531 - 3.14159265)
            if best is None or turned < best[0]:
                best = turned, told, frame
        if best is not None:
            return best[1], best[2]
    raise StageImpossible("near-miss", 0, "no crossing with a name is near")


def _others(window: Sequence[WorldState], hazard: int) -> dict[int, list[tuple[int, EntityState]]]:
    """(tick of the window, state) of everybody who comes near, by id; the hazard first."""
    seen: dict[int, list[tuple[int, EntityState]]] = {}
    closest: dict[int, float] = {}
    for tick, state in enumerate(window):
        for actor in state.actors:
            seen.setdefault(actor.id, []).append((tick, actor))
            away = hypot(actor.x - state.ego.x, actor.y - state.ego.y)
            closest[actor.id] = min(closest.get(actor.id, inf), away)
    near = [key for key in seen if closest[key] < AROUND_M]
    near.sort(key=lambda key: (key != hazard, closest[key], key))
    return {key: seen[key] for key in near[:MOST]}


def _document(
    city: City, anchor: dict[str, str], frame: Frame, window: Sequence[WorldState],
    others: Mapping[int, list[tuple[int, EntityState]]], moment: Moment, source: str,
) -> dict[str, Any]:  # fmt: skip
    """The file as plain values, in the order in which it is read."""
    ego = [_pose(state.ego) for state in window]
    street = street_near(city, window[0].ego.x, window[0].ego.y)
    limit = min(25.0, max(11.0, street.speed_limit if street is not None else 11.0))
    names: dict[int, str] = {}
    actors = [
        _actor(_named(names, key, told), told, frame, key == moment.id, len(window))
        for key, told in others.items()
    ]
    goal = frame.local(ego[-1][:2])
    went = dist(ego[0][:2], ego[-1][:2])
    over = (len(window) - 1) / TICK_HZ
    won: list[dict[str, Any]] = [{"type": "no_collision"}]
    if went > 15.0:
        won.append({"type": "reach_position", "at": _metres(goal), "radius": 7.0})
    else:
        won.append({"type": "survive_duration", "seconds": round(over, 1)})
    slug = re.sub(r"[^a-z0-9]+", "-", anchor["at"].lower()).strip("-")
    return {
        "schema_version": 1,
        "id": f"close-{slug}"[:40].strip("-"),
        "title": f"That Was Close: {anchor['at']}"[:80],
        "description": _told(moment, source, window[moment.tick - window[0].tick].ego),
        "place": anchor,
        "duration_s": round(over + (SECONDS_MORE if went > 15.0 else 0.5), 1),
        "ego": {
            "body": window[0].ego.body,
            **_way(ego, frame, 30.0),
            "speed": _pace(ego[0][3]),
            "limit": round(limit, 1),
        },
        "actors": actors,
        "hazards": [each["id"] for each in actors if each["id"] == names.get(moment.id)]
        or [each["id"] for each in actors[:1]],
        "success": won,
    }


def _told(moment: Moment, source: str, ego: EntityState) -> str:
    pace = abs(ego.speed) * 3600 / 1609.344
    return (
        f"Somebody drove here at {pace:.0f} mph and came within {moment.says()}. The traffic is "
        f"theirs, as it was in {source or 'a free drive'}; lights keep their own clock. Do better."
    )


def _named(names: dict[int, str], key: int, told: Sequence[tuple[int, EntityState]]) -> str:
    """Its body and a number, counted from the nearest on."""
    body = told[0][1].body.replace("_", "-")
    count = 1 + sum(name.rpartition("-")[0] == body for name in names.values())
    return names.setdefault(key, f"{body}-{count}")


def _actor(
    name: str, told: Sequence[tuple[int, EntityState]], frame: Frame, hazard: bool, ticks: int
) -> dict[str, Any]:
    """One other as it moved. It sets off when the recording first has it."""
    first, start = told[0]
    poses = [_pose(each) for _, each in told]
    body = BODIES[start.body]
    said: dict[str, Any] = {"id": name, "kind": body.kind.name.lower(), "body": start.body}
    stood = stands(poses) or len(poses) < 2
    if stood:
        turn = degrees(start.heading - frame.heading)
        turn = (turn + 180.0) % 360.0 - 180.0
        said["stands"] = {"at": _metres(frame.local(poses[0][:2])), "turn": round(turn, 1)}
    else:
        going = poses[-1][3] > 0.5 and told[-1][0] == ticks - 1
        said |= _way(poses, frame, max(8.0, 5.0 * poses[-1][3]) if going else 0.0)
        said["speed"] = [
            {"at_s": round(at, 2), "speed": _pace(pace)} for at, pace in knots(poses, TICK_HZ)
        ]
        if not hazard:
            said["reacts"] = "brake"
        said["ending"] = "stay" if not going and told[-1][0] == ticks - 1 else "vanish"
    if first > 0:
        said["trigger"] = {"at_s": round(first / TICK_HZ, 3)}
    return said


def _way(poses: Sequence[Pose], frame: Frame, beyond: float) -> dict[str, Any]:
    """The key `path` of what was driven, or `line` where it never left a place."""
    if stands(poses):
        x, y, heading, _ = poses[0]
        ahead = Frame(x, y, cos(heading), sin(heading)).point((max(beyond, 5.0), 0.0))
        return {"line": [_metres(frame.local((x, y))), _metres(frame.local(ahead))]}
    return {"path": [_metres(frame.local(point)) for point in fitted(poses, beyond)]}


def _pose(entity: EntityState) -> Pose:
    return entity.x, entity.y, entity.heading, entity.speed


def _pace(speed: float) -> float:
    return round(min(70.0, max(0.0, speed)), 2)


def _metres(point: tuple[float, float]) -> list[float]:
    return [round(point[0], 2) + 0.0, round(point[1], 2) + 0.0]


class _Dumper(yaml.SafeDumper):
    """Points and short mappings on one line, the rest below each other."""


def _short_list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    flat = all(not isinstance(item, list | dict) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flat)


def _short_map(dumper: yaml.SafeDumper, value: dict[str, Any]) -> yaml.Node:
    flat = len(value) <= 3 and "id" not in value and not any(
        isinstance(item, dict) for item in value.values()
    )  # fmt: skip
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=flat)


_Dumper.add_representer(list, _short_list)
_Dumper.add_representer(dict, _short_map)


def _written(said: dict[str, Any], moment: Moment, source: str) -> str:
    head = (
        "# Made from a recorded drive. Metres are [forward, left] of the crossing in `place`; every"
        "\n# actor is told as it moved there. The one that was close keeps to it, the rest brake.\n"
    )
    body: str = yaml.dump(said, Dumper=_Dumper, sort_keys=False, width=96, allow_unicode=True)
    return head + body
