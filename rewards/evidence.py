"""Pictures of what a check found: recording, our own drawing and styled frame, side by side.

Made while the pictures are at hand, kept beside the verdict, shown on the session's page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from game.session.protocols import Evidence, Finding

SIDE_PX = 320
MOST = 4


def pictures(findings: Sequence[Finding], evidence: Evidence) -> dict[str, bytes]:
    """Name ('structure-120.jpg') -> JPEG of one row: recorded, drawn again, styled.

    One for each failed check that names a tick and looked at pictures; for an accepted session
    one sample. Empty where the checks never came to pictures.
    """
    views = evidence.memo.get("seen")
    if views is None or not views.rendered:
        return {}
    failed = [(f.check, f.tick) for f in findings if not f.passed and f.tick >= 0]
    wanted = failed or [("sample", min(views.rendered))]
    found: dict[str, bytes] = {}
    for check, tick in wanted[:MOST]:
        nearest = min(views.rendered, key=lambda known: abs(known - tick))
        found[f"{check}-{nearest}.jpg"] = _row(views, nearest)
    return found


def _row(views: Any, tick: int) -> bytes:
    parts = [views.source(tick), views.rendered[tick].colour, views.styled(tick)]
    squares = [_square(part) for part in parts]
    ok, data = cv2.imencode(".jpg", np.hstack(squares), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return bytes(data) if ok else b""


def _square(rgb: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    if rgb is None:
        return np.full((SIDE_PX, SIDE_PX, 3), 40, np.uint8)
    small = cv2.resize(np.ascontiguousarray(rgb), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1])


def of_session(keys: Sequence[str]) -> Mapping[str, str]:
    """File name -> key, of the keys below a session's pictures."""
    return {key.rsplit("/", 1)[1]: key for key in keys}
