"""States told against the ones before them: not a bit is lost, and nothing hostile gets through."""

import functools
import random
import struct
import zlib

import pytest

from game.errors import SessionCorrupt
from game.session import tickcode, tickfile
from game.session.format import TICKS
from game.session.reader import Session
from game.session.ticks import Ticks
from game.world.digest import pack_state
from game.world.state import WorldState
from game.world.step import step
from scenarios.driver import Bot
from scenarios.free import free_stage

HOW = {tickcode.KEY: "key", tickcode.CHANGE: "change", tickcode.ROWS: "rows"}


@functools.cache
def living() -> tuple[WorldState, ...]:
    """Three seconds of a city that lives, people coming and going."""
    from game.atlas.load import load

    city = load()
    staged = free_stage(city, "West 42nd Street & 7th Avenue", 3, "full")
    bot, states = Bot(staged, city), [staged.state]
    for _ in range(180):
        states.append(step(city, states[-1], bot.controls(states[-1])))
    return tuple(states)


def told(packed: list[bytes]) -> list[tuple[int, bytes]]:
    encoder = tickcode.Encoder()
    return [encoder.encode(each) for each in packed]


def untold(coded: list[tuple[int, bytes]]) -> list[bytes]:
    out: list[bytes] = []
    last = earlier = None
    for how, payload in coded:
        now = tickcode.decode(how, payload, last, earlier)
        earlier, last = (None if how == tickcode.KEY else last), now
        out.append(now)
    return out


def test_a_living_city_comes_back_bit_for_bit_in_a_tenth_of_its_size():
    packed = [pack_state(state) for state in living()]
    assert len({len(each) for each in packed}) > 1, "nobody came or went: a weak case"
    coded = told(packed)
    assert [HOW[how] for how, _ in coded[:3]] == ["key", "rows", "rows"]
    assert coded[60][0] == coded[120][0] == tickcode.KEY
    assert untold(coded) == packed
    assert sum(len(payload) for _, payload in coded) < sum(map(len, packed)) / 10


def test_bytes_of_any_shape_come_back():
    chance = random.Random(3)
    packed = [chance.randbytes(chance.randrange(0, 900)) for _ in range(150)]
    packed[40:44] = [pack_state(state) for state in living()[:4]]
    coded = told(packed)
    assert {how for how, _ in coded} == {tickcode.KEY, tickcode.CHANGE, tickcode.ROWS}
    assert untold(coded) == packed


def test_any_tick_in_any_order(tmp_path):
    states = living()
    coder = tickfile.TickEncoder()
    path = tmp_path / TICKS
    path.write_bytes(tickfile.header() + b"".join(coder.encode(s, s.tick * 10) for s in states))
    ticks = Ticks(path, states[0].cast)
    order = [*range(len(states)), 5, 179, 60, 59, 61, 0, 130, 130, 129]
    for tick in order:
        assert ticks[tick] == states[tick]
        assert ticks.record(tick).t_ns == tick * 10
    ticks.close()


def test_a_session_of_layout_1_reads_as_before(record, city):
    """Format version 1 stored every state plainly; its recordings stay good."""
    folder = record(70)
    with Session.open(folder) as session:
        stored = session.ticks()
        plain = [(stored.record(t).packed, stored.record(t).t_ns) for t in range(len(stored))]
        states = tuple(stored)
    out = tickfile.HEADER.pack(tickfile.MAGIC, 1, 1, tickfile.PLAIN)
    for tick, (packed, t_ns) in enumerate(plain):
        body = struct.pack("<IQ", tick, t_ns) + packed
        framed = struct.pack("<I", len(body)) + body
        out += framed + struct.pack("<I", zlib.crc32(framed))
    assert len(out) > (folder / TICKS).stat().st_size
    (folder / TICKS).write_bytes(out)
    with Session.open(folder) as session:
        assert tuple(session.ticks()) == states


@pytest.mark.parametrize("how", [tickcode.KEY, tickcode.CHANGE, tickcode.ROWS, 9])
def test_noise_is_refused_and_never_grows(how):
    last, earlier = (pack_state(state) for state in living()[5:3:-1])
    chance = random.Random(how)
    for payload in (b"", b"x", zlib.compress(bytes(50 << 20)), zlib.compress(b"ab") + b"more"):
        with pytest.raises(ValueError):
            tickcode.decode(how, payload, last, earlier)
    for _ in range(60):
        payload = zlib.compress(chance.randbytes(chance.randrange(2, 400)))
        if how in (tickcode.ROWS, 9):
            with pytest.raises(ValueError):
                tickcode.decode(how, payload, last, earlier)


def test_a_state_that_stands_on_nothing_is_corrupt(tmp_path):
    coder = tickfile.TickEncoder()
    records = [coder.encode(state, 0) for state in living()[:3]]
    path = tmp_path / TICKS
    head = tickfile.encode(living()[0], 0)
    path.write_bytes(tickfile.header() + head + records[1] + records[2])
    assert Ticks(path)[2].ego == living()[2].ego
    change = tickcode.Encoder()
    change.encode(b"1")
    how, payload = change.encode(b"2")
    assert how == tickcode.CHANGE
    path.write_bytes(tickfile.header() + tickfile._framed(0, 0, how, payload))
    with pytest.raises(SessionCorrupt, match="told in a way"):
        Ticks(path)[0]
