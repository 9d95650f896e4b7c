"""What stands on roofs and hangs on fronts: water tanks, stair heads, plant, cornices, awnings.

All of it carries its building's label. Pure numpy.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from game.view.mesh import (
    VERTEX,
    Mesh,
    Vertices,
    box,
    faces_to_bytes,
    join,
    post,
    quad_indices,
    quads,
)

_WOOD, _IRON, _LID = (112, 84, 62, 0), (58, 56, 54, 0), (78, 66, 58, 0)
_PLANT, _DUCT = (150, 152, 154, 0), (120, 122, 124, 0)
Floats = NDArray[np.float64]


@cache
def tank() -> Mesh:
    """A cedar water tank on an iron stand, 8 m high, about the origin."""
    return join([
        _lidless((-1.25, -1.25, 0), (1.25, 1.25, 3.4), _IRON, 0.86),
        post((0, 0, 3.3), 3.8, 1.95, _WOOD, 0, 7, 0.97, False),
        post((0, 0, 7.1), 1.3, 2.1, _LID, 0, 7, 0.05, False),
    ])  # fmt: skip


def _lidless(low: tuple[float, float, float], high: tuple[float, float, float],
             paint: tuple[int, int, int, int], taper: float = 1.0) -> Mesh:  # fmt: skip
    """The four sides of a box, for what is seen from the street alone."""
    return _first(box(low, high, paint, 0, 0, taper), 4)


def _first(mesh: Mesh, faces: int) -> Mesh:
    return mesh[0][: faces * 4], quad_indices(faces)


@cache
def stair() -> Mesh:
    """The head of a stair, a unit box to be scaled: 1 x 1 x 1 on the origin."""
    return join([_lidless((-0.5, -0.5, 0), (0.5, 0.5, 1.0), (255, 255, 255, 0)), _lid(0.5, 1.0)])


def _lid(half: float, z: float) -> Mesh:
    ring = [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    return quads(np.array([ring]), (150, 148, 144, 0))


@cache
def plant() -> Mesh:
    """Cooling plant and ducts of a big building, about 9 m across, on the origin."""
    return join([
        _lidless((-4.5, -2.0, 0), (1.0, 2.0, 3.0), _PLANT),
        _lidless((1.4, -1.8, 0), (4.4, 1.8, 2.2), _DUCT),
        _lidless((-4.1, -1.2, 3.0), (-1.9, 1.2, 3.8), _IRON, 0.9),
    ])  # fmt: skip


def stood(mesh: Mesh, at: Floats, turn: Floats, size: Floats) -> Vertices:
    """A mesh of quads, (n, quads, 4): at n places (n, 3), turned about z [rad], scaled (n, 3)."""
    one = mesh[0]
    vertices = np.tile(one, (len(at), 1))
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    place = one["place"].astype(np.float64) * size[:, None]
    vertices["place"][..., 0] = at[:, None, 0] + place[..., 0] * c - place[..., 1] * s
    vertices["place"][..., 1] = at[:, None, 1] + place[..., 0] * s + place[..., 1] * c
    vertices["place"][..., 2] = at[:, None, 2] + place[..., 2]
    n = one["facing"][:, :2].astype(float) - 128.0
    vertices["facing"][..., 0] = np.rint(n[:, 0] * c - n[:, 1] * s + 128.0)
    vertices["facing"][..., 1] = np.rint(n[:, 0] * s + n[:, 1] * c + 128.0)
    return vertices.reshape(len(at), len(one) // 4, 4)


def rooms(roofs: Sequence[Mesh]) -> tuple[Floats, Floats, Floats]:
    """Of each roof's widest triangle the middle (n, 3), the radius of its circle, its direction."""
    corners = np.concatenate(
        [np.zeros((0, 3, 3))] + [v["place"].astype(np.float64)[i.reshape(-1, 3)] for v, i in roofs]
    )
    owner = np.repeat(np.arange(len(roofs)), [len(i) // 3 for _, i in roofs])
    sides = corners[:, [1, 2, 0]] - corners
    length = np.sqrt((sides * sides).sum(2))
    first, second = sides[:, 0], sides[:, 1]
    twice = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    radius = twice / np.maximum(length.sum(1), 1e-9)
    order = np.lexsort((radius, owner))  # of each owner the widest comes last
    last = order[np.flatnonzero(np.diff(owner[order], append=-1))]
    middle, wide, turn = np.zeros((len(roofs), 3)), np.zeros(len(roofs)), np.zeros(len(roofs))
    weight = length[last][:, [1, 2, 0]]  # the incentre weighs each corner by the side across it
    middle[owner[last]] = (corners[last] * weight[..., None]).sum(1) / weight.sum(1)[:, None]
    wide[owner[last]] = radius[last]
    way = sides[last, length[last].argmax(1)]
    turn[owner[last]] = np.arctan2(way[:, 1], way[:, 0])
    return middle, wide, turn


def fittings(roofs: Sequence[Mesh], year: NDArray[np.int64], height: Floats,
             draw: NDArray[np.int64], wall: NDArray[np.uint8]
             ) -> list[tuple[Vertices, NDArray[np.int64]]]:  # fmt: skip
    """What stands on roofs, by their age, height and size: the quads of a kind and their roofs."""
    middle, radius, turn = rooms(roofs)
    fits = (radius > 1.9) & (height > 6.0) & (height < 240.0)
    modern = fits & (year >= 1948) & (height > 30.0) & (radius > 6.0)
    small = fits & ~modern & (draw % 5 > 0)
    old = fits & (year > 0) & (year < 1966) & (height > 16.0) & (height < 130.0)
    old &= (radius > 3.0) & (draw % 100 < 62)
    size = np.minimum(radius * 0.62, 2.6)
    k = np.minimum(radius / 6.5, 2.4)
    plants = stood(plant(), middle[modern], turn[modern],
                   np.column_stack([k, k, np.minimum(k, 1.7)])[modern])  # fmt: skip
    shape = np.column_stack([size * 2.0, size * 1.5, 2.7 + draw % 3 * 0.4])
    stairs = stood(stair(), middle[small], turn[small], shape[small])
    stairs["paint"][:, :4, :, :3] = wall[small][:, None, None]
    beside = radius > size + 4.0  # else it stands on the stair head, of a building tall enough
    old &= beside | (height > 28.0)
    aside = np.where(beside, (size + 2.4) * np.where(draw % 2, 1.0, -1.0), 0.0)
    at = middle + np.column_stack(
        [np.cos(turn) * aside, np.sin(turn) * aside, np.where(beside, 0.0, 2.6)]
    )
    scale = np.repeat((0.8 + draw % 7 * 0.06)[:, None], 3, axis=1)
    tanks = stood(tank(), at[old], turn[old], scale[old])
    return [(plants, np.flatnonzero(modern)), (stairs, np.flatnonzero(small)),
            (tanks, np.flatnonzero(old))]  # fmt: skip


def _stack(corners: list[Floats], paint: NDArray[np.uint8], label: NDArray[np.uint8]) -> Vertices:
    """Quads of several kinds, each (n, 4, 3), with one paint and label a row: (n, kinds, 4)."""
    quad = np.stack(corners, 1)
    cross = np.cross(quad[:, :, 2] - quad[:, :, 0], quad[:, :, 3] - quad[:, :, 1])
    size = np.maximum(np.linalg.norm(cross, axis=-1, keepdims=True), 1e-9)
    vertices = np.zeros(quad.shape[:3], VERTEX)
    vertices["place"] = quad
    vertices["facing"][..., :3] = faces_to_bytes(cross / size)[:, :, None]
    vertices["paint"][..., :3] = paint[:, None, None]
    vertices["label"] = label[:, None, None]
    return vertices


def _at(spot: Floats, z: Floats) -> Floats:
    return np.column_stack([spot, z])


def cornices(start: Floats, end: Floats, out: Floats, top: Floats, depth: Floats,
             paint: NDArray[np.uint8], label: NDArray[np.uint8]) -> Vertices:  # fmt: skip
    """A moulding along the top of each wall: what hangs over and its face."""
    push = out * depth[:, None]
    edge = end - start
    ahead = edge / np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-9)
    a, b = start + push - ahead * depth[:, None] * 0.98, end + push + ahead * depth[:, None] * 0.98
    low, foot = top - 0.25 - depth * 0.9, top - 0.25 - depth * 1.9
    return _stack(
        [
            np.stack([_at(start, foot), _at(end, foot), _at(b, low), _at(a, low)], 1),
            np.stack([_at(a, low), _at(b, low), _at(b, top), _at(a, top)], 1),
        ],
        paint,
        label,
    )


def awnings(start: Floats, end: Floats, out: Floats, paint: NDArray[np.uint8],
            label: NDArray[np.uint8]) -> Vertices:  # fmt: skip
    """A cloth on a frame over each shop window from start to end: slope, valance, sides."""
    n = len(start)
    high, mid, low = (np.full(n, z) for z in (3.35, 2.72, 2.42))
    a, b = start + out * 1.15, end + out * 1.15
    p, q, u, v = _at(start, high), _at(end, high), _at(a, mid), _at(b, mid)
    return _stack(
        [
            np.stack([u, v, q, p], 1),
            np.stack([_at(a, low), _at(b, low), v, u], 1),
            np.stack([_at(start, mid), u, p, p], 1),
            np.stack([v, _at(end, mid), q, q], 1),
        ],
        paint,
        label,
    )


def as_mesh(vertices: Vertices) -> Mesh:
    """Quads of any shape (..., 4) as one mesh."""
    flat = vertices.reshape(-1)
    return flat, quad_indices(len(flat) // 4)
