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
MAJOR = ("primary", "secondary")
MINOR = ("tertiary", "residential", "unclassified")
ISLAND = 250.0  # roads that meet no others are dropped below this length in all [m]


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
    """The roads in one piece with the network, and the junctions, ordered by place.

    A road inside a junction stays: it starts and ends there, is paved and carries no lanes.
    """
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
    kept = _one_network(roads, group, tally)
    used = {_root(group, node) for road in kept for node in (road.start, road.end)}
    near = _names(kept)
    lit = _surely_lit(kept, group)
    unseen = [root for root in lit if not any(node in signals for node in members[root])]
    tally.mended("junction", "lights set by rule, the network lost the tag", len(unseen))
    crossings = [
        Crossing(
            tuple(nodes),
            sum(places[node][0] for node in nodes) / len(nodes),
            sum(places[node][1] for node in nodes) / len(nodes),
            any(node in signals for node in nodes) or root in lit,
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


def _one_network(roads: Sequence[Road], group: Mapping[int, int], tally: Tally) -> list[Road]:
    """The roads without short pieces that no other road leads to."""
    whole = {_root(group, node): _root(group, node) for node in group}
    for road in roads:
        a = _root(whole, _root(group, road.start))
        b = _root(whole, _root(group, road.end))
        whole[max(a, b)] = min(a, b)
    lengths: dict[int, float] = {}
    for road in roads:
        root = _root(whole, _root(group, road.start))
        lengths[root] = lengths.get(root, 0.0) + road.line.length
    kept = [road for road in roads if lengths[_root(whole, _root(group, road.start))] >= ISLAND]
    tally.dropped("road", "a short piece cut off from the network", len(roads) - len(kept))
    return kept


def _surely_lit(roads: Sequence[Road], group: Mapping[int, int]) -> set[int]:
    """Junctions of an avenue or a major street with another street.

    In Midtown they all have lights; the map tags many on approach nodes, which the simplified
    network no longer has.
    """
    arms: dict[int, list[Road]] = {}
    for road in roads:
        a, b = _root(group, road.start), _root(group, road.end)
        if a != b:
            arms.setdefault(a, []).append(road)
            arms.setdefault(b, []).append(road)
    return {
        root
        for root, meeting in arms.items()
        if len(meeting) >= 3
        and any(road.row.kind in MAJOR for road in meeting)
        and all(road.row.kind in MAJOR + MINOR for road in meeting)
        and len({road.row.name for road in meeting} - {""}) >= 2
    }


def is_inside(road: Road, junction_of: Mapping[int, int]) -> bool:
    """Whether a road is part of a junction: short, and back where it began."""
    return junction_of[road.start] == junction_of[road.end] and road.line.length < WIDEST
