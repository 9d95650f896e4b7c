"""The socket protocol by which anyone's driver, in any language, takes the wheel.

JSON objects, one a line, UTF-8, over TCP on 127.0.0.1. `scenario run --driver socket:PORT` listens;
the driver connects, once for all cases. What it hears and what it answers:

    <- {"type":"hello","protocol":1,"tick_hz":60}
    <- {"type":"begin","scenario","title","seed","limit","duration_ticks","route":[[x,y],...],
        "goals":[{"x","y","radius"}],
        "stops":[{"title","x","y","radius","stand_ticks","by_tick"}],"ego":{"body","length","width","wheelbase"}}
    -> {"type":"ready"}
    <- {"type":"state","tick","ego":{"x","y","heading","speed","steer"},
        "actors":[{"id","kind","body","length","width","x","y","heading","speed"}],
        "lights":[{"s","x","y","shows"}],"collisions"}
    -> {"steer":-1000..1000,"throttle":0..1000,"brake":0..1000,"gear":-1|0|1,"flags":0..3,"hold":1}
    <- ... state and answer, until ...
    <- {"type":"end","success","reason","cause","tick","collisions"}
    <- the next "begin", or {"type":"bye"}

Metres, seconds, radians; x east, y north, angles anticlockwise from east; steer is positive to the
left. Every key of an answer has a default (0, gear 1, hold 1). `hold` keeps the answer for so many
ticks (1..60) without asking again. The world waits for the answer, at most ANSWER_S seconds: a slow
driver drives as well as a fast one. An answer that breaks these rules ends the run with an error
that quotes it. The same answers give the same drive, bit for bit.
"""

import json
import socket
from contextlib import suppress
from typing import Any

from game.world.city import City
from game.world.controls import IDLE, Controls
from game.world.entity import BODIES, EntityState
from game.world.signals import light
from game.world.state import WorldState
from game.world.version import TICK_HZ
from scenarios.errors import DriverGone
from scenarios.expect import Outcome
from scenarios.road import Road, survey
from scenarios.spawn import Stage

PROTOCOL = 1
ANSWER_S = 60.0
"""How long the world waits for an answer, and for somebody to connect [s]."""
MAX_LINE = 65536
MAX_HOLD = TICK_HZ
_RANGES = {
    "steer": (-1000, 1000, 0),
    "throttle": (0, 1000, 0),
    "brake": (0, 1000, 0),
    "gear": (-1, 1, 1),
    "flags": (0, 3, 0),
    "hold": (1, MAX_HOLD, 1),
}


