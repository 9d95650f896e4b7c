"""Whether each vehicle of the geometry is in the styled frame, and no thing beside them.

A vehicle is there when the styled frame's gradients, within its outline, run as the geometry's do;
style changes how strong they are and hardly where. Where the styled frame has strong gradients that
the geometry does not explain, something was invented.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rewards.checks.case import Rgb

LEAST_PX = 1200
"""Smaller vehicles are not looked for, at 480 x 480."""
VEHICLES = (13, 14, 15)
"""Cityscapes train ids: car, truck, bus."""
SIGMA = 1.5
TILE, STRIDE = 60, 30
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Things:
    """vehicle: likeness of the worst vehicle, 1 where there is none. stranger: the worst tile's
    unexplained gradient [levels]."""

    vehicle: float
    stranger: float


def gradients(rgb: Rgb) -> Floats:
    """Strength of the steepest Lab channel's slope, of a picture softened by SIGMA px."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab = cv2.GaussianBlur(lab, (0, 0), SIGMA)
    across, down = cv2.Sobel(lab, cv2.CV_32F, 1, 0), cv2.Sobel(lab, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt((across**2 + down**2).max(axis=2)), np.float32)


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
    strangers = [0.0]
    for y in range(0, drawn.shape[0] - TILE + 1, STRIDE):
        for x in range(0, drawn.shape[1] - TILE + 1, STRIDE):
            tile = (slice(y, y + TILE), slice(x, x + TILE))
            known = max(likeness(drawn[tile], shown[tile]), 0.0)
            strangers.append(float(shown[tile].mean()) * (1.0 - known))
    return Things(min(vehicles), max(strangers))
