"""A kiosk's days in an hour: visitors that a program plays, parts that are killed, and a search for
traces between any two visitors.

The runs are short and at real pace, so an hour holds as many visits as days do. Judges what it can
see from outside: files, processes, shared memory.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from game.kiosk.house import keep_house
from game.kiosk.keeper import Keeper
from game.kiosk.machine import Rules
from game.kiosk.spool import SLIPS
from game.kiosk.tally import Report, Tally, stored
from game.kiosk.visit import HAND_IN, VISITS
from game.session.reader import Session
from game.settings import Settings

RULES = Rules(
    run_ms=20_000, idle_ms=6_000, warn_ms=2_000, consent_ms=6_000, claim_ms=1_000, ending_ms=60_000
)
"""Wide enough that a visitor who acts is not sent home because the machine is busy."""
_IN_RUNS = ("peer", "recorder")
_GONE_S = 180.0
_SAVE_EVERY = 5
_COUNTED = ("visitors", "recorded", "dropped", "failed")
_READ = (".log", ".json", ".jsonl")
FILE = "soak.json"
"""In the folder of a soak: how far it is."""
_WORD = re.compile(rb"[0-9A-HJKMNP-TV-Z]{26}|(?:[0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{6}")
_KNOWN = re.compile(
    r"(logs/[a-z]+\.log|server/.*|outbox/.*|slips/.*|handin/.*|device\.key|staff\.token"
    r"|\.[a-z-]+\.json\.\d+\.tmp|running\.lock|processes\.json|orders\.json|[a-z]+-status\.json)"
)


class Soak:
    """Watches one kiosk from outside; `watch` is called four times a second."""

    def __init__(self, tally: Tally, say: Callable[[str], None], file: Path) -> None:
        self.tally, self.report = tally, tally.report
        self._say, self._file = say, file
        self._pending: dict[str, tuple[int, float]] = {}
        self._offset = {n: getattr(self.report, n) for n in _COUNTED}
        self._last = dict.fromkeys(_COUNTED, 0)
        self._booth = self._screened = 0
        self._hashes = set(tally.hashes)
        self._lives: dict[str, int] = {}
        self._sampled, self._read_at = -1, -1
        self._before, self._began = self.report.seconds, time.monotonic()
        self.report.starts += 1

    def watch(self, keeper: Keeper) -> bool:
        """One look; True when enough visitors have come and everything is back."""
        told = keeper.spool.told("booth")
        report = keeper.report()
        pids = {name: int(part["pid"]) for name, part in report["parts"].items()}
        pids |= {name: int(told.get(f"{name}_pid", 0)) for name in _IN_RUNS}
        self._count(told, pids.get("booth", 0))
        self._returned(pids, told)
        self._look(keeper.root, told)
        done = self.report.visitors
        if done != self._sampled and told.get("mode") == "attract":
            self._sampled = done
            self._sample(report)
            if done % _SAVE_EVERY == 0:
                self.save()
        self._kill(done, pids, told)
        left = self.tally.plan or self._pending
        return done >= self.tally.visitors and (not left or done >= 1.2 * self.tally.visitors)

    def save(self) -> None:
        """Store how far it is, and say it."""
        self.report.seconds = round(self._before + time.monotonic() - self._began, 1)
        self.tally.hashes = sorted(self._hashes)
        self.tally.save(self._file)
        done, report = self.report.visitors, self.report
        killed = sum(len(times) for times in report.back_s.values())
        self._say(
            f"{done} of {self.tally.visitors} visitors in {report.seconds / 60:.1f} min, "
            f"{killed} kills, {report.slow} slow, {len(report.traces)} traces"
        )

    def _count(self, told: dict[str, object], booth: int) -> None:
        """The booth counts from zero in each of its lives."""
        if booth != self._booth:
            self._booth = booth
            self._offset = {k: self._offset[k] + self._last[k] for k in self._offset}
            self._last = dict.fromkeys(self._last, 0)
        for name in self._last:
            value = told.get(name)
            if isinstance(value, int):
                self._last[name] = max(self._last[name], value)
            setattr(self.report, name, self._offset[name] + self._last[name])

    def _returned(self, pids: dict[str, int], told: dict[str, object]) -> None:
        for name, (old, since) in list(self._pending.items()):
            fresh, took = pids.get(name, 0), time.monotonic() - since
            spoke = name != "booth" or bool(told.get("opened"))  # the bot drives again
            if name == "booth" and told and fresh not in (0, old, self._screened):
                self._screened = fresh
                self.report.screen_s.append(round(took, 2))
            if fresh and fresh != old and spoke and psutil.pid_exists(fresh):
                self.report.back_s[name].append(round(took, 2))
            elif name in _IN_RUNS and told and told.get("mode") != "driving":
                self.report.unfinished += 1  # its run ended first: nothing is to come back
                self.tally.plan.insert(0, (self.report.visitors + 1, name))
            elif took > _GONE_S:
                self.report.missed[name] += 1
            else:
                continue
            del self._pending[name]

    def _kill(self, done: int, pids: dict[str, int], told: dict[str, object]) -> None:
        if self._pending:
            return  # one at a time
        for at, name in list(self.tally.plan):
            pid = pids.get(name, 0)
            if done < at or not pid:
                continue
            if name in _IN_RUNS and told.get("mode") != "driving":
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.tally.plan.remove((at, name))
                self._pending[name] = (pid, time.monotonic())
            return

    def _look(self, root: Path, told: dict[str, object]) -> None:
        """Nothing of a visitor may lie about; between visitors, nothing at all."""
        self.report.looks += 1
        load = os.getloadavg()[1] / (os.cpu_count() or 1)
        self.report.load = round(max(self.report.load, load), 1)
        visits = list((root / VISITS).glob("*"))
        if len(visits) > 1:
            self._trace(f"{len(visits)} visitors' folders at once")
        for path in (root / SLIPS).glob("*.json"):
            told_slip = _json(path)
            if told_slip:
                self._hashes.add(str(told_slip.get("code", "")))
        if told.get("mode") != "attract" or not self._between(root):
            return
        whole = self._read_at != self.report.visitors  # logs only grow: once a visitor is enough
        self._read_at = self.report.visitors
        for path in root.rglob("*"):
            inside = str(path.relative_to(root))
            if path.is_file() and not inside.startswith(VISITS) and not _KNOWN.fullmatch(inside):
                self._trace(f"a file of its own: {inside}")
            if path.suffix in _READ[0 if whole else 1 :] and path.is_file():
                self._read(path, inside)
        self._take_in(root)

    def _between(self, root: Path) -> bool:
        """Whether the booth is still between visitors now that its folder is looked at."""
        visits = list((root / VISITS).glob("*"))
        time.sleep(0.05)
        if visits and visits == list((root / VISITS).glob("*")):
            mode = _json(root / "booth-status.json").get("mode")
            if mode == "attract":
                self._trace("a visitor's folder while the bot drives")
        return True

    def _read(self, path: Path, inside: str) -> None:
        """A word that hashes to a visitor's code is that code."""
        try:
            text = path.read_bytes()
        except OSError:
            return
        for word in set(_WORD.findall(text)):
            plain = word.replace(b"-", b"")
            if hashlib.sha256(plain).hexdigest() in self._hashes:
                self._trace(f"a visitor's code in {inside}")

    def _take_in(self, root: Path) -> None:
        """Play the server: look at each recording that was handed in, then take it away."""
        for folder in sorted((root / HAND_IN).glob("*")):
            if not (folder / "end.json").is_file():
                continue
            with Session.open(folder) as session:
                claim = session.manifest.claim
            if claim in self.tally.claims:
                self._trace(f"{folder.name} has the claim of {self.tally.claims[claim]}")
            self.tally.claims[claim] = folder.name
            self.report.handed_in += 1
            shutil.rmtree(folder, ignore_errors=True)
            (root / "outbox" / f"{folder.name}.json").unlink(missing_ok=True)

    def _sample(self, report: dict[str, object]) -> None:
        """Memory of every part, by the life of its process."""
        parts = report["parts"]
        assert isinstance(parts, dict)
        samples = {n: (int(p["pid"]), float(p["memory_mb"])) for n, p in parts.items()}
        own = psutil.Process()
        samples["keeper"] = (own.pid, own.memory_info().rss / 1e6)
        for name, (pid, value) in samples.items():
            lives = self.report.memory_mb.setdefault(name, [])
            if self._lives.get(name) != pid:
                self._lives[name] = pid
                lives.append([])
            if value > 0:
                lives[-1].append(round(value, 1))

    def _trace(self, what: str) -> None:
        if what not in self.report.traces:
            self.report.traces.append(what)


def _json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def run_soak(
    settings: Settings,
    visitors: int,
    kills: int,
    seed: int,
    say: Callable[[str], None],
    folder: Path | None = None,
) -> Report:
    """Run one soak, or go on with the one in `folder`, and return what was seen.

    Raises ValueError where the folder holds another soak.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            made = tempfile.TemporaryDirectory(prefix="scale-diffusion-soak-")
            folder = Path(stack.enter_context(made))
        tally = stored(folder / FILE, visitors, kills, seed)
        soak = Soak(tally, say, folder / FILE)
        chosen = dataclasses.replace(
            settings,
            paths=dataclasses.replace(settings.paths, data=folder),
            rewards=dataclasses.replace(settings.rewards, url="off"),
            kiosk=dataclasses.replace(
                settings.kiosk, host="https://rewards.example.org", staff_port=0
            ),
        )
        if tally.report.visitors < visitors:
            script = seed + tally.report.visitors
            keep_house(chosen, say, headless=True, rules=RULES, script=script, watch=soak.watch)
            soak.save()
    return soak.report
