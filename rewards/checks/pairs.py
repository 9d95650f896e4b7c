"""How many frames of the game came back styled, and as exactly which ticks."""

from collections import Counter

from game.session.format import Pairing, TrackId
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from game.world.version import TICK_HZ
from rewards.checks import thresholds


def pairs(session: Session, evidence: Evidence) -> Finding:
    """Score: share of source frames of those seconds in which the stream ran; at least the limit.

    A slow model or machine styles fewer pictures a second and is paid for those; a stream that is
    missing for a part of the drive is not one. Estimated pairs are counted apart: nobody attests
    which picture they were made from.
    """
    source, found = session.frames(TrackId.SOURCE), session.pairs()
    drawn = Counter(record.tick // TICK_HZ for record in source)
    back = Counter(pair.tick // TICK_HZ for pair in found)
    missing = [s for s in sorted(drawn) if back[s] < thresholds.STREAMED * drawn[s]]
    score = 1.0 - sum(drawn[second] for second in missing) / len(source) if source else 0.0
    exact = sum(pair.pairing == Pairing.EXACT for pair in found)
    worst = missing[0] * TICK_HZ if missing else -1
    reason = "" if score >= thresholds.PAIRED else "pairs.few"
    detail = f"{len(found)} of {len(source)} paired, {exact} exactly"
    if missing:
        detail += f"; too few in {len(missing)} of {len(drawn)} s"
    more = {"pairs": len(found), "exact": exact, "estimated": len(found) - exact}
    return Finding("pairs", not reason, score, thresholds.PAIRED, reason, worst, detail, more)
