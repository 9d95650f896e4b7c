"""2-D and 3-D boxes of everyone in a picture, with how much of each is hidden.

What is hidden is counted, not estimated: pixels in the picture against pixels when drawn without
anything in the way. Boxes that cannot overlap share such a drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from game.view.camera import Eye
from game.view.flow import Lens, basis
from game.view.labels import entity_instance
from game.world.entity import BODIES, EntityState

Rect = tuple[float, float, float, float]  # left, top, right, bottom [px]
_SLACK = 0.4  # mirrors and limbs reach this far out of their body's box [m]
_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)]


@dataclass(frozen=True, slots=True)
class Box:
    """One entity in one picture.

    entity, instance: its id, its number in the instance plane. body: its kind, see BODIES.
    centre, size: of the 3-D box, x, y, z and length, width, height [m]; heading [rad].
    outline: of the projected 3-D box, cut at the edges of the picture [px].
    seen: of its visible pixels, right and bottom excluded [px]; None where none is.
    pixels: how many are visible. occlusion: share of its pixels in the picture that is hidden.
    truncation: share of the outline's area that lies outside the picture.
    """

    entity: int
    instance: int
    body: str
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    heading: float
    outline: Rect
    seen: tuple[int, int, int, int] | None
    pixels: int
    occlusion: float
    truncation: float


def corners(entity: EntityState, slack: float = 0.0) -> NDArray[np.float64]:
    """The eight corners (8, 3) [m] of an entity's box; bit 2 of the row ahead, 1 left, 0 up."""
    body = BODIES[entity.body]
    half = np.array([body.length / 2 + slack, body.width / 2 + slack])
    c, s = np.cos(entity.heading), np.sin(entity.heading)
    found = []
    for ahead, left, up in product((-1, 1), (-1, 1), (0, 1)):
        a, b = ahead * half[0], left * half[1]
        z = body.height + slack if up else 0.0
        found.append((entity.x + a * c - b * s, entity.y + a * s + b * c, z))
    return np.array(found)


def project(points: NDArray[np.float64], eye: Eye, lens: Lens, near: float) -> Rect | None:
    """Bounds of a box's eight corners in the picture's plane [px]; None wholly behind `near`."""
    seen = (points - (eye.x, eye.y, eye.z)) @ basis(eye).T
    kept = [p for p in seen if p[0] >= near]
    for a, b in _EDGES:
        if (seen[a, 0] < near) != (seen[b, 0] < near):
            share = (near - seen[a, 0]) / (seen[b, 0] - seen[a, 0])
            kept.append(seen[a] + share * (seen[b] - seen[a]))
    if not kept:
        return None
    at = np.array(kept)
    x = lens.width / 2 + at[:, 1] / at[:, 0] * lens.focal
    y = lens.height / 2 - at[:, 2] / at[:, 0] * lens.focal
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def clipped(rect: Rect, lens: Lens) -> Rect | None:
    """The part of a rectangle inside the picture, if any."""
    left, top = max(rect[0], 0.0), max(rect[1], 0.0)
    right, bottom = min(rect[2], float(lens.width)), min(rect[3], float(lens.height))
    return (left, top, right, bottom) if left < right and top < bottom else None


def in_view(
    entities: Sequence[EntityState], eye: Eye, lens: Lens, near: float, far: float
) -> list[tuple[EntityState, Rect]]:
    """Those whose box, with some slack, reaches into the picture; with that box's bounds."""
    found = []
    for entity in entities:
        if (entity.x - eye.x) ** 2 + (entity.y - eye.y) ** 2 > far * far:
            continue
        rect = project(corners(entity, _SLACK), eye, lens, near)
        inside = None if rect is None else clipped(rect, lens)
        if inside is not None:
            found.append((entity, inside))
    return found


def apart(found: Sequence[tuple[EntityState, Rect]]) -> list[list[EntityState]]:
    """Groups in which no two rectangles overlap, so that one drawing counts them all."""
    groups: list[tuple[list[EntityState], list[Rect]]] = []
    for entity, rect in found:
        for members, taken in groups:
            if not any(_overlap(rect, other) for other in taken):
                members.append(entity)
                taken.append(rect)
                break
        else:
            groups.append(([entity], [rect]))
    return [members for members, _ in groups]


def _overlap(a: Rect, b: Rect) -> bool:
    gap = 2.0  # [px]
    return a[0] < b[2] + gap and b[0] < a[2] + gap and a[1] < b[3] + gap and b[1] < a[3] + gap


def counts(instance: NDArray[np.uint32]) -> dict[int, int]:
    """Pixels of each instance in a picture."""
    ids, number = np.unique(instance, return_counts=True)
    return dict(zip(ids.tolist(), number.tolist(), strict=True))


def measured(
    entity: EntityState, instance: NDArray[np.uint32], alone: int, eye: Eye, lens: Lens, near: float
) -> Box | None:
    """The box of one entity from the picture's instance plane; None where its box is outside."""
    whole = project(corners(entity), eye, lens, near)
    outline = None if whole is None else clipped(whole, lens)
    if whole is None or outline is None:
        return None
    ident, body = entity_instance(entity.id), BODIES[entity.body]
    rows, columns = np.nonzero(instance == ident)
    seen = None
    if len(rows):
        left, top = int(columns.min()), int(rows.min())
        seen = left, top, int(columns.max()) + 1, int(rows.max()) + 1
    return Box(
        entity=entity.id,
        instance=ident,
        body=entity.body,
        centre=(entity.x, entity.y, body.height / 2),
        size=(body.length, body.width, body.height),
        heading=entity.heading,
        outline=outline,
        seen=seen,
        pixels=len(rows),
        occlusion=min(max(1.0 - len(rows) / alone, 0.0), 1.0) if alone else 1.0,
        truncation=min(max(1.0 - _area(outline) / max(_area(whole), 1e-9), 0.0), 1.0),
    )


def _area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])
