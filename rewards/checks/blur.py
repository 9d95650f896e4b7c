"""How sharp the styled frames are, against the source of the same tick at one fixed size."""

from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards.checks import thresholds
from rewards.checks.case import Rgb, model, seen

SIDE_PX = 240


def sharpness(rgb: Rgb) -> float:
    """0 blurred .. 1 sharp, at 240 px: how much of the picture's variation a blur would take.

    Crete's measure over both axes; unlike the variance of a Laplacian, noise fools it little.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return min(_axis(grey), _axis(np.ascontiguousarray(grey.T)))


def _axis(grey: NDArray[np.uint8]) -> float:
    before = np.abs(np.diff(grey.astype(np.int16), axis=1))
    after = np.abs(np.diff(cv2.blur(grey, (9, 1)).astype(np.int16), axis=1))
    return float(np.maximum(0, before - after).sum() / max(int(before.sum()), 1))


def blur(session: Session, evidence: Evidence) -> Finding:
    """Score: sharpness over the source's, median of the samples; at least the limit."""
    views = seen(session, evidence)
    limit = thresholds.by_model(thresholds.BLUR, model(session))
    ratios: list[tuple[float, int]] = []
    for tick in evidence.sample_ticks:
        source, styled = views.source(tick), views.styled(tick)
        if source is not None and styled is not None:
            ratios.append((sharpness(styled) / max(sharpness(source), 0.05), tick))
    if not ratios:
        return Finding("blur", False, 0.0, limit, "blur.none", -1, "no styled frame to look at")
    score, worst = median(ratio for ratio, _ in ratios), min(ratios)[1]
    reason = "" if score >= limit else "blur.soft"
    detail = f"{len(ratios)} frames, {min(ratios)[0]:.2f} at worst"
    return Finding("blur", not reason, score, limit, reason, worst, detail)
