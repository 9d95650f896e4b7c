"""How good a recording is as data: alignment, lag, duplicates, frozen frames, idling, closeness.

Every figure says what it was computed from. Judges nothing: `flags` names what a buyer would ask
about, with the limits that stand beside it here.
"""

import functools
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.atlas.load import bundled_names
from game.atlas.load import load as load_city
from game.dataset import coverage
from game.dataset.drive import TTC_CAP, Drive, ttc_s
from game.dataset.pool import HERE, Workers, run
from game.session.format import Pairing, TrackId
from game.session.reader import Session
from game.world.city import City

MAX_LAG_FRAMES = 2
MAX_LAG_TICKS = 30
IDLE_M_S, MOVING_M_S = 0.2, 1.0
FROZEN = 0.25
"""Mean difference of two pictures in a row below which the picture stands still [of 255]."""
NEAR_S, CLOSE_S = 1.5, 3.0
EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, TTC_CAP)
_SMALL = 6
_MIN_SPREAD = 1e-6

Floats = NDArray[np.float64]


def report(session: Session, city: City, pictures: bool = True) -> dict[str, Any]:
    """All figures of one session as plain values. pictures: decode films too, slower."""
    drive = Drive(session)
    facts: dict[str, Any] = {"session": session.manifest.session, **_pairs(drive)}
    facts["input_to_motion"] = _motion(drive)
    facts["idle_share"] = _idle(drive)
    danger = _danger(drive)
    facts["coverage"] = _coverage(drive, city, danger)
    facts["ttc"] = _ttc(drive, danger)
    facts["duplicates"] = {
        name: _duplicates(session, track)
        for name, track in (("source", TrackId.SOURCE), ("styled", TrackId.STYLED))
    }
    if pictures and drive.pairs:
        facts.update(_pictures(drive))
    facts["flags"] = flags(facts)
    return facts


def many(
    folders: Sequence[Path], workers: Workers = HERE, pictures: bool = True
) -> Iterator[dict[str, Any]]:
    """Reports of many sessions as they are done. Raises SessionError."""
    return run(partial(_one, pictures), folders, workers)


def _one(pictures: bool, folder: Path) -> dict[str, Any]:
    with Session.open(folder) as session:
        return report(session, city_named(session.manifest.pack), pictures)


@functools.cache
def city_named(pack: str) -> City:
    """The pack that a session names, loaded once."""
    return load_city(Path(pack) if pack in bundled_names() else None)


def _pairs(drive: Drive) -> dict[str, Any]:
    session = drive.session
    source = {r.tick: r for r in session.frames(TrackId.SOURCE)}
    every = session.manifest.capture.every_ticks
    possible = len(range(0, len(session.ticks()), every))
    ages = [(p.styled.t_ns - p.source.t_ns) / 1e6 for p in drive.pairs.values()]
    shown = [(p.styled.shown - t) * 1e3 / drive.hz for t, p in drive.pairs.items()
             if p.styled.shown >= 0]  # fmt: skip
    runs = drive.runs(drive.hz / every)
    guessed = [p for p in drive.every_pair if p.pairing == Pairing.ESTIMATED]
    return {
        "ticks": len(session.ticks()), "source_frames": len(source),
        "pairs": len(drive.pairs), "pair_share": len(drive.pairs) / max(1, possible),
        "exact_share": (len(drive.every_pair) - len(guessed)) / max(1, len(drive.every_pair)),
        "estimated": len(guessed), "unsure": len(drive.every_pair) - len(drive.pairs),
        "confidence": _spread([p.confidence for p in guessed]),
        "longest_run": max((r.frames for r in runs), default=0),
        "styled_age_ms": _spread(ages), "shown_after_ms": _spread(shown),
    }  # fmt: skip


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50": float(p50), "p95": float(p95), "max": float(max(values))}


def lag(cause: Floats, effect: Floats, most: int) -> tuple[int, float]:
    """Steps by which `effect` follows `cause` and the correlation there; (0, 0) where flat.

    Searched from -most to +most; a negative lag means the effect comes first, which is a fault.
    """
    best, strength = 0, 0.0
    for shift in range(-most, most + 1):
        a = cause[max(0, -shift) : len(cause) - max(0, shift)]
        b = effect[max(0, shift) : len(effect) - max(0, -shift)]
        if len(a) < 8 or a.std() < _MIN_SPREAD or b.std() < _MIN_SPREAD:
            continue
        found = float(np.corrcoef(a, b)[0, 1])
        if found > strength + 1e-9:
            best, strength = shift, found
    return best, strength


