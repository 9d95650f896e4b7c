"""What hides light from a place: near things in the picture, and whole buildings beyond it.

Ambient occlusion and contact shadows are marched through the depth picture; the sun through a map
of roof heights, which knows of buildings behind the camera. All factors are 0 (dark) .. 1.
"""

from math import cos, pi, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from game.dataset.pairs.surface import Floats, Surface
from game.view.flow import basis
from game.world.city import City

CELL = 1.0  # of the map of heights [m]


class Heights:
    """Roof heights of a whole city on a grid. Holds 4 bytes a square metre."""

    def __init__(self, city: City) -> None:
        x0, y0, x1, y1 = city.bounds
        self._x, self._y = x0, y0
        shape = int((y1 - y0) / CELL) + 2, int((x1 - x0) / CELL) + 2
        self.grid: Floats = np.zeros(shape, np.float32)
        for footprint in city.footprints:
            self._raise(footprint.rings, footprint.height)

    def _raise(self, rings: tuple[tuple[tuple[float, float], ...], ...], height: float) -> None:
        outer = np.array(rings[0])
        low = np.floor((outer.min(axis=0) - (self._x, self._y)) / CELL).astype(int)
        high = np.ceil((outer.max(axis=0) - (self._x, self._y)) / CELL).astype(int) + 1
        low = np.clip(low, 0, (self.grid.shape[1], self.grid.shape[0]))
        high = np.clip(high, 0, (self.grid.shape[1], self.grid.shape[0]))
        if (high <= low).any():
            return
        x = self._x + (np.arange(low[0], high[0]) + 0.5) * CELL
        y = self._y + (np.arange(low[1], high[1]) + 0.5) * CELL
        inside = np.zeros((len(y), len(x)), np.bool_)
        for ring in rings:
            points = np.array(ring)
            for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
                rows = (ay > y) != (by > y)
                if rows.any():
                    cross = ax + (y[rows] - ay) / (by - ay) * (bx - ax)
                    inside[rows] ^= x[None, :] < cross[:, None]
        part = self.grid[low[1] : high[1], low[0] : high[0]]
        np.maximum(part, np.where(inside, np.float32(height), 0.0), out=part)

    def at(self, x: Floats, y: Floats) -> Floats:
        """Heights at places [m]; 0 outside."""
        column = ((x - self._x) / CELL).astype(np.int32)
        row = ((y - self._y) / CELL).astype(np.int32)
        np.clip(column, 0, self.grid.shape[1] - 1, out=column)
        np.clip(row, 0, self.grid.shape[0] - 1, out=row)
        return self.grid[row, column]


