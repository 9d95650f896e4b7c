"""The states of a session as an array on disk: any tick at once, two of them kept in memory.

Owns the index of sound records. Ends where the file stops being sound. Going on from tick to tick
is cheapest; a jump decodes from the key state before it, at most a second of ticks.
"""

import math
import mmap
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from game.errors import SessionCorrupt
from game.session import tickcode, tickfile
from game.world.digest import unpack_state
from game.world.entity import EntityState
from game.world.state import Part, WorldState


@dataclass(frozen=True, slots=True)
class TickRecord:
    """One tick as stored. t_ns: monotonic time of writing. packed: exact bytes of the state."""

    tick: int
    t_ns: int
    packed: bytes


class Ticks(Sequence[WorldState]):
    """States 0, 1, 2 ... of one `ticks.bin`. torn: bytes behind the last sound record."""

    def __init__(self, path: Path, cast: tuple[Part, ...] = ()) -> None:
        """Maps and indexes the file. Raises ValueError where its header is wrong."""
        self.cast, self._folder = cast, path.parent
        if path.is_symlink() or not path.is_file():
            raise ValueError(f"{path.name} is missing or no plain file")
        size = path.stat().st_size
        if size < tickfile.HEADER.size:
            raise ValueError(f"{path.name} is cut short")
        with path.open("rb") as stream:
            self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        magic, version, self.world_version, self._layout = tickfile.HEADER.unpack_from(self._data)
        if magic != tickfile.MAGIC or self._layout not in tickfile.LAYOUTS:
            self._data.close()
            raise ValueError(f"{path.name} is no tick table of this format")
        self.format_version = int(version)
        self._starts, self._lengths, self.sound = _index(self._data)
        self.torn = len(self._data) - self.sound
        self._at = -1
        self._last: bytes | None = None
        self._earlier: bytes | None = None

    def record(self, tick: int) -> TickRecord:
        """The stored record of a tick. Raises IndexError, SessionCorrupt."""
        if not 0 <= tick < len(self._starts):
            raise IndexError(tick)
        t_ns = tickfile.time_at(self._data, self._starts[tick])
        if self._layout == tickfile.PLAIN:
            return TickRecord(tick, t_ns, self._payload(tick))
        return TickRecord(tick, t_ns, self._decoded(tick))

    def _payload(self, tick: int) -> bytes:
        return tickfile.payload_at(
            self._data, self._starts[tick], self._lengths[tick], self._layout
        )

    def _decoded(self, tick: int) -> bytes:
        """Decode on from where it stands, or from the key state before `tick`."""
        if self._at == tick and self._last is not None:
            return self._last
        first = tick
        while first != self._at + 1 and first > 0 and not self._is_key(first):
            first -= 1
        for now in range(first, tick + 1):
            how = tickfile.code_at(self._data, self._starts[now])
            fresh = how == tickcode.KEY
            try:
                last = None if now != self._at + 1 else self._last
                packed = tickcode.decode(how, self._payload(now), last, self._earlier)
            except ValueError as error:
                self._at, self._last, self._earlier = -1, None, None
                raise SessionCorrupt(self._folder, now, str(error)) from error
            self._earlier = None if fresh else self._last
            self._at, self._last = now, packed
        assert self._last is not None
        return self._last

    def _is_key(self, tick: int) -> bool:
        return tickfile.code_at(self._data, self._starts[tick]) == tickcode.KEY

    def state(self, tick: int) -> WorldState:
        """The state of a tick, with the cast that this object was given. Raises SessionCorrupt."""
        record = self.record(tick)
        try:
            state = unpack_state(record.packed, self.cast)
        except (ValueError, IndexError) as error:
            raise SessionCorrupt(self._folder, tick, str(error)) from error
        if state.tick != tick:
            raise SessionCorrupt(self._folder, tick, f"the state of tick {state.tick} stands")
        if not all(_is_finite(each) for each in (state.ego, *state.actors)):
            raise SessionCorrupt(self._folder, tick, "a number is not finite")
        return state

    @overload
    def __getitem__(self, index: int) -> WorldState: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[WorldState, ...]: ...
    def __getitem__(self, index: int | slice) -> WorldState | tuple[WorldState, ...]:
        if isinstance(index, slice):
            return tuple(self.state(i) for i in range(*index.indices(len(self))))
        return self.state(index + len(self) if index < 0 else index)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[WorldState]:
        return (self.state(tick) for tick in range(len(self)))

    def close(self) -> None:
        """Unmap the file."""
        self._data.close()


def _index(data: mmap.mmap) -> tuple["array[int]", "array[int]", int]:
    """Starts and body lengths of sound records that count up from tick 0, and their end."""
    starts, lengths = array("Q"), array("I")
    at = tickfile.HEADER.size
    while len(starts) <= tickfile.MAX_TICKS:
        length = tickfile.body_length(data, at)
        if length < 0 or tickfile.tick_at(data, at) != len(starts):
            break
        starts.append(at)
        lengths.append(length)
        at += length + tickfile.FRAMING
    return starts, lengths, at


def _is_finite(entity: EntityState) -> bool:
    return all(
        math.isfinite(v) for v in (entity.x, entity.y, entity.heading, entity.speed, entity.steer)
    )
