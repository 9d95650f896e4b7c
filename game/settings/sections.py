"""What can be set, section by section, with each default and its bounds. Secrets print as ***.

Sections that configure one part alone live beside it, and are only named here.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from game.errors import SettingsError
from game.play.app.preference import AppSettings
from game.play.gear import DeviceSettings
from game.session.format import EDGES, CaptureProfile
from rewards.settings import RewardsSettings


class Secret:
    """A value that never prints. Call `reveal` at the adapter that sends it, nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "***" if self._value else "''"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class PathSettings:
    """Where things are kept."""

    data: Path = field(default_factory=lambda: Path(platformdirs.user_data_dir("scale-diffusion")))
    """sessions, keys, the embedded server's files"""
    pack: Path = Path()
    """a city pack: 'midtown', 'manhattan' or a folder made by city build ('' = midtown)"""

    @property
    def sessions(self) -> Path:
        """The folder that holds one folder per recorded session."""
        return self.data / "sessions"


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """How driving starts."""

    window: str = "auto"
    """auto, window or offscreen"""
    driver: str = "human"
    """human or bot"""
    scenario: str = ""
    """the first scenario; '' goes through the library"""
    seed: int = 0
    """0 draws a new one for every scenario"""
    ghost: str = ""
    """a shared drive, or a session's folder, to race in its scenario and seed"""
    free: bool = False
    """drive where you like instead of a scenario"""
    place: str = "West 42nd Street & 7th Avenue"
    """the crossing that a free drive starts at"""
    city: str = "full"
    """how much traffic and how many people a free drive has: none, light or full"""
    seconds: float = 0.0
    """ends each drive after so long; 0: only its outcome or the player ends it"""
    restart_children: bool = True
    """start the peer and the recorder again when they die"""
    keys: str = ""
    """changed keys: 'f=peek, -=none'; deeds as docs/streaming-players.md lists them"""

    def __post_init__(self) -> None:
        _one_of("play.window", self.window, ("auto", "window", "offscreen"))
        _one_of("play.driver", self.driver, ("human", "bot"))
        _one_of("play.city", self.city, ("none", "light", "full"))
        for part in filter(None, (each.strip() for each in self.keys.split(","))):
            if not all(piece.strip() for piece in part.rpartition("=")):
                raise SettingsError("play.keys", part, "write it as key=deed, key=deed")


