"""Makes the packed states of a drive small without losing a bit: each against the two before it.

Owns three codes. KEY stands alone. CHANGE is the exclusive-or with the state before. ROWS knows
where entities and minds lie: their rows are matched by id, and each number is told as the distance
of its bits from going on straight, which is 0 or next to it for most. A state whose shape ROWS
does not know, of whatever world version, is stored as CHANGE, so nothing depends on the guess.
Additions of IEEE doubles are exact everywhere: every machine decodes the same bytes.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEY, CHANGE, ROWS = 0, 1, 2
MAX_STATE = 1 << 20
"""No packed state is longer [byte]: some five thousand entities."""
KEY_TICKS = 60
"""A key state stands every so many ticks: any tick is at most so many decodings away."""

_LEVEL = 1  # of zlib: twice as fast as 6 for a tenth more bytes
_MANY = 16  # rows below this are not worth the columns

# the shape of a packed state (game.world.digest) that ROWS knows
_HEAD = 101
_COUNTS = struct.Struct("<4H")
_COUNTS_AT = 80
_ENTITY = np.dtype([("id", "<i4"), ("body", "<u2"), ("v", "<f8", 5), ("since", "<i4", 2)])
_CONTACT, _PROGRESS, _VISITED = 20, 12, 4
_LIVING = struct.Struct("<BHH")
_DRIVE, _WALK = 93, 75
_VALUES = 5

Bytes2 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where things lie in one packed state. minds: rows of (drivers, walkers), -1 for no city."""

    rows: NDArray[np.void]
    entities_end: int
    middle_end: int
    drivers: int
    walkers: int

    @property
    def ids(self) -> NDArray[np.int32]:
        return np.asarray(self.rows["id"])

    def minds(self, packed: bytes) -> tuple[tuple[NDArray[np.int32], Bytes2], ...]:
        """(ids, rows) of drivers and of walkers."""
        if self.drivers < 0:
            return ((self.ids[:0], np.zeros((0, _DRIVE), np.uint8)),
                    (self.ids[:0], np.zeros((0, _WALK), np.uint8)))  # fmt: skip
        first = self.middle_end + _LIVING.size
        middle = first + self.drivers * _DRIVE
        border = len(self.rows) - self.walkers
        return (
            (self.ids[border - self.drivers : border], _table(packed, first, self.drivers, _DRIVE)),
            (self.ids[border:], _table(packed, middle, self.walkers, _WALK)),
        )


def _table(packed: bytes, at: int, rows: int, width: int) -> Bytes2:
    return np.frombuffer(packed, np.uint8, rows * width, at).reshape(rows, width)


def _shape(packed: bytes) -> _Shape | None:
    """The shape of a state, None where it has another one."""
    if len(packed) < _HEAD + _ENTITY.itemsize:
        return None
    actors, contacts, progress, visited = _COUNTS.unpack_from(packed, _COUNTS_AT)
    entities = _HEAD + (1 + actors) * _ENTITY.itemsize
    middle = entities + contacts * _CONTACT + progress * _PROGRESS + visited * _VISITED
    drivers, walkers, end = -1, 0, middle
    if len(packed) >= middle + _LIVING.size:
        _, drivers, walkers = _LIVING.unpack_from(packed, middle)
        end += _LIVING.size + drivers * _DRIVE + walkers * _WALK
    if len(packed) != end or max(0, drivers) + walkers > actors:
        return None
    rows = np.frombuffer(packed, _ENTITY, 1 + actors, _HEAD)
    return _Shape(rows, entities, middle, drivers, walkers)


def _places(ids: NDArray[np.int32], before: NDArray[np.int32]) -> NDArray[np.intp]:
    """Where each of `ids` stands in `before`, -1 where it does not. Both ascend."""
    if not len(before):
        return np.full(len(ids), -1, np.intp)
    at = np.searchsorted(before, ids)
    at[at == len(before)] = 0
    return np.where(before[at] == ids, at, -1)


