"""Vehicles as low-poly meshes made by code: x ahead, y left, z up, pose at 0.

Owns shapes and paint. paint[3] as in actor.vert: 255 takes the vehicle's own colour, 60 is glass.
"""

from collections.abc import Callable, Sequence

import numpy as np

from game.view import obstacles
from game.view.labels import Train
from game.view.mesh import Mesh, box, join, loft, quads, with_span
from game.world.entity import Body

TINTED = 255
STEERED, WHEEL = 1, 2
LAMP, BRAKE, LIT, HEAD = 7, 8, 9, 10
_BODY = (250, 250, 250, TINTED)
_GLASS = (26, 32, 38, 60)
_DARK = (28, 28, 30, 0)
_TYRE = (24, 24, 25, 0)
_RIM = (150, 152, 156, 0)
_LENS = (232, 234, 230, 60)
_RED = (170, 24, 20, 0)
_CHROME = (176, 178, 182, 60)

# x, half width at the sill, half width at the shoulder, sill, shoulder
Section = tuple[float, float, float, float, float]


def hull(sections: Sequence[Section], paint: Sequence[int], kind: int) -> Mesh:
    """A body skinned over cross-sections from the rear to the front, its edges bevelled."""
    rings = []
    for x, low, high, z0, z1 in sections:
        wide, tall = max(low, high), z1 - z0
        side = [(low * 0.93, z0), (wide, z0 + tall * 0.16), (wide, z0 + tall * 0.58),
                (high + (wide - high) * 0.35, z1 - tall * 0.10), (high * 0.94, z1)]  # fmt: skip
        rings.append([(x, y, z) for y, z in side] + [(x, -y, z) for y, z in side[::-1]])
    return loft(np.array(rings, float), paint, kind)


def arches(body: Body, radius: float, kind: int, half_width: float) -> list[Mesh]:
    """Dark half-rounds on the flanks, behind which the wheels stand."""
    parts = []
    turn = np.linspace(0.0, np.pi, 7)
    for x in (body.wheelbase / 2, -body.wheelbase / 2):
        arc = np.column_stack(
            [x + np.cos(turn) * radius * 1.2, radius + np.sin(turn) * radius * 1.2]
        )
        for side in (1.0, -1.0):
            y = side * (half_width + 0.004)
            rim = [(px, y, pz) for px, pz in arc]
            fan = [(rim[0], rim[i], rim[i + 1], rim[i + 2]) for i in (1, 3)]
            fan += [(rim[0], rim[5], rim[6], rim[6])]
            parts.append(quads(np.array(fan)[:, :: -1 if side > 0 else 1], _DARK, kind))
    return parts


def frustum(
    low: tuple[float, float, float], high: tuple[float, float, float], z0: float, z1: float,
    paint: Sequence[int], kind: int, joint: int = 0,
) -> Mesh:  # fmt: skip
    """Cabin: (rear, front, half width) at z0 and at z1."""
    rings = [
        [(a, -w, z), (b, -w, z), (b, w, z), (a, w, z)] for (a, b, w), z in ((low, z0), (high, z1))
    ]
    return loft(np.array(rings, float), paint, kind, joint)


def wheel(x: float, y: float, radius: float, width: float, steered: bool, kind: int) -> Mesh:
    """A tyre with a rim of five spokes; turns about its hub, and steers in front."""
    joint = STEERED if steered else WHEEL
    turn = np.arange(10) * (2 * np.pi / 10)
    circle = np.column_stack([np.cos(turn), np.zeros(10), np.sin(turn)]) * radius
    hub = np.array([x, y, radius])
    outer = 1.0 if y > 0 else -1.0
    axle = np.array([0, width / 2 * outer, 0])
    near, far = hub - axle, hub + axle
    # seen from beyond the last ring a circle must run anticlockwise
    rings = np.stack([near + circle, far + circle])[:, :: -1 if outer > 0 else 1]
    last = rings[1]
    cap = [[last[0], last[i], last[i + 1], last[min(i + 2, 9)]] for i in range(1, 9, 2)]
    parts = [
        loft(rings, _TYRE, kind, joint, caps=width < 0.2),  # a bicycle's are seen from both sides
        quads(np.array(cap), _TYRE, kind, joint),
    ]
    face = hub[1] + (width / 2 + 0.012) * outer
    for spoke in range(5):
        a = spoke * 2 * np.pi / 5
        tip = np.array([np.cos(a), np.sin(a)]) * radius * 0.66
        side = np.array([-np.sin(a), np.cos(a)]) * radius * 0.17
        reach = (-side, tip - side * 1.2, tip + side * 1.2, side)
        quad = [np.array([x + d[0], face, radius + d[1]]) for d in reach]
        order = quad[::-1] if outer > 0 else quad
        parts.append(quads(np.array([order]), _RIM, kind, joint))
    pivot = (x, y) if steered else (x, radius)
    return with_span(join(parts), *pivot)


