"""LeRobotDataset v3.0 by pyarrow and PyAV alone: one film and one table a session.

Owns the schema (codebase_version v3.0) and the rows. An episode is a run of frames without a gap.
"""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from game.dataset import card, drive, splits, stats, video
from game.dataset.drive import Drive, Run
from game.dataset.job import Options, Part, Plan, write_json

CAMERAS = ("observation.images.source", "observation.images.styled")
CHUNK = 1000
Columns = dict[str, NDArray[Any]]


def _vector(dtype: str, names: Sequence[str]) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [len(names)], "names": list(names)}


def _one(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [1], "names": None}


SCALARS: dict[str, dict[str, Any]] = {
    "observation.state": _vector("float32", drive.STATE),
    "observation.environment_state": _vector(
        "float32", [f"{name}.{i}" for i in range(drive.NEAREST) for name in drive.ACTOR]
    ),
    "action": _vector("float32", drive.ACTION),
    "action.buttons": _vector("int64", drive.BUTTONS),
    "action.look": _vector("float32", drive.LOOK),
    "next.done": _one("bool"),
    "next.success": _one("bool"),
    "collisions": _one("int64"),
    "ttc_s": _one("float32"),
    "sim_tick": _one("int64"),
    "shown_tick": _one("int64"),
    "t_ns": _one("int64"),
    "timestamp": _one("float32"),
    "frame_index": _one("int64"),
    "episode_index": _one("int64"),
    "index": _one("int64"),
    "task_index": _one("int64"),
}


def make(source: Drive, folder: Path, options: Options) -> dict[str, Any]:
    """Films, rows and statistics of one session."""
    runs = source.runs(options.fps, options.shortest, options.frames)
    size = options.size or (
        source.session.manifest.capture.width, source.session.manifest.capture.height,
    )  # fmt: skip
    facts: dict[str, Any] = {"frames": sum(r.frames for r in runs), "episodes": len(runs)}
    facts["longest"] = max((r.frames for r in source.runs(options.fps, 2)), default=0)
    if not runs:
        return facts
    rows = [_rows(source, run) for run in runs]
    columns: dict[str, Any] = {k: np.concatenate([r[k] for r in rows]) for k in rows[0]}
    np.savez(folder / "rows.npz", **columns)
    samples = _films(source, runs, folder, options, size)
    episodes, at = [], 0
    for run, row in zip(runs, rows, strict=True):
        found = {k: stats.of_rows(v) for k, v in row.items() if SCALARS[k]["dtype"] != "bool"}
        for camera in CAMERAS:
            found[camera] = stats.of_pictures(samples[camera][at : at + run.frames])
        episodes.append({"length": run.frames, "stats": found})
        at += run.frames
    return {**facts, "format": {"episodes": episodes, "size": list(size)}}


def _films(
    source: Drive, runs: Sequence[Run], folder: Path, options: Options, size: tuple[int, int]
) -> dict[str, list[NDArray[np.uint8]]]:
    """Write both films, runs end to end, and return sampled pixels of each picture."""
    samples: dict[str, list[NDArray[np.uint8]]] = {camera: [] for camera in CAMERAS}
    ticks = [tick for run in runs for tick in run.ticks[:-1]]
    first, second = (folder / f"{camera}.mp4" for camera in CAMERAS)
    with (
        video.Mp4(first, options.fps, size, options.gop) as before,
        video.Mp4(second, options.fps, size, options.gop) as after,
    ):
        for _, drawn, styled in source.pictures(ticks):
            for film, picture, camera in zip(
                (before, after), (drawn, styled), CAMERAS, strict=True
            ):
                film.put(picture)
                samples[camera].append(stats.sample_pixels(picture).copy())
    return samples