class Wheel:
    """One listening socket, one driver on it. `take` is a driver factory like any other."""

    def __init__(self, port: int = 0, wait_s: float = ANSWER_S) -> None:
        self._wait = wait_s
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(wait_s)
        self.port: int = self._listener.getsockname()[1]
        self._peer: socket.socket | None = None
        self._buffer = b""

    def take(self, stage: Stage, city: City) -> "Passenger":
        """The driver of one case; waits for somebody to connect at the first one."""
        if self._peer is None:
            try:
                self._peer, _ = self._listener.accept()
            except TimeoutError as late:
                raise DriverGone(self.port, "nobody connected") from late
            self._peer.settimeout(self._wait)
            self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.tell({"type": "hello", "protocol": PROTOCOL, "tick_hz": TICK_HZ})
        self.tell(_begin(stage))
        if self.hear().get("type") != "ready":
            raise DriverGone(self.port, 'it did not answer "begin" with {"type":"ready"}')
        return Passenger(self, survey(stage.route, city))

    def ended(self, outcome: Outcome) -> None:
        """Tell the driver how the case ended."""
        self.tell(
            {
                "type": "end",
                "success": outcome.success,
                "reason": outcome.reason,
                "cause": outcome.cause,
                "tick": outcome.tick,
                "collisions": outcome.collisions,
            }
        )

    def tell(self, message: dict[str, Any]) -> None:
        """Send one message. Raises DriverGone."""
        if self._peer is None:
            return
        data = json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            self._peer.sendall(data)
        except OSError as wrong:
            raise DriverGone(self.port, f"the connection broke: {wrong}") from wrong

    def hear(self) -> dict[str, Any]:
        """The next message. Raises DriverGone for silence, an end, or what is no JSON object."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE:
                raise DriverGone(self.port, f"its line is longer than {MAX_LINE} bytes")
            try:
                data = self._peer.recv(4096) if self._peer is not None else b""
            except TimeoutError as late:
                raise DriverGone(self.port, f"it was silent for {self._wait:g} s") from late
            except OSError as wrong:
                raise DriverGone(self.port, f"the connection broke: {wrong}") from wrong
            if not data:
                raise DriverGone(self.port, "it hung up")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as wrong:
            raise DriverGone(self.port, f"no JSON: {line[:80]!r}") from wrong
        if not isinstance(message, dict):
            raise DriverGone(self.port, f"no JSON object: {line[:80]!r}")
        return message

    def close(self) -> None:
        """Say goodbye and give the port back."""
        with suppress(DriverGone):  # it may have left already
            self.tell({"type": "bye"})
        if self._peer is not None:
            self._peer.close()
        self._listener.close()


class Passenger:
    """Asks whoever is on the wheel, tick by tick."""

    name = "socket"

    def __init__(self, wheel: Wheel, road: Road) -> None:
        self._wheel, self._road = wheel, road
        self._held = 0
        self._last = IDLE

    def controls(self, state: WorldState) -> Controls:
        """The driver's answer to this state, or the one that it asked to hold."""
        if self._held > 0:
            self._held -= 1
            return self._last
        self._wheel.tell(_state(state, self._road))
        answer = self._wheel.hear()
        fields = {key: _field(self._wheel.port, answer, key) for key in _RANGES}
        self._held = fields.pop("hold") - 1
        self._last = Controls(**fields)
        return self._last


def _field(port: int, answer: dict[str, Any], key: str) -> int:
    low, high, default = _RANGES[key]
    value = answer.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DriverGone(port, f"'{key}' must be an integer from {low} to {high}, not {value!r}")
    return value


def _begin(stage: Stage) -> dict[str, Any]:
    body = BODIES[stage.state.ego.body]
    return {
        "type": "begin",
        "scenario": stage.scenario.id,
        "title": stage.scenario.title,
        "seed": stage.seed,
        "limit": stage.limit,
        "duration_ticks": stage.duration_ticks,
        "route": [list(point) for point in stage.route],
        "goals": [
            {"x": wanted.x, "y": wanted.y, "radius": wanted.radius}
            for wanted in stage.expectations
            if wanted.kind == "reach_position"
        ],
        "stops": [
            {
                "title": wanted.title,
                "x": wanted.x,
                "y": wanted.y,
                "radius": wanted.radius,
                "stand_ticks": wanted.ticks,
                "by_tick": wanted.by,
            }
            for wanted in stage.expectations
            if wanted.kind == "stop"
        ],
        "ego": {
            "body": body.name,
            "length": body.length,
            "width": body.width,
            "wheelbase": body.wheelbase,
        },
    }


def _state(state: WorldState, road: Road) -> dict[str, Any]:
    ego = state.ego
    return {
        "type": "state",
        "tick": state.tick,
        "ego": {
            "x": ego.x,
            "y": ego.y,
            "heading": ego.heading,
            "speed": ego.speed,
            "steer": ego.steer,
        },
        "actors": [_actor(actor) for actor in state.actors],
        "lights": [
            {
                "s": line.s,
                "x": road.place(line.s, 0.0)[0],
                "y": road.place(line.s, 0.0)[1],
                "shows": light(line.light, line.axis, state.tick).name.lower(),
            }
            for line in road.stops
        ],
        "collisions": state.collisions,
    }


def _actor(actor: EntityState) -> dict[str, Any]:
    body = BODIES[actor.body]
    return {
        "id": actor.id,
        "kind": body.kind.name.lower(),
        "body": actor.body,
        "length": body.length,
        "width": body.width,
        "x": actor.x,
        "y": actor.y,
        "heading": actor.heading,
        "speed": actor.speed,
    }
