"""Writes what may never be lost: the manifest, every input, every tick, every event.

Runs inside `play`, one system write a record. Owns no picture. When the disk is full it stops,
says why in `stopped`, and leaves the folder sound; the drive goes on.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from game.session import hostile, lines, tickfile
from game.session.append import AppendFile, Write, write_json
from game.session.format import EVENTS, INPUTS, MANIFEST, TICKS, InputEvent, Manifest
from game.world.controls import IDLE, Controls
from game.world.state import WorldState
from game.world.version import TICK_HZ

log = logging.getLogger(__name__)

_SYNC_TICKS = TICK_HZ


class SessionWriter:
    """One session being recorded. Make it with `create`, end it with `finish`."""

    def __init__(
        self, folder: Path, manifest: Manifest, write: Write, now_ns: Callable[[], int]
    ) -> None:
        self.folder, self.manifest = folder, manifest
        self.stopped = ""
        self.ticks = 0
        self._now_ns = now_ns
        self._line = 0
        self._controls: Controls = IDLE
        self._inputs = AppendFile(folder / INPUTS, write)
        self._ticks = AppendFile(folder / TICKS, write)
        self._events = AppendFile(folder / EVENTS, write)
        self._put(self._ticks, tickfile.header(manifest.world_version))
        self._coder = tickfile.TickEncoder()
        self._wake = threading.Event()
        self._closed = False
        self._syncing = threading.Thread(target=self._sync_loop, name="session-sync", daemon=True)
        self._syncing.start()

    @classmethod
    def create(
        cls,
        root: Path,
        manifest: Manifest,
        write: Write = os.write,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> "SessionWriter":
        """Make `root/<session id>` with its manifest, ready for tick 0.

        Raises ValueError for a manifest that no reader would take, OSError.
        """
        document = asdict(manifest)
        lines.manifest(hostile.parse(json.dumps(document).encode()))
        folder = root / manifest.session
        folder.mkdir(parents=True)
        write_json(folder / MANIFEST, document)
        return cls(folder, manifest, write, now_ns)

    def input(self, event: InputEvent) -> None:
        """Append one device event. Its `seq` is replaced by the number of the line."""
        fields = {
            "k": "i",
            "seq": self._line,
            "t_ns": event.t_ns,
            "src": event.src,
            "seen": event.tick_seen,
            "applied": event.tick_applied,
            "kind": event.kind,
            "code": event.code,
            "v": event.value,
        }
        if event.unit:
            fields["unit"] = event.unit
        if event.synthetic:
            fields["synthetic"] = True
        self._put_line(fields)

    def tick(self, state: WorldState) -> None:
        """Append one state: tick 0, then the result of every step, in order."""
        if state.controls != self._controls:
            self._controls = state.controls
            # a change is named by the tick whose step consumed it
            self._put_line(
                {"k": "c", "seq": self._line, "tick": state.tick - 1, "c": listed(state.controls)}
            )
        self._put(self._ticks, self._coder.encode(state, self._now_ns()))
        if not self.stopped:
            self.ticks = state.tick + 1
        if state.tick % _SYNC_TICKS == 0:
            self._wake.set()

    def event(self, kind: str, tick: int, **fields: Any) -> None:
        """Append one event: prompt, style, backend, gauges, contact, clock, pause, outcome ..."""
        line = {"k": kind, "tick": tick, "t_ns": self._now_ns(), **fields}
        self._put(self._events, _json(line))

    def shown(self, frame_tick: int, tick: int) -> None:
        """Note that the styled frame of `frame_tick` was first shown to the player at `tick`."""
        self._put(self._events, b'{"k":"shown","frame":%d,"tick":%d}\n' % (frame_tick, tick))

    def close(self, outcome: Mapping[str, Any] | None = None) -> None:
        """Write the last lines and close the files, quickly; `seal` is still to come."""
        if self._closed:
            return
        self._put_line({"k": "e", "seq": self._line, "tick": max(0, self.ticks - 1)})
        self.event("outcome", max(0, self.ticks - 1), outcome=dict(outcome or {}))
        if self.stopped:
            log.warning("session.stopped session=%s why=%s", self.manifest.session, self.stopped)
        self._closed = True
        self._wake.set()
        self._syncing.join()
        for each in (self._inputs, self._ticks, self._events):
            try:
                each.close()
            except OSError as error:  # a full disk may say so only when asked to sync
                log.error("session.close session=%s why=%s", self.manifest.session, error)

    def finish(self, outcome: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Close and seal. Stop the recorder first. Returns what `end.json` holds.

        {} where the disk has no room for that: `session recover` does it once there is.
        """
        from game.session.seal import seal

        self.close(outcome)
        try:
            return seal(self.folder, outcome or {}, stopped=self.stopped)
        except OSError as error:
            log.error("session.unsealed session=%s why=%s", self.manifest.session, error)
            return {}

    def _put_line(self, fields: Mapping[str, Any]) -> None:
        self._put(self._inputs, _json(fields))
        self._line += 1

    def _put(self, file: AppendFile, record: bytes) -> None:
        if self.stopped:
            return
        try:
            file.put(record)
        except OSError as error:
            self.stopped = f"{error.strerror or error} ({file.path.name})"
            log.error("session.stopped session=%s why=%s", self.manifest.session, self.stopped)

    def _sync_loop(self) -> None:
        """Once a second of ticks, off the frame path: a power cut may take one second, no more."""
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._closed:
                return
            try:
                for each in (self._inputs, self._ticks, self._events):
                    each.sync()
            except OSError as error:
                log.warning("session.sync session=%s why=%s", self.manifest.session, error)


def listed(controls: Controls) -> list[int]:
    """The eight integers of a controls line, in the order of the fields of Controls."""
    return [
        controls.steer,
        controls.throttle,
        controls.brake,
        int(controls.gear),
        controls.flags,
        controls.look_yaw,
        controls.look_pitch,
        int(controls.camera),
    ]


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode() + b"\n"
