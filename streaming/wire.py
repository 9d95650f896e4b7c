"""The `direct` signalling protocol: every message as a value, parsed and checked in one place.

Names and fields are those Decart published until 2026; what is ours alone begins with `sd.`.
Unknown types are ignored, malformed messages raise WireMalformed. Knows no socket.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin

from streaming.errors import WireMalformed

LARGEST_MESSAGE = 4 << 20
_LARGEST_TEXT = {
    "sdp": 65536,
    "prompt": 8192,
    "image_data": 3 << 20,
    "block": 1 << 20,
    "frames": 1 << 16,
}
_SECRET = re.compile(r"((?:api_key|token|resume)=)[^&\s'\"]+")


@dataclass(frozen=True, slots=True)
class Offer:
    TYPE: ClassVar[str] = "offer"
    sdp: str


@dataclass(frozen=True, slots=True)
class Answer:
    TYPE: ClassVar[str] = "answer"
    sdp: str


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """candidate: {candidate, sdpMid, sdpMLineIndex}, or None after the last one."""

    TYPE: ClassVar[str] = "ice-candidate"
    candidate: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SessionId:
    TYPE: ClassVar[str] = "session_id"
    session_id: str
    server_ip: str = ""
    server_port: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """style, seed and from_tick are ours: how to paint, and from which tick on."""

    TYPE: ClassVar[str] = "prompt"
    prompt: str
    enhance_prompt: bool = True
    style: str = field(default="", metadata={"wire": "sd.style"})
    seed: int = field(default=0, metadata={"wire": "sd.seed"})
    from_tick: int = field(default=-1, metadata={"wire": "sd.from_tick"})


@dataclass(frozen=True, slots=True)
class PromptAck:
    """from_tick is ours: the first tick that is painted with it."""

    TYPE: ClassVar[str] = "prompt_ack"
    prompt: str
    success: bool
    error: str | None = None
    from_tick: int = field(default=-1, metadata={"wire": "sd.from_tick"})


@dataclass(frozen=True, slots=True)
class SetImage:
    TYPE: ClassVar[str] = "set_image"
    image_data: str | None = None
    image_ref: str | None = None
    prompt: str | None = None
    enhance_prompt: bool = True


@dataclass(frozen=True, slots=True)
class SetImageAck:
    TYPE: ClassVar[str] = "set_image_ack"
    success: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class GenerationStarted:
    TYPE: ClassVar[str] = "generation_started"


@dataclass(frozen=True, slots=True)
class GenerationTick:
    TYPE: ClassVar[str] = "generation_tick"
    seconds: float


@dataclass(frozen=True, slots=True)
class GenerationEnded:
    TYPE: ClassVar[str] = "generation_ended"
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueuePosition:
    TYPE: ClassVar[str] = "queue_position"
    position: int
    queue_size: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The server has what it needs; of no use to us."""

    TYPE: ClassVar[str] = "ready"


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """A TURN server that the client may use."""

    TYPE: ClassVar[str] = "turn_config"
    urls: list[Any]
    username: str = ""
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LiveKitJoin:
    """Of the `livekit` transport: ask for a room. client_capabilities: {"frame_timing": true}."""

    TYPE: ClassVar[str] = "livekit_join"
    passthrough: bool = False
    client_capabilities: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveKitRoomInfo:
    """Of the `livekit` transport: the room to join, and the key to it."""

    TYPE: ClassVar[str] = "livekit_room_info"
    livekit_url: str
    token: str = field(repr=False)
    room_name: str
    session_id: str


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    TYPE: ClassVar[str] = "error"
    error: str


@dataclass(frozen=True, slots=True)
class Hello:
    """Ours. The server returns each frame's tick: RTP timestamp = tick * 1500, origin zero."""

    TYPE: ClassVar[str] = "sd.hello"
    v: int
    backend: str
    journal_key: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Ours. resume: a secret of this seat, so that only its holder can take it up again.

    journal_n: the first journal block that the client has not. tick: about where it is.
    """

    TYPE: ClassVar[str] = "sd.ticket"
    ticket: dict[str, Any]
    resume: str
    journal_n: int = 0
    tick: int = 0


@dataclass(frozen=True, slots=True)
class Seated:
    """Ours. The ticket was good; media may start."""

    TYPE: ClassVar[str] = "sd.seated"
    session: str


@dataclass(frozen=True, slots=True)
class Seed:
    """Ours. The scenario's seed of the run, said once its first frame has come."""

    TYPE: ClassVar[str] = "sd.seed"
    seed: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """Ours. The client's running hash (hex) of its inputs up to tick."""

    TYPE: ClassVar[str] = "sd.inputs"
    tick: int
    chain: str


