"""People and cyclists as simple jointed figures; their limbs swing about hips, knees and shoulders.

Owns shapes. Joints 3 and 4 are legs, 5 and 6 arms; span is (x, z) of the hip or shoulder.
"""

from collections.abc import Callable

import numpy as np

from game.view.bodies import TINTED, wheel
from game.view.labels import Train
from game.view.mesh import Mesh, box, join, loft, post, with_span
from game.world.entity import Body

MATTE, TROUSERS, SKIN = 200, 150, 100  # paint[3], as in actor.vert
_SKIN = (255, 255, 255, SKIN)
_HAIR = (44, 34, 28, 0)
_JEANS = (255, 255, 255, TROUSERS)
_SHOE = (26, 24, 24, 0)
_TOP = (250, 250, 250, MATTE)
_SHADE = (205, 205, 205, MATTE)
_FRAME = (40, 44, 50, 0)
_BAG = (58, 44, 34, 0)
_VEST = (214, 226, 40, 0)
LEG_LEFT, LEG_RIGHT, ARM_LEFT, ARM_RIGHT = 3, 4, 5, 6
VARIANTS = 4  # of a pedestrian: plain, with a rucksack, in a long coat, with a bag and a cap

CLOTHES = (
    (58, 70, 96), (150, 40, 40), (210, 204, 190), (40, 42, 46), (70, 96, 66), (196, 150, 60),
    (120, 90, 130), (92, 120, 150), (226, 226, 222), (24, 26, 34), (104, 82, 62), (172, 96, 84),
    (62, 62, 68), (88, 40, 52),
)  # fmt: skip


def _bar(a: tuple[float, float, float], b: tuple[float, float, float], r: float,
         paint: tuple[int, ...], kind: int, joint: int = 0) -> Mesh:  # fmt: skip
    """A square rod between two points."""
    start, end = np.array(a, float), np.array(b, float)
    axis = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    u = np.cross(axis, (0.0, 1.0, 0.0) if abs(axis[1]) < 0.9 else (1.0, 0.0, 0.0))
    u /= np.linalg.norm(u)
    v = np.cross(axis, u)
    ring = np.stack([-u - v, u - v, u + v, -u + v]) * r
    return loft(np.stack([start + ring, end + ring]), paint, kind, joint)


def _tube(stages: list[tuple[float, float, float, float]], paint: tuple[int, ...], kind: int,
          joint: int = 0, y: float = 0.0, sides: int = 6) -> Mesh:  # fmt: skip
    """An upright skin through ovals (z, x of the middle, half depth, half width) about y."""
    turn = (np.arange(sides) + 0.5) * (2 * np.pi / sides)
    rings = [
        np.column_stack([x + np.cos(turn) * a, y + np.sin(turn) * b, np.full(sides, z)])
        for z, x, a, b in stages
    ]
    return loft(np.stack(rings), paint, kind, joint)


def _leg(side: float, k: float, joint: int, kind: int) -> Mesh:
    y = side * 0.095 * k
    parts = [
        _tube([(0.07 * k, 0.0, 0.052 * k, 0.05 * k), (0.47 * k, 0.01 * k, 0.062 * k, 0.06 * k),
               (0.90 * k, 0.0, 0.095 * k, 0.092 * k)], _JEANS, kind, joint, y),
        box((-0.085 * k, y - 0.05 * k, 0.0), (0.17 * k, y + 0.05 * k, 0.09 * k), _SHOE, kind,
            joint, 0.82),
    ]  # fmt: skip
    return with_span(join(parts), 0.0, 0.88 * k)


def _arm(side: float, k: float, joint: int, kind: int, top: tuple[int, ...]) -> Mesh:
    y = side * 0.245 * k
    parts = [
        _tube([(0.88 * k, 0.03 * k, 0.042 * k, 0.042 * k), (1.13 * k, -0.01 * k, 0.048 * k,
               0.048 * k), (1.43 * k, 0.0, 0.062 * k, 0.06 * k)], top, kind, joint, y),
        _tube([(0.78 * k, 0.05 * k, 0.035 * k, 0.025 * k), (0.89 * k, 0.03 * k, 0.042 * k,
               0.036 * k)], _SKIN, kind, joint, y),
    ]  # fmt: skip
    return with_span(join(parts), 0.0, 1.40 * k)


