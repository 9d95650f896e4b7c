"""Keeps the kiosk's parts alive: starts them in order, starts again what dies or falls silent.

Owns the children and the figures of their restarts. A part that is dead is noticed within a
quarter of a second; one that hangs, after its patience. If the keeper itself dies its children die
with it, and the system's own service manager starts it again (packaging/kiosk).

A second booth stands by with the city in memory; when the booth dies it opens in its place, and a
new one begins to stand by once the screen is up again.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from game.errors import MissingPart
from game.kiosk.booth import BoothConfig
from game.kiosk.courier import CourierConfig
from game.kiosk.machine import Rules
from game.kiosk.spool import Spool
from game.play.embedded import Embedded
from game.processes import ServiceSpec, Supervisor
from game.settings import Settings

log = logging.getLogger(__name__)
POLL_S = 0.25
PATIENCE_S = {"booth": 30.0, "courier": 120.0}
"""How long a part may say nothing: a run may wait for the network, a clip for its frames."""
BOOTH, SPARE = "game.kiosk.booth:run_booth", "spare"
_AT_MOST = 6.0
"""On a machine that lets nothing run, patience lasts so many times as long, and no longer."""
_FIRST_S = 300.0
"""The first screen is waited for so long: a booth that ends is noticed at once, and on a machine
that is as slow as that nothing else could be done."""
_SAME_S = 0.05
_STORM, _STORM_S, _PAUSE_S = 5, 20.0, 3.0


@dataclass(slots=True)
class Restarts:
    """Of one part. worst_s: longest from its death, as it was noticed, to the new one's start."""

    count: int = 0
    hung: int = 0
    worst_s: float = 0.0
    recent: list[float] = field(default_factory=list)


