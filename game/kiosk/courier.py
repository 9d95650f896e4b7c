"""Brings what visitors agreed to where it belongs: codes and clips to the rewards service, and
recordings that have arrived off this machine.

A process of its own; each step is stored before the next, so that it may be killed at any moment.
The device's key signs; it never leaves the kiosk's folder.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.dataset import clip as clips
from game.dataset.errors import DatasetError
from game.errors import SessionError
from game.kiosk.spool import Slip, Spool
from game.kiosk.visit import HAND_IN
from game.outbox.job import FINAL, JobStore, State
from game.session.format import END
from game.session.ids import is_id
from game.session.reader import Session

log = logging.getLogger(__name__)
_TIMEOUT_S = (3.0, 30.0)
_LONGEST_S = 300.0
_POLL_S = 1.0
_LATER = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class CourierConfig:
    """root: the kiosk's folder. url: of the rewards service. clip_s: length of clips [s]."""

    root: Path
    url: str
    clip_s: float


class Later(Exception):
    """The service cannot be asked now; the slip waits."""


class Never(Exception):
    """The service said no for good."""


def device_key(root: Path) -> Ed25519PrivateKey:
    """The key of this kiosk, made on first use, for its owner alone."""
    path = root / "device.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = Ed25519PrivateKey.generate().private_bytes_raw().hex()
        part = path.with_name(f".device.{os.getpid()}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(fresh + "\n")
        try:
            os.link(part, path)  # of several starters the first one wins
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))


def public_of(key: Ed25519PrivateKey) -> str:
    """What the rewards service enrols, hex."""
    return key.public_key().public_bytes_raw().hex()


class Courier:
    """Call `step` again and again; it never sleeps."""

    def __init__(self, config: CourierConfig, now: Callable[[], float] = time.time) -> None:
        self._config, self._now = config, now
        self._spool, self._jobs = Spool(config.root), JobStore(config.root / "outbox")
        self._key = device_key(config.root)
        self._http = requests.Session()
        self._http.trust_env = False

    def step(self) -> int:
        """Take every due slip one stage on; returns how many are still on their way."""
        waiting = 0
        for slip in self._spool.slips():
            waiting += 1
            if slip.due_s > self._now():
                continue
            try:
                self._advance(slip)
            except Later as later:
                pause = min(_LONGEST_S, 2.0 ** min(slip.tries, 8))
                due = self._now() + pause
                self._spool.add(
                    replace(slip, tries=slip.tries + 1, due_s=due, reason=str(later)[:200])
                )
            except Never as no:
                log.warning("courier.refused session=%s why=%s", slip.session, no)
                self._spool.add(replace(slip, registered=True, clip="none", reason=str(no)[:200]))
        self._clear()
        return waiting

    def _advance(self, slip: Slip) -> None:
        if self._config.url and not slip.registered:
            self._register(slip)
            self._spool.add(replace(slip, registered=True, tries=0, due_s=0.0))
        elif self._config.url and slip.clip == "wanted":
            film = self._film(slip)
            if film is not None:
                self._send(slip, film)
                film.unlink()
            self._spool.add(replace(slip, clip="sent" if film else "none", tries=0))
        else:
            self._finish(slip)

    def _register(self, slip: Slip) -> None:
        body: dict[str, Any] = {
            "v": 1, "device": public_of(self._key), "code": slip.code, "claim": slip.claim,
            "session": slip.session, "made_s": slip.made_s, "ends_s": slip.ends_s,
        }  # fmt: skip
        body["sig"] = self._sign(body)
        self._ask("POST", "/v1/kiosk/codes", json=body)

    def _send(self, slip: Slip, film: Path) -> None:
        data = film.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        signature = self._sign({"v": 1, "code": slip.code, "clip": digest})
        headers = {"signature": signature, "Content-Type": "video/mp4"}
        self._ask("PUT", f"/v1/kiosk/clips/{slip.code}", data=data, headers=headers)

    def _film(self, slip: Slip) -> Path | None:
        """The last seconds of the drive beside its dream; None where there is nothing to show."""
        folder, out = self._folder(slip), self._config.root / HAND_IN / f".{slip.session}.mp4"
        if not folder.is_dir():
            return None
        try:
            with Session.open(folder) as session:
                length = len(session.ticks()) / session.manifest.tick_hz
                begin = max(0.0, length - self._config.clip_s - 0.5)
                clips.write(session, begin, self._config.clip_s, out)
        except (DatasetError, SessionError, OSError, ValueError) as error:
            log.warning("courier.clip.none session=%s why=%s", slip.session, error)
            out.unlink(missing_ok=True)
            return None
        return out

    def _finish(self, slip: Slip) -> None:
        """The slip goes when its recording has arrived, or is not going to."""
        job = self._jobs.get(slip.session)
        if job is None or job.state in FINAL or not self._config.url:
            self._spool.drop(slip)
        else:
            self._spool.add(replace(slip, due_s=self._now() + 2.0))

    def _clear(self) -> None:
        """Recordings that the server has are deleted here; those it refused stay for the host."""
        for folder in (self._config.root / HAND_IN).glob("*"):
            if is_id(folder.name) and (folder / END).is_file():
                self._jobs.add(folder)  # a crash may have come between the two
        waiting = {slip.session for slip in self._spool.slips()}
        for job in self._jobs.all():
            if job.state is State.DONE and job.session not in waiting:
                shutil.rmtree(self._config.root / HAND_IN / job.session, ignore_errors=True)
                (self._jobs.folder / f"{job.session}.json").unlink(missing_ok=True)

    def _folder(self, slip: Slip) -> Path:
        return self._config.root / HAND_IN / slip.session

    def _sign(self, body: Mapping[str, Any]) -> str:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return self._key.sign(text.encode()).hex()

    def _ask(self, method: str, path: str, **given: Any) -> None:
        url = self._config.url.rstrip("/") + path
        try:
            reply = self._http.request(
                method, url, timeout=_TIMEOUT_S, allow_redirects=False, **given
            )
        except requests.RequestException as error:
            raise Later(type(error).__name__) from error
        if reply.status_code in _LATER:
            raise Later(f"http {reply.status_code}")
        if reply.status_code == 403 and "device.unknown" in reply.text:
            raise Later("this kiosk is not enrolled yet: scale-diffusion kiosk key")
        if reply.status_code >= 300:
            raise Never(f"http {reply.status_code}: {reply.text[:160]}")


def run_courier(config: CourierConfig, ready: Connection) -> None:
    """Process entry: goes on until it is ended."""
    courier, spool = Courier(config), Spool(config.root)
    ready.send("up")
    while True:
        waiting = courier.step()
        spool.tell("courier", {"waiting": waiting, "at_s": time.time()})
        time.sleep(_POLL_S)
