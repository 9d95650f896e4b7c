"""Kerbs as real edges: a low face towards the road and a top that falls back to the pavement.

The world is flat and people walk at z = 0, so only the kerb itself rises; at the corners of a
junction it is dropped, as for wheelchairs. None crosses a roadway.
"""

from collections.abc import Sequence

import numpy as np

from game.view.labels import Train
from game.view.mesh import Mesh, quads
from game.view.mouths import Half
from game.view.room import Floats, Ints, Room
from game.view.streets import Lines

HEIGHT, WIDTH = 0.13, 0.34  # [m]
_STEP = 2.5  # between the places where something may cross [m]
_OVER = 0.03  # over the edge of the roadway, or light falls through the crack [m]
_BEGIN = 1.0  # dropped this far from the mouth [m]
_STONE = (206, 203, 196, 0)


def _runs(line: Lines, reach: Floats, room: Room, street: Ints) -> tuple[Ints, Ints, Floats]:
    """(row, side, (from, to) as shares of the stretch that starts there) free of other roads."""
    rows = np.flatnonzero(line.step)
    move = line.points[rows + 1] - line.points[rows]
    length = np.linalg.norm(move, axis=1)
    count = np.maximum(np.ceil(length / _STEP), 1.0).astype(np.int64)
    of = np.repeat(np.arange(len(rows)), count)
    number = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    made_rows, made_sides, spans = [], [], []
    for side in (1, -1):
        across = line.side[rows] * (side * (reach[line.half[rows]] + WIDTH / 2))[:, None]
        share = (number + 0.5) / count[of]
        at = line.points[rows][of] + move[of] * share[:, None] + across[of]
        free = ~room.roads.touched(at, 0.35, but=street[line.half[rows]][of])
        free &= line.along[rows][of] + share * length[of] > _BEGIN
        first = free & ~(np.roll(free, 1) & (np.roll(of, 1) == of))
        last = free & ~(np.roll(free, -1) & (np.roll(of, -1) == of))
        start, end = np.flatnonzero(first), np.flatnonzero(last)
        made_rows.append(rows[of[start]])
        made_sides.append(np.full(len(start), side))
        spans.append(np.column_stack([number[start], number[end] + 1]) / count[of[start]][:, None])
    return np.concatenate(made_rows), np.concatenate(made_sides), np.concatenate(spans)


def kerbs(parts: Sequence[Half], line: Lines, room: Room) -> Mesh:
    """All kerbs of some halves as quads, four vertices each, face and top in turn."""
    reach = np.array([half.street.width / 2 for half in parts])
    street = np.array([half.street.id for half in parts], np.int64)
    rows, side, span = _runs(line, reach, room, street)
    half = line.half[rows]
    ends = []
    for k in range(2):
        share = span[:, k : k + 1]
        at = line.points[rows] * (1 - share) + line.points[rows + 1] * share
        out = line.side[rows] * (1 - share) + line.side[rows + 1] * share
        out *= side[:, None]
        near, wide = (reach[half] - _OVER)[:, None], (reach[half] + WIDTH)[:, None]
        ends.append((at + out * near, at + out * wide))
    (in0, out0), (in1, out1) = ends

    def lifted(points: Floats, z: float) -> Floats:
        return np.column_stack([points, np.full(len(points), z)])

    low = [lifted(in0, 0.0), lifted(in1, 0.0), lifted(in1, HEIGHT), lifted(in0, HEIGHT)]
    top = [lifted(in0, HEIGHT), lifted(in1, HEIGHT), lifted(out1, 0.0), lifted(out0, 0.0)]
    corners = np.stack([np.stack(low, 1), np.stack(top, 1)], 1)
    corners[side < 0] = corners[side < 0][:, :, ::-1]  # so that each face still looks outwards
    return quads(corners.reshape(-1, 4, 3), _STONE, Train.SIDEWALK)
