"""Where the time goes: the parts add up, the server's clock may be anywhere, silence is borne."""

import pytest

from streaming.stages import StageClock, pack_times, unpack_times

MS = 1_000_000


def lived(offset_ns: int, tell: bool = True) -> dict[str, float]:
    """100 frames: 3 ms encode, 8 up, 20 backend, 8 down, 2 decode, after a jittery start."""
    now = [0]
    clock = StageClock(lambda: now[0])
    told = []
    for i in range(100):
        drawn = i * 33 * MS
        extra = (i % 7) * MS // 2
        points = [3, 8, 20, 8, 2]
        now[0] = drawn + points[0] * MS
        clock.sent(2 * i, drawn)
        received = now[0] + points[1] * MS + extra
        sent = received + points[2] * MS
        now[0] = sent + points[3] * MS
        clock.received(2 * i)
        now[0] += points[4] * MS
        clock.decoded(2 * i)
        told.append((2 * i, received + offset_ns, sent + offset_ns))
    if tell:
        clock.told(unpack_times(pack_times(told)))
    return clock.reading()


@pytest.mark.parametrize("offset_ns", [0, 7_000_000_000_000, -3_000_000_000])
def test_the_parts_are_found_whatever_the_servers_clock_says(offset_ns: int) -> None:
    found = lived(offset_ns)
    assert found["encode"] == 3
    assert found["backend"] == 20
    assert found["decode"] == 2
    assert found["downlink"] == pytest.approx(8, abs=0.1)
    assert found["uplink"] == pytest.approx(9.5, abs=0.1)


def test_without_the_servers_word_the_way_stays_whole() -> None:
    found = lived(0, tell=False)
    assert set(found) == {"encode", "uplink", "decode"}
    assert found["uplink"] == pytest.approx(37.5, abs=0.1)


def test_nonsense_from_the_server_is_nothing() -> None:
    assert unpack_times("2,3 x,y,z") == []
    assert unpack_times("") == []