@dataclass(frozen=True, slots=True)
class GraphicsSettings:
    """How the captured picture is drawn; a session keeps what it was drawn with."""

    edges: str = "smooth"
    """smooth or hard; smooth ones cost a processor about 1.5 ms a frame"""

    def __post_init__(self) -> None:
        _one_of("graphics.edges", self.edges, EDGES)

    @property
    def profile(self) -> CaptureProfile:
        """The capture profile of a new session."""
        return CaptureProfile(edges=self.edges)


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """The diffusion stream."""

    url: str = ""
    """WebSocket address of a stream server; '' starts one on this machine, 'off' drives without"""
    api_key: Secret = field(default_factory=Secret)
    """sent to the stream server"""
    backend: str = "auto"
    """of the server that is started here; auto: tiny where it keeps the pace, filter elsewhere"""
    style: str = "day"
    """the first style"""
    mode: str = "auto"
    """process, thread or auto"""
    bitrate: int = 2_500_000
    """of the picture on its way there and back [bit/s], 300000 .. 10000000"""
    transport: str = "direct"
    """direct to a server of this project, or livekit to Decart's service (extra: livekit)"""
    codec: str = "vp8"
    """vp8 or h264, of what is sent"""
    model: str = "lucy-restyle-latest"
    """which remote model; of the livekit transport, and of a direct one with a size"""
    size: str = ""
    """of a remote model that the table lacks: 1280x704@30; 'native': the table's; ':crop' behind
    it fills the model's frame instead of letterboxing"""
    stun: str = ""
    """STUN server of the direct transport: host:port"""
    turn: str = ""
    """TURN server of the direct transport: host:port, turns:host:port for TLS"""
    turn_user: str = ""
    """user name at the TURN server"""
    turn_password: Secret = field(default_factory=Secret)
    """password at the TURN server"""
    relay_only: bool = False
    """go through the TURN server or not at all"""

    def __post_init__(self) -> None:
        _one_of("stream.transport", self.transport, ("direct", "livekit"))
        _one_of("stream.codec", self.codec, ("vp8", "h264"))
        if self.transport == "livekit" and self.url == "":
            raise SettingsError("stream.url", "livekit", "name the service, or set it to off")
        if self.relay_only and not self.turn:
            raise SettingsError("stream.relay_only", "turn", "needs stream.turn")
        _one_of("stream.mode", self.mode, ("auto", "process", "thread"))
        if not 300_000 <= self.bitrate <= 10_000_000:
            raise SettingsError("stream.bitrate", "range", "must lie in 300000 .. 10000000 bit/s")


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What is kept of a drive."""

    enabled: bool = True
    """off: nothing is written, nothing is paid"""
    source: str = "near-lossless"
    """near-lossless or lossless pictures of the game itself"""
    fine_times: bool = False
    """true: you agree that pynput also listens, to bound keys while the window has the focus"""

    def __post_init__(self) -> None:
        _one_of("record.source", self.source, ("near-lossless", "lossless"))


@dataclass(frozen=True, slots=True)
class WalletSettings:
    """Who is paid."""

    address: str = ""
    """Solana address; '' binds sessions to a claim id kept on this machine"""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The rewards service."""

    url: str = ""
    """address of a rewards service; '' starts one on this machine, 'off' keeps sessions here"""
    policy: str = "demo"
    """payout policy of the service that is started here"""
    slot_ms: int = 100
    """slot time of the local devnet [ms], 10 .. 1000"""

    def __post_init__(self) -> None:
        if not 10 <= self.slot_ms <= 1000:
            raise SettingsError("rewards.slot_ms", "range", "must lie in 10 .. 1000 ms")


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Where `update` looks; it never looks unasked."""

    url: str = ""
    """address of the signed announcement; '' = the one this copy was built with"""
    keys: tuple[str, ...] = ()
    """public release keys that are believed, hex; () = those this copy was built with"""


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """How an unattended kiosk runs."""

    drive: str = "free"
    """what a visitor drives: free (from play.place, in the traffic of play.city) or scenarios"""
    run_s: int = 180
    """a visitor drives at most so long, 10 .. 3600"""
    idle_s: int = 25
    """a run that nobody steers ends after so long, 11 .. 600"""
    claim_s: int = 60
    """how long the last screen with the code stays, 5 .. 600"""
    attract_s: int = 90
    """the bot drives so long before it begins another scenario, 10 .. 3600"""
    style_s: int = 8
    """the look of what the bot drives changes so often, 3 .. 600"""
    host: str = ""
    """public address of the rewards service that the QR code leads to; '' = rewards.url"""
    code_days: int = 30
    """a visitor's code is good for so long, 1 .. 60"""
    clip_s: float = 8.0
    """length of the visitor's clip, 0 = none"""
    spare: bool = True
    """a second booth waits with the city in memory, so that a dead one is replaced in a moment"""
    staff_host: str = "127.0.0.1"
    """where the status page listens: this machine alone, or an address of the staff's network"""
    staff_port: int = 8770
    """its port; 0 = any that is free"""
    staff_code: Secret = field(default_factory=Secret)
    """6 to 12 digits that close and open the kiosk at its own keyboard; '' = that cannot be done"""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("run_s", 10, 3600), ("idle_s", 11, 600), ("claim_s", 5, 600), ("attract_s", 10, 3600),
            ("style_s", 3, 600), ("code_days", 1, 60), ("clip_s", 0, 60), ("staff_port", 0, 65535),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"kiosk.{name}", "range", f"must lie in {low} .. {high}")
        _one_of("kiosk.drive", self.drive, ("free", "scenarios"))
        code = self.staff_code.reveal()
        if code and not (code.isascii() and code.isdigit() and 6 <= len(code) <= 12):
            raise SettingsError("kiosk.staff_code", "value", "write 6 to 12 digits")


@dataclass(frozen=True, slots=True)
class Settings:
    """All sections."""

    paths: PathSettings = field(default_factory=PathSettings)
    play: PlaySettings = field(default_factory=PlaySettings)
    graphics: GraphicsSettings = field(default_factory=GraphicsSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
    record: RecordSettings = field(default_factory=RecordSettings)
    wallet: WalletSettings = field(default_factory=WalletSettings)
    rewards: ServerSettings = field(default_factory=ServerSettings)
    server: RewardsSettings = field(default_factory=RewardsSettings)
    update: UpdateSettings = field(default_factory=UpdateSettings)
    kiosk: KioskSettings = field(default_factory=KioskSettings)
    app: AppSettings = field(default_factory=AppSettings)
    devices: DeviceSettings = field(default_factory=DeviceSettings)


PROFILES: dict[str, dict[str, dict[str, Any]]] = {
    "player": {},
    "qa": {"play": {"window": "offscreen", "driver": "bot"}, "rewards": {"url": "off"}},
    "kiosk": {"play": {"window": "window"}},
}


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(key, "value", f"'{value}' is not one of {', '.join(allowed)}")
