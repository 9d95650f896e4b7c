"""People and cyclists as simple jointed figures; their limbs swing about hips, knees and shoulders.

Owns shapes. Joints 3 and 4 are legs, 5 and 6 arms; span is (x, z) of the hip or shoulder.
"""

from collections.abc import Callable

import numpy as np

from game.view.bodies import TINTED, wheel
from game.view.labels import Train
from game.view.mesh import Mesh, box, join, loft, post, with_span
from game.world.entity import Body

_SKIN = (196, 150, 122, 0)
_HAIR = (44, 34, 28, 0)
_JEANS = (46, 54, 76, 0)
_SHOE = (26, 24, 24, 0)
_TOP = (250, 250, 250, TINTED)
_FRAME = (40, 44, 50, 0)
LEG_LEFT, LEG_RIGHT, ARM_LEFT, ARM_RIGHT = 3, 4, 5, 6

CLOTHES = (
    (58, 70, 96), (150, 40, 40), (210, 204, 190), (40, 42, 46), (70, 96, 66), (196, 150, 60),
    (120, 90, 130), (92, 120, 150),
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


def _limb(side: float, hip: float, foot: float, r: float, joint: int, paint: tuple[int, ...],
          kind: int, y: float, end: tuple[int, ...]) -> Mesh:  # fmt: skip
    parts = [
        _bar((0, side * y, hip), (0, side * y, foot), r, paint, kind, joint),
        box(
            (-r, side * y - r, foot - 0.06), (r * 1.9, side * y + r, foot + 0.03), end, kind, joint
        ),
    ]
    return with_span(join(parts), 0.0, hip)


def walker(body: Body, kind: int = Train.PERSON, top: tuple[int, ...] = _TOP) -> list[Mesh]:
    """Head, trunk, two arms, two legs, to the body's height."""
    k = body.height / 1.75
    hip, shoulder = 0.88 * k, 1.42 * k
    trunk = [
        [(-0.11 * k, -0.15 * k, hip), (0.10 * k, -0.15 * k, hip), (0.10 * k, 0.15 * k, hip),
         (-0.11 * k, 0.15 * k, hip)],
        [(-0.12 * k, -0.21 * k, shoulder), (0.11 * k, -0.21 * k, shoulder),
         (0.11 * k, 0.21 * k, shoulder), (-0.12 * k, 0.21 * k, shoulder)],
    ]  # fmt: skip
    parts = [
        loft(np.array(trunk), top, kind),
        _bar((0, 0, shoulder), (0, 0, 1.53 * k), 0.055 * k, _SKIN, kind),
        box((-0.09 * k, -0.08 * k, 1.51 * k), (0.11 * k, 0.08 * k, 1.70 * k), _SKIN, kind),
        box(
            (-0.12 * k, -0.095 * k, 1.60 * k), (0.07 * k, 0.095 * k, 1.75 * k), _HAIR, kind, 0, 0.85
        ),
    ]
    for side, leg, arm in ((1.0, LEG_LEFT, ARM_LEFT), (-1.0, LEG_RIGHT, ARM_RIGHT)):
        parts.append(_limb(side, hip, 0.06 * k, 0.075 * k, leg, _JEANS, kind, 0.09 * k, _SHOE))
        parts.append(
            _limb(side, shoulder - 0.04, 0.86 * k, 0.05 * k, arm, top, kind, 0.26 * k, _SKIN)
        )
    return parts


def worker(body: Body) -> list[Mesh]:
    """In a safety vest and a helmet."""
    k = body.height / 1.75
    vest = (214, 226, 40, 0)
    low, high = (-0.15 * k, -0.12 * k, 1.64 * k), (0.16 * k, 0.12 * k, 1.79 * k)
    helmet = box(low, high, (245, 150, 30, 0), Train.PERSON, 0, 0.75)
    band = box((-0.13 * k, -0.19 * k, 1.1 * k), (0.125 * k, 0.19 * k, 1.17 * k), (240, 240, 240, 0),
               Train.PERSON)  # fmt: skip
    return [*walker(body, Train.PERSON, vest), helmet, band]


def _rider(hip: float, x: float, kind: int) -> list[Mesh]:
    """Someone leaning forward on a saddle."""
    parts = [
        _bar((x, 0, hip), (x + 0.32, 0, hip + 0.52), 0.13, _TOP, kind),
        box((x + 0.30, -0.09, hip + 0.58), (x + 0.50, 0.09, hip + 0.78), _SKIN, kind),
        box(
            (x + 0.26, -0.11, hip + 0.70),
            (x + 0.50, 0.11, hip + 0.84),
            (220, 220, 224, 0),
            kind,
            0,
            0.8,
        ),
    ]
    for side, leg in ((1.0, LEG_LEFT), (-1.0, LEG_RIGHT)):
        thigh = _bar(
            (x, side * 0.1, hip), (x + 0.22, side * 0.12, hip - 0.38), 0.075, _JEANS, kind, leg
        )
        shin = _bar((x + 0.22, side * 0.12, hip - 0.38), (x + 0.14, side * 0.12, hip - 0.78), 0.055,
                    _JEANS, kind, leg)  # fmt: skip
        parts.append(with_span(join([thigh, shin]), x, hip))
        parts.append(_bar((x + 0.30, side * 0.17, hip + 0.46), (x + 0.72, side * 0.24, hip + 0.18),
                          0.045, _TOP, kind))  # fmt: skip
    return parts


def cyclist(body: Body) -> list[Mesh]:
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


def motorcyclist(body: Body) -> list[Mesh]:
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


MAKERS: dict[str, Callable[[Body], list[Mesh]]] = {
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
