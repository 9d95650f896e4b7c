"""Plain tables: every tick, every road user, every frame, every input, one folder a session.

Owns the columns. Holds no pictures: frames.parquet says which packet shows which tick.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from game.dataset import card, drive
from game.dataset.drive import Drive
from game.dataset.job import Options, Plan, write_json
from game.session.track import label

TABLES = ("ticks", "actors", "frames", "inputs", "events")
EVENT_KINDS = frozenset({"prompt", "contact", "pause", "resume", "shown", "drop", "outcome"})
"""Kinds that leave the machine; all others may name what is on it."""
_BATCH = 20_000


def make(source: Drive, folder: Path, options: Options) -> dict[str, Any]:
    """The five tables of one session."""
    rows = {
        "ticks": _ticks(source), "actors": _actors(source), "frames": _frames(source),
        "inputs": _inputs(source), "events": events(source),
    }  # fmt: skip
    counts = {name: _write(folder / f"{name}.parquet", found) for name, found in rows.items()}
    return {"frames": len(source.pairs), "episodes": 1, "format": {"rows": counts}}


def finish(plan: Plan) -> None:
    """Hive folders: table/split=.../session=.../part.parquet, which every reader understands."""
    for part in plan.parts:
        for name in TABLES:
            target = plan.folder / name / f"split={part.split}" / f"session={part.name}"
            target.mkdir(parents=True)
            file = part.folder / f"{name}.parquet"
            if file.exists():
                (target / "part.parquet").hardlink_to(file)
    write_json(plan.folder / "provenance.json", card.provenance(plan.parts))


def _write(path: Path, rows: Iterator[Mapping[str, Any]]) -> int:
    """Rows into one file, a batch at a time; no file where there are none."""
    writer, batch, count = None, [], 0
    for row in rows:
        batch.append(row)
        count += 1
        if len(batch) == _BATCH:
            writer = _flush(writer, path, batch)
            batch = []
    if batch:
        writer = _flush(writer, path, batch)
    if writer is not None:
        writer.close()
    return count


def _flush(writer: Any, path: Path, batch: list[Mapping[str, Any]]) -> Any:
    table = pa.Table.from_pylist(batch, schema=writer.schema if writer is not None else None)
    if writer is None:
        writer = pq.ParquetWriter(path, table.schema, compression="zstd")
    writer.write_table(table)
    return writer


def _ticks(source: Drive) -> Iterator[dict[str, Any]]:
    """One row a tick. The controls are those that lead on from it; null in the last one."""
    controls = source.session.controls()
    for state in source.session.ticks():
        ego, after = state.ego, controls[state.tick] if state.tick < len(controls) else None
        yield {
            "tick": state.tick, "x_m": ego.x, "y_m": ego.y, "heading_rad": ego.heading,
            "speed_m_s": ego.speed, "steer_angle_rad": ego.steer, "collisions": state.collisions,
            "touching": len(state.contacts), "ttc_s": drive.ttc_s(state),
            "steer": after and after.steer, "throttle": after and after.throttle,
            "brake": after and after.brake, "gear": after and int(after.gear),
            "flags": after and after.flags, "look_yaw": after and after.look_yaw,
            "look_pitch": after and after.look_pitch, "camera": after and int(after.camera),
        }  # fmt: skip


def _actors(source: Drive) -> Iterator[dict[str, Any]]:
    for state in source.session.ticks():
        for actor in state.actors:
            yield {
                "tick": state.tick, "id": actor.id, "body": actor.body, "x_m": actor.x,
                "y_m": actor.y, "heading_rad": actor.heading, "speed_m_s": actor.speed,
                "struck_tick": actor.struck,
            }  # fmt: skip


def _frames(source: Drive) -> Iterator[dict[str, Any]]:
    for track in source.session.tracks():
        for record in source.session.frames(track):
            yield {
                "track": label(track), "tick": record.tick, "segment": record.segment,
                "packet": record.packet, "bytes": record.size,
                "t_ns": record.t_ns - source.start_ns, "pairing": int(record.pairing),
                "confidence": record.confidence, "shown_tick": record.shown,
                "prompt": record.prompt, "seed": str(record.seed), "key": record.key,
                "sha256": record.sha256.hex(),
            }  # fmt: skip


def _inputs(source: Drive) -> Iterator[dict[str, Any]]:
    for event in source.session.inputs():
        yield {
            "t_ns": event.t_ns - source.start_ns, "tick_seen": event.tick_seen,
            "tick_applied": event.tick_applied, "source": event.src, "kind": event.kind,
            "code": event.code, "value": float(event.value), "unit": event.unit,
            "synthetic": event.synthetic,
        }  # fmt: skip


def events(source: Drive) -> Iterator[dict[str, Any]]:
    """Events that may leave the machine, one shape for all."""
    for event in source.session.events():
        kind = event.get("k")
        if kind not in EVENT_KINDS:
            continue
        tick, other = event.get("tick"), event.get("other")
        speed, outcome = event.get("speed"), event.get("outcome")
        yield {
            "kind": str(kind), "tick": tick if type(tick) is int else -1,
            "frame": event["frame"] if type(event.get("frame")) is int else -1,
            "other": other if type(other) is int else 0,
            "speed_m_s": float(speed) if isinstance(speed, int | float) else 0.0,
            "prompt": str(event.get("prompt", "")), "style": str(event.get("style", "")),
            "reason": str(outcome.get("reason", "")) if isinstance(outcome, dict) else "",
        }  # fmt: skip
