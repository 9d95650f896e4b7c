"""Rerun recordings (.rrd): both films, map, road users, controls, danger and events on one clock.

For looking at a drive, not for training. Two timelines: `sim`, seconds of the world, and `tick`.
Needs the extra `rerun`; opens with the viewer of the same version.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import rerun as rr
import rerun.blueprint as rrb

from game.atlas.load import bundled_names
from game.atlas.load import load as load_city
from game.dataset import card, drive, video
from game.dataset.drive import Drive
from game.dataset.job import Options, Plan, write_json
from game.dataset.parquet import events
from game.world.controls import UNIT
from game.world.entity import BODIES

NEAR = 150.0
"""Streets and buildings further than this from the path are left out [m]."""
_LEVELS = {"contact": "ERROR", "outcome": "INFO"}


def make(source: Drive, folder: Path, options: Options) -> dict[str, Any]:
    """The recording of one session."""
    log = rr.RecordingStream("scale_diffusion_drive", recording_id=folder.name)
    log.save(folder / "session.rrd")
    log.send_blueprint(_blueprint())
    log.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    log.log("about", rr.TextDocument(card.TIMING), static=True)
    _map(log, source)
    _films(log, source, options)
    _series(log, source)
    _agents(log, source)
    for found in events(source):
        if found["kind"] == "shown":
            continue
        _at(log, source, found["tick"])
        text = " ".join(str(found[k]) for k in ("kind", "prompt", "reason") if found[k])
        log.log("events", rr.TextLog(text, level=_LEVELS.get(found["kind"], "INFO")))
    log.flush()
    log.disconnect()
    return {"frames": len(source.pairs), "episodes": 1}


def _blueprint() -> Any:
    return rrb.Blueprint(
        rrb.Vertical(
            rrb.Horizontal(
                rrb.Spatial2DView(origin="camera/source", name="drawn"),
                rrb.Spatial2DView(origin="camera/styled", name="dreamt"),
                rrb.Spatial3DView(origin="world", name="world"),
            ),
            rrb.Horizontal(
                rrb.TimeSeriesView(origin="input"), rrb.TimeSeriesView(origin="ego"),
                rrb.TextLogView(origin="events"),
            ),
            row_shares=[3, 1],
        ),
        rrb.TimePanel(state="expanded"),
        collapse_panels=True,
    )  # fmt: skip


def _at(log: Any, source: Drive, tick: int) -> None:
    log.set_time("sim", duration=max(0, tick) / source.hz)
    log.set_time("tick", sequence=max(0, tick))


def _times(source: Drive, ticks: Iterable[int]) -> list[Any]:
    at = np.asarray(list(ticks), np.int64)
    return [
        rr.TimeColumn("sim", duration=at / source.hz),
        rr.TimeColumn("tick", sequence=at),
    ]


def _map(log: Any, source: Drive) -> None:
    """Streets and the walls of buildings along the way."""
    name = source.session.manifest.pack
    city = load_city(Path(name) if name in bundled_names() else None)
    states = source.session.ticks()
    path = np.array([(states[t].ego.x, states[t].ego.y) for t in range(0, len(states), 60)])
    low, high = path.min(axis=0) - NEAR, path.max(axis=0) + NEAR

    def near(points: Iterable[tuple[float, float]]) -> bool:
        return any(low[0] <= x <= high[0] and low[1] <= y <= high[1] for x, y in points)

    walls = [
        [(x, y, 0.0) for x, y in (*f.rings[0], f.rings[0][0])]
        for f in city.footprints
        if near(f.rings[0])
    ]
    streets = [[(x, y, 0.0) for x, y in s.points] for s in city.streets if near(s.points)]
    log.log("world/buildings", rr.LineStrips3D(walls, colors=[120, 120, 130]), static=True)
    log.log("world/streets", rr.LineStrips3D(streets, colors=[200, 190, 150]), static=True)
    way = [(float(x), float(y), 0.1) for x, y in path]
    log.log("world/way", rr.LineStrips3D([way], colors=[80, 160, 255]), static=True)


def _films(log: Any, source: Drive, options: Options) -> None:
    capture = source.session.manifest.capture
    size = options.size or (capture.width, capture.height)
    made: dict[str, tuple[video.AnnexB, list[bytes]]] = {
        name: (video.AnnexB(size, options.fps, options.gop), []) for name in ("source", "styled")
    }
    ticks = sorted(source.pairs)
    for _, drawn, styled in source.pictures(ticks):
        for name, picture in (("source", drawn), ("styled", styled)):
            encoder, packets = made[name]
            packets.append(encoder.put(picture))
    for name, (_, packets) in made.items():
        if packets:
            log.log(f"camera/{name}", rr.VideoStream(codec=rr.VideoCodec.H264), static=True)
            log.send_columns(
                f"camera/{name}", indexes=_times(source, ticks),
                columns=rr.VideoStream.columns(sample=packets),
            )  # fmt: skip


def _series(log: Any, source: Drive) -> None:
    """Controls of every tick, speed, time to collision and hits of every sixth."""
    rows = source.controls
    if len(rows):
        for place, name in enumerate(("steer", "throttle", "brake")):
            log.send_columns(
                f"input/{name}", indexes=_times(source, range(len(rows))),
                columns=rr.Scalars.columns(scalars=rows[:, place] / UNIT),
            )  # fmt: skip
    states = source.session.ticks()
    some = [states[tick] for tick in range(0, len(states), 6)]
    for name, values in (
        ("speed_km_h", [s.ego.speed * 3.6 for s in some]),
        ("ttc_s", [drive.ttc_s(s) for s in some]),
        ("collisions", [float(s.collisions) for s in some]),
    ):
        log.send_columns(
            f"ego/{name}", indexes=_times(source, [s.tick for s in some]),
            columns=rr.Scalars.columns(scalars=values),
        )  # fmt: skip


def _agents(log: Any, source: Drive) -> None:
    states = source.session.ticks()
    for tick in range(0, len(states), 6):
        state = states[tick]
        everyone = (state.ego, *state.actors)
        bodies = [BODIES[each.body] for each in everyone]
        _at(log, source, tick)
        log.log("world/agents", rr.Boxes3D(
            centers=[(e.x, e.y, b.height / 2) for e, b in zip(everyone, bodies, strict=True)],
            half_sizes=[(b.length / 2, b.width / 2, b.height / 2) for b in bodies],
            rotation_axis_angles=[
                rr.RotationAxisAngle([0, 0, 1], rr.Angle(rad=math.remainder(e.heading, math.tau)))
                for e in everyone
            ],
            labels=[f"{e.body} {e.id}" if e.id else "ego" for e in everyone],
            show_labels=False,
            colors=[[80, 160, 255] if e.id == 0 else [255, 150, 60] for e in everyone],
        ))  # fmt: skip


def finish(plan: Plan) -> None:
    """One folder a split."""
    for part in plan.parts:
        target = plan.folder / part.split / f"{part.name}.rrd"
        target.parent.mkdir(exist_ok=True)
        target.hardlink_to(part.folder / "session.rrd")
    write_json(plan.folder / "provenance.json", card.provenance(plan.parts))
