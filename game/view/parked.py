"""Cars parked along the kerbs, where the roadway is wider than its lanes.

Scenery without physics: the world knows nothing of them. So they keep out of every lane, and
whoever keeps to the lanes meets none; a driver who leaves the lanes drives through them.
"""

from collections.abc import Sequence

import numpy as np

from game.view.furniture import FAST, Kind, Pieces, stations
from game.view.mouths import Half
from game.view.room import Flags, Floats, Ints, Room
from game.view.streets import BIKE_WIDTH, Lines, has_room_for_bikes
from game.world.entity import BODIES

BODY = ("sedan", "suv", "van", "taxi", "pickup")
_SHARE = (0.42, 0.76, 0.87, 0.94, 1.0)  # up to which draw a place holds each of BODY
_BEGIN = 12.0  # kept free before a junction: its crosswalk, and the hydrant [m]
_PITCH = 6.5
_KERB = 0.16  # between tyres and kerb [m]
_ROUND = 3.2  # no point of a car is farther from its middle [m]
_CLEAR = 0.10  # at least between a car and any lane [m]


def places(parts: Sequence[Half], line: Lines, widths: dict[int, float], room: Room) -> Pieces:
    """Where cars stand. widths: of a street's lanes by its id [m]."""
    strip = np.array(
        [
            (h.street.width - h.street.lanes * widths.get(h.street.id, h.street.width)) / 2
            for h in parts
        ]
    )
    allowed = np.array([h.street.kind not in FAST and not h.short for h in parts])
    where = stations(parts, line, allowed & (strip > 2.2), _BEGIN, _PITCH, 0.28)
    streak = np.array([min(h.street.lanes, 4) for h in parts])[where.half]
    where = where.only(where.chance(40) < 0.86 - 0.08 * streak)
    which = np.searchsorted(_SHARE, where.chance(41), "right")
    width = np.array([BODIES[name].width for name in BODY])[which]
    shift = 0.08 * (where.chance(42) - 0.5)
    one_way = np.array([h.street.oneway for h in parts])[where.half]
    against = np.array([h.reverse for h in parts])[where.half]
    flip = np.where(one_way, against, where.side > 0)
    ahead = where.ahead * np.where(flip, -1.0, 1.0)[:, None]
    heading = np.arctan2(ahead[:, 1], ahead[:, 0]) + 0.02 * (where.chance(43) - 0.5)
    bikes = [
        h.street.bike and has_room_for_bikes(h.street, widths.get(h.street.id, h.street.width))
        for h in parts
    ]
    left = (where.side > 0) != against
    taken = np.where(np.array(bikes, bool)[where.half] & (left | ~one_way), BIKE_WIDTH + 0.2, 0.0)
    fits = strip[where.half] > width + _KERB + 0.04 + _CLEAR + taken
    cars = Pieces(
        np.full(len(which), int(Kind.CAR)), where.beside(-_KERB - width / 2 + shift), heading,
        which, np.ones(len(which)),
    )  # fmt: skip
    cars, street = cars.only(fits), where.street[fits]
    return cars.only(_free(cars, street, room))


def outline(cars: Pieces, spacing: float = 0.8) -> Floats:
    """Points (n, k, 2) around each car's rectangle."""
    long = np.array([BODIES[name].length / 2 for name in BODY])[cars.variant]
    wide = np.array([BODIES[name].width / 2 for name in BODY])[cars.variant]
    steps = np.linspace(-1.0, 1.0, int(np.ceil(6.0 / spacing)) + 1)
    ring = [(s, w) for s in steps for w in (-1.0, 1.0)] + [(e, 0.0) for e in (-1.0, 1.0)]
    unit = np.array(ring)
    along, across = long[:, None] * unit[:, 0], wide[:, None] * unit[:, 1]
    c, s = np.cos(cars.heading)[:, None], np.sin(cars.heading)[:, None]
    x = cars.place[:, :1] + along * c - across * s
    y = cars.place[:, 1:] + along * s + across * c
    return np.stack([x, y], -1)


def _free(cars: Pieces, street: Ints, room: Room) -> Flags:
    """Those off every lane, off the roadways of other streets and away from walls.

    Only where something else comes near, or the street bends, does the outline decide; on a
    straight stretch the strip beside the lanes is wide enough.
    """
    close = room.lanes.touched(cars.place, _ROUND, but=street)
    close |= room.roads.touched(cars.place, _ROUND, but=street)
    close |= room.walls.near(cars.place, _ROUND) | room.bends(cars.place, _ROUND)
    some = np.flatnonzero(close)
    ring = outline(cars.only(close))
    count = ring.shape[1]
    flat, owner = ring.reshape(-1, 2), np.repeat(street[some], count)
    bad = room.lanes.touched(flat, _CLEAR) | room.walls.near(flat, 0.2)
    bad |= room.roads.touched(flat, 0.0, but=owner)
    free = np.ones(len(cars), np.bool_)
    free[some] = ~bad.reshape(-1, count).any(1)
    return free