def wheels(body: Body, radius: float, kind: int, inset: float = 0.105) -> list[Mesh]:
    """Two steered wheels in front, two behind."""
    half = body.wheelbase / 2
    y = body.width / 2 - inset
    return [
        wheel(x, side * y, radius, 0.24, x > 0, kind) for x in (half, -half) for side in (1.0, -1.0)
    ]


def _lights(
    rear: float, front: float, w: float, z: float, kind: int, tall: float = 0.14
) -> list[Mesh]:
    """Tail lamps that glow when braking, head lamps, plates."""
    parts = [
        box((front - 0.1, -w * 0.50, z - 0.27), (front + 0.025, w * 0.50, z - 0.10), _DARK, kind),
        box((front - 0.1, -w * 0.42, z - 0.20), (front + 0.04, w * 0.42, z - 0.17), _CHROME, kind),
        box(
            (front - 0.1, -0.26, z - 0.42), (front + 0.05, 0.26, z - 0.31), (226, 190, 70, 0), kind
        ),
    ]
    for side in (1.0, -1.0):
        y0, y1 = sorted((side * w * 0.56, side * w * 0.95))
        parts.append(
            box((rear - 0.03, y0, z - tall / 2), (rear + 0.1, y1, z + tall / 2), _RED, kind, BRAKE)
        )
        parts.append(
            box((front - 0.16, y0, z - 0.27), (front + 0.02, y1, z - 0.12), _LENS, kind, HEAD)
        )
        y0, y1 = sorted((side * w * 0.80, side * w * 0.97))
        amber = (214, 120, 20, 0)
        parts.append(box((front - 0.2, y0, z - 0.33), (front - 0.01, y1, z - 0.28), amber, kind))
    parts.append(
        box((rear - 0.04, -0.17, z - 0.22), (rear, 0.17, z - 0.1), (226, 190, 70, 0), kind)
    )
    parts.append(box((rear - 0.05, -w * 0.9, 0.3), (rear + 0.2, w * 0.9, 0.46), _DARK, kind))
    parts.append(box((front - 0.2, -w * 0.9, 0.28), (front + 0.04, w * 0.9, 0.42), _DARK, kind))
    return parts


def _roof(low: tuple[float, float, float], high: tuple[float, float, float], belt: float,
          top: float, kind: int, posts: Sequence[float]) -> list[Mesh]:  # fmt: skip
    """A glass house from (rear, front, half width) at the belt to the same at the top."""
    eaves = top - 0.07
    parts = [frustum(low, high, belt, eaves, _GLASS, kind)]
    skin = [
        [(a, -w, z), (b, -w, z), (b, w, z), (a, w, z)]
        for a, b, w, z in (
            (high[0] - 0.03, high[1] + 0.03, high[2] + 0.02, eaves - 0.015),
            (high[0] + 0.03, high[1] - 0.05, high[2] - 0.02, top - 0.02),
            (high[0] + 0.18, high[1] - 0.2, high[2] - 0.12, top),
        )
    ]
    parts.append(loft(np.array(skin, float), _BODY, kind))
    for side in (1.0, -1.0):  # pillars between the windows and at the corners of the screens
        foot, head = side * low[2], side * high[2]
        for share in posts:
            x0 = low[0] + (low[1] - low[0]) * share
            x1 = high[0] + (high[1] - high[0]) * share
            half = 0.075 if share in (0.0, 1.0) else 0.045
            rings = [
                [(x - half, y - 0.025, z), (x + half, y - 0.025, z), (x + half, y + 0.025, z),
                 (x - half, y + 0.025, z)] for x, y, z in ((x0, foot, belt), (x1, head, eaves))
            ]  # fmt: skip
            parts.append(loft(np.array(rings), _BODY if share in (0.0, 1.0) else _DARK, kind,
                              caps=False))  # fmt: skip
    return parts


