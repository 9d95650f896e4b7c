"""The recording format: names, versions, records. One table for whoever writes or reads.

A session is a folder of append-only files, all of them joined by the tick:

    session.json    Manifest, the first file, written whole              by play
    inputs.jsonl    one InputEvent or one change of controls a line      by play
    ticks.bin       header, then one record for every tick               by play
    events.jsonl    prompts, styles, backend, gauges, contacts, outcome  by play
                    ({"k":"prompt","tick","number","prompt","style"}, {"k":"shown","frame","tick"})
    journal.jsonl   the stream server's signed blocks, as received       by the peer
    frames.bin      header, then one FrameRecord for every frame stored  by the recorder
    source-0000.mkv near-lossless pictures, ticks as timestamps          by the recorder
    check-0000.mkv  one lossless picture a second of the same track      by the recorder
    styled-0000.mkv the bitstream as it was received, remuxed            by the recorder
    end.json        how it ended, whole, only after a clean stop         by play

`image[t]` shows the state before `action[t]`: the controls that the step from t to t+1 consumed.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

FORMAT_VERSION = 2
"""2: `ticks.bin` in layout 2, a twentieth of the size. Sessions of version 1 read as before."""

MANIFEST = "session.json"
INPUTS = "inputs.jsonl"
TICKS = "ticks.bin"
EVENTS = "events.jsonl"
JOURNAL = "journal.jsonl"
FRAMES = "frames.bin"
END = "end.json"


class TrackId(IntEnum):
    """Which pictures a frame record speaks of. Further styled tracks count up from STYLED."""

    SOURCE = 0
    CHECK = 1
    STYLED = 2


class Pairing(IntEnum):
    """How a styled frame found the source frame that it was made from."""

    NONE = 0  # a source or check frame, or a styled one that a loss before it makes undecodable
    EXACT = 1  # the server returned the tick
    ESTIMATED = 2  # from picture motion; has a confidence


WEATHERS = ("clear", "overcast", "rain", "fog")
EDGES = ("hard", "smooth")


@dataclass(frozen=True, slots=True)
class CaptureProfile:
    """The fixed look of the captured picture. Size [px], rate [frames/s], lens [degree, m].

    hour: time of day that is drawn, 0 to 24, whatever the clock says. weather: one of WEATHERS.
    edges: one of EDGES, of the colours alone; sessions that do not say were drawn with hard ones.
    """

    width: int = 480
    height: int = 480
    every_ticks: int = 2
    fov_degrees: float = 70.0
    near: float = 0.3
    far: float = 500.0
    effects: str = "full"
    version: int = 1
    hour: float = 13.0
    weather: str = "clear"
    edges: str = "smooth"


@dataclass(frozen=True, slots=True)
class Driver:
    """Who drove, as declared. kind: human, bot or agent. name: of the device, bot or program."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `session.json` holds. Written once, before the first tick."""

    session: str  # id: 26 characters of Crockford base32, sorts by time
    created: str  # ISO 8601, UTC
    build: str  # version of the program
    world_version: int
    pack: str  # name of the city pack
    pack_digest: str
    scenario: str
    scenario_digest: str
    seed: int
    tick_hz: int
    driver: Driver
    backend: str  # of the stream server: filter, tiny, wan, none ...
    payee: str = ""  # wallet address, or
    claim: str = ""  # claim id, where no wallet was given
    renderer: str = ""
    capture: CaptureProfile = CaptureProfile()
    devices: tuple[str, ...] = ()
    consent: str = "none"  # version of the text that the player agreed to
    source_codec: str = "near-lossless"  # or lossless
    ticket: dict[str, Any] = field(default_factory=dict)  # the signed run ticket, as received
    tracks: dict[str, dict[str, str]] = field(default_factory=dict)  # licence, provenance of each
    clock: dict[str, int] = field(default_factory=dict)  # monotonic_ns, unix_ns at the start
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One raw event of a bound control, as it came from the device.

    t_ns: monotonic time of the poll. tick_seen: the tick that polled it; tick_applied: the first
    whose step used it. kind: key, button, axis, look, wheel, focus. code: physical key or axis.
    """

    seq: int
    t_ns: int
    src: str
    tick_seen: int
    tick_applied: int
    kind: str
    code: str
    value: float
    unit: str = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One stored frame. tick: of the state it shows (for styled: of the source it was made from).

    packet: its index in `segment`. size [byte]. sha256 of the encoded frame. t_ns: monotonic time
    of drawing or of receipt. shown: tick at which the player first saw it, -1 never.
    prompt: index of the prompt event in force. seed: of the model's noise.
    """

    track: int
    tick: int
    segment: int
    packet: int
    size: int
    t_ns: int
    sha256: bytes
    pairing: int = Pairing.NONE
    confidence: float = 1.0
    shown: int = -1
    prompt: int = -1
    seed: int = 0
    key: bool = False


@dataclass(frozen=True, slots=True)
class FramePair:
    """A source frame and the styled frame that was made from it. tick: of the state both show.

    prompt, style: the texts in force when the styled frame was made, '' where none is known.
    """

    tick: int
    source: FrameRecord
    styled: FrameRecord
    pairing: Pairing
    confidence: float = 1.0
    prompt: str = ""
    style: str = ""
