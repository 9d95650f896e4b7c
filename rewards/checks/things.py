"""Whether each vehicle of the geometry is in the styled frame, and no thing beside them.

A vehicle is there when the styled frame's gradients, within its outline, run as the geometry's do;
style changes how strong they are and hardly where. Where the street holds strong gradients that the
geometry does not explain, measured by the street's own, something was put onto it. Walls are left
out: a style may light their windows.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rewards.checks.case import Rgb

LEAST_PX = 2000
"""Smaller vehicles are not looked for, at 480 x 480."""
VEHICLES = (13, 14, 15)
"""Cityscapes train ids: car, truck, bus."""
STREET = (0, 1, 9, *VEHICLES)
"""And road, sidewalk and terrain: where a vehicle could be put."""
STREET_SHARE = 0.6
"""Of a tile, from which on it counts as street."""
FAINT = 2.0
"""Gradient [levels] added to the street's own, so that a smooth one divides by something."""
SIGMA = 1.5
TILE, SMALL = 60, 30
"""A car far away fills the small one and is lost in the other, which sees a large one's body."""
FLAT = 1e-6
Floats = NDArray[np.float32]
Sum = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Things:
    """vehicle: likeness of the worst vehicle, 1 where there is none. stranger: unexplained
    gradient of the worst tile of the street, by the mean gradient of all of them; small: of the
    worst of smaller tiles."""

    vehicle: float
    stranger: float
    small: float


def gradients(rgb: Rgb) -> Floats:
    """Strength of the steepest Lab channel's slope, of a picture softened by SIGMA px."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    cv2.GaussianBlur(lab, (0, 0), SIGMA, dst=lab)
    across, down = cv2.Sobel(lab, cv2.CV_32F, 1, 0), cv2.Sobel(lab, cv2.CV_32F, 0, 1)
    cv2.multiply(across, across, dst=across)
    cv2.multiply(down, down, dst=down)
    light, a, b = cv2.split(cv2.add(across, down, dst=across))
    return np.asarray(cv2.sqrt(cv2.max(cv2.max(light, a), b)), np.float32)


def likeness(one: Floats, other: Floats) -> float:
    """Correlation, -1..1; 0 where either is flat."""
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-3 else 0.0


def things(
    geometry: Rgb, styled: Rgb, classes: NDArray[np.generic], instances: NDArray[np.generic]
) -> Things:
    """Compare one tick; pictures (h, w, 3) of one size, classes and instances as in Renderer."""
    drawn, shown = gradients(geometry), gradients(styled)
    found, counts = np.unique(instances[np.isin(classes, VEHICLES)], return_counts=True)
    vehicles = [1.0]
    for vehicle in found[counts > LEAST_PX]:
        own = cv2.dilate((instances == vehicle).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        vehicles.append(likeness(drawn[own], shown[own]))
    street = np.isin(classes, STREET)
    sums = _Sums.of(drawn, shown, street)
    return Things(min(vehicles), sums.stranger(TILE), sums.stranger(SMALL))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of all that lies above and left of each pixel, so that a tile of any size is four of them:
    of the street (1 where it is), of the gradients drawn and shown, their product and squares."""

    street: Sum
    drawn: Sum
    shown: Sum
    product: Sum
    drawn2: Sum
    shown2: Sum

    @classmethod
    def of(cls, drawn: Floats, shown: Floats, street: NDArray[np.bool_]) -> "_Sums":
        fine = cv2.CV_64F
        one, one2 = cv2.integral2(drawn, sdepth=fine, sqdepth=fine)
        other, other2 = cv2.integral2(shown, sdepth=fine, sqdepth=fine)
        product = cv2.integral(cv2.multiply(drawn, shown, dtype=fine), sdepth=fine)
        here = cv2.integral(street.view(np.uint8), sdepth=fine)
        return cls(*(np.asarray(s, np.float64) for s in (here, one, other, product, one2, other2)))

    def stranger(self, tile: int) -> float:
        """Unexplained gradient of the worst tile [by the mean of all]; tiles overlap by half."""
        here = _mean(self.street, tile) > STREET_SHARE
        if not here.any():
            return 0.0
        one, other = _mean(self.drawn, tile)[here], _mean(self.shown, tile)[here]
        product = _mean(self.product, tile)[here] - one * other
        spread = _mean(self.drawn2, tile)[here] - one**2
        spread = spread * (_mean(self.shown2, tile)[here] - other**2)
        scale = np.sqrt(np.maximum(spread, 0.0))
        known = np.where(scale > FLAT, product / np.maximum(scale, FLAT), 0.0).clip(0.0, 1.0)
        return float((other * (1.0 - known)).max() / (other.mean() + FAINT))


def _mean(sums: Sum, tile: int) -> Sum:
    """Over each tile; (rows, columns) of tiles."""
    ends = [
        slice(begin, size - tile + begin, tile // 2) for size in sums.shape for begin in (0, tile)
    ]
    top, bottom, left, right = ends
    whole = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(whole / tile**2, np.float64)
