"""Meshes of what stands or lies on a street and is no vehicle: cones, barriers, what was lost.

Each stands at the origin with +x along its length.
"""

import numpy as np

from game.view.labels import Train
from game.view.mesh import Mesh, box, loft, post
from game.world.entity import Body

_RUBBER = (24, 24, 25, 0)


def cone(body: Body) -> list[Mesh]:
    orange, white = (240, 96, 24, 0), (240, 240, 238, 0)
    r = body.width / 2
    return [
        box((-r, -r, 0), (r, r, 0.05), (40, 40, 42, 0), Train.IGNORE),
        post((0, 0, 0.05), 0.3, 0.15, orange, Train.IGNORE, 8, 0.66),
        post((0, 0, 0.35), 0.14, 0.10, white, Train.IGNORE, 8, 0.8),
        post((0, 0, 0.49), body.height - 0.49, 0.08, orange, Train.IGNORE, 8, 0.4),
    ]


def barrel(body: Body) -> list[Mesh]:
    r, step = body.width / 2, body.height / 5
    return [
        post((0, 0, i * step), step, r * (0.95 if i % 2 else 1.0),
             (240, 96, 24, 0) if i % 2 == 0 else (240, 240, 238, 0), Train.IGNORE, 10)
        for i in range(5)
    ]  # fmt: skip


def barrier(body: Body) -> list[Mesh]:
    h, w = body.length / 2, body.width / 2
    rings = [
        [(x, -w, 0), (x, w, 0), (x, w, 0.12), (x, w * 0.5, 0.34), (x, w * 0.28, body.height),
         (x, -w * 0.28, body.height), (x, -w * 0.5, 0.34), (x, -w, 0.12)]
        for x in (-h, h)
    ]  # fmt: skip
    return [loft(np.array(rings, float), (188, 186, 180, 0), Train.IGNORE)]


def tyre(body: Body) -> list[Mesh]:
    return [post((0, 0, 0), body.height, body.width / 2, _RUBBER, Train.IGNORE, 12, 0.94)]


def crate(body: Body) -> list[Mesh]:
    h, w, z = body.length / 2, body.width / 2, body.height
    wood, slat = (164, 124, 78, 0), (190, 150, 100, 0)
    parts = [box((-h, -w, 0), (h, w, z), wood, Train.IGNORE)]
    parts += [
        box((-h - 0.02, -w - 0.02, z * k), (h + 0.02, w + 0.02, z * k + 0.1), slat, Train.IGNORE)
        for k in (0.05, 0.45, 0.85)
    ]
    return parts


def debris(body: Body) -> list[Mesh]:
    h, w, z = body.length / 2, body.width / 2, body.height
    return [
        box((-h, -w, 0), (h * 0.4, w * 0.5, z * 0.5), (120, 92, 64, 0), Train.IGNORE, 0, 0.8),
        box((-h * 0.3, -w * 0.6, 0), (h, w, z * 0.7), (150, 146, 138, 0), Train.IGNORE, 0, 0.6),
        box(
            (-h * 0.5, -w * 0.1, z * 0.4),
            (h * 0.3, w * 0.5, z),
            (96, 98, 100, 0),
            Train.IGNORE,
            0,
            0.4,
        ),
    ]
