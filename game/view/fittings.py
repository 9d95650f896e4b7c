"""Meshes of street furniture: lamps, hydrants, bins, mailboxes, and parked cars from afar.

Each stands at the origin with +x towards the road (of a car: its front). What is seen from afar
lies inside what is seen near by, so both may be drawn at once.
"""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from game.view import stock, trees
from game.view.furniture import Kind
from game.view.labels import Train
from game.view.mesh import Mesh, box, join, loft, post, thrifty
from game.view.parked import BODY
from game.world.entity import BODIES

LEAF, SHINY, GLASS, GLOW = trees.LEAF, 2, 3, 4  # materials of the prop shader
TINTED = 255  # in paint[3]: takes the piece's own colour
_STEEL = (112, 116, 118, 0)
_RED = (158, 44, 34, 0)
_SILVER = (182, 182, 178, 0)
_MESH = (52, 62, 54, 0)
_BLUE = (34, 62, 122, 0)
_WINDOW = (40, 48, 58, 0)
LAMP_HEIGHT, LAMP_REACH = 8.4, 2.3  # of the light over the road [m]


def _without_floor(mesh: Mesh) -> Mesh:
    """A box without the face that nobody sees; its first cap is the floor."""
    vertices, indices = mesh
    return vertices, indices.reshape(-1, 6)[np.arange(6) != 4].reshape(-1)


@cache
def lamp() -> Mesh:
    """A cobra-head street lamp: a mast, a curved arm over the road, a flat head."""
    bend = ((0.0, 7.3), (0.35, 8.1), (1.1, 8.45), (LAMP_REACH - 0.45, 8.5))
    ring = np.array([(-0.05, -0.05), (0.05, -0.05), (0.0, 0.07)])
    arm = np.array([[(x + b * 0.5, a, z + b) for a, b in ring] for x, z in bend])
    head = box((LAMP_REACH - 0.5, -0.15, 8.38), (LAMP_REACH + 0.25, 0.15, 8.56), _STEEL, Train.POLE)
    light = box(
        (LAMP_REACH - 0.3, -0.11, 8.34), (LAMP_REACH + 0.2, 0.11, 8.39), (246, 236, 210, 0),
        Train.POLE, GLOW,
    )  # fmt: skip
    mast = post((0, 0, 0), 7.5, 0.11, _STEEL, Train.POLE, 5, 0.55, False)
    foot = post((0, 0, 0), 0.75, 0.19, _STEEL, Train.POLE, 5, 0.8, False)
    return join([mast, foot, loft(arm[:, ::-1], _STEEL, Train.POLE, caps=False), head, light])


@cache
def lamp_afar(coarse: bool) -> Mesh:
    """The same from beyond a few dozen metres."""
    ring = np.array([(-0.05, -0.05), (0.05, -0.05), (0.0, 0.07)]) * 0.7
    bend = ((0.0, 7.3), (0.35, 8.1), (LAMP_REACH, 8.47))
    arm = np.array([[(x + b * 0.5, a, z + b) for a, b in ring] for x, z in bend[coarse:]])
    mast = post((0, 0, 0), 7.6, 0.085, _STEEL, Train.POLE, 3, 0.6, False)
    parts = [mast, loft(arm[:, ::-1], _STEEL, Train.POLE, caps=False)]
    if not coarse:
        low, high = (LAMP_REACH - 0.45, -0.13, 8.39), (LAMP_REACH + 0.2, 0.13, 8.54)
        parts.append(box(low, high, _STEEL, Train.POLE))
    return join(parts)


@cache
def hydrant() -> Mesh:
    """A fire hydrant: barrel, bonnet, three caps."""
    kind = Train.IGNORE
    parts = [
        post((0, 0, 0), 0.08, 0.17, _RED, kind, 8),
        post((0, 0, 0.05), 0.50, 0.115, _RED, kind, 8),
        post((0, 0, 0.55), 0.12, 0.14, _SILVER, kind, 8, 0.55),
        post((0, 0, 0.67), 0.06, 0.04, _SILVER, kind, 5),
        box((0.05, -0.07, 0.34), (0.19, 0.07, 0.48), _SILVER, kind),
        box((-0.05, -0.19, 0.38), (0.05, 0.19, 0.47), _SILVER, kind),
    ]
    return join(parts)


@cache
def bin_() -> Mesh:
    """A wire litter basket on a corner."""
    ring = (0.24, 0.30, 0.32)
    turn = np.arange(8) * (np.pi / 4)
    rows = [
        np.column_stack([np.cos(turn) * r, np.sin(turn) * r, np.full(8, z)])
        for r, z in zip(ring, (0.0, 0.80, 0.86), strict=True)
    ]
    well = [rows[-1] * (0.86, 0.86, 1.0), rows[0] * (0.9, 0.9, 1.0) + (0, 0, 0.5)]
    return join(
        [
            loft(np.array(rows), _MESH, Train.IGNORE, caps=False),
            loft(np.array([rows[-1], *well]), (30, 34, 30, 0), Train.IGNORE, caps=False),
        ]
    )


