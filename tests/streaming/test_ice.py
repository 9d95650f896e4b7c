"""Whom the far side may make us call, what is offered when, and names that are never resolved."""

import asyncio
import socket
import threading
import time

import pytest
from aiortc import RTCPeerConnection

from streaming import dns, rtc
from streaming.ice import MOST_CANDIDATES, Guard, configuration, open_ended, trickle
from streaming.ice_config import IceConfig
from streaming.track import EncodedTrack


def line(host: str, kind: str = "host") -> str:
    return f"1 1 udp 2130706431 {host} 50000 typ {kind}"


@pytest.mark.parametrize(
    ("far", "host", "allowed"),
    [
        ("8.8.8.8", "9.9.9.9", True),
        ("8.8.8.8", "10.0.0.1", False),
        ("8.8.8.8", "192.168.1.1", False),
        ("8.8.8.8", "169.254.169.254", False),
        ("8.8.8.8", "127.0.0.1", False),
        ("8.8.8.8", "::1", False),
        ("8.8.8.8", "fd00::1", False),
        ("8.8.8.8", "::ffff:10.0.0.1", False),
        ("8.8.8.8", "printer.local", False),
        ("8.8.8.8", "intranet.example.org", False),
        ("10.0.0.9", "10.0.0.1", True),
        ("10.0.0.9", "127.0.0.1", False),
        ("10.0.0.9", "6f1e.local", True),
        ("10.0.0.9", "intranet.example.org", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "224.0.0.1", False),
        ("127.0.0.1", "0.0.0.0", False),
        ("", "10.0.0.1", False),
    ],
)
def test_inner_addresses_are_for_those_inside(far: str, host: str, allowed: bool) -> None:
    assert Guard(far).allows(host) is allowed


def test_the_operator_may_decide_otherwise() -> None:
    assert Guard("8.8.8.8", private=True).allows("10.0.0.1")
    assert not Guard("127.0.0.1", private=False).allows("127.0.0.1")


def test_candidates_are_counted_and_dropped_from_descriptions_too() -> None:
    guard = Guard("8.8.8.8")
    sdp = f"v=0\r\na=candidate:{line('10.0.0.1')}\r\na=candidate:{line('9.9.9.9')}\r\na=x\r\n"
    assert guard.description(sdp) == f"v=0\r\na=candidate:{line('9.9.9.9')}\r\na=x\r\n"
    for _ in range(MOST_CANDIDATES - 2):
        guard.candidate({"candidate": f"candidate:{line('9.9.9.9')}", "sdpMid": "0"})
    with pytest.raises(ValueError, match="more than"):
        guard.candidate({"candidate": f"candidate:{line('9.9.9.9')}", "sdpMid": "0"})
    assert guard.dropped == 2
    assert guard.candidate(None) is None


def test_senseless_servers_are_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match="write stun"):
        IceConfig(("http://nowhere",))
    with pytest.raises(ValueError, match="at most one"):
        IceConfig(("stun:a", "stun:b"))
    with pytest.raises(ValueError, match="needs a TURN"):
        IceConfig(("stun:a",), relay_only=True)
    assert "word" not in repr(IceConfig(("turn:a",), "user", "word"))
    told = IceConfig(("stun:a",)).told(("turn:b",), "user", "word")
    assert told.servers == ("stun:a", "turn:b")
    assert told.told(("turn:c",), "", "") is told  # what is set here stays


@pytest.mark.network
def test_hosts_are_offered_at_once_and_a_dead_stun_server_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streaming.ice.LATE_S", 3600.0)  # the offer waits for none of it
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))  # takes questions, never answers
    port = dead.getsockname()[1]

    async def gather() -> tuple[list[object], str]:
        config = await configuration(IceConfig((f"stun:127.0.0.1:{port}",)))
        connection = rtc.connection(config)
        transceiver = connection.addTransceiver(EncodedTrack(), direction="sendrecv")
        found: list[object] = []
        trickle(transceiver, found.append)
        with rtc.on_loopback(True):
            await connection.setLocalDescription(await connection.createOffer())
        so_far, sdp = found.copy(), connection.localDescription.sdp
        await connection.close()
        return so_far, sdp

    found, sdp = asyncio.run(gather())
    dead.close()
    assert found == [], "it still waits for the answer while the offer goes out"
    assert "typ host" in sdp
    assert "end-of-candidates" not in open_ended(sdp)


@pytest.mark.network
def test_late_candidates_trickle_and_then_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.ice.LATE_S", 0.3)

    async def gather() -> list[object]:
        config = await configuration(
            IceConfig(
                (
                    "stun:127.0.0.1:9",
                    "turn:127.0.0.1:9",
                )
            )
        )
        connection: RTCPeerConnection = rtc.connection(config)
        transceiver = connection.addTransceiver(EncodedTrack(), direction="sendrecv")
        found: list[object] = []
        ended = asyncio.Event()

        def take(candidate: object) -> None:
            found.append(candidate)
            if candidate is None:
                ended.set()

        trickle(transceiver, take)
        with rtc.on_loopback(True):
            await connection.setLocalDescription(await connection.createOffer())
        await asyncio.wait_for(ended.wait(), 120)
        await connection.close()
        return found

    assert asyncio.run(gather()) == [None]


def test_a_resolver_that_hangs_costs_what_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(600)  # who waited for it would hang
        raise OSError("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def story() -> None:
        for _ in range(dns.MOST_HANGING):
            with pytest.raises(TimeoutError, match="not resolved"):
                await dns.resolve("stuck.example.org", limit_s=0.05)
        with pytest.raises(TimeoutError, match="not even tried"):
            await dns.resolve("stuck.example.org", limit_s=0.05)
        assert (await dns.resolve("127.0.0.1", 7))[0][4] == ("127.0.0.1", 7)

    try:
        asyncio.run(story())
    finally:
        release.set()
    for _ in range(12_000):  # the slots come back
        if dns._hanging._value == dns.MOST_HANGING:
            break
        time.sleep(0.01)
    assert dns._hanging._value == dns.MOST_HANGING
