"""The stream server's signed journal: what came in, what went out and when, chained and signed.

One file a session, one block a line, at least one block for each second in which frames passed.
A line is canonical JSON (sorted keys, no blanks, ASCII) and ends with one newline:

  v              1
  session        the session that the ticket names
  n              number of the block, from 0, without gaps
  ticket         SHA-256 (hex) of the ticket's canonical JSON, signature included
  model          name of the backend, '/', digest of what it computes with
  prompt_sha256  of the prompt's UTF-8 text; a new prompt begins a new block
  prev           SHA-256 (hex) of the line before, newline not counted; 64 zeros for n = 0
  server_time_ns when the block was sealed
  frames         [[tick, received_ns, sent_ns, luma, sha256], ...] in the order of sending:
                 luma is the 16x16 mean luma (one byte a cell, rows from the top, hex) of the
                 source picture as received, sha256 (hex) is of the encoded styled frame as sent
  inputs         [[tick, chain], ...]: the client's running hash (hex) of its inputs up to tick
  seed           only where it was released since the last block: [seed, released_ns]
  end            true on the last block of a session that was closed in good order
  key, sig       Ed25519 public key (hex); signature over the canonical JSON of all but `sig`

Times are nanoseconds since 1970, read from a monotonic clock anchored once per connection. Ticks of
frames rise strictly through the whole file. After a server came back without its file, n = 0 may
begin again as a new segment; nothing may follow `end`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming.errors import JournalBroken
from streaming.seal import canonical, is_signed, sign

VERSION = 1
FIRST_PREV = "0" * 64
LUMA_SIDE = 16
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_LUMA = re.compile(r"[0-9a-f]{512}")
_SEED = "seed"
_FIELDS: dict[str, type] = {
    "v": int,
    "session": str,
    "n": int,
    "ticket": str,
    "model": str,
    "prompt_sha256": str,
    "prev": str,
    "server_time_ns": int,
    "frames": list,
    "inputs": list,
    "end": bool,
    "key": str,
    "sig": str,
}


@dataclass(frozen=True, slots=True)
class JournalFrame:
    """One frame as the server saw it. luma: 256 bytes, rows from the top. block: its number."""

    tick: int
    received_ns: int
    sent_ns: int
    luma: bytes
    sha256: str
    block: int


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal that verified. inputs: (tick, chain hex). ended: closed in good order.

    seed: the one that was released and when (nanoseconds since 1970), None where none was.
    """

    session: str
    ticket: str
    frames: Mapping[int, JournalFrame]
    inputs: tuple[tuple[int, str], ...]
    blocks: int
    segments: int
    ended: bool
    seed: tuple[int, int] | None = None


def line_hash(line: str) -> str:
    """What the next block's `prev` says: SHA-256 of the line without its newline."""
    return hashlib.sha256(line.rstrip("\n").encode()).hexdigest()


def is_session_name(name: str) -> bool:
    """Whether `name` is safe as the name of a journal file."""
    return _SESSION.fullmatch(name) is not None