@cache
def mailbox() -> Mesh:
    """A collection box with its rounded top."""
    turn = np.linspace(0, np.pi, 6)
    arch = [(np.cos(t) * 0.26, 1.05 + np.sin(t) * 0.22) for t in turn]
    outline = [(-0.26, 0.16), (0.26, 0.16), *arch]
    rings = np.array([[(x, y, z) for y, z in outline] for x in (-0.24, 0.24)])
    legs = [
        box((x - 0.03, y - 0.03, 0), (x + 0.03, y + 0.03, 0.2), _BLUE, Train.IGNORE)
        for x in (-0.18, 0.18)
        for y in (-0.2, 0.2)
    ]
    slot = box((0.23, -0.18, 1.02), (0.26, 0.18, 1.08), (20, 26, 40, 0), Train.IGNORE)
    return join([loft(rings, _BLUE, Train.IGNORE, SHINY), slot, *legs])


@cache
def car(variant: int, coarse: bool) -> Mesh:
    """A parked car from afar: body, glass and roof, inside the real one."""
    body = BODIES[BODY[variant]]
    h, w, top = body.length / 2 * 0.95, body.width / 2 * 0.86, body.height
    van = body.name == "van"
    belt = (0.60 if van else 0.54) * top if body.name != "pickup" else 0.9
    rear, front = (-h * 0.97, h * 0.62) if van else (-h * 0.72, h * 0.36)
    if body.name == "pickup":
        rear, front = -h * 0.1, h * 0.40
    tint = (235, 235, 235, TINTED)
    lean = 0.25 if not van else 0.12
    glass = [
        [(rear, -w * 0.93, belt), (front, -w * 0.93, belt), (front, w * 0.93, belt),
         (rear, w * 0.93, belt)],
        [(rear + lean, -w * 0.78, top * 0.94), (front - lean * 2, -w * 0.78, top * 0.94),
         (front - lean * 2, w * 0.78, top * 0.94), (rear + lean, w * 0.78, top * 0.94)],
    ]  # fmt: skip
    if coarse:
        return _without_floor(box((-h, -w, 0.3), (h, w, top * 0.8), tint, Train.CAR, SHINY, 0.8))
    hull = box((-h, -w, 0.24), (h, w, belt - 0.04), tint, Train.CAR, SHINY, 0.97)
    cabin = loft(np.array(glass), _WINDOW, Train.CAR, GLASS)
    cabin[0]["paint"][-4:] = tint  # the last quad is the roof
    return join([_without_floor(hull), _without_floor(cabin)])


_FAR: dict[Kind, Callable[[int, bool], Mesh]] = {
    Kind.TREE: trees.far,
    Kind.LAMP: lambda _, coarse: lamp_afar(coarse),
    Kind.CAR: car,
}
_NEAR: dict[Kind, Callable[[int], Mesh]] = {
    Kind.TREE: trees.near,
    Kind.LAMP: lambda _: lamp(),
    Kind.HYDRANT: lambda _: hydrant(),
    Kind.BIN: lambda _: bin_(),
    Kind.MAILBOX: lambda _: mailbox(),
}


_VARIANTS = {Kind.TREE: trees.KINDS, Kind.CAR: len(BODY)}  # of all others: one


def entries() -> Iterator[stock.Entry]:
    """Every mesh that may be drawn of a piece."""
    for kind in Kind:
        for variant in range(_VARIANTS.get(kind, 1)):
            if kind in _FAR:
                yield from (_far(kind, variant, coarse) for coarse in (False, True))
            if kind in _NEAR:
                yield _near(kind, variant)


@cache
def far(kind: int, variant: int, coarse: bool) -> Mesh | None:
    """What is drawn of a piece at any distance, `coarse` very far off; None: only near by."""
    return stock.mesh(*_far(Kind(kind), variant, coarse)) if kind in _FAR else None


@cache
def near(kind: int, variant: int) -> Mesh | None:
    """What is drawn on top near by; None where nothing is, or where it is an entity's body."""
    return stock.mesh(*_near(Kind(kind), variant)) if kind in _NEAR else None


def _far(kind: Kind, variant: int, coarse: bool) -> stock.Entry:
    where = "very far" if coarse else "far"
    return f"{kind.name.lower()} {variant} {where}", lambda: thrifty(_FAR[kind](variant, coarse))


def _near(kind: Kind, variant: int) -> stock.Entry:
    return f"{kind.name.lower()} {variant} near", lambda: thrifty(_NEAR[kind](variant))