def _rows(source: Drive, run: Run) -> Columns:
    """Own columns of one run, (n,) or (n, d) each. Success stands where it was decided."""
    states = [source.state(tick) for tick in run.ticks]
    acts = [source.action(a, b) for a, b in zip(run.ticks[:-1], run.ticks[1:], strict=True)]
    pairs = [source.pairs[tick] for tick in run.ticks[:-1]]
    n = run.frames
    done, success = np.zeros(n, bool), np.zeros(n, bool)
    done[-1] = True
    outcome = (source.session.end or {}).get("outcome") or {}
    if outcome.get("success") is True:
        decided = np.asarray(run.ticks) >= int(outcome.get("tick", -1))
        success[:] = decided[1:] & ~decided[:-1]
    collided = [b.collisions - a.collisions for a, b in itertools.pairwise(states)]
    return {
        "observation.state": np.stack([drive.ego_row(s) for s in states[:-1]]),
        "observation.environment_state": np.stack([drive.around(s) for s in states[:-1]]),
        "action": np.stack([a[0] for a in acts]),
        "action.buttons": np.stack([a[1] for a in acts]),
        "action.look": np.stack([a[2] for a in acts]),
        "next.done": done,
        "next.success": success,
        "collisions": np.asarray(collided, np.int64),
        "ttc_s": np.asarray([drive.ttc_s(s) for s in states[:-1]], np.float32),
        "sim_tick": np.asarray(run.ticks[:-1], np.int64),
        "shown_tick": np.asarray([p.styled.shown for p in pairs], np.int64),
        "t_ns": np.asarray([p.source.t_ns - source.start_ns for p in pairs], np.int64),
    }


def finish(plan: Plan) -> None:
    """The data set around the films: tables, statistics, info.json."""
    tasks = sorted({_task(part) for part in plan.parts})
    rows: list[dict[str, Any]] = []
    base = 0
    for file, part in enumerate(plan.parts):
        base = _session(plan, part, file, tasks, base, rows)
    write_rows(plan.folder / "meta/episodes/chunk-000/file-000.parquet", rows)
    _tasks(plan.folder / "meta/tasks.parquet", tasks)
    features = rows[0]["_stats"].keys()
    merged = {k: stats.merge([row["_stats"][k] for row in rows]) for k in features}
    write_json(plan.folder / "meta/stats.json", merged)
    write_json(plan.folder / "meta/info.json", _info(plan, len(rows), base, len(tasks)))
    write_json(plan.folder / "meta/provenance.json", card.provenance(plan.parts))


def _task(part: Part) -> str:
    return f"Drive the scenario {part.facts['scenario']} in {part.facts['pack']}."


def _place(file: int, head: str, name: str) -> str:
    return f"{head}/chunk-{file // CHUNK:03d}/file-{file % CHUNK:03d}.{name}"


def _session(
    plan: Plan, part: Part, file: int, tasks: list[str], base: int, rows: list[dict[str, Any]]
) -> int:
    """One session's files and episode rows; returns the next free global index."""
    fps, chunk, number = plan.options.fps, file // CHUNK, file % CHUNK
    task = _task(part)
    columns: Columns = dict(np.load(part.folder / "rows.npz"))
    auto: dict[str, list[NDArray[Any]]] = {}
    inside = 0
    for episode in part.facts["format"]["episodes"]:
        n, e = episode["length"], len(rows)
        index = np.arange(n)
        made = {
            "timestamp": (index / fps).astype(np.float32), "frame_index": index,
            "episode_index": np.full(n, e), "index": index + base,
            "task_index": np.full(n, tasks.index(task)),
        }  # fmt: skip
        for key, value in made.items():
            auto.setdefault(key, []).append(value)
        found = {**episode["stats"], **{k: stats.of_rows(v) for k, v in made.items()}}
        row: dict[str, Any] = {
            "episode_index": e, "tasks": [task], "length": n, "session": part.name,
            "split": part.split, "data/chunk_index": chunk, "data/file_index": number,
            "dataset_from_index": base, "dataset_to_index": base + n,
        }  # fmt: skip
        for camera in CAMERAS:
            row[f"videos/{camera}/chunk_index"] = chunk
            row[f"videos/{camera}/file_index"] = number
            row[f"videos/{camera}/from_timestamp"] = inside / fps
            row[f"videos/{camera}/to_timestamp"] = (inside + n) / fps
        row.update({f"stats/{k}/{q}": w for k, v in found.items() for q, w in v.items()})
        row.update({"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0})
        rows.append({**row, "_stats": found})
        base, inside = base + n, inside + n
    columns.update({key: np.concatenate(values) for key, values in auto.items()})
    write_data(plan.folder / _place(file, "data", "parquet"), columns)
    for camera in CAMERAS:
        target = plan.folder / _place(file, f"videos/{camera}", "mp4")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(part.folder / f"{camera}.mp4")
    return base


def write_data(path: Path, columns: Columns) -> None:
    """One data table with the schema metadata that `datasets` reads."""
    arrays, fields = [], []
    for key, feature in SCALARS.items():
        kind = _arrow(feature)
        values = np.asarray(columns[key], feature["dtype"])
        if feature["shape"] == [1]:
            arrays.append(pa.array(values, type=kind))
        else:
            flat = pa.array(values.reshape(-1))
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, feature["shape"][0]).cast(kind))
        fields.append(pa.field(key, kind))
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema(fields, metadata=_datasets_metadata())
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="snappy")