def walker(
    body: Body, variant: int = 0, kind: int = Train.PERSON, top: tuple[int, ...] = _TOP
) -> list[Mesh]:
    """Head, trunk, two arms, two legs, to the body's height."""
    k = body.height / 1.75
    hem = 0.58 if variant == 2 else 0.86
    parts = [
        _tube([(hem * k, 0.0, (0.17 if variant == 2 else 0.125) * k, 0.19 * k),
               (1.08 * k, 0.0, 0.115 * k, 0.165 * k), (1.32 * k, 0.0, 0.13 * k, 0.205 * k),
               (1.46 * k, 0.0, 0.085 * k, 0.15 * k)], top, kind, 0, 0.0, 8),
        _tube([(1.44 * k, 0.0, 0.06 * k, 0.06 * k), (1.56 * k, 0.015 * k, 0.055 * k, 0.055 * k)],
              _SKIN, kind),
        _tube([(1.52 * k, 0.03 * k, 0.07 * k, 0.06 * k), (1.60 * k, 0.025 * k, 0.10 * k, 0.08 * k),
               (1.69 * k, 0.01 * k, 0.10 * k, 0.082 * k)], _SKIN, kind, 0, 0.0, 8),
        _tube([(1.58 * k, -0.05 * k, 0.07 * k, 0.088 * k), (1.67 * k, -0.012 * k, 0.112 * k,
               0.094 * k), (1.75 * k, -0.01 * k, 0.06 * k, 0.055 * k)], _HAIR, kind, 0, 0.0, 8),
    ]  # fmt: skip
    if variant == 1:  # a rucksack
        parts.append(box((-0.30 * k, -0.15 * k, 1.0 * k), (-0.10 * k, 0.15 * k, 1.42 * k), _BAG,
                         kind, 0, 0.85))  # fmt: skip
    if variant == 3:  # a bag at the hip, a cap
        parts.append(
            box((-0.12 * k, 0.20 * k, 0.72 * k), (0.16 * k, 0.30 * k, 0.98 * k), _BAG, kind)
        )
        cap = [(1.66 * k, 0.0, 0.12 * k, 0.1 * k), (1.76 * k, 0.0, 0.09 * k, 0.08 * k)]
        parts.append(_tube(cap, _SHADE, kind))
        parts.append(
            box((0.08 * k, -0.07 * k, 1.655 * k), (0.21 * k, 0.07 * k, 1.68 * k), _SHADE, kind)
        )
    for side, leg, arm in ((1.0, LEG_LEFT, ARM_LEFT), (-1.0, LEG_RIGHT, ARM_RIGHT)):
        parts += [_leg(side, k, leg, kind), _arm(side, k, arm, kind, top)]
    return parts


def worker(body: Body, variant: int = 0) -> list[Mesh]:
    """In a safety vest and a helmet."""
    k = body.height / 1.75
    low, high = (-0.15 * k, -0.12 * k, 1.64 * k), (0.16 * k, 0.12 * k, 1.79 * k)
    helmet = box(low, high, (245, 150, 30, 0), Train.PERSON, 0, 0.75)
    low, high = (-0.135 * k, -0.19 * k, 1.1 * k), (0.135 * k, 0.19 * k, 1.17 * k)
    band = box(low, high, (240, 240, 240, 0), Train.PERSON)
    return [*walker(body, variant, Train.PERSON, _VEST), helmet, band]


def _rider(hip: float, x: float, kind: int) -> list[Mesh]:
    """Someone leaning forward on a saddle."""
    turn = (np.arange(6) + 0.5) * (np.pi / 3)
    trunk = [
        np.column_stack([x + lean + np.cos(turn) * a, np.sin(turn) * b, np.full(6, hip + z)])
        for z, lean, a, b in ((-0.08, -0.02, 0.14, 0.16), (0.22, 0.10, 0.13, 0.16),
                              (0.46, 0.26, 0.12, 0.20), (0.58, 0.33, 0.07, 0.12))
    ]  # fmt: skip
    parts = [
        loft(np.stack(trunk), _TOP, kind),
        _tube([(hip + 0.54, x + 0.36, 0.055, 0.05), (hip + 0.62, x + 0.40, 0.10, 0.08),
               (hip + 0.74, x + 0.40, 0.10, 0.08)], _SKIN, kind),
        _tube([(hip + 0.69, x + 0.38, 0.135, 0.105), (hip + 0.77, x + 0.38, 0.13, 0.10),
               (hip + 0.84, x + 0.38, 0.06, 0.05)], (222, 222, 226, 0), kind, 0, 0.0, 8),
    ]  # fmt: skip
    for side, leg in ((1.0, LEG_LEFT), (-1.0, LEG_RIGHT)):
        thigh = _bar(
            (x, side * 0.1, hip), (x + 0.30, side * 0.12, hip - 0.30), 0.075, _JEANS, kind, leg
        )
        shin = _bar((x + 0.30, side * 0.12, hip - 0.30), (x + 0.16, side * 0.12, hip - 0.74), 0.052,
                    _JEANS, kind, leg)  # fmt: skip
        shoe = box((x + 0.10, side * 0.12 - 0.05, hip - 0.82), (x + 0.34, side * 0.12 + 0.05,
                   hip - 0.73), _SHOE, kind, leg)  # fmt: skip
        parts.append(with_span(join([thigh, shin, shoe]), x, hip))
        parts.append(_bar((x + 0.28, side * 0.18, hip + 0.46), (x + 0.50, side * 0.24, hip + 0.22),
                          0.045, _TOP, kind))  # fmt: skip
        parts.append(_bar((x + 0.50, side * 0.24, hip + 0.22), (x + 0.72, side * 0.24, hip + 0.16),
                          0.038, _SKIN, kind))  # fmt: skip
    return parts


