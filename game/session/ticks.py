"""The states of a session as an array on disk: any tick at once, none kept in memory.

Owns the index of sound records. Ends where the file stops being sound.
"""

import math
import mmap
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from game.errors import SessionCorrupt
from game.session import tickfile
from game.session.tickfile import TickRecord
from game.world.digest import unpack_state
from game.world.entity import EntityState
from game.world.state import Part, WorldState


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
        magic, version, self.world_version, layout = tickfile.HEADER.unpack_from(self._data)
        if magic != tickfile.MAGIC or layout != tickfile.LAYOUT:
            self._data.close()
            raise ValueError(f"{path.name} is no tick table of this format")
        self.format_version = int(version)
        self._starts, self._lengths, self.sound = _index(self._data)
        self.torn = len(self._data) - self.sound

    def record(self, tick: int) -> TickRecord:
        """The stored record of a tick. Raises IndexError."""
        if not 0 <= tick < len(self._starts):
            raise IndexError(tick)
        return tickfile.decode(self._data, self._starts[tick], self._lengths[tick])

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
