"""The receiver patch: frames leave with their last packet, holes heal or are given up in time."""

import random
from types import SimpleNamespace

import pytest
from aiortc.rtcrtpreceiver import NackGenerator
from aiortc.rtp import RtpPacket

from streaming import jitter
from streaming.jitter import (
    ASK_EVERY_S,
    ASK_TIMES,
    GIVE_UP_LATEST_S,
    GIVE_UP_S,
    STEP_S,
    PromptBuffer,
    Recovery,
    TapQueue,
)


def frame_packets(first: int, timestamp: int, count: int, key: bool = False) -> list[RtpPacket]:
    packets = []
    for i in range(count):
        start = b"\x10" if i == 0 else b"\x00"
        body = (b"\x00" if key else b"\x01") if i == 0 else bytes([i])
        packet = RtpPacket(sequence_number=(first + i) & 0xFFFF, timestamp=timestamp)
        packet.payload, packet._data = start + body, body
        packet.marker = int(i == count - 1)
        packets.append(packet)
    return packets


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def receiver() -> tuple[PromptBuffer, NackGenerator, Recovery, Clock]:
    clock, buffer, nacks = Clock(), PromptBuffer(wait_key=False), NackGenerator()
    return buffer, nacks, Recovery(buffer, nacks, clock), clock


def feed(buffer: PromptBuffer, nacks: NackGenerator, packets: list[RtpPacket]) -> list[bytes]:
    out = []
    for packet in packets:
        nacks.add(packet)
        frame = buffer.add(packet)[1]
        if frame is not None:
            out.append(frame.data)
        while (more := buffer.next_complete()) is not None:
            out.append(more.data)
    return out


def test_the_installed_release_behaves_as_the_patch_expects() -> None:
    assert jitter.self_check()


def test_a_release_that_changed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(PromptBuffer, "_remove_frame")  # as if the library called another name
    assert not jitter.self_check()


def test_a_frame_leaves_with_its_last_packet() -> None:
    buffer, nacks, _, _ = receiver()
    assert feed(buffer, nacks, frame_packets(65534, 3000, 3)[:2]) == []
    assert feed(buffer, nacks, frame_packets(65534, 3000, 3)[2:]) == [b"\x01\x01\x02"]


def test_without_a_marker_the_next_frame_releases_it() -> None:
    buffer, nacks, _, _ = receiver()
    packets = frame_packets(0, 3000, 2)
    packets[-1].marker = 0
    assert feed(buffer, nacks, packets) == []
    assert feed(buffer, nacks, frame_packets(2, 6000, 1)) == [b"\x01\x01", b"\x01"]


def test_any_order_within_reach_gives_the_same_frames() -> None:
    packets = [p for i in range(30) for p in frame_packets(i * 3, 3000 * i, 3)]
    expected = [b"\x01\x01\x02"] * 30
    shuffle = random.Random(3)
    late = sorted(range(1, 90), key=lambda i: i + shuffle.random() * 12)
    buffer, nacks, _, _ = receiver()
    assert feed(buffer, nacks, [packets[0], *[packets[i] for i in late]]) == expected


def test_only_a_key_frame_opens_the_stream() -> None:
    buffer, nacks = PromptBuffer(), NackGenerator()
    inter, key = frame_packets(0, 0, 2), frame_packets(2, 3000, 2, key=True)
    assert feed(buffer, nacks, [*inter, *key]) == [b"\x00\x01"]


def test_a_lost_packet_is_asked_for_at_a_measured_pace() -> None:
    buffer, nacks, recovery, clock = receiver()
    packets = frame_packets(0, 0, 3)
    feed(buffer, nacks, [packets[0], packets[2]])
    asked = 0
    for _ in range(int(ASK_EVERY_S * (ASK_TIMES + 5) / 0.01)):
        asked += recovery.due() == [1]
        clock.time += 0.01
    assert asked == ASK_TIMES


