"""A drive as one file of a few kB: what it started from and every change of its controls.

Anyone replays it and gets the same drive, bit for bit; the digests in it say whether they did.
Holds no session id, wallet, claim, ticket, path, date, device or raw input event: the controls are
what the simulation consumed. Reads files of strangers: bounded, checked, refused with ValueError.
"""

import hashlib
import json
import lzma
import struct
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.errors import SessionTooNew
from game.session import hostile, ids, lines
from game.session.append import write_whole
from game.session.format import Driver, Manifest
from game.session.reader import Session
from game.session.replay import said_by_library
from game.session.tickfile import MAX_TICKS
from game.world.controls import IDLE, Controls

SUFFIX = ".drive"
MAGIC = b"SDDRIVE\0"
VERSION = 1
MAX_FILE, MAX_INSIDE = 1 << 23, 1 << 26
_HEAD = struct.Struct("<8sHI")
_COUNT = struct.Struct("<I")
_FIELDS = 8
_FILTERS: list[dict[str, Any]] = [{"id": lzma.FILTER_LZMA2, "preset": 9}]


@dataclass(frozen=True, slots=True)
class Share:
    """One drive from a file. steps: of the simulation. digest: the final one, hex.

    scenario: what the scenario says, {} where the sender's program did not know it any more.
    result: success and reason, as the sender's end says.
    """

    manifest: Manifest
    steps: int
    changes: tuple[tuple[int, Controls], ...]
    digest: str
    scenario: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)

    def controls(self) -> tuple[Controls, ...]:
        """Controls that step t -> t + 1 consumed, for each t."""
        out: list[Controls] = []
        now = IDLE
        for tick, controls in self.changes:
            out.extend([now] * (tick - len(out)))
            now = controls
        return tuple(out + [now] * (self.steps - len(out)))


def share(session: Session, out: Path) -> Share:
    """Write the drive of `session` to `out`. Raises SessionCorrupt, OSError."""
    manifest, drive = session.manifest, session.controls()
    points = session.checkpoints()
    outcome = (session.end or {}).get("outcome") or {}
    made = Share(
        _anonymous(manifest), len(drive), _changes(drive),
        points[-1].digest.hex() if points else "",
        session.scenario_text() or said_by_library(manifest),
        {k: outcome[k] for k in ("success", "reason") if isinstance(outcome.get(k), str | bool)},
    )  # fmt: skip
    write_whole(out, encode(made))
    return made


def _anonymous(manifest: Manifest) -> Manifest:
    """What the simulation and the renderer need, and nothing else."""
    return Manifest(
        session="", created="", build=manifest.build, world_version=manifest.world_version,
        pack=manifest.pack, pack_digest=manifest.pack_digest, scenario=manifest.scenario,
        scenario_digest=manifest.scenario_digest, seed=manifest.seed, tick_hz=manifest.tick_hz,
        driver=Driver(manifest.driver.kind, ""), backend="none", capture=manifest.capture,
    )  # fmt: skip


def _changes(drive: tuple[Controls, ...]) -> tuple[tuple[int, Controls], ...]:
    found, now = [], IDLE
    for tick, controls in enumerate(drive):
        if controls != now:
            found.append((tick, controls))
            now = controls
    return tuple(found)


def encode(made: Share) -> bytes:
    """The bytes of the file."""
    facts = {
        "manifest": {k: v for k, v in asdict(made.manifest).items() if k != "session"},
        "steps": made.steps, "digest": made.digest, "scenario": made.scenario,
        "result": made.result,
    }  # fmt: skip
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    rows = np.array(
        [(t, c.steer, c.throttle, c.brake, c.gear, c.flags, c.look_yaw, c.look_pitch, c.camera)
         for t, c in made.changes], np.int32,
    ).reshape(-1, 1 + _FIELDS)  # fmt: skip
    inside = _COUNT.pack(len(text)) + text + _COUNT.pack(len(rows)) + _columns(rows)
    packed = lzma.compress(inside, lzma.FORMAT_RAW, filters=_FILTERS)
    return _HEAD.pack(MAGIC, VERSION, len(inside)) + packed


def _columns(rows: NDArray[np.int32]) -> bytes:
    """Differences from row to row, folded, low bytes first and all bytes of a place together."""
    steps = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.int32))
    folded = ((steps << 1) ^ (steps >> 31)).astype("<u4")
    return np.ascontiguousarray(folded.T).view(np.uint8).reshape(-1, 4).T.tobytes()


def _rows(data: bytes, count: int) -> NDArray[np.int64]:
    if len(data) != count * (1 + _FIELDS) * 4:
        raise ValueError("the controls are cut short or too long")
    planes = np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(4, -1).T)
    folded = planes.view("<u4").reshape(1 + _FIELDS, count).T.astype(np.int64)
    steps = (folded >> 1) ^ -(folded & 1)
    return np.asarray(np.cumsum(steps, axis=0))


def read(path: Path) -> Share:
    """The drive that a file holds. Raises ValueError, SessionTooNew, OSError."""
    data = hostile.read_bounded(path, MAX_FILE)
    if len(data) < _HEAD.size or data[: len(MAGIC)] != MAGIC:
        raise ValueError(f"{path.name} is no drive that was shared")
    _, version, length = _HEAD.unpack_from(data)
    if version > VERSION:
        raise SessionTooNew(path, "share version", version, VERSION)
    if length > MAX_INSIDE:
        raise ValueError(f"{path.name} is longer than any drive")
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        inside = unpacker.decompress(data[_HEAD.size :], length)
    except lzma.LZMAError as error:
        raise ValueError(f"{path.name} does not unpack") from error
    if len(inside) != length:
        raise ValueError(f"{path.name} is cut short")
    return _parsed(inside, hashlib.sha256(data).digest())


def _parsed(inside: bytes, name: bytes) -> Share:
    (size,) = _COUNT.unpack_from(inside) if len(inside) >= _COUNT.size else (0,)
    at = _COUNT.size + size
    if size > hostile.MAX_DOCUMENT or len(inside) < at + _COUNT.size:
        raise ValueError("what the drive started from is cut short")
    facts = hostile.parse(inside[_COUNT.size : at])
    (count,) = _COUNT.unpack_from(inside, at)
    if count > MAX_TICKS:
        raise ValueError("more changes of controls than a drive has ticks")
    steps = hostile.integer(facts, "steps", 0, MAX_TICKS)
    changes, last = [], -1
    for tick, *values in _rows(inside[at + _COUNT.size :], count).tolist():
        controls = Controls(*values)
        if not last < tick < steps or not controls.is_valid():
            raise ValueError(f"the controls of tick {tick} cannot be")
        last = tick
        changes.append((tick, controls))
    # an id of its own, the same for every copy of the file: folders and caches are named by it
    value = int.from_bytes(name, "big") >> 128
    own = "".join(ids.ALPHABET[(value >> 5 * k) & 31] for k in range(ids.LENGTH - 1, -1, -1))
    manifest = lines.manifest({**_mapping(facts, "manifest"), "session": own})
    return Share(
        manifest, steps, tuple(changes), hostile.text(facts, "digest", 64),
        _mapping(facts, "scenario"), _mapping(facts, "result"),
    )  # fmt: skip


def _mapping(facts: dict[str, Any], key: str) -> dict[str, Any]:
    found = facts.get(key)
    if not isinstance(found, dict):
        raise ValueError(f"{key} must be an object")
    return found
