"""Ticks as timestamps, the encoder's tap, the bad line, seats, luma prints and gauges."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from streaming.address import address_of
from streaming.codec import KEY_EVERY_S, PTS_PER_TICK, TIME_BASE, TickEncoder, tick_of
from streaming.errors import TicketRefused
from streaming.gauges import Meter, Percentiles
from streaming.impairment import BadLine, Impairment
from streaming.luma import cells_of, luma_print
from streaming.peer import PeerConfig
from streaming.rtc import TickClock, is_loopback
from streaming.seatbook import SeatBook
from streaming.server import ServerConfig
from tests.streaming.rig import barcode, picture


def test_ticks_survive_the_wrap_of_the_timestamp() -> None:
    clock = TickClock()
    ticks = [t * 997 for t in range(12_000)]
    assert [tick_of(clock.unwrap(t * PTS_PER_TICK & 0xFFFFFFFF)) for t in ticks] == ticks


def test_a_late_start_is_placed_by_the_hint() -> None:
    tick = 5_000_000
    clock = TickClock((tick - 600) * PTS_PER_TICK)
    assert tick_of(clock.unwrap(tick * PTS_PER_TICK & 0xFFFFFFFF)) == tick
    assert tick_of(2999) == tick_of(3000) == tick_of(3001) == 2


def test_the_encoder_shows_what_it_sends_and_the_barcode_survives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [50.0]
    held = SimpleNamespace(monotonic=lambda: now[0], perf_counter=time.perf_counter)
    monkeypatch.setattr("streaming.codec.time", held)
    shown: list[tuple[int, bytes]] = []
    encoder = TickEncoder(2_500_000, 30, lambda tick, data: shown.append((tick, data)))
    decoder = av.CodecContext.create("libvpx", "r")
    encoder.target_bitrate = 100_000  # what a receiver estimates changes nothing
    assert encoder.target_bitrate == 2_500_000
    for tick in range(100, 120, 2):
        frame = av.VideoFrame.from_ndarray(picture(tick), format="bgra")
        frame.pts, frame.time_base = tick * PTS_PER_TICK, TIME_BASE
        if tick == 110:
            now[0] += 2 * KEY_EVERY_S  # the last one is that long ago; at 104 it has just left
        payloads, timestamp = encoder.encode(frame, force_keyframe=tick in (104, 110))
        assert timestamp == tick * PTS_PER_TICK
        assert shown[-1][0] == tick
        assert sum(map(len, payloads)) > len(shown[-1][1])
        (decoded,) = decoder.decode(av.Packet(shown[-1][1]))
        assert barcode(decoded.to_ndarray(format="bgra")) == tick
    keys = [tick for tick, data in shown if not data[0] & 1]
    assert keys == [100, 110]


def test_luma_prints_are_means_of_cells() -> None:
    luma = np.arange(480 * 480, dtype=np.uint32).reshape(480, 480) % 251
    cells = np.frombuffer(cells_of(luma.astype(np.uint8)), np.uint8).reshape(16, 16)
    for row, column in ((0, 0), (3, 9), (15, 15)):
        block = luma[row * 30 : row * 30 + 30, column * 30 : column * 30 + 30]
        assert cells[row, column] == int(block.mean())
    grey = np.full((90, 70, 4), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(grey, format="bgra").reformat(format="yuv420p")
    print_ = luma_print(frame)
    assert len(print_) == 256
    assert set(print_) <= {125, 126, 127}  # video range: 16 + 219 / 255 * 128


def test_the_bad_line_repeats_itself_and_keeps_order() -> None:
    what = Impairment(loss=0.3, delay=0.01, jitter=0.05, seed=5)
    runs = [[line.leaves_at(100, i * 0.001) for i in range(500)] for line in (BadLine(what),) * 1]
    again = [BadLine(what)]
    assert runs[0] == [again[0].leaves_at(100, i * 0.001) for i in range(500)]
    times = [at for at in runs[0] if at is not None]
    assert times == sorted(times)
    assert 0.2 < 1 - len(times) / 500 < 0.4
    pipe = BadLine(Impairment(rate=80_000, queue=0.1))
    passed = [pipe.leaves_at(1000, 0.0) for _ in range(10)]
    assert passed[:2] == [0.1, 0.2]
    assert passed[2:] == [None] * 8
    down = BadLine(Impairment())
    down.up = False
    assert down.leaves_at(1, 0.0) is None


class Holder:
    def __init__(self) -> None:
        self.closed = ""

    async def close(self, why: str) -> None:
        self.closed = why


def test_a_seat_goes_to_its_secret_and_outlives_the_server(tmp_path: Path) -> None:
    async def story() -> None:
        book = SeatBook(2, tmp_path)
        first, second, thief = Holder(), Holder(), Holder()
        await book.claim("s", "secret", first)
        with pytest.raises(TicketRefused, match="in use"):
            await book.claim("s", "guess", thief)
        await book.claim("s", "secret", second)
        assert "taken over" in first.closed
        book.leave("s", first)
        assert len(book) == 1
        with pytest.raises(TicketRefused, match="in use"):
            await SeatBook(2, tmp_path).claim("s", "guess", thief)
        await SeatBook(2, tmp_path).claim("s", "secret", second)

    asyncio.run(story())


def test_who_waits_is_told_and_seated_in_order() -> None:
    async def story() -> None:
        book, told = SeatBook(1, None), []
        holder = Holder()
        await book.claim("a", "x", holder)

        async def wait(name: str) -> None:
            async def tell(position: int, size: int) -> None:
                told.append((name, position, size))

            await book.wait_for_room(tell)
            await book.claim(name, "x", Holder())

        one = asyncio.ensure_future(wait("one"))
        await asyncio.sleep(0)
        two = asyncio.ensure_future(wait("two"))
        await asyncio.sleep(0)
        assert told == [("one", 1, 1), ("two", 2, 2)]
        book.leave("a", holder)
        await asyncio.wait_for(one, 120)
        assert not two.done()
        two.cancel()

    asyncio.run(story())


def test_percentiles_are_measured_values() -> None:
    assert Percentiles.of(range(101)) == Percentiles(50, 95, 99)
    assert Percentiles.of([]) == Percentiles(0, 0, 0)
    time = [0.0]
    meter = Meter(lambda: time[0])
    for _ in range(60):
        meter.add(10.0)
        time[0] += 1 / 30
    assert meter.rate() == pytest.approx(30)
    assert meter.sum_rate() == pytest.approx(300)
    time[0] += 60
    assert meter.values() == []


def test_addresses_lose_their_secrets() -> None:
    assert address_of("ws://h:1") == "ws://h:1/v1/stream"
    assert address_of("http://user:pw@h/v2?api_key=1") == "ws://h/v2"
    assert is_loopback("127.0.0.5")
    assert is_loopback("localhost")
    assert not is_loopback("example.org")


def test_senseless_configurations_are_refused() -> None:
    with pytest.raises(ValueError, match="frames/s"):
        PeerConfig("ws://h", "s", fps=0)
    with pytest.raises(ValueError, match="seat"):
        ServerConfig(players=0)
    with pytest.raises(ValueError, match="negative"):
        Impairment(delay=-1)
