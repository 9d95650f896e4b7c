"""How a building rises: the tiers of setback towers, crowns, masts and the tops that all know.

Owns shapes above the first storeys; a footprint keeps its outline at the street.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from game.view.mesh import VERTEX, Mesh, faces_to_bytes, join, quad_indices
from game.world.city import Footprint, Point

Floats = NDArray[np.float64]
STEEL = (206, 208, 212, 0)
_LANTERN = (255, 214, 150, 255)  # shines after dark
_STONE = (196, 192, 184, 0)

# (from, to [m], share of the length, share of the width) of the oblong about the footprint
_TIERS = {
    "Empire State Building": (
        (24.0, 68.0, 0.80, 0.94), (68.0, 98.0, 0.66, 0.86), (98.0, 268.0, 0.44, 0.78),
        (98.0, 250.0, 0.52, 0.60), (268.0, 300.0, 0.38, 0.66), (268.0, 290.0, 0.44, 0.50),
        (300.0, 321.0, 0.31, 0.54),
    ),
    "Chrysler Building": (
        (62.0, 92.0, 0.82, 0.86), (92.0, 124.0, 0.66, 0.74), (124.0, 222.0, 0.42, 0.50),
        (124.0, 198.0, 0.50, 0.36),
    ),
}  # fmt: skip
NAMED = tuple(_TIERS)
# height of the foot, half width there [m], for each stage of a mast
_EMPIRE = ((321.0, 10.5), (329.0, 9.0), (329.0, 7.0), (362.0, 6.0), (362.0, 6.8), (368.0, 5.6),
           (377.0, 2.4), (377.0, 1.3), (404.0, 1.1), (404.0, 0.7), (443.6, 0.2))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """A prism of one footprint (its row): outline, foot and top above ground [m]."""

    row: int
    rings: tuple[tuple[Point, ...], ...]
    base: float
    top: float


def oblong(ring: Sequence[Point]) -> tuple[Floats, Floats, Floats]:
    """Centre, unit vector of the long side and half sizes [m] of a close-fitting rectangle."""
    points = np.array(ring, np.float64)
    edge = np.roll(points, -1, axis=0) - points
    longest = edge[np.argmax((edge * edge).sum(1))]
    ux = longest / max(float(np.linalg.norm(longest)), 1e-9)
    axes = np.stack([ux, np.array([-ux[1], ux[0]])])
    local = points @ axes.T
    low, high = local.min(0), local.max(0)
    half = (high - low) / 2
    if half[1] > half[0]:
        return ((low + high) / 2) @ axes, axes[1], half[::-1]
    return ((low + high) / 2) @ axes, axes[0], half


def _rectangle(centre: Floats, ux: Floats, half: Floats) -> tuple[Point, ...]:
    uy = np.array([-ux[1], ux[0]])
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    spots = [centre + ux * (a * half[0]) + uy * (b * half[1]) for a, b in corners]
    return tuple([(float(x), float(y)) for x, y in spots])


def _area(ring: Sequence[Point]) -> float:
    p = np.array(ring, np.float64)
    q = np.roll(p, -1, axis=0)
    return float((p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]).sum() / 2)


def _shrunk(ring: Sequence[Point], share: float) -> tuple[Point, ...]:
    centre, _, _ = oblong(ring)
    cx, cy = float(centre[0]), float(centre[1])
    return tuple([(cx + (x - cx) * share, cy + (y - cy) * share) for x, y in ring])


def blocks(footprint: Footprint, row: int, draw: int) -> list[Block]:
    """The prisms that a building consists of; draw: a number that varies them."""
    height, top = max(footprint.height, 1.0), footprint.top
    whole = Block(row, footprint.rings, 0.0, height)
    named = _TIERS.get(footprint.name)
    if named is not None:
        centre, ux, half = oblong(footprint.rings[0])
        return [Block(row, footprint.rings, 0.0, named[0][0])] + [
            Block(row, (_rectangle(centre, ux, half * (a, b)),), z0, z1) for z0, z1, a, b in named
        ]
    if top - height > 40.0 and top > height * 2.0:  # a tower on a podium that is the footprint
        return [whole, Block(row, (_shrunk(footprint.rings[0], 0.66),), height, top)]
    steps = _steps(footprint, draw)
    if not steps:
        return [whole]
    heights = [round(height * at, 2) for at, _ in steps] + [height]
    found = [Block(row, footprint.rings, 0.0, heights[0])]
    for (_, share), (low, high) in zip(steps, pairwise(heights), strict=True):
        found.append(Block(row, (_shrunk(footprint.rings[0], share),), low, high))
    return found


def _steps(footprint: Footprint, draw: int) -> tuple[tuple[float, float], ...]:
    """(share of the height, share of the outline) of each setback; () for a plain prism."""
    height, year, ring = footprint.height, footprint.year, footprint.rings[0]
    old = 1914 < year < 1948
    if height < (48.0 if old else 95.0) or len(footprint.rings) > 1 or not (old or year >= 1958):
        return ()
    _, _, half = oblong(ring)
    if half.min() < 7.0 or _area(ring) < 0.82 * 4.0 * half[0] * half[1]:
        return ()  # too slender, or not near enough to an oblong to shrink about its middle
    if old:
        ways: tuple[tuple[tuple[float, float], ...], ...] = (
            ((0.56, 0.86), (0.74, 0.70), (0.89, 0.50)), ((0.66, 0.84), (0.84, 0.64)),
            ((0.48, 0.88), (0.62, 0.76), (0.78, 0.62), (0.92, 0.42)), ((0.80, 0.80),),
        )  # fmt: skip
        return ways[draw % 4]
    if half.min() > 16.0 and draw % 3:
        return ((min(22.0, height * 0.18) / height, 0.80 + 0.02 * (draw % 5)),)
    return ()


def _skin(quad: Floats, paint: Sequence[int], steel: bool = False) -> Mesh:
    """Flat quads (n, 4, 3) for the roof shader; steel ones catch the sky."""
    cross = np.cross(quad[:, 2] - quad[:, 0], quad[:, 3] - quad[:, 1])
    size = np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-9)
    vertices = np.zeros((len(quad), 4), VERTEX)
    vertices["place"] = quad
    vertices["facing"][..., :3] = faces_to_bytes(cross / size)[:, None]
    vertices["paint"] = np.asarray(paint, np.uint8)
    vertices["span"][..., 0] = float(steel)
    return vertices.reshape(-1), quad_indices(len(quad))


def _mast(centre: Floats, ux: Floats, stages: Sequence[tuple[float, float]],
          paint: Sequence[int], sides: int = 8, steel: bool = True) -> Mesh:  # fmt: skip
    """A tapering post of `sides` about `centre` through (height, half width) stages."""
    turn = (np.arange(sides) + 0.5) * (2 * np.pi / sides) + np.arctan2(ux[1], ux[0])
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    rows = [np.column_stack([centre + ring * r, np.full(sides, z)]) for z, r in stages]
    nxt = np.roll(np.arange(sides), -1)
    quad = [np.stack([a, a[nxt], b[nxt], b], 1) for a, b in pairwise(rows)]
    return _skin(np.concatenate(quad), paint, steel)


def _vault(centre: Floats, ux: Floats, half: float, z0: float, z1: float) -> list[Mesh]:
    """Two half-round vaults that cross over a square, as the terraces of the Chrysler's crown."""
    turn = np.linspace(0.0, np.pi, 9)
    arch = np.column_stack([np.cos(turn) * half, z0 + np.sin(turn) * (z1 - z0)])
    parts = []
    for axis in (ux, np.array([-ux[1], ux[0]])):
        other = np.array([-axis[1], axis[0]])
        ends = []
        for sign in (-1.0, 1.0):
            flat = centre + axis * (half * sign) + other * arch[:, :1]
            ends.append(np.column_stack([flat, arch[:, 1]]))
        back, front = ends
        over = np.stack([front[:-1], front[1:], back[1:], back[:-1]], 1)
        parts.append(_skin(over, STEEL, True))
        for end, order in ((front, 1), (back, -1)):
            fan = [(end[0], end[i], end[i + 1], end[i + 2]) for i in range(1, 7, 2)]
            parts.append(_skin(np.array(fan)[:, ::order], STEEL, True))
            out = axis * (half + 0.15) * order
            for angle in (0.25, 0.41, 0.59, 0.75):  # the triangular windows under each arch
                a = np.pi * angle
                tip = np.array([np.cos(a), np.sin(a)]) * (half * 0.94, (z1 - z0) * 0.94)
                foot = np.array([np.cos(a), np.sin(a)]) * (half * 0.68, (z1 - z0) * 0.62)
                side = np.array([half * 0.085, 0.0])
                points = [foot - side, foot + side, tip, tip]
                place = [[*(centre + out + other * p[0]), z0 + p[1]] for p in points]
                parts.append(_skin(np.array([place])[:, ::order], _LANTERN))
    return parts


