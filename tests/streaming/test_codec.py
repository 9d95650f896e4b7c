"""Our encoders and decoder: both codecs, key frames when wanted, and sizes that are not decoded."""

from types import SimpleNamespace

import pytest

from streaming.codec import (
    LARGEST_SIDE,
    SizeRefused,
    TickDecoder,
    TickEncoder,
    is_key,
    picture_of,
    vp8_size,
)
from tests.streaming.rig import barcode, picture


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_what_is_encoded_comes_back_with_its_tick(codec: str) -> None:
    encoder, decoder = TickEncoder(2_000_000, codec=codec), TickDecoder()
    keys = []
    for tick in range(0, 24, 2):
        if tick == 12:
            encoder._key_at = 0.0
            encoder.want_key()
        data = encoder.compress(picture_of(picture(tick), tick))
        (frame,) = decoder.decode(codec, tick * 1500, data)
        assert frame.pts == tick * 1500
        assert barcode(frame.to_ndarray(format="bgra")) == tick
        keys.append(is_key(codec, data))
    assert [i for i, key in enumerate(keys) if key] == [0, 6]
    payloads, timestamp = encoder.pack((22, data))
    assert timestamp == 33_000
    assert max(map(len, payloads)) <= 1300


def test_key_frames_come_at_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [5.0]
    hands = SimpleNamespace(monotonic=lambda: now[0], perf_counter=lambda: now[0])
    monkeypatch.setattr("streaming.codec.time", hands)
    encoder = TickEncoder(2_000_000)
    keys = []
    for tick in range(0, 20, 2):  # asked for ten times in a third of a second
        encoder.want_key()
        keys.append(is_key("vp8", encoder.compress(picture_of(picture(tick), tick))))
        now[0] += 1 / 30
    assert [tick for tick, key in zip(range(0, 20, 2), keys, strict=True) if key] == [0, 10]


def test_a_new_rate_takes_effect_and_gaps_do_not_make_frames_larger() -> None:
    def mean(bitrate: int, every: int) -> float:
        encoder = TickEncoder(bitrate)
        sizes = [
            len(encoder.compress(picture_of(picture(i * 2), i * 2 * every))) for i in range(40)
        ]
        return sum(sizes[10:]) / 30

    assert mean(2_000_000, 1) > 1.5 * mean(500_000, 1)
    assert mean(500_000, 6) == mean(500_000, 1)


def test_pictures_that_lie_about_their_size_are_not_decoded() -> None:
    data = bytearray(TickEncoder(500_000).compress(picture_of(picture(0), 0)))
    assert vp8_size(bytes(data)) == (480, 480)
    data[6:10] = b"\xff\x3f\xff\x3f"  # 16383 x 16383: half a gigabyte
    with pytest.raises(SizeRefused, match=str(LARGEST_SIDE)):
        TickDecoder().decode("vp8", 0, bytes(data))


@pytest.mark.parametrize("data", [b"\x00garbage", b"\x10\x02\x00\x9d\x01\x2a" + bytes(4)])
def test_nonsense_does_not_decode_and_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match="does not decode"):
        TickDecoder().decode("vp8", 0, data)


def test_an_unknown_codec_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="choose from: vp8, h264"):
        TickEncoder(1_000_000, codec="av1")
