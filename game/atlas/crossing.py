"""Nodes of the road network into junctions: dual nodes joined, names and signals gathered.

A divided avenue meets a street in two nodes; both are one junction with one set of lights. Needs
shapely through its roads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from game.atlas.naming import junction_name
from game.atlas.roads import Road
from game.atlas.tally import Tally
from game.world.city import Point

NEAR = 12.0  # nodes joined by a shorter road are one junction [m]
DIVIDED = 30.0  # so are nodes where the same two streets meet [m]
WIDEST = 45.0  # but no junction grows beyond this [m]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A junction before it gets its number: the nodes it joins and where it lies [m]."""

    nodes: tuple[int, ...]
    x: float
    y: float
    signal: bool
    name: str


def join(
    roads: Sequence[Road], signals: frozenset[int], tally: Tally
) -> tuple[list[Road], list[Crossing]]:
    """The roads that remain between junctions, and the junctions, ordered by place."""
    places = _places(roads)
    names = _names(roads)
    group = {node: node for node in places}
    for road in sorted(roads, key=lambda road: (road.line.length, road.start, road.end)):
        a, b = _root(group, road.start), _root(group, road.end)
        if a != b and _one_junction(road, names) and _fits(group, places, a, b):
            group[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for node in sorted(group):
        members.setdefault(_root(group, node), []).append(node)
    kept = [road for road in roads if not _inside(road, group)]
    tally.mended("road", "inside a junction, became part of it", len(roads) - len(kept))
    used = {_root(group, node) for road in kept for node in (road.start, road.end)}
    near = _names(kept)
    crossings = [
        Crossing(
            tuple(nodes),
            sum(places[node][0] for node in nodes) / len(nodes),
            sum(places[node][1] for node in nodes) / len(nodes),
            any(node in signals for node in nodes),
            junction_name(name for node in nodes for name in near.get(node, ())),
        )
        for root, nodes in members.items()
        if root in used
    ]
    return kept, sorted(crossings, key=lambda one: (round(one.y), round(one.x), one.nodes))


def _places(roads: Sequence[Road]) -> dict[int, Point]:
    places: dict[int, Point] = {}
    for road in roads:
        places[road.start] = road.line.coords[0]
        places[road.end] = road.line.coords[-1]
    return places


def _names(roads: Sequence[Road]) -> dict[int, set[str]]:
    names: dict[int, set[str]] = {}
    for road in roads:
        for node in (road.start, road.end):
            names.setdefault(node, set()).update({road.row.name} - {""})
    return names


def _root(group: Mapping[int, int], node: int) -> int:
    while group[node] != node:
        node = group[node]
    return node


def _one_junction(road: Road, names: Mapping[int, set[str]]) -> bool:
    if road.line.length < NEAR:
        return True
    shared = names[road.start] & names[road.end]
    return road.line.length < DIVIDED and len(shared) >= 2


def _fits(group: Mapping[int, int], places: Mapping[int, Point], a: int, b: int) -> bool:
    near = [places[node] for node in group if _root(group, node) in (a, b)]
    wide = max(x for x, _ in near) - min(x for x, _ in near)
    tall = max(y for _, y in near) - min(y for _, y in near)
    return wide * wide + tall * tall <= WIDEST * WIDEST


def _inside(road: Road, group: Mapping[int, int]) -> bool:
    return _root(group, road.start) == _root(group, road.end) and road.line.length < WIDEST
