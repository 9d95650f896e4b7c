"""Keys and mouse into Controls: bindings as data, integer ramps a tick, so events alone decide.

Owns the bindings. Reports and obeys bound controls only; knows no window and no clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from game.world.controls import HANDBRAKE, HORN, UNIT, Camera, Controls, Gear


@dataclass(frozen=True, slots=True)
class RawInput:
    """One event of a bound control. t_ns: monotonic time of the poll. kind: key, axis, look, focus.

    code: the physical key, mouse-x, mouse-y, or what an axis does: steer, throttle, brake, look-x,
    look-y. value: 1 down, 0 up, movement in `unit`, or of an axis an integer of 1000. src: pad,
    wheel, stick or mouse; '' for the window.
    """

    t_ns: int
    kind: str
    code: str
    value: float
    unit: str = ""
    synthetic: bool = False
    src: str = ""


class Deed(Enum):
    """What a key means."""

    LEFT = "left"
    RIGHT = "right"
    THROTTLE = "throttle"
    BRAKE = "brake"
    HANDBRAKE = "handbrake"
    HORN = "horn"
    SIREN = "siren"
    REVERSE = "reverse"
    CAMERA = "camera"
    LOOK = "look"
    STYLED = "toggle-styled"
    PEEK = "peek"
    LESS_DREAM = "less-dream"
    MORE_DREAM = "more-dream"
    GRAPH = "latency-graph"
    TYPE = "type-prompt"
    NEXT_STYLE = "next-style"
    PREVIOUS_STYLE = "previous-style"
    PAUSE = "pause-recording"
    QUIT = "quit"


BINDINGS: Mapping[str, Deed] = {
    "a": Deed.LEFT,
    "arrow_left": Deed.LEFT,
    "d": Deed.RIGHT,
    "arrow_right": Deed.RIGHT,
    "w": Deed.THROTTLE,
    "arrow_up": Deed.THROTTLE,
    "s": Deed.BRAKE,
    "arrow_down": Deed.BRAKE,
    "space": Deed.HANDBRAKE,
    "h": Deed.HORN,
    "n": Deed.SIREN,
    "r": Deed.REVERSE,
    "c": Deed.CAMERA,
    "mouse3": Deed.LOOK,
    "v": Deed.STYLED,
    "q": Deed.PEEK,
    "-": Deed.LESS_DREAM,
    "=": Deed.MORE_DREAM,
    "g": Deed.GRAPH,
    "t": Deed.TYPE,
    "]": Deed.NEXT_STYLE,
    "[": Deed.PREVIOUS_STYLE,
    "p": Deed.PAUSE,
    "escape": Deed.QUIT,
}
COMMANDS = (
    Deed.SIREN,
    Deed.STYLED,
    Deed.LESS_DREAM,
    Deed.MORE_DREAM,
    Deed.GRAPH,
    Deed.TYPE,
    Deed.NEXT_STYLE,
    Deed.PREVIOUS_STYLE,
    Deed.PAUSE,
    Deed.QUIT,
)


def rebound(text: str, bindings: Mapping[str, Deed] = BINDINGS) -> dict[str, Deed]:
    """`bindings` changed by 'key=deed, key=deed'. Raises ValueError that says what there is.

    A deed keeps its other keys; 'key=none' frees a key.
    """
    out = dict(bindings)
    known = {deed.value: deed for deed in Deed}
    for part in filter(None, (each.strip() for each in text.split(","))):
        code, _, name = (piece.strip() for piece in part.rpartition("="))
        if not code or (name not in known and name != "none"):
            raise ValueError(f"'{part}': write key=deed, with one of none, {', '.join(known)}")
        out.pop(code, None)
        if name != "none":
            out[code] = known[name]
    return out


# per tick, of 1000: how fast a held or released key moves the wheel and the pedals
_STEER_ON, _STEER_BACK, _STEER_THROUGH = 26, 44, 60
_PEDAL_ON, _PEDAL_OFF, _BRAKE_ON = 40, 90, 70
_LOOK_PER_PX, _LOOK_BACK = 4, 60  # [0.1 degree]
_YAW, _PITCH = 1800, 600
_AXIS_STEER, _AXIS_PEDAL = 120, 250
"""A hand on a wheel or stick is quicker than a key, and no hand is quicker than this."""


def approach(value: int, wanted: int, pace: int) -> int:
    """`value` moved towards `wanted` by at most `pace`."""
    return min(value + pace, wanted) if value < wanted else max(value - pace, wanted)


class Mapper:
    """Holds what is pressed, and wheel and pedals; the same events give the same Controls."""

    def __init__(self, bindings: Mapping[str, Deed] = BINDINGS) -> None:
        self._bindings = bindings
        self._down: set[str] = set()
        self._steer = self._throttle = self._brake = self._yaw = self._pitch = 0
        self._gear, self._camera = Gear.DRIVE, Camera.CHASE
        self._axes: dict[str, int] = {}
        self._tick: int | None = None
        self._commands: list[str] = []

    def feed(self, events: Iterable[RawInput]) -> None:
        """Take in events in their order; unbound ones are ignored."""
        for event in events:
            if event.kind == "look":
                self._look(event)
            elif event.kind == "axis":
                self._axes[event.code] = max(-UNIT, min(UNIT, round(event.value)))
            elif event.kind == "key" and event.code in self._bindings:
                self._press(event)

    def _press(self, event: RawInput) -> None:
        if not event.value:
            self._down.discard(event.code)
            return
        repeat = event.code in self._down
        self._down.add(event.code)
        deed = self._bindings[event.code]
        if repeat:
            return
        if deed is Deed.REVERSE:
            self._gear = Gear.DRIVE if self._gear == Gear.REVERSE else Gear.REVERSE
        elif deed is Deed.CAMERA:
            self._camera = Camera.HOOD if self._camera == Camera.CHASE else Camera.CHASE
        elif deed in COMMANDS:
            self._commands.append(deed.value)

    def _look(self, event: RawInput) -> None:
        step = round(event.value) * _LOOK_PER_PX
        if event.code == "mouse-x":
            self._yaw = max(-_YAW, min(_YAW, self._yaw - step))
        elif event.code == "mouse-y":
            self._pitch = max(-_PITCH, min(_PITCH, self._pitch - step))

    def peeking(self) -> bool:
        """Whether the key that shows the game itself is held."""
        return self._held(Deed.PEEK)

    def _held(self, deed: Deed) -> bool:
        return any(self._bindings[code] is deed for code in self._down)

    def commands(self) -> tuple[str, ...]:
        """Commands given since the last call, by the values of their deeds."""
        given, self._commands = tuple(self._commands), []
        return given

    def controls(self, tick: int) -> Controls:
        """Controls of this tick; ramps advance once for every tick since the last call."""
        for _ in range(1 if self._tick is None else max(tick - self._tick, 0)):
            self._advance()
        self._tick = tick
        flags = HANDBRAKE * self._held(Deed.HANDBRAKE) | HORN * self._held(Deed.HORN)
        return Controls(
            steer=self._steer,
            throttle=self._throttle,
            brake=self._brake,
            gear=int(self._gear),
            flags=flags,
            look_yaw=self._yaw,
            look_pitch=self._pitch,
            camera=int(self._camera),
        )

    def _advance(self) -> None:
        self._steer = self._steered()
        gas, stop = self._held(Deed.THROTTLE), self._held(Deed.BRAKE)
        self._throttle = self._pressed(self._throttle, gas, "throttle", _PEDAL_ON)
        self._brake = self._pressed(self._brake, stop, "brake", _BRAKE_ON)
        if not self._held(Deed.LOOK):
            aside, up = self._axes.get("look-x", 0), self._axes.get("look-y", 0)
            self._yaw = approach(self._yaw, aside * _YAW // UNIT, _LOOK_BACK)
            self._pitch = approach(self._pitch, up * _PITCH // UNIT, _LOOK_BACK)

    def _steered(self) -> int:
        """A held key turns the wheel; else an axis does, where one was ever moved."""
        left, right = self._held(Deed.LEFT), self._held(Deed.RIGHT)
        if not left and not right and "steer" in self._axes:
            return approach(self._steer, self._axes["steer"], _AXIS_STEER)
        wanted = UNIT * (int(left) - int(right))
        if wanted == 0:
            pace = _STEER_BACK
        elif wanted * self._steer < 0:
            pace = _STEER_THROUGH
        else:
            pace = _STEER_ON
        return approach(self._steer, wanted, pace)

    def _pressed(self, value: int, held: bool, axis: str, pace: int) -> int:
        """A pedal: fully down by a key, or as far as its axis says."""
        if held:
            return approach(value, UNIT, pace)
        if axis in self._axes:
            return approach(value, max(0, self._axes[axis]), _AXIS_PEDAL)
        return approach(value, 0, _PEDAL_OFF)
