"""Frames that are painted several at a time keep their ticks, their order and their pace."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from av import VideoFrame

from streaming import wire
from streaming.backends.base import Finished
from streaming.frames import Pixels
from streaming.painter import HUNG_S, TRY_AGAIN_S, Painter
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from streaming.relay import HURRY, TICK_S, Relay, Taken
from streaming.server import ServerConfig
from tests.streaming.rig import Game, ServerThread, rings
from tests.waiting import wait_for

CHUNK = 4


class ByFour:
    """A backend that paints four frames at a time, and fails while `ill`."""

    name, model, ill, room = "byfour", "byfour/1", "", True

    def __init__(self) -> None:
        self.chunks: list[list[int]] = []

    def warm(self, height: int, width: int) -> None: ...

    def painter(self) -> "ByFour":
        return self

    def told(self) -> str:
        return ""

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        raise AssertionError("a stream backend is fed through streams")

    def open(self, ready: Callable[[], None]) -> "FourStream":
        if not self.room:
            raise MemoryError("no room for one more")
        return FourStream(self, ready)


class FourStream:
    def __init__(self, backend: ByFour, ready: Callable[[], None]) -> None:
        self.backend, self.ready, self.dropped = backend, ready, 0
        self.waiting: list[tuple[int, Pixels]] = []
        self.out: list[Finished] = []
        self.mute = False

    def put(self, tick: int, frame: Pixels, prompt: str, seed: int, style: str = "") -> None:
        self.waiting.append((tick, frame))
        if len(self.waiting) == CHUNK and not self.mute:
            ill = self.backend.ill
            self.backend.chunks.append([tick for tick, _ in self.waiting])
            self.out += [Finished(t, None if ill else paint(f), ill) for t, f in self.waiting]
            self.waiting = []
            threading.Thread(target=self.ready).start()  # as from an engine of its own

    def take(self) -> list[Finished]:
        out, self.out = self.out, []
        return out

    def close(self) -> None:
        self.backend.closed = True  # type: ignore[attr-defined]


def paint(frame: Pixels) -> Pixels:
    """All but the barcode turned to its negative."""
    out = frame.copy()
    out[200:, :, :3] = 255 - out[200:, :, :3]
    return out


def taken(tick: int, at: float = 0.0) -> Taken:
    return Taken(tick, VideoFrame(8, 8, "yuv420p"), 0, b"", wire.Prompt("p", from_tick=-1), at)


def with_relay(story: Callable[[Relay, Painter, list[float], list[tuple[int, bool]]], Any]) -> None:
    async def main() -> None:
        clock, sent = [0.0], list[tuple[int, bool]]()

        async def deliver(one: Taken, styled: Pixels | None) -> None:
            sent.append((one.tick, styled is not None))

        painter = Painter(ByFour(), lambda: clock[0])
        relay = Relay(painter, asyncio.get_running_loop().create_task, deliver, lambda: clock[0])
        await story(relay, painter, clock, sent)
        relay.close()

    asyncio.run(main())


async def settled(sent: list[Any], count: int) -> None:
    while len(sent) < count:
        await asyncio.sleep(0)


def test_a_chunk_leaves_as_far_apart_as_it_was_taken() -> None:
    async def story(relay: Relay, painter: Painter, clock: list[float], sent: list[Any]) -> None:
        stream = painter.open(lambda: None)
        relay._stream = stream
        for tick in (2, 4, 6, 8):
            assert relay.put(taken(tick))
        found = [relay.next() for _ in range(4)]
        assert [one[1].tick for one in found if one] == [2, 4, 6, 8]
        waits = [one[0] for one in found if one]
        assert waits == pytest.approx([i * 2 * TICK_S * HURRY for i in range(4)])
        assert relay.next() is None

    with_relay(story)


def test_what_was_dropped_on_the_way_is_forgotten() -> None:
    async def story(relay: Relay, painter: Painter, clock: list[float], sent: list[Any]) -> None:
        stream = painter.open(lambda: None)
        assert stream is not None
        stream.mute = True  # type: ignore[attr-defined]
        relay._stream = stream
        for tick in (2, 4, 6, 8):
            relay.put(taken(tick))
        stream.out = [Finished(6, paint(np.zeros((8, 8, 4), np.uint8)))]  # type: ignore[attr-defined]
        found = relay.next()
        assert found is not None
        assert found[1].tick == 6
        assert list(relay._under_way) == [8]
        stream.dropped = 2
        relay.close()
        assert relay.dropped == 2

    with_relay(story)


def test_a_failed_chunk_goes_back_as_it_came_and_styling_returns() -> None:
    async def story(relay: Relay, painter: Painter, clock: list[float], sent: list[Any]) -> None:
        said: list[str] = []
        painter.listen(said.append)
        painter.backend.ill = "out of memory"  # type: ignore[attr-defined]
        assert all(relay.put(taken(tick)) for tick in (2, 4, 6, 8))
        await settled(sent, 4)
        assert sent == [(2, False), (4, False), (6, False), (8, False)]
        assert not relay.put(taken(10))  # it is left alone for a while
        assert said == ["backend failed, pictures pass unstyled: out of memory"]
        painter.backend.ill = ""  # type: ignore[attr-defined]
        clock[0] += TRY_AGAIN_S
        assert all(relay.put(taken(tick)) for tick in (12, 14, 16, 18))
        await settled(sent, 8)
        assert sent[4:] == [(12, True), (14, True), (16, True), (18, True)]
        assert said[1:] == ["backend is back, pictures are styled again"]

    with_relay(story)


def test_a_stream_that_cannot_be_opened_or_hangs_is_passed_by() -> None:
    async def story(relay: Relay, painter: Painter, clock: list[float], sent: list[Any]) -> None:
        painter.backend.room = False  # type: ignore[attr-defined]
        assert not relay.put(taken(2))
        assert "no room" in painter.down
        painter.backend.room = True  # type: ignore[attr-defined]
        clock[0] += TRY_AGAIN_S
        assert relay.put(taken(4, clock[0]))
        clock[0] += HUNG_S
        assert not relay.put(taken(6, clock[0]))
        assert f"{HUNG_S:.0f} s" in painter.down
        clock[0] += TRY_AGAIN_S
        assert relay.put(taken(8, clock[0]))

    with_relay(story)


@pytest.mark.network
@pytest.mark.flow
def test_through_the_server_every_chunk_keeps_its_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = ByFour()
    monkeypatch.setattr("streaming.server.make", lambda *_: backend)
    server = ServerThread(ServerConfig())
    with rings() as made:
        child = PeerThread(PeerConfig(server.url, "chunks"), made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 40)
        early = lambda: {tick for chunk in backend.chunks for tick in chunk[:-1]}  # noqa: E731
        wait_for(lambda: early() & set(game.styled), what="more than the last of a chunk on show")
        read = {tick: code for tick, code in game.styled.copy().items() if code is not None}
        assert len(read) > len(game.styled) / 2
        assert all(code == tick & 0xFFFF for tick, code in read.items())
        backend.ill = "out of memory"
        seen = max(game.styled)
        wait_for(lambda: max(game.styled) > seen + 60, what="pictures in spite of it")
        child.stop()
        game.stop()
    server.stop()
    assert getattr(backend, "closed", False)
