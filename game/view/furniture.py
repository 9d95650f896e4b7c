"""What stands along the kerbs and in the parks, and where: lamps, trees, hydrants, bins, mailboxes.

A function of the city alone: every draw is keyed by street, side, number and purpose. Nothing is
put into a roadway or a building. Knows no meshes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from game.view.mouths import Half
from game.view.room import Flags, Floats, Ints, Room
from game.view.streets import Lines
from game.world.city import City, Point

FAST = ("motorway", "trunk", "motorway_link", "trunk_link", "primary_link", "secondary_link")
_QUIET = ("residential", "unclassified", "tertiary", "living_street")
_LAMPS = 28.0  # from one to the next of both sides together [m]
_TREES = 8.5
_WOOD = 11.0  # between trees in a park [m]


class Kind(IntEnum):
    """What a piece is."""

    TREE = 0
    LAMP = 1
    HYDRANT = 2
    BIN = 3
    MAILBOX = 4
    CAR = 5


@dataclass(frozen=True, slots=True)
class Pieces:
    """One row a piece. place (n, 2) [m]; heading [rad]: of a car its own, else towards the road.

    variant: which of its kind's meshes; size: its scale.
    """

    kind: Ints
    place: Floats
    heading: Floats
    variant: Ints
    size: Floats

    def __len__(self) -> int:
        return len(self.kind)

    def only(self, keep: Flags) -> "Pieces":
        """Those rows."""
        return Pieces(
            self.kind[keep], self.place[keep], self.heading[keep], self.variant[keep],
            self.size[keep],
        )  # fmt: skip


def together(parts: Sequence[Pieces]) -> Pieces:
    """All rows of all parts, in order."""
    return Pieces(
        np.concatenate([p.kind for p in parts]),
        np.concatenate([p.place for p in parts]),
        np.concatenate([p.heading for p in parts]),
        np.concatenate([p.variant for p in parts]),
        np.concatenate([p.size for p in parts]),
    )


def draw(purpose: int, *keys: Ints) -> Floats:
    """A number in [0, 1) for each row of keys, the same on every machine; see game.world.chance."""
    mixed = np.full(np.broadcast_shapes(*(k.shape for k in keys)), purpose, np.uint64)
    for key in keys:
        mixed = (mixed ^ key.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


@dataclass(frozen=True, slots=True)
class Stations:
    """Places along both kerbs of halves. side: 1 left of the half's own direction, -1 right of it.

    half, number: the half's row and the place's number along it. at: on the centre line [m].
    ahead: unit vector along the segment; along: from the mouth [m]; reach: to the kerb [m].
    """

    half: Ints
    number: Ints
    side: Ints
    at: Floats
    ahead: Floats
    along: Floats
    reach: Floats
    street: Ints  # id

    def beside(self, beyond: float | Floats) -> Floats:
        """Points `beyond` the kerb [m], negative on the roadway."""
        across = np.column_stack([-self.ahead[:, 1], self.ahead[:, 0]])
        return self.at + across * (self.side * (self.reach + beyond))[:, None]

    def chance(self, purpose: int) -> Floats:
        """A keyed draw for each."""
        return draw(purpose, self.street, self.half, self.side + 1, self.number)

    def only(self, keep: Flags) -> "Stations":
        """Those rows."""
        return Stations(
            self.half[keep], self.number[keep], self.side[keep], self.at[keep], self.ahead[keep],
            self.along[keep], self.reach[keep], self.street[keep],
        )  # fmt: skip


def stations(
    parts: Sequence[Half], line: Lines, open_to: Flags, begin: float, pitch: float,
    shake: float = 0.0, most: int = 10_000,
) -> Stations:  # fmt: skip
    """Every `pitch` metres along both kerbs of the halves `open_to` it, from `begin` on [m]."""
    length = line.along[line.ends[1:] - 1]
    count = np.where(open_to, np.floor((length - begin) / pitch), 0.0).clip(0, most)
    half = np.repeat(np.arange(len(parts)), count.astype(np.int64) * 2)
    number = np.arange(len(half)) - np.repeat(
        np.concatenate([[0], np.cumsum(count * 2)[:-1]]).astype(np.int64), count.astype(int) * 2
    )
    side, number = number % 2 * 2 - 1, number // 2
    street = np.array([h.street.id for h in parts], np.int64)[half]
    along = begin + (number + 0.5) * pitch
    along = along + shake * (2.0 * draw(1, street, half, side + 1, number) - 1.0)
    wide = 1e7
    row = np.searchsorted(line.half * wide + line.along, half * wide + along, "right") - 1
    row = np.minimum(row, line.ends[half + 1] - 2)
    move = line.points[row + 1] - line.points[row]
    ahead = move / np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
    at = line.points[row] + ahead * (along - line.along[row])[:, None]
    reach = np.array([h.street.width / 2 for h in parts])[half]
    return Stations(half, number, side, at, ahead, along, reach, street)


def _pieces(kind: Kind, where: Stations, beyond: float, variant: Ints, size: Floats) -> Pieces:
    heading = np.arctan2(-where.side * where.ahead[:, 0], where.side * where.ahead[:, 1])
    return Pieces(np.full(len(where.half), int(kind)), where.beside(beyond), heading, variant, size)


def _clear(pieces: Pieces, room: Room, from_wall: float) -> Pieces:
    """Those off every roadway and away from walls."""
    taken = room.roads.touched(pieces.place, 0.3) | room.lanes.touched(pieces.place, 0.3)
    return pieces.only(~(taken | room.walls.near(pieces.place, from_wall)))


def _flags(parts: Sequence[Half], kinds: Sequence[str], inverse: bool = False) -> Flags:
    return np.array([(h.street.kind in kinds) != inverse and not h.short for h in parts], np.bool_)


def kerbside(parts: Sequence[Half], line: Lines, room: Room) -> list[Pieces]:
    """Lamps, trees and small things along the sidewalks."""
    slow = _flags(parts, FAST, inverse=True)
    where = stations(parts, line, np.array([not h.short for h in parts]), 5.5, _LAMPS / 2)
    where = where.only((where.number + (where.side > 0) + where.half) % 2 == 0)
    none, one = np.zeros(len(where.half), np.int64), np.ones(len(where.half))
    found = [_clear(_pieces(Kind.LAMP, where, 0.55, none, one), room, 0.6)]
    found.append(_trees(parts, line, room))
    for kind, along, beyond, share in (
        (Kind.HYDRANT, 8.2, 0.62, 0.55),
        (Kind.BIN, 4.4, 0.75, 0.60),
        (Kind.MAILBOX, 6.3, 0.80, 0.14),
    ):
        where = stations(parts, line, slow, along - 0.5, 1.0, most=1)
        where = where.only(where.chance(10 + kind) < share)
        none, one = np.zeros(len(where.half), np.int64), np.ones(len(where.half))
        found.append(_clear(_pieces(kind, where, beyond, none, one), room, 0.7))
    return found


def _trees(parts: Sequence[Half], line: Lines, room: Room) -> Pieces:
    where = stations(parts, line, _flags(parts, FAST, inverse=True), 9.0, _TREES, 1.1)
    quiet = _flags(parts, _QUIET)[where.half]
    streak = draw(3, where.street, where.side + 1, where.number * 0)  # some blocks have few
    share = np.where(quiet, 0.45 + 0.45 * streak, 0.10 + 0.38 * streak)
    lamp = (where.along - 5.5) / (_LAMPS / 2) - 0.5
    by_lamp = np.abs(lamp - np.rint(lamp)) * _LAMPS / 2 < 1.5
    where = where.only((where.chance(2) < share) & ~by_lamp)
    size = 0.82 + 0.38 * where.chance(4)
    variant = np.floor(where.chance(5) * 4).astype(np.int64)
    trees = _clear(_pieces(Kind.TREE, where, 1.0, variant, size), room, 1.2)
    tight = room.walls.near(trees.place, 2.9)
    trees.size[tight] *= 0.72
    heading = draw(6, np.arange(len(trees))) * 2 * np.pi
    return Pieces(trees.kind, trees.place, heading, trees.variant, trees.size)


def inside(points: Floats, polygon: Sequence[Point]) -> Flags:
    """Whether each point lies in a ring: an odd number of its edges to the east."""
    start = np.array(polygon, np.float64)
    about = np.flatnonzero(((points >= start.min(0)) & (points <= start.max(0))).all(1))
    # an edge concerns the points at its height
    order = about[np.argsort(points[about, 1], kind="stable")]
    x, y = points[order, 0], points[order, 1]
    odd = np.zeros(len(order), np.bool_)
    end = np.roll(start, -1, axis=0)
    low = np.searchsorted(y, np.minimum(start[:, 1], end[:, 1]), "left").tolist()
    high = np.searchsorted(y, np.maximum(start[:, 1], end[:, 1]), "left").tolist()
    for first, last, (ax, ay), (bx, by) in zip(
        low, high, start.tolist(), end.tolist(), strict=True
    ):
        if first < last:
            odd[first:last] ^= x[first:last] < ax + (y[first:last] - ay) / (by - ay) * (bx - ax)
    found = np.zeros(len(points), np.bool_)
    found[order] = odd
    return found


def wood(city: City, room: Room) -> Pieces:
    """Trees in the parks, off their buildings, waters and the streets through them."""
    found: list[Floats] = []
    for polygon in city.parks:
        ring = np.array(polygon)
        low, high = np.floor(ring.min(0) / _WOOD), np.ceil(ring.max(0) / _WOOD)
        cell = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True))), -1)
        cell = cell.reshape(-1, 2).astype(np.int64) + 1_000_000
        shake = np.column_stack([draw(k, cell[:, 0], cell[:, 1]) for k in (20, 21)])
        points = (cell - 1_000_000 + 0.15 + 0.7 * shake) * _WOOD
        points = points[draw(22, cell[:, 0], cell[:, 1]) < 0.78]
        found.append(points[inside(points, polygon)])
    place = np.concatenate(found) if found else np.zeros((0, 2))
    taken = room.roads.touched(place, 2.0) | room.lanes.touched(place, 2.0)
    taken |= room.walls.near(place, 2.4) | room.walls.inside(place)
    for polygon in city.water:
        taken |= inside(place, polygon)
    place = place[~taken]
    row = np.arange(len(place))
    return Pieces(
        np.full(len(place), int(Kind.TREE)), place, draw(23, row) * 2 * np.pi,
        np.floor(draw(24, row) * 4).astype(np.int64), 0.9 + 0.5 * draw(25, row),
    )  # fmt: skip