class Keeper:
    """The parts of one kiosk. root: its folder."""

    def __init__(
        self,
        settings: Settings,
        children: Supervisor,
        rules: Rules,
        mode: str,
        script: int = 0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._children, self._now = settings, children, now
        self._rules, self._mode, self._script = rules, mode, script
        self.root = settings.paths.data
        self.spool = Spool(self.root)
        self.services = Embedded(settings, children, guests=True)
        self.restarts: dict[str, Restarts] = {}
        self._heard: dict[str, tuple[float, dict[int, float]]] = {}
        """Of each part: when it spoke last, and how long its threads had waited by then."""
        self.lacking = ""
        """What this machine has not got, so that visitors get no codes."""
        self.began_s = now()
        self._booth: ServiceSpec | None = None

    def start(self) -> None:
        """Bring everything up; returns when the first screen is shown. Raises ServiceFailed.

        Where the rewards service of this machine lacks its packages the kiosk opens without one.
        """
        try:
            self.services.begin()
        except MissingPart as error:
            self.lacking = str(error)
            rewards = replace(self._settings.rewards, url="off")
            self._settings = replace(self._settings, rewards=rewards)
            self.services = Embedded(self._settings, self._children, guests=True)
            self.services.begin()
        backing = self.services.ready()
        kiosk = self._settings.kiosk
        courier = CourierConfig(self.root, backing.rewards_url, kiosk.clip_s)
        spec = ServiceSpec("courier", "game.kiosk.courier:run_courier", courier, nice=10)
        self._children.start(spec)
        booth = BoothConfig(
            self._settings, backing, self.root, self._rules, self._mode, self._script
        )
        self._booth = ServiceSpec("booth", BOOTH, booth)
        self.spool.hush("booth")
        self._children.start(self._booth).ready(_FIRST_S)
        self.services.note()

    def turn(self) -> list[str]:
        """Look once at every part; returns the names of those that were started again."""
        noticed = time.monotonic()
        for name, patience in PATIENCE_S.items():
            service = self._children.services.get(name)
            if service is None or not service.alive():
                continue
            if self._silent_s(name, service.pid) > patience:
                log.warning("kiosk.hung part=%s", name)
                self._of(name).hung += 1
                psutil.Process(service.pid).kill()
                service.stop()
        dead = [n for n, s in self._children.services.items() if not s.alive()]
        for name in dead:
            if name in PATIENCE_S:
                self.spool.hush(name)
            if self._storm(name):
                time.sleep(_PAUSE_S)
        if "booth" in dead and self._booth is not None:
            self._children.stand_in(SPARE, self._booth)
        self.services.revive()
        self._stand_by()
        took = time.monotonic() - noticed
        for name in dead:
            part = self._of(name)
            part.count += 1
            part.worst_s = max(part.worst_s, took)
            log.warning("kiosk.revived part=%s took_s=%.2f", name, took)
        return dead

    def _silent_s(self, name: str, pid: int) -> float:
        """How long a part has said nothing [s], less what its threads, one of which often waits for
        another, waited for a processor in that time: who is not let run does not hang. Not less
        than a share of the time on the wall, so that nothing is waited for without end.
        """
        wall, now = self.spool.silent_s(name, self._now()), waits_s(pid)
        spoke = self._now() - wall
        last, then = self._heard.get(name, (spoke, now))
        if abs(spoke - last) > _SAME_S:
            last, then = spoke, now
        self._heard[name] = last, then
        waited = sum(s - then.get(thread, 0.0) for thread, s in now.items())
        return max(wall - waited, wall / _AT_MOST)

    def _stand_by(self) -> None:
        """Let a second booth get ready, once the first one drives and needs the machine less."""
        wanted = self._booth is not None and self._settings.kiosk.spare
        told = self.spool.told("booth")
        settled = told.get("opened") or told.get("mode") == "closed"
        if wanted and settled and SPARE not in self._children.services:
            assert self._booth is not None
            spec = replace(self._booth, target="game.kiosk.booth:run_standby")
            self._children.start(spec, SPARE)
        self.services.note()

    def keep(self, until: Callable[[], bool]) -> None:
        """Go on until somebody says stop."""
        while not until():
            self.turn()
            time.sleep(POLL_S)

    def report(self) -> dict[str, Any]:
        """How everything is, for the status page: no word of any visitor."""
        parts = {}
        for name, service in self._children.services.items():
            parts[name] = {
                "alive": service.alive(),
                "pid": service.pid,
                "memory_mb": _memory_mb(service.pid),
                "restarts": self._of(name).count,
                "hung": self._of(name).hung,
            }
        orders = self.spool.orders()
        slips = list(self.spool.slips())
        return {
            "up_s": round(self._now() - self.began_s),
            "closed": orders.closed,
            "booth": self.spool.told("booth"),
            "parts": parts,
            "codes_waiting": sum(not slip.registered for slip in slips),
            "clips_waiting": sum(slip.clip == "wanted" for slip in slips),
            "last_problem": next((slip.reason for slip in slips if slip.reason), self.lacking),
            "disk_free_gb": round(psutil.disk_usage(str(self.root)).free / 1e9, 1),
        }

    def close(self, closed: bool) -> None:
        """Let no visitor in, or let them in again."""
        self.spool.order(replace(self.spool.orders(), closed=closed))

    def send_off(self) -> None:
        """End the visit that is going on."""
        orders = self.spool.orders()
        self.spool.order(replace(orders, sent_off=orders.sent_off + 1))

    def _of(self, name: str) -> Restarts:
        return self.restarts.setdefault(name, Restarts())

    def _storm(self, name: str) -> bool:
        """Whether a part dies so often that it is given a pause, not the whole processor."""
        now, part = self._now(), self._of(name)
        part.recent = [at for at in part.recent if now - at < _STORM_S] + [now]
        return len(part.recent) > _STORM


def waits_s(pid: int) -> dict[int, float]:
    """How long each thread of a process has been ready to run and was not let [s]. Empty where the
    system does not say.
    """
    found: dict[int, float] = {}
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):  # it has just ended
                found[int(thread.name)] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found


def _memory_mb(pid: int) -> float:
    try:
        return round(psutil.Process(pid).memory_info().rss / 1e6, 1) if pid else 0.0
    except psutil.Error:
        return 0.0


def folder_of(data: Path) -> Path:
    """Where a kiosk keeps its things: apart from what a player of this machine has."""
    return data / "kiosk"
