"""Whether a styled frame shows what the geometry holds, and not much else: edges in Lab, by tile.

Per channel, since grey edges miss a car as bright as the road; by tile, since a whole-picture
score hides one that is missing.
"""

from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards.checks import thresholds
from rewards.checks.case import Rgb, model, seen
from rewards.checks.things import Things, things

TILE_PX = 60
LEAST_EDGE_PX = 40
TILE_LOST = 0.3
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """recall: geometry edges found again. precision: styled edges that geometry explains.

    bad: share of tiles with geometry edges of which too few are found. stray: edge pixels [px] far
    from any geometry edge.
    """

    recall: float
    precision: float
    bad: float
    stray: int


def edges(rgb: Rgb) -> Mask:
    """Edge pixels of any Lab channel. rgb: (h, w, 3)."""
    lab = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    found: Mask = np.max([cv2.Canny(channel, 12, 36) for channel in lab], axis=0) > 0
    return found


def _grow(mask: Mask, size: int) -> Mask:
    grown: Mask = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return grown


def agree(geometry: Rgb, styled: Rgb) -> Agreement:
    """How a styled picture agrees with the geometry of the same tick; both (h, w, 3), 480 px."""
    strict = edges(geometry)
    soft = edges(cv2.GaussianBlur(geometry, (0, 0), 1))
    found = edges(cv2.GaussianBlur(styled, (0, 0), 2.5))
    near = _grow(found, 7)
    shares: list[float] = []
    for y in range(0, strict.shape[0], TILE_PX):
        for x in range(0, strict.shape[1], TILE_PX):
            tile = (slice(y, y + TILE_PX), slice(x, x + TILE_PX))
            count = int(strict[tile].sum())
            if count > LEAST_EDGE_PX:
                shares.append(float((strict[tile] & near[tile]).sum()) / count)
    far = cv2.distanceTransform((~strict).astype(np.uint8), cv2.DIST_L2, 3) > 8
    return Agreement(
        recall=float((soft & _grow(found, 5)).sum() / max(int(soft.sum()), 1)),
        precision=float((found & _grow(soft, 5)).sum() / max(int(found.sum()), 1)),
        bad=sum(share < TILE_LOST for share in shares) / max(len(shares), 1),
        stray=int((found & far).sum()),
    )


def structure(session: Session, evidence: Evidence) -> Finding:
    """Score: recall, median of the samples; precision and lost tiles have limits of their own."""
    views = seen(session, evidence)
    limits = thresholds.STRUCTURE.get(model(session), thresholds.STRUCTURE[None])
    found: list[tuple[Agreement, int]] = []
    held: list[Things] = []
    for tick, drawn in sorted(views.rendered.items()):
        styled = views.styled(tick)
        if styled is not None:
            height, width = drawn.colour.shape[:2]
            sized = np.asarray(cv2.resize(styled, (width, height)), np.uint8)
            found.append((agree(drawn.colour, sized), tick))
            held.append(things(drawn.colour, sized, drawn.classes, drawn.instances))
    if not found:
        why = "no styled frame to look at"
        return Finding("structure", False, 0.0, limits.recall, "structure.none", -1, why)
    recall = median(each.recall for each, _ in found)
    precision = median(each.precision for each, _ in found)
    bad = median(each.bad for each, _ in found)
    worst = min(found, key=lambda each: each[0].recall)[1]
    lost = sum(each.vehicle < thresholds.VEHICLE for each in held)
    stranger = median(each.stranger for each in held)
    reason = ""
    if recall < limits.recall:
        reason = "structure.missing"
    elif precision < limits.precision:
        reason = "structure.invented"
    elif bad > limits.bad_tiles:
        reason = "structure.tiles"
    elif lost >= min(thresholds.VEHICLE_FRAMES, len(held)):
        reason = "structure.vehicle"
    elif stranger > thresholds.STRANGER:
        reason = "structure.stranger"
    detail = f"{len(found)} frames, precision {precision:.2f}, lost tiles {bad:.0%}"
    more = {"precision": precision, "bad_tiles": bad, "lost": lost, "stranger": stranger}
    return Finding("structure", not reason, recall, limits.recall, reason, worst, detail, more)
