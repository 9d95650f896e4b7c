"""The way to the model and back, as the game holds it: two rings, a pipe, and a peer that may die.

Nothing here waits. A peer that is gone is started again on the same rings.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.errors import SettingsError
from game.play.intake import ServiceUnreachable
from game.play.prompt import Style
from game.session.format import JOURNAL, CaptureProfile
from game.settings import StreamSettings
from streaming.address import address_of
from streaming.frames import Frame
from streaming.gauges import Gauges
from streaming.ice_config import IceConfig
from streaming.peer_config import PeerConfig
from streaming.peer_process import PeerProcess, PeerThread
from streaming.ring import FifoRing, LatestRing
from streaming.seed import HOLD_TICK

SEED_S = 20.0
"""How long a run waits for its seed; a queue before the stream counts."""
HOLD_GREY = 64


class SeedWithheld(ServiceUnreachable):
    """The stream server gives out no seed for this run, so nothing can be driven for pay."""

    def __str__(self) -> str:
        return f"the stream server at {self.url} released no seed for this run ({self.why})"


def dial(stream: StreamSettings) -> dict[str, Any]:
    """What the settings say of the way to the server, as PeerConfig takes it.

    Raises SettingsError, ModelUnknown, and LiveKitMissing where the extra is not installed.
    """
    servers = [f"stun:{stream.stun}"] if stream.stun else []
    if stream.turn:
        told = stream.turn.startswith(("turn:", "turns:"))
        servers.append(stream.turn if told else f"turn:{stream.turn}")
    try:
        password = stream.turn_password.reveal()
        ice = IceConfig(tuple(servers), stream.turn_user, password, stream.relay_only)
    except ValueError as error:
        raise SettingsError("stream.turn", "value", str(error)) from error
    if stream.transport == "livekit":
        from streaming.livekit_room import library

        library()
    if stream.transport == "livekit" or stream.size:
        from streaming.models import native

        native(stream.model, stream.size)
    return {
        "api_key": stream.api_key.reveal(),
        "bitrate": stream.bitrate,
        "codec": stream.codec,
        "transport": stream.transport,
        "model": stream.model,
        "size": stream.size,
        "ice": ice,
    }


class Link:
    """Frames out, newest styled frame in. Owns its rings; `encoded` belongs to the tape, if any.

    Without a tape nobody reads the encoded frames: a ring of one byte refuses them all.
    """

    def __init__(
        self,
        url: str,
        session: str,
        ticket: Mapping[str, Any],
        capture: CaptureProfile,
        encoded: FifoRing | None,
        *,
        folder: Path | None = None,
        dial: Mapping[str, Any] | None = None,
        thread: bool = False,
        restart: bool = True,
    ) -> None:
        size = (capture.height, capture.width)
        self._spare: FifoRing | None = None
        if encoded is None:
            encoded = self._spare = FifoRing.create("spare", 1, 1)
        self._source = LatestRing.create("source", *size)
        self._styled = LatestRing.create("styled", *size)
        config = PeerConfig(
            url=url,
            session=session,
            ticket=dict(ticket),
            journal_path=folder / JOURNAL if folder is not None else None,
            **(dial or {}),
        )
        kind = PeerThread if thread else PeerProcess
        self._peer = kind(config, self._source, self._styled, encoded)
        self._url, self._restart, self._started = url, restart, False
        self.restarts = 0
        self.prompts = 0

    @property
    def pid(self) -> int:
        """Process id of the peer, 0 where it is a thread or gone."""
        return getattr(self._peer, "pid", None) or 0

    def start(self) -> None:
        """Let the peer connect; returns at once."""
        self._peer.start()
        self._started = True

    def released_seed(
        self, limit_s: float = SEED_S, alive: Callable[[float, float], None] | None = None
    ) -> int:
        """Show the server a hold picture and wait for the seed that it releases then.

        alive: called all the while with how long so far and at most [s]; what it raises ends the
        wait. Raises SeedWithheld where no seed comes in time.
        """
        self.send(HOLD_TICK, time.monotonic_ns(), np.full(self._source.shape, HOLD_GREY, np.uint8))
        began, reading = time.monotonic(), self.gauges()
        while reading.seed < 0:
            waited = time.monotonic() - began
            if alive is not None:
                alive(waited, limit_s)
            if waited > limit_s or reading.state == "refused":
                raise SeedWithheld(address_of(self._url), reading.detail or reading.state)
            self.revive()
            time.sleep(0.01)
            reading = self.gauges()
        return reading.seed

    def send(self, tick: int, drawn_ns: int, picture: NDArray[np.uint8]) -> None:
        """Offer a captured picture (h, w, 4) BGRA; a newer one replaces it if it is not taken."""
        self._source.put(tick, drawn_ns, picture)

    def newest(self, after_tick: int) -> Frame | None:
        """The newest styled frame if it is newer than `after_tick`."""
        return self._styled.get(after_tick)

    def set_prompt(self, text: str, style: Style) -> int:
        """Ask for this from now on and return the number that frames made from it will carry."""
        self.prompts += 1
        self._peer.set_prompt(text, style.name, number=self.prompts)
        return self.prompts

    def commit(self, tick: int, inputs: bytes) -> None:
        """Tell the server's journal the running hash of the inputs."""
        self._peer.commit(tick, inputs)

    def gauges(self) -> Gauges:
        """The newest reading."""
        return self._peer.gauges()

    def reading(self) -> dict[str, Any]:
        """The newest reading as plain values, for the event log."""
        return {**dataclasses.asdict(self.gauges()), "restarts": self.restarts}

    def revive(self) -> bool:
        """Start the peer again if it has died; True when it had to be."""
        if not self._started or not self._restart or self._peer.alive():
            return False
        self.restarts += 1
        self._peer.start()
        return True

    def waiting(self, tick: int) -> bool:
        """True while frames up to `tick` may still come back."""
        reading = self.gauges()
        return reading.connected and self._styled.latest_tick < tick

    def close(self) -> Gauges:
        """End the stream in good order and give the rings back. Returns the last reading."""
        last = self._peer.stop()
        self._source.close()
        self._styled.close()
        if self._spare is not None:
            self._spare.close()
        return last
