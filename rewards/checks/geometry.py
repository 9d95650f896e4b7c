"""Draws sampled frames again and compares them with the recording's own pictures of the game."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from game.session.format import TrackId
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards.checks import thresholds
from rewards.checks.case import Rgb, Seen, seen


@dataclass(frozen=True, slots=True)
class Likeness:
    """Shares of pixels that differ: in the worst tile, and in the whole picture."""

    worst: float
    mean: float


def compare(one: Rgb, other: Rgb, levels: int, tile: int) -> Likeness:
    """How far two pictures (h, w, 3) are apart; a pixel differs by more than `levels`."""
    red, green, blue = cv2.split(cv2.absdiff(one, other))
    apart = cv2.max(cv2.max(red, green), blue) > levels
    height, width = (size // tile * tile for size in apart.shape)
    tiles = apart[:height, :width].reshape(height // tile, tile, width // tile, tile)
    return Likeness(float(tiles.mean(axis=(1, 3)).max()), float(apart.mean()))


def geometry(session: Session, evidence: Evidence) -> Finding:
    """Score: share of differing pixels in the worst tile of the worst sample, at most the limit."""
    views = seen(session, evidence)
    kind = "same" if views.same else "other"
    limit = thresholds.GEOMETRY_WORST[kind]
    if views.decoded.problems:
        track, tick, why = views.decoded.problems[0]
        return Finding("geometry", False, 1.0, limit, "geometry.video", tick, f"{track}: {why}")
    if not views.sent:
        why = "the source video was not sent; our own drawing stands for it"
        return Finding("geometry", True, 0.0, limit, detail=why, evidence={"sent": False})
    lossless = _lossless(views, kind)
    if lossless is not None:
        tick, share = lossless
        what = f"{share:.2%} of a lossless frame is not what we draw"
        return Finding("geometry", False, share, limit, "geometry.check", tick, what)
    found: list[tuple[float, int, Likeness]] = []
    for tick, drawn in sorted(views.rendered.items()):
        picture = views.source(tick)
        if picture is None:
            continue
        if picture.shape != drawn.colour.shape:
            return Finding("geometry", False, 1.0, limit, "geometry.size", tick, "another size")
        like = compare(
            cv2.blur(picture, (3, 3)),  # what the codec does to single pixels is not the matter
            cv2.blur(drawn.colour, (3, 3)),
            thresholds.PIXEL_LEVELS,
            thresholds.GEOMETRY_TILE,
        )
        found.append((like.worst, tick, like))
    if not found:
        return Finding("geometry", False, 1.0, limit, "geometry.none", -1, "no frame to compare")
    score, tick, like = max(found, key=lambda each: each[0])
    mean_of_all = max(each[2].mean for each in found)
    passed = score <= limit and mean_of_all <= thresholds.GEOMETRY_MEAN[kind]
    detail = f"{len(found)} frames, {views.family}, {mean_of_all:.3%} of pixels differ at most"
    reason = "" if passed else "geometry.differs"
    return Finding("geometry", passed, score, limit, reason, tick, detail, {"mean": mean_of_all})


def _lossless(views: Seen, kind: str) -> tuple[int, float] | None:
    """Tick and share of the worst lossless frame, where it is too far off."""
    shares: list[tuple[float, int]] = []
    for (track, tick), picture in views.decoded.pictures.items():
        drawn = views.rendered.get(tick)
        if track != TrackId.CHECK or drawn is None:
            continue
        share = 1.0
        if picture.shape == drawn.colour.shape:
            share = compare(picture, drawn.colour, thresholds.CHECK_LEVELS, 30).mean
        shares.append((share, tick))
    worst = max(shares, default=(0.0, -1))
    return (worst[1], worst[0]) if worst[0] > thresholds.CHECK_MEAN[kind] else None


def mask_of(classes: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where nothing moves by itself: not sky, nor anybody or anything that drives or walks."""
    return classes.astype(np.int16) < FIRST_MOVING


FIRST_MOVING = 10
"""Cityscapes train ids from here on: sky, person, rider, vehicles; 255 is unlabelled."""