def _chrysler(footprint: Footprint) -> Mesh:
    centre, ux, half = oblong(footprint.rings[0])
    width = float(half[1]) * 0.50
    foot = 222.0
    parts: list[Mesh] = []
    for tier in range(6):
        share = 1.0 - tier / 6.6
        low = foot + tier * 7.4
        parts += _vault(centre, ux, width * share**0.8, low, low + 17.0 * (0.62 + 0.38 * share))
    stages = ((foot + 44.0, 4.2), (foot + 56.0, 2.4), (footprint.height - 4.0, 1.1))
    parts.append(_mast(centre, ux, (*stages, (footprint.top, 0.15)), STEEL))
    return join(parts)


def crown(footprint: Footprint, label: NDArray[np.uint8], paint: NDArray[np.uint8]) -> Mesh | None:
    """What rises above the roof up to the building's highest point, or None where nothing does."""
    rise = footprint.top - footprint.height
    if footprint.name == "Empire State Building":
        centre, ux, _ = oblong(footprint.rings[0])
        mesh = join([
            _mast(centre, ux, _EMPIRE[:2], _STONE, 4, False), _mast(centre, ux, _EMPIRE[2:], STEEL),
            _mast(centre, ux, ((368.2, 5.8), (371.0, 5.4)), _LANTERN),
        ])  # fmt: skip
    elif footprint.name == "Chrysler Building":
        mesh = _chrysler(footprint)
    elif rise < 12.0 or footprint.height < 60.0 or footprint.top > footprint.height * 2.0:
        return None
    else:
        centre, ux, half = oblong(footprint.rings[0])
        width, base = min(rise * 0.16, float(half[1]) * 0.44), footprint.height
        stages = [(0.0, width), (rise * 0.18, width * 0.92), (rise * 0.18, width * 0.55)]
        stages += [(rise * 0.42, width * 0.36), (rise * 0.42, width * 0.16), (rise, width * 0.04)]
        tone = tuple(int(value) for value in paint[:3])
        mesh = join([
            _mast(centre, ux, [(base + z, r * 1.4) for z, r in stages[:2]], (*tone, 0), 4, False),
            _mast(centre, ux, [(base + z, r) for z, r in stages[2:]], STEEL),
        ])  # fmt: skip
    vertices, indices = mesh
    vertices["label"] = label
    return vertices, indices
