"""Picture slots in shared memory with one writer and one reader, in two kinds.

LatestRing: the newest picture wins and nobody waits. FifoRing: nothing is lost while there is
room, and what found none is counted. Either side may die at any instant and be replaced; a slot
counts only once its sequence is stored. Re-checks sequences; on processors that re-order stores
(Apple Silicon) this is unproven.
"""

import contextlib
import mmap
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streaming import shm
from streaming.frames import Frame, Pixels
from streaming.shm import ring_name, sweep

__all__ = ["FifoRing", "Item", "LatestRing", "ring_name", "sweep"]

_COUNTERS = 8  # index of the first int64 counter after the file's own head
_SLOT_HEAD = 64  # bytes before each slot's data


class _Ring:
    """A mapped file with int64 counters. Closing the owner's object removes the file."""

    KIND = b"----"

    def __init__(self, name: str, memory: mmap.mmap, owner: bool) -> None:
        self.name, self.owner = name, owner
        self._memory: mmap.mmap | None = memory
        self._bytes: NDArray[np.uint8] = np.frombuffer(memory, np.uint8)
        head = self._bytes[: shm.HEADER_BYTES].view(np.int64)
        self._counters: NDArray[np.int64] = head[_COUNTERS:]

    @classmethod
    def attach(cls, name: str) -> Self:
        """Map the ring `name` made by another process; RingMissing when there is none."""
        return cls(ring_name(name), shm.attach(name, cls.KIND), False)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return type(self).attach, (self.name,)

    def close(self) -> None:
        """Unmap; the owner also removes the file. Safe to call twice.

        Where somebody still holds a picture of it, as the trace of an interrupted push does, the
        memory stays until they let go; its file goes all the same.
        """
        memory, self._memory = self._memory, None
        if memory is None:
            return
        self._release()
        with contextlib.suppress(BufferError):
            memory.close()
        if self.owner:
            shm.remove(self.name)

    def _release(self) -> None:
        self._bytes = np.empty(0, np.uint8)
        self._counters = np.empty(0, np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class LatestRing(_Ring):
    """A few picture slots; `get` returns the newest whole one.

    Counters: h, w, c, slots, puts, taken.

    bell: called after every put in the writer's process, to wake a reader that sleeps; must not
    wait. None rings nobody, and readers look from time to time.
    """

    KIND = b"LTST"
    bell: Callable[[], None] | None = None

    def __init__(self, name: str, memory: mmap.mmap, owner: bool) -> None:
        super().__init__(name, memory, owner)
        height, width, channels, slots = (int(v) for v in self._counters[:4])
        self.shape, self.slots = (height, width, channels), slots
        stride = _stride(height * width * channels)
        self._heads, self._slots = [], []
        for i in range(slots):
            at = shm.HEADER_BYTES + i * stride
            self._heads.append(self._bytes[at : at + _SLOT_HEAD].view(np.int64))
            data = self._bytes[at + _SLOT_HEAD : at + _SLOT_HEAD + height * width * channels]
            self._slots.append(data.reshape(self.shape))

    @classmethod
    def create(
        cls, name: str, height: int, width: int, channels: int = 4, slots: int = 3
    ) -> "LatestRing":
        """Make a ring for (height, width, channels) uint8 pictures; raises RingNoSpace."""
        if min(height, width, channels) < 1 or slots < 2:
            raise ValueError("a ring needs a picture size and at least two slots")
        name, memory = shm.create(name, cls.KIND, slots * _stride(height * width * channels))
        counters = np.frombuffer(memory, np.int64, shm.HEADER_BYTES // 8)
        counters[_COUNTERS : _COUNTERS + 4] = height, width, channels, slots
        del counters
        return cls(name, memory, True)

    @property
    def count(self) -> int:
        """How many pictures were ever put."""
        return int(self._counters[4])

    @property
    def taken(self) -> int:
        """How many of them its reader has dealt with, as it said itself; outlives the reader."""
        return int(self._counters[5])

    @taken.setter
    def taken(self, count: int) -> None:
        self._counters[5] = count

    @property
    def latest_tick(self) -> int:
        """Tick of the newest whole picture, -1 while there is none. Costs a microsecond."""
        count = int(self._counters[4])
        return int(self._heads[count % self.slots][1]) if count else -1

    def put(self, tick: int, t_ns: int, pixels: Pixels) -> None:
        """Store a picture of the ring's shape; never waits. A wrong shape raises ValueError."""
        if pixels.shape != self.shape:
            raise ValueError(f"picture {pixels.shape} does not fit a ring of {self.shape}")
        count = int(self._counters[4]) + 1
        head = self._heads[count % self.slots]
        head[0] = 2 * count - 1  # odd: being written
        np.copyto(self._slots[count % self.slots], pixels)
        head[1], head[2] = tick, t_ns
        head[0] = 2 * count
        self._counters[4] = count
        if self.bell is not None:
            self.bell()

    def get(self, after_tick: int = -1) -> Frame | None:
        """The newest picture, copied, if its tick is above `after_tick`; else None."""
        for _ in range(4):
            count = int(self._counters[4])
            if count == 0:
                return None
            head = self._heads[count % self.slots]
            if int(head[0]) != 2 * count:
                continue  # the writer has come round already
            tick, t_ns = int(head[1]), int(head[2])
            if tick <= after_tick:
                return None
            pixels = self._slots[count % self.slots].copy()
            if int(head[0]) == 2 * count:
                return Frame(tick, pixels, t_ns)
        return None

    def _release(self) -> None:
        self._heads, self._slots = [], []
        super()._release()


@dataclass(frozen=True, slots=True)
class Item:
    """What one push stored. t_ns: monotonic."""

    kind: int
    tick: int
    t_ns: int
    data: bytes


class FifoRing(_Ring):
    """Slots for byte payloads in order. Counters: slot_bytes, slots, pushed, popped, dropped.

    The writer owns pushed and dropped, the reader popped. A reader killed inside `pop` leaves its
    slot to the next reader; a writer killed inside `push` leaves nothing to see.
    """

    KIND = b"FIFO"

    def __init__(self, name: str, memory: mmap.mmap, owner: bool) -> None:
        super().__init__(name, memory, owner)
        self.slot_bytes, self.slots = int(self._counters[0]), int(self._counters[1])
        stride = _stride(self.slot_bytes)
        starts = [shm.HEADER_BYTES + i * stride for i in range(self.slots)]
        self._heads = [self._bytes[at : at + _SLOT_HEAD].view(np.int64) for at in starts]
        self._starts = [at + _SLOT_HEAD for at in starts]

    @classmethod
    def create(cls, name: str, slot_bytes: int, slots: int = 60) -> "FifoRing":
        """Make a ring of `slots` payloads of at most `slot_bytes`; raises RingNoSpace."""
        if slot_bytes < 1 or slots < 1:
            raise ValueError("a ring needs a payload size and at least one slot")
        name, memory = shm.create(name, cls.KIND, slots * _stride(slot_bytes))
        counters = np.frombuffer(memory, np.int64, shm.HEADER_BYTES // 8)
        counters[_COUNTERS : _COUNTERS + 2] = slot_bytes, slots
        del counters
        return cls(name, memory, True)

    @property
    def dropped(self) -> int:
        """Payloads refused for want of room or for being too large, since the ring was made."""
        return int(self._counters[4])

    def __len__(self) -> int:
        return int(self._counters[2]) - int(self._counters[3])

    def push(
        self,
        payload: bytes | bytearray | memoryview,
        *,
        kind: int,
        tick: int,
        t_ns: int | None = None,
    ) -> bool:
        """Append a payload; False, counted in `dropped`, when full or the payload is too large."""
        data = np.frombuffer(payload, np.uint8) if len(payload) else np.empty(0, np.uint8)
        pushed = int(self._counters[2])
        if pushed - int(self._counters[3]) >= self.slots or data.size > self.slot_bytes:
            self._counters[4] += 1
            return False
        slot = pushed % self.slots
        start = self._starts[slot]
        self._bytes[start : start + data.size] = data
        head = self._heads[slot]
        head[0], head[1], head[2] = data.size, kind, tick
        head[3] = time.monotonic_ns() if t_ns is None else t_ns
        self._counters[2] = pushed + 1
        return True

    def peek(self) -> Item | None:
        """The oldest payload without taking it; `advance` takes it once it is safe elsewhere."""
        popped = int(self._counters[3])
        if popped >= int(self._counters[2]):
            return None
        slot = popped % self.slots
        size, kind, tick, t_ns = (int(v) for v in self._heads[slot][:4])
        start = self._starts[slot]
        size = min(max(size, 0), self.slot_bytes)
        return Item(kind, tick, t_ns, self._bytes[start : start + size].tobytes())

    def advance(self) -> None:
        """Give the slot of the last `peek` back to the writer."""
        if len(self) > 0:
            self._counters[3] += 1

    def pop(self) -> Item | None:
        """Take the oldest payload, copied; None when empty."""
        item = self.peek()
        if item is not None:
            self._counters[3] += 1
        return item

    def _release(self) -> None:
        self._heads = []
        super()._release()


def _stride(data_bytes: int) -> int:
    return (_SLOT_HEAD + data_bytes + 63) // 64 * 64
