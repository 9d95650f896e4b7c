"""How a player's end connects: one picklable value, checked when it is made."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streaming.ice_config import IceConfig
from streaming.impairment import Impairment

TRANSPORTS = ("direct", "livekit")


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """How a peer connects. Picklable.

    url: ws://host:port, with or without path. session, ticket: of the run; {} makes a plain one.
    resume: secret of the seat; give a restarted peer the same config. journal_path: where the
    server's signed blocks are appended. prompt..number: in force from the first frame. fps, bitrate
    [bit/s], codec: of what is sent, at most and where the server takes it. nice: lowers the
    process's priority. patched False runs the library as it is, and impairment spoils the line:
    for measurements. transport: direct or livekit, the latter with model and, where the table does
    not know it, size (see models.native). A direct server that is not ours gets pictures of the
    game's size, or of `model` where a size is given.
    """

    url: str
    session: str
    ticket: Mapping[str, Any] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)
    resume: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    journal_path: Path | None = None
    prompt: str = ""
    style: str = ""
    enhance: bool = False
    seed: int = 0
    number: int = 0
    fps: int = 30
    bitrate: int = 2_500_000
    nice: int = 0
    patched: bool = True
    impairment: Impairment | None = None
    codec: str = "vp8"
    transport: str = "direct"
    model: str = "lucy-restyle-latest"
    size: str = ""
    ice: IceConfig = IceConfig()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 120 or not 100_000 <= self.bitrate <= 50_000_000:
            raise ValueError("a peer sends 1..120 frames/s at 0.1..50 Mbit/s")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"no transport '{self.transport}'; choose: {', '.join(TRANSPORTS)}")
        if self.transport == "livekit" or self.size:
            from streaming.models import native

            native(self.model, self.size)  # raises ModelUnknown