def _motion(drive: Drive) -> dict[str, Any]:
    """Lag of yaw rate behind steering and of acceleration behind pedals [tick]."""
    states = drive.session.ticks()
    ego = np.array([(s.ego.heading, s.ego.speed) for s in states], np.float64).reshape(-1, 2)
    controls = drive.controls.astype(np.float64)
    n = min(len(controls), len(ego) - 1)
    if n < 2 * MAX_LAG_TICKS:
        return {}
    turn = np.angle(np.exp(1j * np.diff(ego[:, 0])))[:n]
    speed = ego[1 : n + 1, 1]
    steering = controls[:n, 0] * np.sign(speed)
    pedals = (controls[:n, 1] - controls[:n, 2]) * (speed > MOVING_M_S)
    gain = np.diff(ego[:, 1])[:n] * (speed > MOVING_M_S)
    found = {}
    for name, cause, effect in (
        ("steer_to_turn", steering, turn / np.maximum(np.abs(speed), MOVING_M_S)),
        ("pedals_to_speed", pedals, gain),
    ):
        ticks, strength = lag(cause, effect, MAX_LAG_TICKS)
        found[name] = {"ticks": ticks, "ms": ticks * 1e3 / drive.hz, "correlation": strength}
    return found


def _idle(drive: Drive) -> float:
    """Share of ticks in which the car stands and nobody asks it to move."""
    states, controls = drive.session.ticks(), drive.controls
    idle = sum(
        abs(states[t].ego.speed) < IDLE_M_S and not controls[t, 1] for t in range(len(controls))
    )
    return idle / max(1, len(controls))


def _coverage(drive: Drive, city: City, danger: Floats) -> dict[str, Any]:
    manifest = drive.session.manifest
    begins = np.flatnonzero(_entered(danger)) * _danger_every(drive)
    return coverage.coverage(
        drive.session.ticks(), drive.hz, city, begins.tolist(), manifest.scenario,
        asdict(manifest.capture),
    )  # fmt: skip


