"""Street trees as low-poly meshes made by code: a trunk, crowns of a few uneven balls of leaves.

Four kinds, each near and far; the far one lies inside the near one. Pure numpy, units are metres.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from game.view.labels import Train
from game.view.mesh import VERTEX, Mesh, faces_to_bytes, join, loft, post

LEAF = 1  # material of the prop shader
KINDS = 4
_BARK = ((84, 72, 60, 0), (104, 98, 86, 0), (70, 60, 52, 0), (92, 80, 66, 0))
_GREEN = ((74, 104, 44, 0), (92, 118, 52, 0), (62, 92, 46, 0), (112, 124, 50, 0))
# of each kind its balls: x, y, z of the middle, radius across, radius up
_BALLS = (
    ((0.0, 0.0, 5.2, 2.0, 1.9), (1.0, 0.5, 4.4, 1.35, 1.1), (-0.8, -0.9, 4.7, 1.4, 1.2)),
    ((0.0, 0.0, 5.6, 1.7, 2.3), (0.7, -0.7, 4.6, 1.3, 1.2), (-0.8, 0.5, 4.5, 1.2, 1.1)),
    ((0.2, 0.1, 4.7, 2.1, 1.5), (-0.9, 0.8, 5.3, 1.3, 1.1), (0.6, -1.0, 5.2, 1.3, 1.1)),
    ((0.0, 0.0, 5.0, 1.9, 1.7), (0.9, -0.6, 5.6, 1.2, 1.1), (-0.9, 0.4, 4.3, 1.3, 1.0)),
)
_CROWN = ((0.52, -0.72), (0.88, 0.0), (0.48, 0.74))  # radius and height of its rings, seen afar
Floats = NDArray[np.float64]


def _leaves(corners: Floats, normals: Floats, paint: tuple[int, ...]) -> Mesh:
    """Triangles, corners (n, 3, 3) anticlockwise from outside; each corner with its own normal."""
    vertices = np.zeros((len(corners), 3), VERTEX)
    vertices["place"] = corners
    vertices["facing"][..., :3] = faces_to_bytes(normals)
    vertices["facing"][..., 3] = LEAF
    vertices["paint"] = np.asarray(paint, np.uint8)
    vertices["label"][..., 3] = Train.VEGETATION
    return vertices.reshape(-1), np.arange(len(corners) * 3, dtype=np.uint32)


def _icosahedron() -> Floats:
    g = (1 + 5**0.5) / 2
    p = np.array(
        [(-1, g, 0), (1, g, 0), (-1, -g, 0), (1, -g, 0), (0, -1, g), (0, 1, g), (0, -1, -g),
         (0, 1, -g), (g, 0, -1), (g, 0, 1), (-g, 0, -1), (-g, 0, 1)]
    )  # fmt: skip
    faces = [
        (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4),
        (11, 10, 2), (10, 7, 6), (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8),
        (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1),
    ]  # fmt: skip
    return np.asarray(p[np.array(faces)] / np.linalg.norm(p[0]), np.float64)


def _finer(faces: Floats) -> Floats:
    """Each triangle of a unit ball in four."""
    a, b, c = faces[:, 0], faces[:, 1], faces[:, 2]
    mid = [(a + b) / 2, (b + c) / 2, (c + a) / 2]
    ab, bc, ca = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in mid)
    return np.concatenate(
        [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )


def _ball(faces: Floats, x: float, y: float, z: float, wide: float, tall: float) -> Floats:
    """An uneven ball: each corner a little in or out, the same wherever triangles meet."""
    wave = np.sin(faces[..., 0] * 7.1 + x * 3) + np.sin(faces[..., 1] * 6.3 + y * 5)
    uneven = 1.0 + 0.09 * (wave + np.sin(faces[..., 2] * 8.7 + z))
    return faces * uneven[..., None] * (wide, wide, tall) + (x, y, z)


@cache
def near(kind: int) -> Mesh:
    """A tree of one of KINDS as seen from the pavement."""
    fine = _finer(_icosahedron())
    parts = [_leaves(_ball(fine, *ball), fine, _GREEN[kind]) for ball in _BALLS[kind]]
    parts.append(post((0, 0, 0), 4.2, 0.17, _BARK[kind], Train.VEGETATION, 7, 0.62, False))
    for x, y, z, _, _ in _BALLS[kind][1:]:
        parts.append(_branch((0.0, 0.0, 2.7), (x * 0.8, y * 0.8, z), _BARK[kind]))
    return join(parts)


def _branch(foot: tuple[float, ...], tip: tuple[float, ...], paint: tuple[int, ...]) -> Mesh:
    ring = np.array([(-0.07, -0.04, 0), (0.07, -0.04, 0), (0.0, 0.08, 0)])
    return loft(np.stack([ring + foot, ring * 0.6 + tip]), paint, Train.VEGETATION, caps=False)


@cache
def far(kind: int, coarse: bool) -> Mesh:
    """The same from beyond a few dozen metres: a five-sided crown on a three-sided trunk."""
    sides, levels = (4, ((0.6, -0.7), (0.62, 0.72))) if coarse else (5, _CROWN)
    turn = np.arange(sides) * (2 * np.pi / sides) + kind
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    x, y, z, wide, tall = _BALLS[kind][0]
    rings = np.array(
        [
            np.column_stack([circle * wide * r + (x, y), np.full(sides, z + tall * up)])
            for r, up in levels
        ]
    )
    return join(
        [
            loft(rings, _GREEN[kind], Train.VEGETATION, LEAF),
            post((0, 0, 0), 4.0, 0.12, _BARK[kind], Train.VEGETATION, 3, 0.7, False),
        ]
    )