def sedan(body: Body, belt: float = 0.92, kind: int = Train.CAR, tail: float = 0.78,
          posts: Sequence[float] = (0.0, 0.5, 1.0)) -> list[Mesh]:  # fmt: skip
    """Three-box car: bonnet, glass house, boot."""
    h, w, top = body.length / 2, body.width / 2, body.height
    rear, front = -h, h
    parts = [
        hull(
            [(rear, w * 0.84, w * 0.78, 0.36, belt - 0.12),
             (rear + 0.10, w * 0.95, w * 0.86, 0.26, belt - 0.02), (-h * 0.70, w * 0.99, w * 0.90,
              0.20, belt + 0.02), (-h * 0.30, w, w * 0.91, 0.20, belt + 0.02),
             (h * 0.40, w, w * 0.90, 0.20, belt), (front - 0.55, w * 0.985, w * 0.86, 0.20,
              belt - 0.12), (front - 0.15, w * 0.93, w * 0.80, 0.24, belt - 0.20),
             (front, w * 0.80, w * 0.70, 0.34, belt - 0.30)],
            _BODY, kind,
        )
    ]  # fmt: skip
    low, high = (-h * tail, h * 0.44, w * 0.87), (-h * (tail - 0.24), h * 0.10, w * 0.69)
    parts += _roof(low, high, belt - 0.01, top, kind, posts)
    for side in (1.0, -1.0):
        y0, y1 = sorted((side * w * 0.90, side * (w + 0.12)))
        parts.append(box((h * 0.30, y0, belt), (h * 0.38, y1, belt + 0.14), _BODY, kind, 0, 0.8))
        flank = side * (w + 0.003)
        y0, y1 = sorted((flank - side * 0.02, flank))
        for x in (-h * 0.08, h * 0.36, -h * 0.46):  # seams of the doors, a handle by each
            parts.append(box((x - 0.008, y0, 0.36), (x + 0.008, y1, belt - 0.2), _DARK, kind))
        for x in (-h * 0.02, -h * 0.40):
            z = belt - 0.26
            parts.append(box((x - 0.2, y0, z), (x - 0.02, y1 + 0.015, z + 0.035), _CHROME, kind))
        parts.append(box((-h * 0.34, y0 - 0.02, 0.21), (h * 0.36, y1 + 0.005, 0.30), _DARK, kind))
    parts += arches(body, 0.33, kind, w)
    parts += _lights(rear, front, w * 0.9, belt - 0.17, kind)
    return parts + wheels(body, 0.33, kind)


def _taxi(body: Body) -> list[Mesh]:
    sign = box((-0.3, -0.32, body.height), (0.05, 0.32, body.height + 0.2), (250, 226, 150, 0),
               Train.CAR, LIT, 0.8)  # fmt: skip
    return [*sedan(body, 0.98, tail=0.86), sign]


def _police(body: Body) -> list[Mesh]:
    bar = [
        box((-0.2, y0, body.height), (0.1, y1, body.height + 0.12), paint, Train.CAR, LAMP)
        for y0, y1, paint in ((-0.6, -0.05, (255, 40, 40, 0)), (0.05, 0.6, (60, 90, 255, 0)))
    ]
    w = body.width / 2
    stripe = [
        box(
            (-1.6, side * w - 0.012, 0.55),
            (1.6, side * w + 0.012, 0.68),
            (30, 70, 170, 0),
            Train.CAR,
        )
        for side in (1.0, -1.0)
    ]
    return [*sedan(body), *bar, *stripe]