def _arrow(feature: dict[str, Any]) -> Any:
    kind = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}[feature["dtype"]]
    return kind if feature["shape"] == [1] else pa.list_(kind, feature["shape"][0])


def _datasets_metadata() -> dict[bytes, bytes]:
    features = {}
    for key, feature in SCALARS.items():
        value = {"dtype": feature["dtype"], "_type": "Value"}
        n = feature["shape"][0]
        features[key] = value if n == 1 else {"feature": value, "length": n, "_type": "List"}
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The table of episodes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = [{k: v for k, v in row.items() if k != "_stats"} for row in rows]
    pq.write_table(pa.Table.from_pylist(plain), path, compression="snappy")


def _tasks(path: Path, tasks: list[str]) -> None:
    """A pandas frame: the index is the task's text, the one column its number."""
    index = "__index_level_0__"

    def column(name: str | None, field: str, kind: str, numpy: str) -> dict[str, Any]:
        return {"name": name, "field_name": field, "pandas_type": kind, "numpy_type": numpy,
                "metadata": None}  # fmt: skip

    meta = {
        "index_columns": [index],
        "column_indexes": [
            {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object",
             "metadata": {"encoding": "UTF-8"}}
        ],
        "columns": [
            column("task_index", "task_index", "int64", "int64"),
            column(None, index, "unicode", "object"),
        ],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.0",
    }  # fmt: skip
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), index: tasks})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({b"pandas": json.dumps(meta).encode()}), path)


def _info(plan: Plan, episodes: int, frames: int, tasks: int) -> dict[str, Any]:
    sizes = {tuple(part.facts["format"]["size"]) for part in plan.parts}
    if len(sizes) > 1:
        from game.dataset.errors import DatasetError

        raise DatasetError(f"pictures of sizes {sorted(sizes)}; make them one with --size")
    width, height = sizes.pop()
    fps: float = int(plan.options.fps) if plan.options.fps == int(plan.options.fps) else (
        plan.options.fps
    )  # fmt: skip
    camera = {
        "dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"],
        "info": {
            "video.height": height, "video.width": width, "video.codec": "h264",
            "video.pix_fmt": "yuv420p", "video.is_depth_map": False, "video.fps": fps,
            "video.channels": 3, "has_audio": False,
        },
    }  # fmt: skip
    return {
        "codebase_version": "v3.0",
        "robot_type": "simulated_car",
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": _split_ranges(plan),
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": {**dict.fromkeys(CAMERAS, camera), **SCALARS},
    }


def _split_ranges(plan: Plan) -> dict[str, str]:
    """Episodes of each split: parts stand in the order of the splits."""
    ranges, at = {}, 0
    for name in splits.NAMES:
        count = sum(p.facts["episodes"] for p in plan.parts if p.split == name)
        if count:
            ranges[name] = f"{at}:{at + count}"
        at += count
    return ranges
