"""One thread that paints for all players: whoever has a chunk ready goes into the next pass.

Owns the streams' memories and the answer to running out of memory: fewer at once, then the chunk
goes back unpainted and its stream begins anew. Never waits for a player.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from streaming.backends.base import Finished
from streaming.diffusion.wan.errors import BadOption
from streaming.diffusion.wan.lane import Chunk, Lane, to_pixels
from streaming.diffusion.wan.paint import Fresh, Painted, Sequential, paint_together
from streaming.diffusion.wan.rig import Rig
from streaming.diffusion.wan.stream import Out

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Streams in one pass at most."""

_END_S = 20.0  # that the last pass may take; torchrun kills after 30

Job = tuple[Lane, Chunk]


class Engine:
    """now: seconds, monotonic. Its thread starts with the first lane and ends with `close`.

    most: players at a time, 0 for no limit. idle: called every `idle_s` while nobody plays.
    """

    def __init__(
        self, rig: Rig, at_once: int = AT_ONCE, now: Callable[[], float] = time.monotonic,
        most: int = 0, idle: Callable[[], None] | None = None, idle_s: float = 1.0,
    ) -> None:  # fmt: skip
        self.rig, self.at_once, self._now, self.most = rig, at_once, now, most
        self._idle, self._idle_s = idle, idle_s
        self._lanes: list[Lane] = []
        self._there = threading.Condition()
        self._words = ThreadPoolExecutor(1, "wan-words")
        self._thread: threading.Thread | None = None
        self._over = False
        self.chunks = self.failures = 0

    def open(self, ready: Callable[[], None]) -> Lane:
        """One more player. Raises torch.OutOfMemoryError, MemoryError where there is no room, and
        BadOption beyond `most`.
        """
        if self.most and len(self._lanes) >= self.most:
            raise BadOption(f"only {self.most} can play here at a time")
        lane = Lane(self.rig, self.rig.stream(), self._ask, self._wake, ready, self._leave)
        with self._there:
            self._lanes.append(lane)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wan-engine", daemon=True)
                self._thread.start()
        return lane

    def close(self) -> None:
        """End the thread; what is under way is lost."""
        with self._there:
            self._over = True
            self._there.notify()
        if self._thread is not None:
            self._thread.join(_END_S)
        self._words.shutdown(wait=False, cancel_futures=True)

    def turn(self) -> bool:
        """Paint a chunk of every player that has one; False where nobody has."""
        with self._there:
            full = sorted((lane for lane in self._lanes if lane.full()), key=lambda o: o.served)
            chosen = full[: 1 if self.rig.card.mode == "batched" else self.at_once]
        begin = self._now()
        jobs: list[Job] = []
        for lane in chosen:
            lane.served = begin
            jobs.append((lane, lane.chunk()))
        if jobs:
            self._paint(jobs)
            rounds = -(-len(full) // len(jobs))
            for lane, chunk in jobs:
                took = (self._now() - begin) * rounds / len(chunk.ticks)
                if len(chunk.ticks) > 1:  # a stream's first chunk is one frame
                    lane.frame_s += (took - lane.frame_s) / (4 if lane.frame_s else 1)
        return bool(jobs)

    def _run(self) -> None:
        while True:
            with self._there:
                self._there.wait_for(
                    lambda: self._over or any(o.full() for o in self._lanes),
                    self._idle_s if self._idle else None,
                )
                if self._over:
                    return
            if not self.turn() and self._idle is not None:
                self._idle()

    def _paint(self, jobs: Sequence[Job]) -> None:
        able: list[tuple[Lane, Chunk, Fresh]] = []
        for lane, chunk in jobs:
            try:
                lane.hear()
                lane.stream.painter.sampler.seed = chunk.seed
                able.append((lane, chunk, lane.stream.take_in(chunk.ticks, chunk.frames)))
            except Exception as error:  # one player's failure is not the others'
                self._failed(lane, chunk, error)
        for lane, chunk, done in self._painted(able):
            try:
                self._handed(lane, chunk, lane.stream.give_out(done))
            except Exception as error:  # as above
                self._failed(lane, chunk, error)

    def _painted(
        self, able: list[tuple[Lane, Chunk, Fresh]]
    ) -> list[tuple[Lane, Chunk, list[Painted]]]:
        """Blocks painted, together where there is room, else in halves."""
        if not able:
            return []
        try:
            return self._together(able)
        except Exception as error:  # as in _paint
            if len(able) > 1 and no_room(error):
                self.at_once = max(1, len(able) // 2)
                log.warning("wan.room players=%d at_once=%d", len(able), self.at_once)
                _give_back()
                parts = able[: self.at_once], able[self.at_once :]
                return [done for part in parts for done in self._painted(part)]
            for lane, chunk, _ in able:
                self._failed(lane, chunk, error)
            return []

    def _together(
        self, able: list[tuple[Lane, Chunk, Fresh]]
    ) -> list[tuple[Lane, Chunk, list[Painted]]]:
        whole = [lane.stream.painter for lane, _, _ in able]
        painters = [painter for painter in whole if isinstance(painter, Sequential)]
        if len(painters) < len(able):
            return [
                (lane, chunk, lane.stream.painter.paint(new.latents, new.scale, new.first))
                for lane, chunk, new in able
            ]
        made = paint_together(self.rig.model, painters, [new for _, _, new in able])
        self.chunks += len(made)
        return [(lane, chunk, [done]) for (lane, chunk, _), done in zip(able, made, strict=True)]

    def _handed(self, lane: Lane, chunk: Chunk, out: list[Out]) -> None:
        """Give frames back, each of the shape of the frame that it was painted over."""
        shape = chunk.shapes[-1]
        pictures = to_pixels([one.frame for one in out], shape)
        lane.came([Finished(one.tick, p) for one, p in zip(out, pictures, strict=True)])

    def _failed(self, lane: Lane, chunk: Chunk, error: Exception) -> None:
        """The chunk goes back as it came, and the stream begins anew."""
        room = no_room(error)
        why = "out of memory" if room else f"{type(error).__name__}: {error}"
        log.error("wan.failed why=%s", why)
        self.failures += 1
        lost = {*lane.stream.forget(), *chunk.ticks}
        if room:
            _give_back()
        lane.came([Finished(tick, None, why) for tick in sorted(lost)])

    def _ask(self, prompt: str, style: str) -> "Future[Tensor]":
        asked = self._words.submit(self.rig.embedding, prompt, style)
        asked.add_done_callback(lambda _: self._wake())
        return asked

    def _wake(self) -> None:
        with self._there:
            self._there.notify()

    def _leave(self, lane: Lane) -> None:
        with self._there:
            if lane in self._lanes:
                self._lanes.remove(lane)


def no_room(error: Exception) -> bool:
    """Whether this is a lack of memory, on a card or here."""
    kinds = (torch.OutOfMemoryError, MemoryError)
    return isinstance(error, kinds) or "can't allocate memory" in str(error)


def _give_back() -> None:
    """Return cached memory to the card."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
