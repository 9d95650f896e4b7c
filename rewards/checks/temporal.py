"""Whether styled frames hold together in time: the next one, carried back by exact motion.

The motion is no estimate: it follows from the depth and the camera poses of our own render. Only
what stands still and is visible in both frames counts.
"""

from dataclasses import dataclass
from math import cos, radians, sin, tan
from statistics import median
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from game.session.format import CaptureProfile
from game.session.protocols import Evidence, Finding, Viewpoint
from game.session.reader import Session
from rewards.checks import thresholds
from rewards.checks.case import Rgb, model, seen
from rewards.checks.geometry import mask_of

Depth = NDArray[np.float32]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lens:
    """Focal length and centre [px] of a square-pixel pinhole camera."""

    focal: float
    cx: float
    cy: float

    @classmethod
    def of(cls, profile: CaptureProfile) -> "Lens":
        """The lens of a capture profile; its angle spans the shorter side of the picture."""
        shorter = min(profile.width, profile.height)
        focal = shorter / 2.0 / tan(radians(profile.fov_degrees) / 2.0)
        return cls(focal, (profile.width - 1) / 2.0, (profile.height - 1) / 2.0)


def rotation(yaw: float, pitch: float) -> Matrix:
    """Camera axes (right, down, ahead) as columns, in the world's (east, north, up)."""
    ahead = np.array([cos(pitch) * cos(yaw), cos(pitch) * sin(yaw), sin(pitch)])
    right = np.array([sin(yaw), -cos(yaw), 0.0])
    return np.stack([right, np.cross(ahead, right), ahead], axis=1)


def exact_flow(
    depth: Depth, lens: Lens, now: Viewpoint, before: Viewpoint
) -> tuple[Depth, Depth, Depth]:
    """Where each pixel of `now` was in `before`: x, y [px] and the depth it must have there [m].

    depth: (h, w) along the viewing axis, of `now`.
    """
    height, width = depth.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    rays = ((columns - lens.cx) / lens.focal, (rows - lens.cy) / lens.focal)
    back = rotation(before.yaw, before.pitch).T
    turn = back @ rotation(now.yaw, now.pitch)
    shift = back @ (np.array([now.x, now.y, now.z]) - np.array([before.x, before.y, before.z]))
    right, down, ahead = (
        ((turn[i, 0] * rays[0] + turn[i, 1] * rays[1] + turn[i, 2]) * depth + shift[i]).astype(
            np.float32
        )
        for i in range(3)
    )
    safe = np.where(ahead > 0.05, ahead, np.float32(np.inf))
    x = (right / safe * lens.focal + lens.cx).astype(np.float32)
    y = (down / safe * lens.focal + lens.cy).astype(np.float32)
    return x, y, ahead


@dataclass(frozen=True, slots=True)
class Motion:
    """Exact motion between two ticks: where to take pixels from, and which of them count."""

    x: Depth
    y: Depth
    counts: NDArray[np.bool_]

    def error(self, before: Rgb, now: Rgb) -> float:
        """Mean difference [levels] of `now` and the carried `before`, over what counts."""
        carried = cv2.remap(before, self.x, self.y, cv2.INTER_LINEAR)
        return sum(cv2.mean(cv2.absdiff(carried, now), self.counts.view(np.uint8))[:3]) / 3.0


class View(Protocol):
    """What motion needs of a rendered tick."""

    @property
    def depth(self) -> NDArray[np.generic]: ...
    @property
    def classes(self) -> NDArray[np.generic]: ...
    @property
    def pose(self) -> Viewpoint: ...


def motion(before: View, now: View, lens: Lens, tolerance: float = 0.02) -> Motion:
    """The exact motion from `before` to `now`; occluded, moving and outer pixels do not count."""
    depth = now.depth.astype(np.float32)
    x, y, ahead = exact_flow(depth, lens, now.pose, before.pose)
    height, width = depth.shape
    there = cv2.remap(before.depth.astype(np.float32), x, y, cv2.INTER_NEAREST)
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1) & (ahead > 0.05)
    seen_then = np.abs(there - ahead) < tolerance * ahead
    return Motion(x, y, inside & seen_then & mask_of(now.classes))


def temporal(session: Session, evidence: Evidence) -> Finding:
    """Score: how much worse the styled frames follow the motion than the source frames do.

    (styled error + floor) / (source error + floor), upper quartile over neighbouring samples; at
    most the limit: a flicker that draws its levels by chance leaves the median alone. Frames of a
    parked car count too: there nothing may move at all.
    """
    views, profile = seen(session, evidence), session.manifest.capture
    limit, lens = thresholds.by_model(thresholds.TEMPORAL, model(session)), Lens.of(profile)
    ratios: list[tuple[float, int]] = []
    alive: list[float] = []
    for tick, drawn in sorted(views.rendered.items()):
        before = views.rendered.get(tick - profile.every_ticks)
        pictures = [
            find(at)
            for find in (views.source, views.styled)
            for at in (tick - profile.every_ticks, tick)
        ]
        if before is None or any(picture is None for picture in pictures):
            continue
        moved = motion(before, drawn, lens)
        if float(moved.counts.mean()) < thresholds.TEMPORAL_LEAST:
            continue
        source0, source1, styled0, styled1 = (p for p in pictures if p is not None)
        if (change := _change(source0, source1)) >= thresholds.FROZEN_LEAST:
            alive.append(_change(styled0, styled1) / change)
        floor = thresholds.TEMPORAL_FLOOR
        ratio = (moved.error(styled0, styled1) + floor) / (moved.error(source0, source1) + floor)
        ratios.append((ratio, tick))
    if not ratios:
        why = "no two neighbouring frames with enough in sight: nothing to judge"
        return Finding("temporal", True, 0.0, limit, detail=why)
    score, worst = float(np.quantile([ratio for ratio, _ in ratios], 0.75)), max(ratios)[1]
    reason = "" if score <= limit else "temporal.flicker"
    if alive and median(alive) < thresholds.FROZEN:
        reason = "temporal.frozen"
    detail = f"{len(ratios)} neighbours, {max(ratios)[0]:.2f} at worst"
    return Finding("temporal", not reason, score, limit, reason, worst, detail)


def _change(before: Rgb, now: Rgb) -> float:
    return float(np.abs(before.astype(np.int16) - now.astype(np.int16)).mean())
