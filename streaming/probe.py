"""Is this line, with this server, fit to play on? Judges a measurement and says what to do. Pure.

The limits for the line follow the quality bands that Decart's client publishes; those for frames
are this game's own.
"""

from dataclasses import dataclass
from typing import Any

from streaming.measure import Measured
from streaming.stages import STAGES

GOOD, FAIR, POOR = "good", "fair", "poor"
FIT, USABLE, UNFIT = "fit", "usable", "unfit"

# name: good up to, fair up to
_LIMITS: dict[str, tuple[float, float]] = {
    "connect": (3000.0, 8000.0),  # [ms]
    "line": (150.0, 300.0),  # [ms]
    "frame": (150.0, 500.0),  # 95 % of the round trips of a picture [ms]
    "loss": (0.01, 0.05),  # share of packets
    "missing": (0.05, 0.34),  # share of pictures that did not come back
    "slow": (3.0, 10.0),  # frames a second short of 30
    "narrow": (0.0, 1.4),  # Mbit/s short of what was asked for
}
_ADVICE = {
    "connect": "connecting takes long: where a TURN or STUN server is set, see that it answers",
    "line": "the line itself is slow: choose a nearer server, and a cable instead of radio",
    "loss": "packets are lost: use a cable instead of radio, and stop other uploads",
    "missing": "pictures do not come back: the server skips them or the line loses them",
    "narrow": "the line carries less than asked for: stop other uploads, or lower stream.bitrate",
}
_STAGE_ADVICE = {
    "encode": "this machine takes long to encode: close other programs, or use codec vp8",
    "uplink": "the way there takes longest: stop uploads, use a cable, choose a nearer server",
    "backend": "the server takes longest: a faster backend or graphics card, or fewer players",
    "downlink": "the way back takes longest: stop downloads, use a cable, choose a nearer server",
    "decode": "this machine takes long to decode: close other programs",
}
_DOMINANT = 0.4  # share of the way from which a stage is worth naming


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of the report. shown: the value in words. band: good, fair or poor."""

    name: str
    shown: str
    band: str


@dataclass(frozen=True, slots=True)
class Report:
    """verdict: fit, usable or unfit. slowest: the stage that takes the time, '' unknown."""

    verdict: str
    lines: tuple[Judged, ...]
    slowest: str
    advice: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """For --json."""
        return {
            "verdict": self.verdict,
            "bands": {line.name: line.band for line in self.lines},
            "slowest": self.slowest,
            "advice": list(self.advice),
        }


def judge(seen: Measured, asked_bps: int) -> Report:
    """What the measurement means. asked_bps: the bitrate that was asked for [bit/s]."""
    values = {
        "connect": seen.connect_ms,
        "line": seen.line_ms,
        "frame": seen.round_trip_ms.p95,
        "loss": seen.line_loss,
        "missing": 1.0 - seen.returned,
        "slow": 30.0 - seen.fps,
        "narrow": max(0.0, 0.9 * asked_bps - seen.sending) / 1e6 if seen.sending else 0.0,
    }
    bands = {name: _band(name, value) for name, value in values.items()}
    trip = seen.round_trip_ms
    words = {
        "connect": f"{seen.connect_ms:.0f} ms, first picture after {seen.first_frame_ms:.0f} ms",
        "line": f"{seen.line_ms:.0f} ms there and back" if seen.line_ms else "not told",
        "frame": f"{trip.p50:.0f} ms there and back, 95 % under {trip.p95:.0f} ms",
        "loss": f"{seen.line_loss:.1%} of packets on the way there",
        "missing": f"{seen.returned:.1%} of pictures came back",
        "slow": f"{seen.fps:.1f} frames/s",
        "narrow": f"{seen.sending / 1e6:.1f} Mbit/s there, {seen.bitrate / 1e6:.1f} back, in use",
    }
    verdict = UNFIT if POOR in bands.values() else USABLE if FAIR in bands.values() else FIT
    slowest = _slowest(seen.stages)
    advice = [_ADVICE[name] for name, band in bands.items() if band != GOOD and name in _ADVICE]
    if slowest and {bands["frame"], bands["slow"], bands["missing"]} != {GOOD}:
        advice.append(_STAGE_ADVICE[slowest])
    if seen.returned == 0.0:
        advice = ["not one picture came back: see the server's log, and that its backend works"]
    lines = tuple(Judged(_NAMES[name], words[name], bands[name]) for name in _NAMES)
    return Report(verdict, lines, slowest, tuple(advice))


_NAMES = {
    "connect": "connecting",
    "line": "line",
    "frame": "a picture",
    "loss": "loss",
    "missing": "returned",
    "slow": "frame rate",
    "narrow": "bandwidth",
}


def _band(name: str, value: float) -> str:
    good, fair = _LIMITS[name]
    return GOOD if value <= good else FAIR if value <= fair else POOR


def _slowest(stages: dict[str, float]) -> str:
    """The stage that takes the time, '' where none stands out or the server tells none."""
    if "backend" not in stages:
        return ""
    whole = sum(stages.values()) or 1.0
    name = max((s for s in STAGES if s in stages), key=lambda s: stages[s])
    return name if stages[name] / whole >= _DOMINANT else ""
