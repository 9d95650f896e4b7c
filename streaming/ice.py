"""How two ends find each other: STUN and TURN, candidates as they turn up, and whom not to call.

The library gathers everything before it says anything; a dead STUN server costs it five seconds.
Here hosts are offered at once and the rest trickles. Candidates of the far side pass a guard: who
is outside may not make us knock at inner addresses. Owns every private member of aioice it touches.
"""

import asyncio
import ipaddress
import logging
import re
from collections.abc import Callable
from typing import Any

import aioice.ice
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtcicetransport import candidate_from_aioice, parse_stun_turn_uri
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

from streaming import dns
from streaming.errors import ServerUnreachable
from streaming.ice_config import IceConfig

log = logging.getLogger(__name__)

LATE_S = 8.0  # for STUN and TURN to answer; nobody waits for them
RELAY_S = 5.0  # where nothing but a relay will do
MOST_CANDIDATES = 32

OnCandidate = Callable[[dict[str, Any] | None], None]
"""Told each late candidate as the protocol writes it, and None after the last."""


async def configuration(config: IceConfig) -> RTCConfiguration:
    """For the library, with names resolved here: its own way blocks threads that others need."""
    servers = []
    for uri in config.servers:
        parsed = parse_stun_turn_uri(uri)
        try:
            found = await dns.resolve(str(parsed["host"]))
        except (OSError, TimeoutError) as error:
            log.warning("ice.unresolved server=%s why=%s", uri, error)
            continue
        address = str(found[0][4][0])
        ours = uri.replace(str(parsed["host"]), f"[{address}]" if ":" in address else address, 1)
        login = (config.username, config.credential) if uri.startswith("turn") else (None, None)
        servers.append(RTCIceServer(ours, *login))
    policy = RTCIceTransportPolicy.RELAY if config.relay_only else RTCIceTransportPolicy.ALL
    return RTCConfiguration(iceServers=servers, iceTransportPolicy=policy)


def trickle(transceiver: Any, on_candidate: OnCandidate) -> None:
    """Let the transceiver's connection gather hosts alone, and tell the rest as it comes.

    Call before the local description is set. Where only a relay will do, gathering waits for it.
    """
    ice = transceiver.receiver.transport.transport
    connection = ice.iceGatherer._connection
    stock, close = connection.get_component_candidates, connection.close
    tasks: list[asyncio.Task[None]] = []

    async def hosts_first(component: int, addresses: list[str], timeout: int = 5) -> list[Any]:
        if connection._transport_policy == aioice.ice.TransportPolicy.RELAY:
            relays: list[Any] = await stock(component, addresses, RELAY_S)
            if not relays:
                host, port = connection.turn_server or ("?", 0)
                why = "gives no relay: look at its login (stream.turn_user) and whether it answers"
                raise ServerUnreachable(f"TURN {host}:{port}", why)
            on_candidate(None)
            return relays
        outside = (connection.stun_server, connection.turn_server)
        connection.stun_server = connection.turn_server = None
        hosts: list[Any] = await stock(component, addresses)
        connection.stun_server, connection.turn_server = outside
        tasks.append(asyncio.ensure_future(_rest(connection, component, on_candidate)))
        return hosts

    async def close_all() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await close()

    connection.get_component_candidates, connection.close = hosts_first, close_all


async def _rest(connection: Any, component: int, on_candidate: OnCandidate) -> None:
    """What STUN and TURN add to the hosts, one by one."""
    work = [
        asyncio.ensure_future(aioice.ice.server_reflexive_candidate(p, connection.stun_server))
        for p in list(connection._protocols)
        if connection.stun_server and ipaddress.ip_address(p.local_candidate.host).version == 4
    ]
    if connection.turn_server:
        work.append(
            asyncio.ensure_future(
                aioice.ice.relayed_candidate(
                    component=component,
                    hide_related_address=False,
                    protocol_factory=lambda: aioice.ice.StunProtocol(connection),
                    turn_server=connection.turn_server,
                    turn_username=connection.turn_username,
                    turn_password=connection.turn_password,
                    turn_ssl=connection.turn_ssl,
                    turn_transport=connection.turn_transport,
                )
            )
        )
    try:
        for done in asyncio.as_completed(work, timeout=LATE_S):
            try:
                candidate, protocol = await done
            except TimeoutError:
                raise
            except Exception as error:  # refused, unreachable, wrong password
                log.info("ice.late error=%r", error)
                continue
            connection._local_candidates.append(candidate)
            if protocol is not None:
                _join(connection, protocol)
            on_candidate(_written(candidate))
    except TimeoutError:
        log.info("ice.late unanswered_s=%.0f", LATE_S)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    on_candidate(None)


def _join(connection: Any, protocol: Any) -> None:
    """Pair a relay that came late with the far side's candidates, and try the pairs."""
    connection._protocols.append(protocol)
    for remote in connection._remote_candidates:
        connection._pair_remote_candidate(remote)
    connection.sort_check_list()
    if connection._early_checks_done and not connection._check_list_done:
        for pair in [p for p in connection._check_list if p.protocol is protocol]:
            connection.check_state(pair, aioice.ice.CandidatePair.State.WAITING)
            connection.check_start_task(pair)


def _written(candidate: Any) -> dict[str, Any]:
    text = candidate_to_sdp(candidate_from_aioice(candidate))
    return {"candidate": f"candidate:{text}", "sdpMid": "0", "sdpMLineIndex": 0}


def open_ended(sdp: str) -> str:
    """A description that does not claim that all candidates are in it."""
    return re.sub(r"a=end-of-candidates\r?\n", "", sdp)


class Guard:
    """What the far side may make us call. far: its address as seen here, '' if unknown.

    private None: inner addresses are allowed to those who are themselves at one.
    """

    def __init__(self, far: str, private: bool | None = None) -> None:
        address = _address(far)
        inside = address is not None and not address.is_global
        self._private = inside if private is None else private
        self._loopback = self._private and (address is None or address.is_loopback)
        self._taken = 0
        self.dropped = 0

    def allows(self, host: str) -> bool:
        """Whether an address may be called."""
        address = _address(host)
        if address is None:
            return self._private and host.endswith(".local") and len(host) < 64  # mDNS, RFC 8828
        if address.is_multicast or address.is_unspecified or address.is_reserved:
            return False
        if address.is_loopback:
            return self._loopback
        return self._private or address.is_global

    def candidate(self, message: dict[str, Any] | None) -> Any:
        """The candidate of a message for the library; None ends them. ValueError: not for use."""
        if message is None or not message.get("candidate"):
            return None
        _, _, text = str(message["candidate"]).partition(":")
        self._count(text)
        candidate = candidate_from_sdp(text)
        candidate.sdpMid = message.get("sdpMid")
        candidate.sdpMLineIndex = message.get("sdpMLineIndex")
        return candidate

    def description(self, sdp: str) -> str:
        """A description without the candidates that are not to be used."""
        kept = []
        for line in sdp.splitlines():
            if line.startswith("a=candidate:"):
                try:
                    self._count(line.removeprefix("a=candidate:"))
                except ValueError:
                    continue
            kept.append(line)
        return "\r\n".join(kept) + "\r\n"

    def _count(self, text: str) -> None:
        fields = text.split()
        self._taken += 1
        if self._taken > MOST_CANDIDATES:
            self.dropped += 1
            raise ValueError(f"more than {MOST_CANDIDATES} candidates")
        if len(fields) < 8 or not self.allows(fields[4]):
            self.dropped += 1
            raise ValueError("a candidate at an address that is not to be called")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
