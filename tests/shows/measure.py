"""What a person feels, measured on the real program: start-up, from a key to pictures, frame times.

Real keys on a virtual display; the rest is read from the recording that the program made of it, so
that nothing is measured that a player does not have.
"""

import contextlib
import json
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from game.play.app.consent import VERSION
from game.play.app.memory import Memory, keep
from game.session.format import TrackId
from game.session.reader import Session
from tests.shows.display import Display
from tests.shows.player import TITLE, Player

SIZE, SIDE = (1024, 768), 480
_TIMES = re.compile(r"([a-z ]+)=([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Run:
    """What is started. known: consent was given before, and the opening seen. more: of `play`."""

    settings: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    known: bool = True


@contextmanager
def playing(display: Display, data: Path, run: Run, skip: bool = True) -> Iterator[Player]:
    """The app, from its start to driving. skip: hit keys wherever there is something to skip."""
    if run.known:
        keep(data, Memory(starts=1, consent=VERSION))
    file = data / "settings.toml"
    file.write_text(f"[app]\nsize = {SIDE}\n", encoding="utf-8")
    sets = [word for each in run.settings for word in ("--set", each)]
    arguments = ("--debug", "--settings", str(file), *sets, "play", "--data", str(data), *run.more)
    with Player(display, *arguments) as player:
        through(display, player, skip)
        yield player


def through(display: Display, player: Player, skip: bool) -> None:
    """Answer what the opening asks, at once; it is over when somebody can drive."""
    player.wait_for("app.phase name=boot")
    display.focus(TITLE)
    if skip:
        display.press("space")
    answered: set[str] = set()
    broken = False

    def answer() -> None:
        nonlocal broken
        for phase in ("consent", "wallet"):
            if phase not in answered and player.said(f"app.phase name={phase}"):
                answered.add(phase)
                display.press("Return")
        if skip and not broken and player.said("app.fracture"):
            broken = True
            display.press("space")

    player.wait_for("app.start ", 180.0, meanwhile=answer)
    display.focus(TITLE)


def leave(display: Display, player: Player) -> None:
    """Out of a drive by its own menu, so that the recording ends well."""
    line = player.now()
    display.press("Escape")
    player.wait_for("app.screen ", 30.0, line)
    time.sleep(0.3)
    display.press("Up", "Return")  # leaving is the last row
    player.process.wait(60)


def start_times(player: Player) -> dict[str, float]:
    """The program's own table of its start [s since the process began]."""
    line = next(text for _, text in player.lines if "app.start " in text)
    told = _TIMES.findall(line.partition("app.start ")[2])
    return {name.strip(): float(took) for name, took in told}


def session_in(data: Path) -> Path:
    """The newest recording of a data folder."""
    return sorted((data / "sessions").iterdir())[-1]


@dataclass(frozen=True, slots=True)
class Photon:
    """From a key on the display [ms]: to the tick that used it, the captured frame that shows it,
    the display, and the styled frame of that tick, come back and shown."""

    applied: tuple[float, ...]
    captured: tuple[float, ...]
    seen: tuple[float, ...]
    styled: tuple[float, ...]
    shown: tuple[float, ...]


def photon(run: Run, presses: int = 40, apart_s: float = 0.45) -> Photon:
    """Press the camera's key again and again: the very next captured frame is another one."""
    with tempfile.TemporaryDirectory() as name, Display(*SIZE) as display:
        data = Path(name)
        with playing(display, data, run) as player:
            time.sleep(3.0)
            asked, seen = [], []
            for _ in range(presses):
                eye = _Eye(display)
                asked.append(display.do("keydown c"))
                seen.append(eye.changed(0.35))
                display.do("keyup c")
                time.sleep(apart_s - 0.35 if seen[-1] == 0 else apart_s)
            leave(display, player)
        with Session.open(session_in(data)) as session:
            return _told(session, asked, seen)


class _Eye:
    """Watches the middle of the window for another picture than that of a moment ago."""

    def __init__(self, display: Display) -> None:
        high, wide = display.height // 2, display.width // 2
        reach = SIDE // 2 - 60
        self._seen = display.watch()[high + 40 : high + reach : 6, wide - reach : wide + reach : 6]
        self._before = self._seen.astype(np.int16)

    def changed(self, limit_s: float) -> int:
        """Monotonic time of a sudden change [ns], 0 where there is none."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            now = self._seen.astype(np.int16)
            if np.abs(now - self._before).mean() > 22.0:
                return time.monotonic_ns()
            time.sleep(0.001)
        return 0


def _told(session: Session, asked: Sequence[int], seen: Sequence[int]) -> Photon:
    downs = [e for e in session.inputs() if e.code == "c" and e.value]
    ticks = session.ticks()
    frames = session.frames(TrackId.SOURCE)
    styled = session.frames(TrackId.STYLED)
    found: dict[str, list[float]] = {n: [] for n in Photon.__dataclass_fields__}
    for t_ns, eye_ns in zip(asked, seen, strict=True):
        down = next((e for e in downs if t_ns <= e.t_ns < t_ns + 400_000_000), None)
        if down is None:
            continue
        after = down.tick_applied + 1  # the state that the step with it led to
        drawn = next((f for f in frames if f.tick >= after), None)
        back = next((f for f in styled if f.tick >= after), None)
        found["applied"].append((ticks.record(after).t_ns - t_ns) / 1e6)
        if drawn is not None:
            found["captured"].append((drawn.t_ns - t_ns) / 1e6)
        if eye_ns:
            found["seen"].append((eye_ns - t_ns) / 1e6)
        if back is not None:
            found["styled"].append((back.t_ns - t_ns) / 1e6)
            if 0 <= back.shown < len(ticks):
                found["shown"].append((ticks.record(back.shown).t_ns - t_ns) / 1e6)
    return Photon(**{name: tuple(values) for name, values in found.items()})


@dataclass(frozen=True, slots=True)
class Pace:
    """Time between pictures of a drive [ms], ticks driven, pictures left out, and how many cores
    each process kept busy meanwhile, by name; 'cores' is what a machine needs for this pace."""

    apart: tuple[float, ...]
    ticks: int
    skipped: int
    cores: Mapping[str, float]


def pace(run: Run, seconds: float) -> Pace:
    """Drive for so long: throttle, bends, brake, both cameras; what was between the pictures."""
    with tempfile.TemporaryDirectory() as name, Display(*SIZE) as display:
        data = Path(name)
        with playing(display, data, run) as player:
            before, began = _spent(player.process.pid, data), time.monotonic()
            _steer(display, seconds)
            took, spent = time.monotonic() - began, _spent(player.process.pid, data)
            cores = {name: (busy - before.get(name, 0.0)) / took for name, busy in spent.items()}
            leave(display, player)
        with Session.open(session_in(data)) as session:
            times = np.array([f.t_ns for f in session.frames(TrackId.SOURCE)], np.float64) / 1e6
            every, ticks = session.manifest.capture.every_ticks, len(session.ticks()) - 1
        apart = np.diff(times)[30:]  # the first second is the opening's end
        return Pace(tuple(apart.tolist()), ticks, ticks // every + 1 - len(times), cores)


def _spent(pid: int, data: Path) -> dict[str, float]:
    """Processor time of the game and its children so far [s], by what they are."""
    program = psutil.Process(pid)
    table = json.loads((data / "processes.json").read_text(encoding="utf-8"))
    names = {number: name for name, number in table.items()} | {pid: "game"}
    found: dict[str, float] = {}
    for each in (program, *program.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            name = names.get(each.pid, "peer and recorder")
            found[name] = found.get(name, 0.0) + sum(each.cpu_times()[:2])
    return found


def _steer(display: Display, seconds: float) -> None:
    """Keys as a person hits them, the same every time."""
    over, end = threading.Event(), time.monotonic() + seconds
    turn = 0
    while time.monotonic() < end:
        display.do("keydown w")
        over.wait(1.6)
        display.press("a" if turn % 2 else "d", hold_s=0.25)
        display.do("keyup w")
        if turn % 3 == 2:
            display.press("s", hold_s=0.5)
        if turn % 5 == 4:
            display.press("c")
        if turn % 6 == 5:  # out of whatever one has run into
            display.press("r", then_s=0.1)
            display.press("w", hold_s=1.0)
            display.press("r")
        turn += 1


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and the largest; nothing of nothing."""
    if not values:
        return {}
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50": float(p50), "p95": float(p95), "largest": max(values)}