def _alike(ids: NDArray[np.int32], before: NDArray[np.int32]) -> bool:
    """Whether nobody came or went: then every row stands where it stood, which is quicker."""
    return len(ids) == len(before) and bool((ids == before).all())


def _straight(
    ids: NDArray[np.int32], last: _Shape, earlier: _Shape | None
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Bits of the numbers that each row would have going on straight, and its place before."""
    if _alike(ids, last.ids) and (earlier is None or _alike(ids, earlier.ids)):
        values = last.rows["v"]
        if earlier is not None:
            with np.errstate(all="ignore"):
                values = values + (values - earlier.rows["v"])
        return np.ascontiguousarray(values).view(np.int64), np.arange(len(ids))
    place = _places(ids, last.ids)
    known = place >= 0
    values = np.where(known[:, None], last.rows["v"][place], 0.0)
    if earlier is not None:
        older = _places(ids, earlier.ids)
        with np.errstate(all="ignore"):
            ahead = values + (values - earlier.rows["v"][older])
        values = np.where((known & (older >= 0))[:, None], ahead, values)
    return np.ascontiguousarray(values).view(np.int64), place


def _told(rows: Bytes2, ids: NDArray[np.int32], old: tuple[NDArray[np.int32], Bytes2]) -> Bytes2:
    """Rows exclusive-or those of the same ids before. Its own inverse."""
    if not len(old[0]):
        return rows
    if _alike(ids, old[0]):
        return np.asarray(old[1] ^ rows, np.uint8)
    place = _places(ids, old[0])
    return np.asarray(np.where((place >= 0)[:, None], old[1][place], 0) ^ rows, np.uint8)


def _rows_of(
    packed: bytes, now: _Shape | None, last: bytes, old: _Shape | None, earlier: _Shape | None
) -> bytes | None:
    """The state as ROWS against the one or two before it; None where it has another shape."""
    if now is None or old is None or len(now.rows) < _MANY:
        return None
    guess, place = _straight(now.ids, old, earlier)
    off = np.ascontiguousarray(now.rows["v"]).view(np.int64) - guess
    folded = ((off << 1) ^ (off >> 63)).view(np.uint64)  # small either way: small
    same = _alike(now.ids, old.ids)
    parts = [
        bytes((same, now.drivers >= 0)),
        packed[:_HEAD],
        b"" if same else now.ids.tobytes(),
        packed[now.entities_end : now.middle_end + (_LIVING.size if now.drivers >= 0 else 0)],
        np.ascontiguousarray(folded.T).view(np.uint8).reshape(_VALUES, -1, 8)
        .transpose(0, 2, 1).tobytes(),
        _rest(now.rows, old.rows, None if same else place).T.tobytes(),
    ]  # fmt: skip
    for (ids, rows), before in zip(now.minds(packed), old.minds(last), strict=True):
        parts.append(_told(rows, ids, before).T.tobytes())
    return b"".join(parts)


def _rest(rows: NDArray[np.void], old: NDArray[np.void], place: NDArray[np.intp] | None) -> Bytes2:
    """(n, 10): body and the two ticks of each row, exclusive-or those before. place: None where
    everybody stands where he stood."""
    if place is None:
        return np.asarray(_plain(rows) ^ _plain(old))
    return np.asarray(_plain(rows) ^ np.where((place >= 0)[:, None], _plain(old)[place], 0))


def _plain(rows: NDArray[np.void]) -> Bytes2:
    raw = rows.view(np.uint8).reshape(len(rows), _ENTITY.itemsize)
    return np.concatenate([raw[:, 4:6], raw[:, 46:54]], axis=1)


class _Reader:
    """Takes parts off a decompressed payload; running short is a ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise ValueError("a state is cut short")
        self._at += count
        return found

    def columns(self, rows: int, width: int) -> Bytes2:
        return np.frombuffer(self.take(rows * width), np.uint8).reshape(width, rows).T

    def finish(self) -> None:
        if self._at != len(self._data):
            raise ValueError("a state has bytes too many")


def _state_of(data: bytes, last: bytes, earlier: bytes | None) -> bytes:
    """Inverse of `_rows_of`. Raises ValueError."""
    old = _shape(last)
    if old is None:
        raise ValueError("a state stands on one of another shape")
    reader = _Reader(data)
    same, lives = reader.take(2)
    head = reader.take(_HEAD)
    actors, contacts, progress, visited = _COUNTS.unpack_from(head, _COUNTS_AT)
    n = 1 + actors
    if same and n != len(old.rows):
        raise ValueError("a state names fewer entities than it counts")
    ids = old.ids if same else np.frombuffer(reader.take(4 * n), "<i4")
    middle = reader.take(contacts * _CONTACT + progress * _PROGRESS + visited * _VISITED)
    living = reader.take(_LIVING.size) if lives else b""
    guess, place = _straight(ids, old, _shape(earlier) if earlier is not None else None)
    planes = np.frombuffer(reader.take(_VALUES * 8 * n), np.uint8).reshape(_VALUES, 8, n)
    folded = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(np.uint64)[..., 0].T
    off = (folded >> np.uint64(1)).view(np.int64) ^ -(folded & np.uint64(1)).view(np.int64)
    rows = np.zeros(n, _ENTITY)
    rows["id"] = ids
    rows["v"] = np.ascontiguousarray(guess + off).view(np.float64)
    raw = rows.view(np.uint8).reshape(n, _ENTITY.itemsize)
    rest = reader.columns(n, 10) ^ np.where((place >= 0)[:, None], _plain(old.rows)[place], 0)
    raw[:, 4:6], raw[:, 46:54] = rest[:, :2], rest[:, 2:]
    parts = [head, rows.tobytes(), middle, living]
    if lives:
        _, drivers, walkers = _LIVING.unpack(living)
        if drivers + walkers > actors:
            raise ValueError("a state has more minds than actors")
        border = n - walkers
        whose = (ids[border - drivers : border], ids[border:])
        for mine, width, before in zip(whose, (_DRIVE, _WALK), old.minds(last), strict=True):
            parts.append(_told(reader.columns(len(mine), width), mine, before).tobytes())
    reader.finish()
    return b"".join(parts)


def _changed(data: bytes, last: bytes) -> bytes:
    """Exclusive-or over the common length. Its own inverse."""
    common = min(len(data), len(last))
    mixed = np.frombuffer(data, np.uint8, common) ^ np.frombuffer(last, np.uint8, common)
    return mixed.tobytes() + data[common:]


class Encoder:
    """Codes states one after the other. A key state comes every KEY_TICKS and on demand."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        self._old: _Shape | None = None
        self._earlier: _Shape | None = None
        self._since = 0

    def encode(self, packed: bytes) -> tuple[int, bytes]:
        """How the next state is told, and the bytes that tell it."""
        last, old, earlier = self._last, self._old, self._earlier
        self._last, self._old = packed, _shape(packed)
        if last is None or self._since >= KEY_TICKS - 1:
            self._earlier, self._since = None, 0
            return KEY, zlib.compress(packed, _LEVEL)
        self._earlier, self._since = old, self._since + 1
        rows = _rows_of(packed, self._old, last, old, earlier)
        if rows is not None:
            return ROWS, zlib.compress(rows, _LEVEL)
        return CHANGE, zlib.compress(_changed(packed, last), _LEVEL)


def decode(how: int, payload: bytes, last: bytes | None, earlier: bytes | None) -> bytes:
    """The packed state that `payload` tells, given the two before it in the order of ticks.

    earlier is None for the state right behind a key state. Raises ValueError.
    """
    data = _inflated(payload)
    if how == KEY:
        return data
    if last is None or how not in (CHANGE, ROWS):
        raise ValueError("a state is told in a way that nobody knows")
    if how == CHANGE:
        return _changed(data, last)
    return _state_of(data, last, earlier)


def _inflated(payload: bytes) -> bytes:
    """At most MAX_STATE bytes, whatever the payload would like to become."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(payload, MAX_STATE)
    except zlib.error as error:
        raise ValueError(f"a state does not unpack ({error})") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("a state is cut short or too long")
    return data