def blocked() -> tuple[PromptBuffer, NackGenerator, Recovery, Clock]:
    """A receiver whose first frame lacks its second packet."""
    parts = receiver()
    packets = frame_packets(0, 0, 3)
    feed(parts[0], parts[1], [packets[0], packets[2]])
    assert not parts[2].wants_key_frame()
    return parts


def test_a_hole_that_blocks_too_long_is_given_up_for_a_key_frame() -> None:
    buffer, nacks, recovery, clock = blocked()
    while clock.time < GIVE_UP_S - 0.01:
        recovery.due()
        assert not recovery.wants_key_frame()
        clock.time += STEP_S
    clock.time = GIVE_UP_S
    assert recovery.wants_key_frame()
    assert recovery.given_up == 1
    assert recovery.missing() == []
    assert feed(buffer, nacks, frame_packets(3, 3000, 2)) == []  # an inter frame is of no use
    assert feed(buffer, nacks, frame_packets(5, 6000, 2, key=True)) == [b"\x00\x01"]
    assert not recovery.wants_key_frame()


def test_a_machine_that_stood_still_asks_before_it_gives_up() -> None:
    buffer, nacks, recovery, clock = blocked()
    recovery.due()
    clock.time = GIVE_UP_S + 0.1  # nobody had a turn meanwhile
    assert not recovery.wants_key_frame()
    assert recovery.due() == [1]
    assert feed(buffer, nacks, frame_packets(0, 0, 3)[1:2]) == [b"\x01\x01\x02"]
    assert recovery.given_up == 0


def test_a_hole_is_not_waited_for_without_end_however_seldom_it_was_asked_for() -> None:
    _, _, recovery, clock = blocked()
    clock.time = GIVE_UP_LATEST_S
    assert recovery.wants_key_frame()
    assert recovery.given_up == 1


def test_a_hole_too_far_back_to_be_sent_again_is_given_up_at_once() -> None:
    buffer, nacks, recovery, clock = blocked()
    feed(buffer, nacks, [p for i in range(1, 100) for p in frame_packets(3 * i, 3000 * i, 3)])
    assert recovery.missing() == []  # the library tracks 128 packets
    clock.time = STEP_S  # waiting would only lengthen a black-out
    assert recovery.wants_key_frame()


def test_the_hole_is_timed_and_not_the_state() -> None:
    buffer, nacks, recovery, clock = receiver()
    feed(buffer, nacks, frame_packets(0, 0, 1))
    for i in range(20):  # always something missing, never the same for long
        first = 1 + i * 2
        one, two = frame_packets(first, 3000 * i, 2)
        feed(buffer, nacks, [two])
        recovery.wants_key_frame()
        clock.time += GIVE_UP_S / 2
        recovery.wants_key_frame()
        feed(buffer, nacks, [one])
    assert recovery.given_up == 0


def test_the_tap_shows_the_backlog_too() -> None:
    buffer = PromptBuffer(wait_key=False)
    seen: list[tuple[int, bytes]] = []
    frames = TapQueue(buffer, lambda timestamp, data, codec: seen.append((timestamp, data)))
    first, second, third = (frame_packets(i, 3000 * i, 1) for i in range(3))
    for packet in (*first, *third, *second):
        frame = buffer.add(packet)[1]
        if frame is not None:
            frames.put((SimpleNamespace(mimeType="video/VP8"), frame))
    frames.put(None)
    assert seen == [(0, b"\x01"), (3000, b"\x01"), (6000, b"\x01")]
    assert frames.qsize() == 4


def test_padding_that_probes_the_line_is_no_picture() -> None:
    buffer, nacks = PromptBuffer(), NackGenerator()
    padding = [RtpPacket(sequence_number=seq, timestamp=3000) for seq in (2, 3)]
    for packet in padding:
        packet.payload = packet._data = b""
    packets = [
        *frame_packets(0, 3000, 2, key=True),
        *padding,
        *frame_packets(4, 6000, 2),
        *frame_packets(6, 9000, 1),
    ]
    assert feed(buffer, nacks, packets) == [b"\x00\x01", b"\x01\x01", b"\x01"]