def _boxy(body: Body, kind: int, nose: float, belt: float, paint: Sequence[int]) -> list[Mesh]:
    """Van, lorry, ambulance: a cab with a sloping screen before a tall box."""
    h, w, top = body.length / 2, body.width / 2, body.height
    split = h - nose
    parts = [
        hull([(-h, w * 0.97, w * 0.97, 0.36, top), (split, w, w, 0.36, top)], paint, kind),
        hull(
            [(split, w * 0.97, w * 0.95, 0.32, belt),
             (h - 0.3, w * 0.95, w * 0.9, 0.32, belt - 0.15),
             (h, w * 0.86, w * 0.8, 0.36, belt - 0.4)],
            _BODY, kind,
        ),
        frustum((split, h - 0.35, w * 0.9), (split, split + nose * 0.42, w * 0.8), belt - 0.02,
                min(top - 0.1, belt + 1.0), _GLASS, kind),
        frustum((split, split + nose * 0.46, w * 0.82), (split, split + nose * 0.3, w * 0.76),
                min(top - 0.1, belt + 1.0), min(top, belt + 1.12), _BODY, kind),
        box((-h - 0.02, -w * 0.82, top * 0.58), (-h + 0.02, -0.05, top * 0.84), _GLASS, kind),
        box((-h - 0.02, 0.05, top * 0.58), (-h + 0.02, w * 0.82, top * 0.84), _GLASS, kind),
        box((-h - 0.015, -0.02, 0.45), (-h + 0.02, 0.02, top * 0.95), _DARK, kind),
    ]  # fmt: skip
    parts += _lights(-h, h, w * 0.92, 0.85, kind, 0.26)
    parts += arches(body, 0.36 if top < 2.7 else 0.46, kind, w)
    return parts + wheels(body, 0.36 if top < 2.7 else 0.46, kind)


def _ambulance(body: Body, kind: int = Train.TRUCK) -> list[Mesh]:
    h, w, top = body.length / 2, body.width / 2, body.height
    parts = _boxy(body, kind, 1.9, 1.25, _BODY)
    for side in (1.0, -1.0):
        parts.append(
            box(
                (-h, side * w - 0.015, 1.0),
                (h - 1.9, side * w + 0.015, 1.25),
                (205, 60, 30, 0),
                kind,
            )
        )
        y = side * w * 0.55
        low, high = (h - 2.2, y - 0.25, top), (h - 1.95, y + 0.25, top + 0.16)
        parts.append(box(low, high, (255, 50, 40, 0), kind, LAMP))
    parts.append(box((-h - 0.03, -w * 0.9, 1.0), (-h, w * 0.9, 1.25), (205, 60, 30, 0), kind))
    return parts


def _fire_engine(body: Body) -> list[Mesh]:
    """A pumper: cab for six, chrome lockers, a ladder on top, lamps in front and behind."""
    kind = Train.TRUCK
    h, w, top = body.length / 2, body.width / 2, body.height
    cab, white = h - 3.3, (236, 234, 228, 0)
    parts = [
        hull([(-h, w * 0.97, w * 0.97, 0.42, top - 0.45), (cab - 0.1, w * 0.98, w * 0.98, 0.42,
              top - 0.45)], _BODY, kind),
        hull([(cab, w, w * 0.96, 0.40, top - 0.1), (h - 0.25, w, w * 0.95, 0.40, top - 0.1),
              (h, w * 0.93, w * 0.88, 0.42, top - 0.3)], _BODY, kind),
        box((h - 0.05, -w * 0.84, 1.55), (h + 0.02, w * 0.84, top - 0.5), _GLASS, kind),
        box((h - 0.1, -w * 0.98, 0.42), (h + 0.22, w * 0.98, 0.78), _CHROME, kind),
        box((cab - 0.1, -w * 0.9, top - 0.1), (h - 0.5, w * 0.9, top), white, kind),
    ]  # fmt: skip
    for side in (1.0, -1.0):
        y0, y1 = sorted((side * w * 0.96, side * (w + 0.012)))
        for x in (cab + 0.3, cab + 1.75):
            parts.append(box((x, y0, 1.5), (x + 1.1, y1, top - 0.55), _GLASS, kind))
        for i in range(4):
            x = -h + 0.35 + i * 1.42
            parts.append(box((x, y0, 0.75), (x + 1.25, y1, top - 0.75), _CHROME, kind))
        parts.append(box((-h, y0, 1.12), (h - 0.3, y1 + 0.006, 1.26), white, kind))
        y = side * w * 0.5
        parts.append(box((h - 1.5, y - 0.5, top), (h - 1.2, y + 0.5, top + 0.18), (255, 40, 34, 0),
                         kind, LAMP))  # fmt: skip
        parts.append(box((-h - 0.04, y - 0.16, top - 0.8), (-h + 0.05, y + 0.16, top - 0.6),
                         (255, 40, 34, 0), kind, LAMP))  # fmt: skip
        rail = (-h + 0.2, side * 0.42 - 0.04, top - 0.2), (cab - 0.3, side * 0.42 + 0.04, top - 0.1)
        parts.append(box(*rail, _CHROME, kind))
    for i in range(9):
        x = -h + 0.5 + i * 0.6
        parts.append(box((x, -0.4, top - 0.18), (x + 0.07, 0.4, top - 0.13), _CHROME, kind))
    parts += _lights(-h, h, w * 0.95, 0.98, kind, 0.26) + arches(body, 0.46, kind, w)
    return parts + wheels(body, 0.46, kind)