def cyclist(body: Body, variant: int = 0) -> list[Mesh]:
    """A bicycle (class bicycle) and who rides it (class rider)."""
    half = body.wheelbase / 2
    kind = Train.BICYCLE
    saddle, crank = (-0.22, 0, 0.95), (-0.05, 0, 0.33)
    parts = [
        wheel(half, 0.0001, 0.33, 0.05, True, kind),
        wheel(-half, 0.0001, 0.33, 0.05, False, kind),
        _bar((-half, 0, 0.33), saddle, 0.02, _FRAME, kind),
        _bar(saddle, crank, 0.022, _FRAME, kind),
        _bar(crank, (half - 0.12, 0, 0.88), 0.025, _FRAME, kind),
        _bar((-0.2, 0, 0.88), (half - 0.14, 0, 0.92), 0.022, _FRAME, kind),
        _bar((half, 0, 0.33), (half - 0.16, 0, 1.05), 0.022, _FRAME, kind),
        _bar((half - 0.16, -0.26, 1.07), (half - 0.16, 0.26, 1.07), 0.018, _FRAME, kind),
        box((-0.36, -0.07, 0.93), (-0.1, 0.07, 0.99), _SHOE, kind),
    ]
    if body.name == "cargo_bike":
        parts.append(
            box((half - 0.35, -0.34, 0.35), (half + 0.35, 0.34, 0.85), (60, 110, 90, 0), kind)
        )
    return parts + _rider(0.98, -0.22, Train.RIDER)


def motorcyclist(body: Body, variant: int = 0) -> list[Mesh]:
    """A motorcycle; the table of classes that we draw has it under bicycle's neighbour, 17."""
    half, kind = body.wheelbase / 2, 17
    paint = (250, 250, 250, TINTED)
    parts = [
        wheel(half, 0.0001, 0.33, 0.14, True, kind),
        wheel(-half, 0.0001, 0.33, 0.16, False, kind),
        box((-0.45, -0.14, 0.34), (0.35, 0.14, 0.62), (52, 52, 56, 0), kind),
        box((-0.1, -0.15, 0.6), (0.42, 0.15, 0.86), paint, kind, 0, 0.8),
        box((-0.75, -0.13, 0.68), (-0.05, 0.13, 0.8), _SHOE, kind),
        _bar((half, 0, 0.33), (half - 0.22, 0, 1.0), 0.04, _FRAME, kind),
        _bar((half - 0.22, -0.32, 1.0), (half - 0.22, 0.32, 1.0), 0.02, _FRAME, kind),
        post((half - 0.1, 0, 0.78), 0.16, 0.09, (236, 236, 232, 0), kind),
    ]
    return parts + _rider(0.86, -0.25, Train.RIDER)


def afar(body: Body) -> Mesh:
    """Anyone on foot from afar: legs, trunk and head in a few faces, inside the real outline."""
    k, kind = body.height / 1.75, Train.PERSON
    top = _VEST if body.name == "worker" else _TOP
    parts = [
        _tube([(0.02 * k, 0.02 * k, 0.10 * k, 0.15 * k), (0.90 * k, 0.0, 0.11 * k, 0.19 * k)],
              _JEANS, kind, sides=4),
        _tube([(0.88 * k, 0.0, 0.14 * k, 0.27 * k), (1.46 * k, 0.0, 0.12 * k, 0.24 * k)], top,
              kind, sides=4),
        _tube([(1.48 * k, 0.02 * k, 0.09 * k, 0.08 * k), (1.72 * k, 0.0, 0.11 * k, 0.10 * k)],
              _SKIN, kind, sides=4),
    ]  # fmt: skip
    return join(parts)


MAKERS: dict[str, Callable[[Body, int], list[Mesh]]] = {
    "pedestrian": walker,
    "child": walker,
    "worker": worker,
    "bicycle": cyclist,
    "cargo_bike": cyclist,
    "motorcycle": motorcyclist,
}


def clothes(entity: int) -> tuple[int, int, int]:
    """What an entity wears on top."""
    return CLOTHES[(entity * 2654435761 >> 9) % len(CLOTHES)]
