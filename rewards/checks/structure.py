"""Whether a styled frame shows what the geometry holds, and not much else: edges in Lab, by tile.

Per channel, since grey edges miss a car as bright as the road; by tile, since a whole-picture
score hides one that is missing.
"""

from collections.abc import Sequence
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
from rewards.checks.thresholds import StructureLimits

TILE_PX = 60
LEAST_EDGE_PX = 40
TILE_LOST = 0.3
BLANK, BLANK_FRAMES = 0.02, 2
"""So few edges are found again in a black or empty frame; a clean one has ten times as many."""
SKY, SKY_EDGE = 10, 36
"""Cityscapes train id; and the gradient from which on an edge counts there. A dark style's clouds
took a clean drive's precision to 0.82; with this it is 0.94 at least on eight drives, frame by
frame, and that of mirrored and moved ones stays where it was."""
WRONG_FRAMES = 3
"""So many frames that show something else fail a recording, whatever the others show: mirrored
ones reach a precision of 0.75 at most, clean ones of two drives 0.98 at least, frame by frame."""
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


def edges(rgb: Rgb, faint: int = 12) -> Mask:
    """Edge pixels of any Lab channel. rgb: (h, w, 3). faint: gradient [levels] that goes on one."""
    lab = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    light, a, b = (cv2.Canny(channel, faint, 3 * faint) for channel in lab)
    found: Mask = (light | a | b) > 0
    return found


def _grow(mask: Mask, size: int) -> Mask:
    grown: Mask = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return grown


def agree(geometry: Rgb, styled: Rgb, sky: Mask) -> Agreement:
    """How a styled picture agrees with the geometry of the same tick; both (h, w, 3), 480 px.

    sky: (h, w), where the geometry has nothing else. A style may paint it, so that there only what
    is as sharp as an object counts as found.
    """
    strict = edges(geometry)
    soft = edges(cv2.GaussianBlur(geometry, (0, 0), 1))
    calm = cv2.GaussianBlur(styled, (0, 0), 2.5)
    found = edges(calm)
    drawn = np.where(sky, edges(calm, SKY_EDGE), found)
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
        precision=float((drawn & _grow(soft, 5)).sum() / max(int(drawn.sum()), 1)),
        bad=sum(share < TILE_LOST for share in shares) / max(len(shares), 1),
        stray=int((drawn & far).sum()),
    )


def odd_frames(found: Sequence[Agreement], limits: StructureLimits) -> str:
    """Reason code where single frames are wrong that a median would not see; '' else."""
    if sum(each.recall < BLANK for each in found) >= min(BLANK_FRAMES, len(found)):
        return "structure.blank"
    if sum(each.precision < limits.precision for each in found) >= WRONG_FRAMES:
        return "structure.invented"
    return ""


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
            found.append((agree(drawn.colour, sized, drawn.classes == SKY), tick))
            held.append(things(drawn.colour, sized, drawn.classes, drawn.instances))
    if not found:
        why = "no styled frame to look at"
        return Finding("structure", False, 0.0, limits.recall, "structure.none", -1, why)
    recall = median(each.recall for each, _ in found)
    precision = median(each.precision for each, _ in found)
    bad = median(each.bad for each, _ in found)
    worst = min(found, key=lambda each: each[0].recall)[1]
    wrong, measured = odd_things(held, model(session))
    reason = ""
    if recall < limits.recall:
        reason = "structure.missing"
    elif precision < limits.precision:
        reason = "structure.invented"
    elif bad > limits.bad_tiles:
        reason = "structure.tiles"
    elif odd := odd_frames([each for each, _ in found], limits):
        reason = odd
    else:
        reason = wrong
    detail = f"{len(found)} frames, precision {precision:.2f}, lost tiles {bad:.0%}"
    more = {"precision": precision, "bad_tiles": bad, **measured}
    return Finding("structure", not reason, recall, limits.recall, reason, worst, detail, more)


def odd_things(held: Sequence[Things], painter: str) -> tuple[str, dict[str, float]]:
    """Reason code where vehicles are missing or things were put onto the street, '' else; and what
    was measured. A stranger counts by what a fifth of the samples exceed, a glint is none.
    A vehicle that is gone counts by two of them, one that is hard to make out by a third."""
    faint, gone = (
        sum(each.vehicle < thresholds.by_model(table, painter) for each in held)
        for table in (thresholds.VEHICLE, thresholds.VEHICLE_GONE)
    )
    lost = gone >= min(thresholds.VEHICLE_FRAMES, len(held))
    lost = lost or faint > thresholds.FAINT_SHARE * len(held)
    large, small = (
        float(np.quantile(found, 1 - thresholds.STRANGER_SHARE))
        for found in ([each.stranger for each in held], [each.small for each in held])
    )
    reason = ""
    if lost:
        reason = "structure.vehicle"
    elif large > thresholds.by_model(thresholds.STRANGER, painter) or small > thresholds.by_model(
        thresholds.STRANGER_SMALL, painter
    ):
        reason = "structure.stranger"
    return reason, {"lost": gone, "faint": faint, "stranger": large, "small_stranger": small}
