"""What a soak of the kiosk came to, kept in a file so that a soak may be stopped and go on."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from game.session.append import write_json

LIMIT_S = 5.0
"""A part that was killed is back within so long."""
GROWTH = 1.15
"""Memory of the last quarter of a process's life against the second, at most."""
PARTS = ("stream", "courier", "booth", "peer", "recorder", "spare")
_FEW = 12
"""Samples of a life without which nothing is said of its memory."""


@dataclass(slots=True)
class Report:
    """back_s: for each part, seconds from each kill to its return. missed: it did not return.

    memory_mb: for each part its lives, each with a sample for every visitor. unfinished: kills that
    a run's end came before; they are tried again.
    """

    visitors: int = 0
    recorded: int = 0
    dropped: int = 0
    failed: int = 0
    handed_in: int = 0
    seconds: float = 0.0
    back_s: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PARTS})
    screen_s: list[float] = field(default_factory=list)
    """of the booth: from each kill to its next screen; back_s waits for the bot's picture"""
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    unfinished: int = 0
    memory_mb: dict[str, list[list[float]]] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)
    looks: int = 0
    starts: int = 0
    """of the soak: more than one when it was stopped and went on"""
    load: float = 0.0
    """of this machine, by the processor, at worst: times to come back are to be read by it"""

    def lived(self, name: str) -> list[float]:
        """Memory of a part in the longest life of one of its processes [MB]."""
        return max(self.memory_mb.get(name, ()), key=len, default=[])

    @property
    def growth(self) -> dict[str, float]:
        """Of each part's longest life: memory in its last quarter against its second one."""
        found = {}
        for name in self.memory_mb:
            samples = self.lived(name)
            quarter = len(samples) // 4
            if len(samples) >= _FEW:
                before = statistics.median(samples[quarter : 2 * quarter])
                found[name] = statistics.median(samples[-quarter:]) / max(before, 1.0)
        return found

    @property
    def slow(self) -> int:
        """How many returns took longer than they may."""
        return sum(s > LIMIT_S for times in self.back_s.values() for s in times)

    @property
    def ok(self) -> bool:
        """Nothing was found, everything came back in time, memory stayed."""
        flat = all(ratio <= GROWTH for ratio in self.growth.values())
        return not self.traces and not self.slow and flat and not any(self.missed.values())

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "growth": self.growth, "slow": self.slow, "ok": self.ok}

    def table(self) -> str:
        """For people."""
        rows = [
            ("visitors", str(self.visitors)), ("recorded", str(self.recorded)),
            ("handed in", str(self.handed_in)), ("walked away", str(self.dropped)),
            ("failed runs", str(self.failed)), ("minutes", f"{self.seconds / 60:.1f}"),
            ("load for each processor, at worst", f"{self.load:.1f}"),
            ("looks for traces", str(self.looks)), ("traces found", str(len(self.traces))),
        ]  # fmt: skip
        for name, times in self.back_s.items():
            worst = f"{max(times):.1f}" if times else "-"
            middle = f"{statistics.median(times):.1f}" if times else "-"
            lost = f", {self.missed[name]} not back" if self.missed.get(name) else ""
            told = f"{len(times)} times, back in {middle} s, worst {worst} s{lost}"
            rows.append((f"killed {name}", told))
        if self.screen_s:
            told = f"{statistics.median(self.screen_s):.1f} s, worst {max(self.screen_s):.1f} s"
            rows.append(("killed booth, its next screen", told))
        for name, ratio in self.growth.items():
            life = self.lived(name)
            told = f"{life[0]:.0f} to {life[-1]:.0f} MB over {len(life)} visitors, x {ratio:.2f}"
            rows.append((f"memory of {name}", told))
        rows += [("trace", trace) for trace in self.traces[:20]]
        return "\n".join(f"| {name} | {value} |" for name, value in rows)


@dataclass(slots=True)
class Tally:
    """A soak on its way: its report, which kills are left, and what visitors left of themselves:
    hashes of codes, and claims by recording.
    """

    visitors: int
    kills: int
    seed: int
    plan: list[tuple[int, str]]
    report: Report = field(default_factory=Report)
    hashes: list[str] = field(default_factory=list)
    claims: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Store it whole or not at all."""
        write_json(path, asdict(self))


def begun(visitors: int, kills: int, seed: int) -> Tally:
    """A soak before its first visitor. The kills fall on the first three fifths of it, one part
    after the other; then every process is left alone, so that its memory can be watched.
    """
    every = [name for _ in range(kills) for name in PARTS]
    span = max(1, visitors * 3 // 5 - 2)
    plan = [(2 + i * span // max(1, len(every)), name) for i, name in enumerate(every)]
    return Tally(visitors, kills, seed, plan)


def stored(path: Path, visitors: int, kills: int, seed: int) -> Tally:
    """The soak that `path` holds, or a new one. Raises ValueError where it holds another."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return begun(visitors, kills, seed)
    if [found.get(n) for n in ("visitors", "kills", "seed")] != [visitors, kills, seed]:
        raise ValueError(f"{path} is of a soak with other visitors, kills or seed; name another")
    plan = [(int(at), str(name)) for at, name in found["plan"]]
    report = Report(**found["report"])
    return Tally(visitors, kills, seed, plan, report, found["hashes"], found["claims"])