def sunlit(surface: Surface, heights: Heights, azimuth: float, height: float) -> Floats:
    """Share of the sun's disc over the roofs, for each pixel; softer the farther the roof."""
    place = surface.place[::2, ::2] + 0.6 * surface.normal[::2, ::2]
    x, y, z = (np.ascontiguousarray(place[..., i]) for i in range(3))
    dx, dy, rise = cos(radians(azimuth)), sin(radians(azimuth)), tan(radians(height))
    open_ = np.ones(x.shape, np.float32)
    for step in np.geomspace(1.5, 320.0, 34).astype(np.float32):
        over = z + step * np.float32(rise) - heights.at(x + step * dx, y + step * dy)
        np.minimum(open_, 0.5 + over / (1.0 + 0.06 * step), out=open_)
    share = np.clip(open_, 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    rows, columns = surface.depth.shape
    return np.repeat(np.repeat(share, 2, axis=0), 2, axis=1)[:rows, :columns]


class Depths:
    """The depth picture as a thing to march through. All in camera coordinates [m]."""

    def __init__(self, surface: Surface) -> None:
        self.depth, self.lens = surface.depth, surface.lens
        self._axes = basis(surface.eye).astype(np.float32)
        eye = np.array([surface.eye.x, surface.eye.y, surface.eye.z], np.float32)
        self.place: Floats = np.asarray((surface.place - eye) @ self._axes.T, np.float32)
        self.normal: Floats = np.asarray(surface.normal @ self._axes.T, np.float32)

    def turned(self, direction: NDArray[np.float64]) -> Floats:
        """A direction of the world in camera coordinates: forward, right, up."""
        return np.asarray(self._axes @ direction.astype(np.float32), np.float32)

    def pixel(self, z: Floats, right: Floats, up: Floats) -> tuple[NDArray[np.int32], Floats]:
        """Flat index of the pixel that shows a place, clamped to the picture; its depth there."""
        scale = np.float32(self.lens.focal) / np.maximum(z, 0.05)
        column = (right * scale + self.lens.width / 2).astype(np.int32)
        row = (self.lens.height / 2 - up * scale).astype(np.int32)
        np.clip(column, 0, self.lens.width - 1, out=column)
        np.clip(row, 0, self.lens.height - 1, out=row)
        index = row * self.lens.width + column
        return index, self.depth.reshape(-1)[index]


def occlusion(depths: Depths, radius: float, samples: int = 12) -> Floats:
    """Share of the sky that near things leave, within `radius` [m]."""
    height, width = depths.depth.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = np.clip(radius * depths.lens.focal / depths.depth, 2.5, 90.0)
    lost = np.zeros((height, width), np.float32)
    flat = depths.place.reshape(-1, 3)
    bias = 0.02 + 0.004 * depths.depth
    for index in range(samples):
        angle = index * 2.399963
        share = ((index + 0.5) / samples) ** 0.75
        column = np.clip(columns + reach * (share * cos(angle)), 0, width - 1).astype(np.int32)
        row = np.clip(rows + reach * (share * sin(angle)), 0, height - 1).astype(np.int32)
        gap = flat[row * width + column] - depths.place
        square = np.einsum("hwc,hwc->hw", gap, gap)
        rise = np.einsum("hwc,hwc->hw", gap, depths.normal) - bias
        near = np.clip(1.0 - square / (radius * radius * 2.2), 0.0, 1.0)
        lost += near * np.clip(rise / np.sqrt(square + 1e-4), 0.0, 1.0)
    return np.asarray(np.clip(1.0 - 2.1 * lost / samples, 0.0, 1.0), np.float32)


def contact(depths: Depths, azimuth: float, height: float, reach: float = 5.0) -> Floats:
    """Shadow that things in the picture throw on what is near them."""
    turn, rise = azimuth * pi / 180.0, height * pi / 180.0
    sun = depths.turned(np.array([cos(turn) * cos(rise), sin(turn) * cos(rise), sin(rise)]))
    start = depths.place + depths.normal * (0.03 + 0.004 * depths.depth)[..., None]
    lit = np.ones(depths.depth.shape, np.float32)
    for step in np.geomspace(0.12, reach, 14).astype(np.float32):
        z, right, up = (start[..., i] + step * sun[i] for i in range(3))
        _, there = depths.pixel(z, right, up)
        behind = z - there
        hidden = (behind > 0.06 + 0.01 * z) & (behind < 1.2 + 0.5 * step)
        lit[hidden] = np.minimum(lit[hidden], 0.25 + 0.6 * step / reach)
    return lit


def mirrored(depths: Depths, ground: NDArray[np.bool_]) -> tuple[NDArray[np.int32], Floats]:
    """For ground pixels: the pixel that still water would show there, and how sure that is."""
    point = depths.place[ground]
    up = depths.turned(np.array([0.0, 0.0, 1.0]))
    ray = point / np.linalg.norm(point, axis=1, keepdims=True)
    bounced = ray - 2.0 * (ray @ up)[:, None] * up
    found = np.zeros(len(point), np.int32)
    sure = np.zeros(len(point), np.float32)
    last = found
    for step in np.geomspace(0.4, 160.0, 30).astype(np.float32):
        z, right, high = (point[:, i] + step * bounced[:, i] for i in range(3))
        index, there = depths.pixel(z, right, high)
        behind = z - there
        hit = (sure == 0) & (behind > 0.0) & (behind < 0.6 + 0.35 * step)
        found[hit], sure[hit] = index[hit], 1.0
        last = index
    found[sure == 0] = last[sure == 0]
    return found, sure