def _bus(body: Body) -> list[Mesh]:
    h, w, top = body.length / 2, body.width / 2, body.height
    kind = Train.BUS
    parts = [
        hull([(-h, w * 0.97, w * 0.95, 0.32, top), (h - 0.25, w, w * 0.96, 0.32, top),
              (h, w * 0.94, w * 0.88, 0.36, top - 0.15)], _BODY, kind)
    ]  # fmt: skip
    for side in (1.0, -1.0):
        y = side * (w * 0.985)
        for i in range(7):
            x = -h + 0.7 + i * 1.52
            parts.append(box((x, y - 0.02, 1.35), (x + 1.36, y + 0.02, 2.45), _GLASS, kind))
        parts.append(
            box((-h + 0.1, y - 0.025, 0.62), (h - 0.4, y + 0.025, 0.92), (36, 84, 160, 0), kind)
        )
    parts.append(box((h - 0.02, -w * 0.84, 1.05), (h + 0.015, w * 0.84, 2.5), _GLASS, kind))
    parts.append(
        box((h - 0.02, -w * 0.6, 2.6), (h + 0.02, w * 0.6, 2.85), (250, 150, 30, 0), kind, LIT)
    )
    parts.append(box((-h - 0.015, -w * 0.75, 1.5), (-h + 0.02, w * 0.75, 2.45), _GLASS, kind))
    parts += _lights(-h, h, w * 0.92, 0.95, kind, 0.3) + arches(body, 0.48, kind, w)
    return parts + wheels(body, 0.48, kind)


def _suv(body: Body) -> list[Mesh]:
    return sedan(body, 1.06, tail=0.97, posts=(0.0, 0.25, 0.55, 1.0))


def _pickup(body: Body) -> list[Mesh]:
    h, w = body.length / 2, body.width / 2
    parts = sedan(body, 1.05, tail=0.34)
    bed = box((-h + 0.2, -w * 0.78, 1.02), (-h * 0.4, w * 0.78, 1.085), _DARK, Train.CAR)
    return [*parts, bed]


def _van(body: Body) -> list[Mesh]:
    return _boxy(body, Train.CAR, 1.7, 1.2, _BODY)


def _lorry(body: Body) -> list[Mesh]:
    return _boxy(body, Train.TRUCK, 2.1, 1.5, (226, 224, 216, 0))


MAKERS: dict[str, Callable[[Body], list[Mesh]]] = {
    "sedan": sedan,
    "taxi": _taxi,
    "suv": _suv,
    "pickup": _pickup,
    "van": _van,
    "bus": _bus,
    "lorry": _lorry,
    "ambulance": _ambulance,
    "police": _police,
    "fire_engine": _fire_engine,
    "cone": obstacles.cone,
    "barrel": obstacles.barrel,
    "barrier": obstacles.barrier,
    "tyre": obstacles.tyre,
    "crate": obstacles.crate,
    "debris": obstacles.debris,
}

COLOURS: dict[str, tuple[int, int, int]] = {
    "taxi": (246, 184, 22),
    "bus": (228, 232, 238),
    "ambulance": (240, 240, 238),
    "police": (238, 240, 244),
    "fire_engine": (196, 28, 22),
    "lorry": (60, 84, 120),
}
_TRAFFIC = (
    (24, 25, 28), (62, 64, 68), (130, 134, 138), (206, 208, 210), (240, 240, 238), (118, 20, 24),
    (30, 52, 98), (76, 88, 76), (150, 138, 116), (46, 34, 30),
)  # fmt: skip
EGO_COLOUR = (38, 92, 148)


def colour(body: str, entity: int) -> tuple[int, int, int]:
    """The paint of a vehicle: fixed by its kind, else drawn by its id; the ego is blue."""
    if entity == 0 and body not in COLOURS:
        return EGO_COLOUR
    return COLOURS.get(body) or _TRAFFIC[(entity * 2654435761 >> 7) % len(_TRAFFIC)]