@dataclass(frozen=True, slots=True)
class JournalBlock:
    """Ours. One signed line of the journal."""

    TYPE: ClassVar[str] = "sd.journal"
    block: str


@dataclass(frozen=True, slots=True)
class Times:
    """Ours. When frames were received and sent, by the server's clock; see `stages`."""

    TYPE: ClassVar[str] = "sd.times"
    frames: str


@dataclass(frozen=True, slots=True)
class Bye:
    """Ours. The client ends its session for good: seal the journal."""

    TYPE: ClassVar[str] = "sd.bye"


Message = (
    Offer
    | Answer
    | IceCandidate
    | SessionId
    | Prompt
    | PromptAck
    | SetImage
    | SetImageAck
    | GenerationStarted
    | GenerationTick
    | GenerationEnded
    | QueuePosition
    | Ready
    | TurnConfig
    | LiveKitJoin
    | LiveKitRoomInfo
    | ErrorMessage
    | Hello
    | Ticket
    | Seated
    | Seed
    | Inputs
    | JournalBlock
    | Times
    | Bye
)
_KINDS: dict[str, type[Any]] = {kind.TYPE: kind for kind in get_args(Message)}


def pack(message: Message, ours: bool = True) -> str:
    """The message as JSON text. ours=False leaves out the `sd.` fields, for a foreign server."""
    out: dict[str, Any] = {"type": message.TYPE}
    for spec in fields(message):
        name = spec.metadata.get("wire", spec.name)
        value = getattr(message, spec.name)
        optional = isinstance(message, SetImage) and spec.name == "image_ref" and value is None
        if not optional and (ours or not name.startswith("sd.")):
            out[name] = value
    return json.dumps(out, separators=(",", ":"))


def parse(text: str | bytes) -> Message | None:
    """The message in `text`; None for a type this version does not know. Raises WireMalformed."""
    if len(text) > LARGEST_MESSAGE:
        raise WireMalformed("?", f"{len(text)} bytes are too many")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireMalformed("?", "is not JSON") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise WireMalformed("?", "has no type")
    kind = _KINDS.get(raw["type"])
    if kind is None:
        return None
    values: dict[str, Any] = {}
    for spec in fields(kind):
        name = spec.metadata.get("wire", spec.name)
        if name in raw:
            values[spec.name] = _checked(kind.TYPE, name, raw[name], spec.type)
    try:
        message: Message = kind(**values)
    except TypeError as error:
        raise WireMalformed(kind.TYPE, "lacks a field") from error
    return message


def _checked(kind: str, name: str, value: Any, wanted: Any) -> Any:
    if not any(_is_a(value, one) for one in _alternatives(wanted)):
        raise WireMalformed(kind, f"'{name}' has the wrong type")
    if isinstance(value, str) and len(value) > _LARGEST_TEXT.get(name, 4096):
        raise WireMalformed(kind, f"'{name}' is too long")
    if isinstance(value, int) and not -(1 << 53) <= value < 1 << 53:
        raise WireMalformed(kind, f"'{name}' is out of range")
    if isinstance(value, float) and not abs(value) < 1e15:
        raise WireMalformed(kind, f"'{name}' is out of range")
    if name == "candidate" and isinstance(value, Mapping):
        _check_candidate(value)
    if isinstance(value, list) and (
        len(value) > 8 or not all(isinstance(one, str) and len(one) < 256 for one in value)
    ):
        raise WireMalformed(kind, f"'{name}' is no short list of texts")
    return value


def _alternatives(wanted: Any) -> tuple[Any, ...]:
    return get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)


def _is_a(value: Any, wanted: Any) -> bool:
    kind = get_origin(wanted) or wanted
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _check_candidate(value: Mapping[str, Any]) -> None:
    text, mid, index = value.get("candidate"), value.get("sdpMid"), value.get("sdpMLineIndex")
    if not isinstance(text, str) or len(text) > 1024:
        raise WireMalformed("ice-candidate", "'candidate' is no text")
    if not isinstance(mid, str | None) or not isinstance(index, int | None):
        raise WireMalformed("ice-candidate", "'sdpMid' or 'sdpMLineIndex' has the wrong type")


def redacted(text: str) -> str:
    """`text` with the values of keys and tokens masked, fit for a log line or a message."""
    return _SECRET.sub(r"\1***", text)