class JournalWriter:
    """Appends blocks to `<folder>/<session>.jsonl`; a file that is there is continued.

    A line that a crash cut short is taken off first. now_ns: nanoseconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        session: str,
        ticket: str,
        model: str,
        key: Ed25519PrivateKey,
        now_ns: Callable[[], int],
    ) -> None:
        if not is_session_name(session):
            raise ValueError(f"{session!r} is no session name")
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{session}.jsonl"
        self._session, self._ticket, self._model = session, ticket, model
        self._key, self._now_ns = key, now_ns
        self._frames: list[list[Any]] = []
        self._inputs: list[list[Any]] = []
        self._prompt = hashlib.sha256(b"").hexdigest()
        self._file = self.path.open("a+b")
        lines = self._recover()
        self._count = len(lines)
        self._prev = line_hash(lines[-1]) if lines else FIRST_PREV
        self.ended: bool = bool(lines) and json.loads(lines[-1])["end"]
        ticks = [frame[0] for line in lines for frame in json.loads(line)["frames"]]
        self.last_tick: int = ticks[-1] if ticks else -1
        told = [json.loads(line)[_SEED] for line in lines if _SEED in json.loads(line)]
        self.seed: int | None = told[0][0] if told else None
        self._released: list[int] | None = None

    def _recover(self) -> list[str]:
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) != len(data):
            self._file.truncate(len(whole))
        return whole.decode("ascii").splitlines()

    def frame(self, tick: int, received_ns: int, sent_ns: int, luma: bytes, sha256: str) -> None:
        """Note one frame. Its tick must be above all before it; ValueError otherwise."""
        if tick <= self.last_tick:
            raise ValueError(f"tick {tick} does not follow {self.last_tick}")
        self.last_tick = tick
        self._frames.append([tick, received_ns, sent_ns, luma.hex(), sha256])

    def commit(self, tick: int, chain: str) -> None:
        """Note the client's running hash of its inputs."""
        self._inputs.append([tick, chain])

    def release(self, seed: int, released_ns: int) -> None:
        """Note that the run's seed was given out now; the next block says so."""
        self.seed, self._released = seed, [seed, released_ns]

    def prompt(self, text: str) -> str | None:
        """Note the prompt in force from here on; returns the block that this closed, if any."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest == self._prompt:
            return None
        line = self.seal()
        self._prompt = digest
        return line

    def seal(self, end: bool = False) -> str | None:
        """Sign and append what was noted since the last block. None when there was nothing."""
        if self.ended or not (self._frames or self._inputs or self._released or end):
            return None
        block: dict[str, Any] = {
            "v": VERSION,
            "session": self._session,
            "n": self._count,
            "ticket": self._ticket,
            "model": self._model,
            "prompt_sha256": self._prompt,
            "prev": self._prev,
            "server_time_ns": self._now_ns(),
            "frames": self._frames,
            "inputs": self._inputs,
            "end": end,
        }
        if self._released is not None:
            block[_SEED], self._released = self._released, None
        line = canonical(sign(block, self._key)).decode("ascii")
        self._frames, self._inputs, self.ended = [], [], end
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        self._count, self._prev = self._count + 1, line_hash(line)
        return line

    def since(self, n: int) -> tuple[str, ...]:
        """The lines of block `n` and after: what a client that came back has missed."""
        return tuple(self.path.read_text("ascii").splitlines()[max(n, 0) :])

    def close(self) -> None:
        """Close the file. Nothing is signed: call seal first."""
        self._file.close()


def verify(
    lines: Iterable[str],
    keys: Collection[str] | None = None,
    ticket: str | None = None,
    whole: bool = True,
) -> Journal:
    """Read a journal and believe it, or raise JournalBroken with the first reason not to.

    keys: enrolled public keys (hex), None trusts each block's own. ticket: digest it must name.
    whole: refuse a journal without its end. Reasons: journal.json .fields .key .signature .session
    .ticket .chain .replayed .time .seed .cut .empty
    """
    frames: dict[int, JournalFrame] = {}
    inputs: list[tuple[int, str]] = []
    first: dict[str, Any] | None = None
    before = ""
    number = segments = blocks = 0
    last_tick, last_ns, ended = -1, 0, False
    seed: tuple[int, int] | None = None
    for line in lines:
        block = _parse(line, blocks)
        first = first or block
        if not is_signed(block, keys):
            known = keys is None or block["key"] in keys
            _broken(block, "signature" if known else "key", "not signed by an enrolled key")
        if (block["session"], block["ticket"]) != (first["session"], first["ticket"]):
            _broken(block, "session", "belongs to another session or ticket")
        if ticket is not None and block["ticket"] != ticket:
            _broken(block, "ticket", "names another ticket")
        if ended:
            _broken(block, "replayed", "follows the end")
        if block["n"] == 0 and block["prev"] == FIRST_PREV:
            number, segments = 0, segments + 1
        elif block["n"] != number or block["prev"] != line_hash(before):
            _broken(block, "chain", f"expected block {number} after the one before")
        last_tick, last_ns = _take_frames(block, last_tick, last_ns, frames)
        inputs.extend((tick, chain) for tick, chain in block["inputs"])
        if _SEED in block:
            seed = _take_seed(block, seed)
        number, before, ended, blocks = number + 1, line, block["end"], blocks + 1
    if first is None:
        raise JournalBroken(0, "journal.empty", "has no block")
    if whole and not ended:
        raise JournalBroken(blocks, "journal.cut", "has no end")
    return Journal(
        first["session"], first["ticket"], frames, tuple(inputs), blocks, segments, ended, seed
    )


def _take_seed(block: dict[str, Any], before: tuple[int, int] | None) -> tuple[int, int]:
    """The seed as it was first released; a server that lost its file says the same one again."""
    number, released_ns = block[_SEED]
    if released_ns > block["server_time_ns"]:
        _broken(block, "time", "released its seed later than it was sealed")
    if before is not None and number != before[0]:
        _broken(block, "seed", "releases another seed than the first one")
    return before or (number, released_ns)


def _take_frames(
    block: dict[str, Any], last_tick: int, last_ns: int, frames: dict[int, JournalFrame]
) -> tuple[int, int]:
    for tick, received, sent, luma, sha256 in block["frames"]:
        if tick <= last_tick:
            _broken(block, "replayed", f"tick {tick} after tick {last_tick}")
        if not last_ns <= sent <= block["server_time_ns"] or received > sent:
            _broken(block, "time", f"times of tick {tick} run backwards")
        frames[tick] = JournalFrame(tick, received, sent, bytes.fromhex(luma), sha256, block["n"])
        last_tick, last_ns = tick, sent
    return last_tick, last_ns


def _parse(line: str, at: int) -> dict[str, Any]:
    try:
        block = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise JournalBroken(at, "journal.json", "is not JSON") from error
    if not isinstance(block, dict) or set(block) - {_SEED} != set(_FIELDS):
        raise JournalBroken(at, "journal.fields", "has not the fields of a block")
    wrong = [name for name, kind in _FIELDS.items() if type(block[name]) is not kind]
    if wrong or block["v"] != VERSION or not _is_sound(block):
        raise JournalBroken(at, "journal.fields", f"wrong value in {', '.join(wrong) or 'frames'}")
    if line.rstrip("\n").encode() != canonical(block):
        raise JournalBroken(at, "journal.json", "is not canonical JSON")
    return block


def _is_sound(block: dict[str, Any]) -> bool:
    frames = all(
        isinstance(row, list)
        and len(row) == 5
        and all(type(value) is int and 0 <= value < 1 << 63 for value in row[:3])
        and _matches(_LUMA, row[3])
        and _matches(_HEX64, row[4])
        for row in block["frames"]
    )
    inputs = all(
        isinstance(row, list) and len(row) == 2 and type(row[0]) is int and _matches(_HEX64, row[1])
        for row in block["inputs"]
    )
    return frames and inputs and (_SEED not in block or _is_seed(block[_SEED]))


def _is_seed(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 2
        and all(type(value) is int for value in row)
        and 0 <= row[0] < 1 << 31
        and 0 <= row[1] < 1 << 63
    )


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _broken(block: dict[str, Any], reason: str, detail: str) -> NoReturn:
    raise JournalBroken(block["n"], f"journal.{reason}", detail)
