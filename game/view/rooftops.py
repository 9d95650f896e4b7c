"""What stands on roofs and hangs on fronts: water tanks, stair heads, plant, cornices, awnings.

All of it carries its building's label. Pure numpy.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from game.view.mesh import VERTEX, Mesh, Vertices, box, faces_to_bytes, join, post, quad_indices

_WOOD, _IRON, _LID = (112, 84, 62, 0), (58, 56, 54, 0), (78, 66, 58, 0)
_PLANT, _DUCT = (150, 152, 154, 0), (120, 122, 124, 0)
Floats = NDArray[np.float64]


@cache
def tank() -> Mesh:
    """A cedar water tank on an iron stand, 8 m high, about the origin."""
    legs = [
        box((x - 0.12, y - 0.12, 0), (x + 0.12, y + 0.12, 3.4), _IRON)
        for x, y in ((-1.3, -1.3), (1.3, -1.3), (1.3, 1.3), (-1.3, 1.3))
    ]
    deck = box((-1.8, -1.8, 3.3), (1.8, 1.8, 3.5), _IRON)
    hoops = [post((0, 0, z), 0.1, 1.99, _IRON, 0, 10, 1.0, False) for z in (4.2, 5.2, 6.2)]
    body = post((0, 0, 3.5), 3.6, 1.95, _WOOD, 0, 10, 0.97, False)
    return join([*legs, deck, body, *hoops, post((0, 0, 7.1), 1.3, 2.1, _LID, 0, 10, 0.06)])


@cache
def stair() -> Mesh:
    """The head of a stair with its door, a unit box scaled to size: 1 x 1 x 1 on the origin."""
    return box((-0.5, -0.5, 0), (0.5, 0.5, 1.0), (255, 255, 255, 0))


@cache
def plant() -> Mesh:
    """Cooling plant and ducts of a big building, about 9 m across, on the origin."""
    return join([
        box((-4.5, -2.0, 0), (1.0, 2.0, 3.0), _PLANT), box((1.4, -1.8, 0), (4.4, 1.8, 2.2), _DUCT),
        post((-3.0, 0, 3.0), 0.7, 1.1, _IRON, 0, 8), post((-0.4, 0, 3.0), 0.7, 1.1, _IRON, 0, 8),
        box((1.0, -0.4, 0.6), (1.5, 0.4, 1.6), _DUCT),
    ])  # fmt: skip


def stood(mesh: Mesh, at: Floats, turn: float, size: tuple[float, float, float]) -> Mesh:
    """A mesh scaled, turned about z [rad] and put at `at` (x, y, z)."""
    vertices, indices = mesh
    vertices = vertices.copy()
    c, s = np.cos(turn), np.sin(turn)
    place = vertices["place"] * np.array(size, np.float32)
    vertices["place"][:, 0] = at[0] + place[:, 0] * c - place[:, 1] * s
    vertices["place"][:, 1] = at[1] + place[:, 0] * s + place[:, 1] * c
    vertices["place"][:, 2] = at[2] + place[:, 2]
    n = vertices["facing"][:, :2].astype(float) - 128.0
    vertices["facing"][:, 0] = np.rint(n[:, 0] * c - n[:, 1] * s + 128.0).astype(np.uint8)
    vertices["facing"][:, 1] = np.rint(n[:, 0] * s + n[:, 1] * c + 128.0).astype(np.uint8)
    return vertices, indices


def room(roof: Mesh) -> tuple[Floats, float, float]:
    """The middle of a roof's widest triangle, the radius of the circle in it, its direction."""
    corners = roof[0]["place"].astype(np.float64)[roof[1].reshape(-1, 3)]
    if not len(corners):
        return np.zeros(3), 0.0, 0.0
    sides = np.roll(corners, -1, axis=1) - corners
    length = np.linalg.norm(sides, axis=2)
    twice = np.abs(np.cross(sides[:, 0, :2], sides[:, 1, :2]))
    radius = twice / np.maximum(length.sum(1), 1e-9)
    best = int(np.argmax(radius))
    opposite = np.roll(length[best], -1)  # the incentre weighs each corner by the side across it
    middle = (corners[best] * opposite[:, None]).sum(0) / max(float(opposite.sum()), 1e-9)
    way = sides[best, int(np.argmax(length[best]))]
    return middle, float(radius[best]), float(np.arctan2(way[1], way[0]))


def fittings(roof: Mesh, year: int, height: float, draw: int, wall: NDArray[np.uint8]) -> list[Mesh]:
    """What stands on one roof, by the building's age, height and size; draw varies it."""
    middle, radius, turn = room(roof)
    found: list[Mesh] = []
    if radius < 1.9 or height < 6.0 or height > 240.0:
        return found
    size = min(radius * 0.62, 2.6)
    c, s = np.cos(turn), np.sin(turn)
    if year >= 1948 and height > 30.0 and radius > 6.0:
        k = min(radius / 6.5, 2.4)
        found.append(stood(plant(), middle, turn, (k, k, min(k, 1.7))))
    elif draw % 5:
        head = stood(stair(), middle, turn, (size * 2.0, size * 1.5, 2.7 + draw % 3 * 0.4))
        head[0]["paint"][:, :3] = wall
        found.append(head)
    old = 0 < year < 1966 and 16.0 < height < 130.0
    if old and radius > 3.0 and draw % 100 < 62:
        aside = np.array([c, s, 0.0]) * (size + 2.4) * (1 if draw % 2 else -1)
        k = 0.8 + draw % 7 * 0.06
        inside = radius > size + 4.0
        found.append(stood(tank(), middle + aside * (1.0 if inside else 0.0)
                           + (0, 0, 0.0 if inside else 2.6), turn, (k, k, k)))  # fmt: skip
    return found


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
    """A moulding along the top of each wall: what hangs over, its face and its upper side."""
    push = out * depth[:, None]
    edge = end - start
    ahead = edge / np.maximum(np.linalg.norm(edge, axis=1, keepdims=True), 1e-9)
    a, b = start + push - ahead * depth[:, None] * 0.98, end + push + ahead * depth[:, None] * 0.98
    low, foot = top - 0.25 - depth * 0.9, top - 0.25 - depth * 1.9
    return _stack(
        [
            np.stack([_at(start, foot), _at(end, foot), _at(b, low), _at(a, low)], 1),
            np.stack([_at(a, low), _at(b, low), _at(b, top), _at(a, top)], 1),
            np.stack([_at(a, top), _at(b, top), _at(end, top), _at(start, top)], 1),
        ],
        paint,
        label,
    )


def awnings(start: Floats, end: Floats, out: Floats, paint: NDArray[np.uint8],
            label: NDArray[np.uint8]) -> Vertices:  # fmt: skip
    """A cloth on a frame over each shop window from start to end: slope, valance, sides, inside."""
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
            np.stack([p, q, v, u], 1),
        ],
        paint,
        label,
    )


def as_mesh(vertices: Vertices) -> Mesh:
    """Quads of any shape (..., 4) as one mesh."""
    flat = vertices.reshape(-1)
    return flat, quad_indices(len(flat) // 4)
