"""MCAP with summary and index, for Foxglove and others: films, state, controls, input, events.

One file a session. Messages are JSON with their schemas inside; films are H.264 as
foxglove.CompressedVideo. Log time is simulation time: tick / tick rate.
"""

import base64
import json
from pathlib import Path
from typing import Any

from mcap.writer import CompressionType, Writer

from game.dataset import card, drive, video
from game.dataset.drive import Drive
from game.dataset.job import Options, Plan, write_json
from game.dataset.parquet import events
from game.world.entity import BODIES

_TIME = {"type": "object", "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}}
_NUMBER, _TEXT, _WHOLE = {"type": "number"}, {"type": "string"}, {"type": "integer"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_ENTITY = _object(id=_WHOLE, body=_TEXT, x=_NUMBER, y=_NUMBER, heading=_NUMBER, speed=_NUMBER,
                  length=_NUMBER, width=_NUMBER, height=_NUMBER)  # fmt: skip
SCHEMAS: dict[str, tuple[str, dict[str, Any]]] = {
    "/source": ("foxglove.CompressedVideo", _object(
        timestamp=_TIME, frame_id=_TEXT, format=_TEXT,
        data={"type": "string", "contentEncoding": "base64"})),
    "/ego": ("scale.Ego", _object(tick=_WHOLE, x=_NUMBER, y=_NUMBER, heading=_NUMBER, speed=_NUMBER,
                                  steer=_NUMBER, ttc_s=_NUMBER, collisions=_WHOLE)),
    "/agents": ("scale.Agents", _object(tick=_WHOLE, agents={"type": "array", "items": _ENTITY})),
    "/controls": ("scale.Controls", _object(tick=_WHOLE, steer=_NUMBER, throttle=_NUMBER,
                                            brake=_NUMBER, gear=_WHOLE, flags=_WHOLE)),
    "/input": ("scale.Input", _object(t_ns=_WHOLE, tick_seen=_WHOLE, tick_applied=_WHOLE,
                                      kind=_TEXT, code=_TEXT, value=_NUMBER, unit=_TEXT)),
    "/events": ("scale.Event", _object(kind=_TEXT, tick=_WHOLE, prompt=_TEXT, style=_TEXT)),
}  # fmt: skip
SCHEMAS["/styled"] = SCHEMAS["/source"]


class _Log:
    """An MCAP file with every channel; messages by topic and tick."""

    def __init__(self, writer: Writer, hz: int) -> None:
        self._writer, self._hz = writer, hz
        self._channels: dict[str, int] = {}
        known: dict[str, int] = {}
        for topic, (name, schema) in SCHEMAS.items():
            if name not in known:
                text = json.dumps(schema).encode()
                known[name] = writer.register_schema(name, "jsonschema", text)
            self._channels[topic] = writer.register_channel(topic, "json", known[name])

    def put(self, topic: str, tick: int, message: dict[str, Any]) -> None:
        """One message at the time of a tick."""
        at = self.ns(tick)
        data = json.dumps(message, allow_nan=False).encode()
        self._writer.add_message(self._channels[topic], at, data, at)

    def ns(self, tick: int) -> int:
        """Simulation time of a tick [ns]."""
        return max(0, tick) * 1_000_000_000 // self._hz


def make(source: Drive, folder: Path, options: Options) -> dict[str, Any]:
    """The file of one session."""
    with (folder / "session.mcap").open("wb") as stream:
        writer = Writer(stream, compression=CompressionType.ZSTD)
        writer.start(profile="", library="scale-diffusion")
        writer.add_metadata("timing", {"convention": card.TIMING, "clock": "simulation tick"})
        log = _Log(writer, source.hz)
        _world(log, source)
        _films(log, source, options)
        _events(log, source)
        writer.finish()
    return {"frames": len(source.pairs), "episodes": 1}


def _world(log: _Log, source: Drive) -> None:
    controls = source.session.controls()
    for state in source.session.ticks():
        ego = state.ego
        log.put("/ego", state.tick, {
            "tick": state.tick, "x": ego.x, "y": ego.y, "heading": ego.heading, "speed": ego.speed,
            "steer": ego.steer, "ttc_s": drive.ttc_s(state), "collisions": state.collisions,
        })  # fmt: skip
        if state.tick < len(controls):
            c = controls[state.tick]
            log.put("/controls", state.tick, {
                "tick": state.tick, "steer": c.steer / 1000, "throttle": c.throttle / 1000,
                "brake": c.brake / 1000, "gear": int(c.gear), "flags": c.flags,
            })  # fmt: skip
        if state.tick % source.session.manifest.capture.every_ticks == 0:
            agents = [
                {"id": a.id, "body": a.body, "x": a.x, "y": a.y, "heading": a.heading,
                 "speed": a.speed, "length": BODIES[a.body].length, "width": BODIES[a.body].width,
                 "height": BODIES[a.body].height}
                for a in state.actors
            ]  # fmt: skip
            log.put("/agents", state.tick, {"tick": state.tick, "agents": agents})


def _films(log: _Log, source: Drive, options: Options) -> None:
    capture = source.session.manifest.capture
    size = options.size or (capture.width, capture.height)
    encoders = {t: video.AnnexB(size, options.fps, options.gop) for t in ("/source", "/styled")}
    for tick, drawn, styled in source.pictures(sorted(source.pairs)):
        seconds, ns = divmod(log.ns(tick), 1_000_000_000)
        for topic, picture in (("/source", drawn), ("/styled", styled)):
            data = base64.b64encode(encoders[topic].put(picture)).decode()
            log.put(topic, tick, {
                "timestamp": {"sec": seconds, "nsec": ns}, "frame_id": "camera",
                "format": "h264", "data": data,
            })  # fmt: skip


def _events(log: _Log, source: Drive) -> None:
    for event in source.session.inputs():
        log.put("/input", event.tick_seen, {
            "t_ns": event.t_ns - source.start_ns, "tick_seen": event.tick_seen,
            "tick_applied": event.tick_applied, "kind": event.kind, "code": event.code,
            "value": event.value, "unit": event.unit,
        })  # fmt: skip
    for found in events(source):
        log.put("/events", found["tick"], found)


def finish(plan: Plan) -> None:
    """One folder a split."""
    for part in plan.parts:
        target = plan.folder / part.split / f"{part.name}.mcap"
        target.parent.mkdir(exist_ok=True)
        target.hardlink_to(part.folder / "session.mcap")
    write_json(plan.folder / "provenance.json", card.provenance(plan.parts))