def _danger_every(drive: Drive) -> int:
    return max(1, drive.hz // 10)


def _danger(drive: Drive) -> Floats:
    """Time to collision ten times a second [s]."""
    states = drive.session.ticks()
    found = [ttc_s(states[t]) for t in range(0, len(states), _danger_every(drive))]
    return np.array(found or [TTC_CAP])


def _entered(danger: Floats) -> NDArray[np.bool_]:
    """Where a time below NEAR_S begins."""
    below = danger < NEAR_S
    return np.asarray(below & ~np.concatenate(([False], below[:-1])))


def _ttc(drive: Drive, danger: Floats) -> dict[str, Any]:
    """Distribution of the time to collision, and near misses."""
    states = drive.session.ticks()
    counts, _ = np.histogram(np.minimum(danger, TTC_CAP - 1e-9), EDGES)
    contacts = states[-1].collisions if len(states) else 0
    return {
        "min_s": float(danger.min()), "edges_s": list(EDGES), "counts": counts.tolist(),
        "below_1.5_s": float((danger < NEAR_S).mean()),
        "below_3_s": float((danger < CLOSE_S).mean()),
        "near_misses": max(0, int(_entered(danger).sum()) - contacts), "contacts": contacts,
    }  # fmt: skip


def _duplicates(session: Session, track: int) -> int:
    """Frames whose stored bytes equal those of the frame before."""
    found = [session.encoded(track, r.tick) for r in session.frames(track)]
    marks = [hashlib.sha256(data).digest() for data in found]
    return sum(a == b for a, b in itertools.pairwise(marks))


def _pictures(drive: Drive) -> dict[str, Any]:
    """What only the decoded films tell: frozen frames and whether each pair shows one moment."""
    ticks = sorted(drive.pairs)
    grey: list[tuple[Floats, Floats]] = []
    for _, drawn, styled in drive.pictures(ticks):
        grey.append((_grey(drawn), _grey(styled)))
    speeds = [abs(drive.state(tick).ego.speed) for tick in ticks]
    frozen = [0, 0]
    for i in range(1, len(grey)):
        if min(speeds[i - 1], speeds[i]) < MOVING_M_S:
            continue
        for side in (0, 1):
            frozen[side] += bool(np.abs(grey[i][side] - grey[i - 1][side]).mean() < FROZEN)
    return {
        "frozen": {"source": frozen[0], "styled": frozen[1]},
        "alignment": alignment(
            [pair[0] for pair in grey], [pair[1] for pair in grey], [s > MOVING_M_S for s in speeds]
        ),
    }


def _grey(picture: NDArray[np.uint8]) -> Floats:
    small = picture[:: _SMALL // 2, :: _SMALL // 2].astype(np.float64)
    return np.asarray(small @ (0.299, 0.587, 0.114))


def alignment(
    source: Sequence[Floats], styled: Sequence[Floats], moving: Sequence[bool]
) -> dict[str, Any]:
    """How many frames the styled track lies behind the source, by the edges of moving pictures.

    For each shift from -2 to +2: the mean correlation of the change of edges from picture to
    picture. aligned_share: pairs whose own source fits best.
    """
    first, second = ([_edges(picture) for picture in track] for track in (source, styled))
    shifts = range(-MAX_LAG_FRAMES, MAX_LAG_FRAMES + 1)
    inner = [
        i for i in range(MAX_LAG_FRAMES, len(first) - MAX_LAG_FRAMES) if moving[i]
    ]  # fmt: skip
    if not inner:
        return {"frames": 0, "lag": 0, "aligned_share": None, "correlation": None}
    scores = np.array([[_alike(second[i], first[i - s]) for s in shifts] for i in inner])
    mean, best = scores.mean(axis=0), scores.argmax(axis=1)
    return {
        "frames": len(inner), "lag": int(mean.argmax()) - MAX_LAG_FRAMES,
        "aligned_share": float((best == MAX_LAG_FRAMES).mean()),
        "correlation": float(mean[MAX_LAG_FRAMES]),
    }  # fmt: skip


def _edges(picture: Floats) -> Floats:
    across = np.abs(np.diff(picture, axis=1))[:-1]
    down = np.abs(np.diff(picture, axis=0))[:, :-1]
    flat = (across + down).ravel()
    flat = flat - flat.mean()
    return np.asarray(flat / (np.linalg.norm(flat) + 1e-9))


def _alike(one: Floats, two: Floats) -> float:
    return float(one @ two)


def flags(facts: dict[str, Any]) -> list[str]:
    """What a reader should be told of first."""
    found = []
    if facts["pair_share"] < 0.95:
        found.append(f"only {facts['pair_share']:.0%} of the frames became pairs")
    if facts["estimated"]:
        found.append(
            f"{facts['estimated']} pairs are estimated from motion, {facts['unsure']} of them too "
            f"unsure to be used"
        )
    for name, each in facts["input_to_motion"].items():
        if each["correlation"] > 0.5 and not 0 <= each["ticks"] <= 4:
            found.append(f"{name}: motion follows input by {each['ticks']} ticks")
    aligned = facts.get("alignment")
    if aligned and aligned["frames"] and aligned["lag"]:
        found.append(f"the styled track lies {aligned['lag']} frames behind")
    frozen = facts.get("frozen", {})
    found += [f"{count} frozen {name} frames" for name, count in frozen.items() if count]
    found += [f"{n} duplicate {name} frames" for name, n in facts["duplicates"].items() if n]
    if facts["idle_share"] > 0.3:
        found.append(f"{facts['idle_share']:.0%} of the time nothing happens")
    return found


def total(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sums and distributions over many sessions."""
    ticks = sum(each["ticks"] for each in reports)
    return {
        "sessions": len(reports), "ticks": ticks,
        "pairs": sum(each["pairs"] for each in reports),
        "idle_share": sum(e["idle_share"] * e["ticks"] for e in reports) / max(1, ticks),
        **coverage.total([each["coverage"] for each in reports]),
        "ttc_edges_s": list(EDGES),
        "ttc_counts": np.sum([e["ttc"]["counts"] for e in reports], axis=0).tolist(),
        "near_misses": sum(e["ttc"]["near_misses"] for e in reports),
        "contacts": sum(e["ttc"]["contacts"] for e in reports),
        "flagged": sum(bool(e["flags"]) for e in reports),
    }  # fmt: skip
