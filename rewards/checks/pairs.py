"""How many frames of the game came back styled, and as exactly which ticks."""

from game.session.format import Pairing, TrackId
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards.checks import thresholds


def pairs(session: Session, evidence: Evidence) -> Finding:
    """Score: share of source frames with a styled partner; at least the limit.

    Estimated pairs are counted apart: nobody attests which picture they were made from.
    """
    source, found = session.frames(TrackId.SOURCE), session.pairs()
    score = len(found) / max(1, len(source))
    exact = sum(pair.pairing == Pairing.EXACT for pair in found)
    paired = {pair.tick for pair in found}
    worst = next((record.tick for record in source if record.tick not in paired), -1)
    reason = "" if score >= thresholds.PAIRED else "pairs.few"
    detail = f"{len(found)} of {len(source)} paired, {exact} exactly"
    more = {"pairs": len(found), "exact": exact, "estimated": len(found) - exact}
    return Finding("pairs", not reason, score, thresholds.PAIRED, reason, worst, detail, more)
