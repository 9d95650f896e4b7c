"""The export reads back as LeRobot v3.0: schema, rows, and the right picture at each edge."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from game.dataset import video
from game.dataset.job import export
from game.session.reader import Session
from game.world.controls import UNIT
from tests.dataset.conftest import GAP, SIDE, tick_seen

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402

CAMERAS = ("observation.images.source", "observation.images.styled")
DEFAULTS = ("timestamp", "frame_index", "episode_index", "index", "task_index")


@pytest.fixture(scope="module")
def made_set(sessions, tmp_path_factory) -> Path:
    from game.dataset.job import Options

    out = tmp_path_factory.mktemp("lerobot") / "set"
    result = export("lerobot", sessions, out, Options(salt=b"s" * 32))
    assert (result.sessions, result.episodes, result.groups) == (3, 6, 2)
    return out


def read(folder: Path) -> tuple[dict, list[dict], dict[str, np.ndarray]]:
    """info.json, episode rows and all columns in order of `index`, as a reader finds them."""
    info = json.loads((folder / "meta/info.json").read_text())
    episodes = pq.read_table(folder / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    files = sorted((folder / "data").rglob("*.parquet"))
    table = pa.concat_tables(pq.read_table(path) for path in files)
    return info, episodes, {name: np.array(table[name].to_pylist()) for name in table.schema.names}


def test_schema(made_set):
    info, episodes, columns = read(made_set)
    assert info["codebase_version"] == "v3.0"
    assert info["total_frames"] == len(columns["index"]) == sum(e["length"] for e in episodes)
    assert info["total_episodes"] == len(episodes) == 6
    assert set(DEFAULTS) | set(columns) | set(CAMERAS) == set(info["features"])
    schema = pq.read_schema(made_set / "data/chunk-000/file-000.parquet")
    for name, feature in info["features"].items():
        if feature["dtype"] == "video":
            assert feature["shape"] == [SIDE, SIDE, 3]
            continue
        kind = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}[feature["dtype"]]
        wide = feature["shape"][0]
        assert schema.field(name).type == (kind if wide == 1 else pa.list_(kind, wide)), name
    known = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert set(known) == set(schema.names)
    tasks = pq.read_table(made_set / "meta/tasks.parquet")
    meta = json.loads(tasks.schema.metadata[b"pandas"])
    assert meta["index_columns"] == ["__index_level_0__"]
    assert tasks["task_index"].to_pylist() == [0]
    stats = json.loads((made_set / "meta/stats.json").read_text())
    assert np.shape(stats[CAMERAS[0]]["mean"]) == (3, 1, 1)
    assert stats["action"]["count"] == [info["total_frames"]]
    assert len(stats["observation.state"]["q99"]) == 7
    for key in ("min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"):
        assert f"stats/action/{key}" in episodes[0]


def test_rows_count_up_and_time_is_exact(made_set):
    info, episodes, columns = read(made_set)
    assert columns["index"].tolist() == list(range(info["total_frames"]))
    for number, episode in enumerate(episodes):
        assert episode["episode_index"] == number
        part = slice(episode["dataset_from_index"], episode["dataset_to_index"])
        n = episode["length"]
        assert columns["frame_index"][part].tolist() == list(range(n))
        assert (columns["timestamp"][part].astype("f4") == (np.arange(n) / 30).astype("f4")).all()
        assert set(np.diff(columns["sim_tick"][part])) == {2}
        assert columns["next.done"][part].tolist() == [False] * (n - 1) + [True]
        assert not (columns["sim_tick"][part] == GAP).any()
    assert columns["next.success"].sum() == 3
    assert set(columns["sim_tick"][columns["next.success"]]) == {98}  # decided at tick 100


def test_right_picture_at_every_edge(made_set):
    info, episodes, columns = read(made_set)
    for camera in CAMERAS:
        for episode in episodes:
            place = {
                "video_key": camera,
                "chunk_index": episode[f"videos/{camera}/chunk_index"],
                "file_index": episode[f"videos/{camera}/file_index"],
            }
            film = dict(video.frames(made_set / info["video_path"].format(**place)))
            start = round(episode[f"videos/{camera}/from_timestamp"] * 30)
            end = round(episode[f"videos/{camera}/to_timestamp"] * 30)
            assert end - start == episode["length"]
            for at in (0, 1, episode["length"] - 1):
                tick = int(columns["sim_tick"][episode["dataset_from_index"] + at])
                found = next(p for t, p in film.items() if t == Fraction(start + at, 30))
                assert tick_seen(found) == tick, (camera, episode["episode_index"], at)


def test_state_precedes_action(made_set, sessions):
    """The row of tick t holds the state at t and the controls that led from t to t + 2."""
    _, episodes, columns = read(made_set)
    with Session.open(sessions[0]) as session:
        controls, ticks = session.controls(), session.ticks()
        ours = [e for e in episodes if abs(columns["observation.state"][e["dataset_from_index"], 0]
                                           - ticks[0].ego.x) < 60]  # fmt: skip
        first = ours[0]["dataset_from_index"]
        for row in (first, first + 17, first + 25):
            tick = int(columns["sim_tick"][row])
            ego = ticks[tick].ego
            assert columns["observation.state"][row][:4] == pytest.approx(
                (ego.x, ego.y, ego.heading, ego.speed), abs=1e-4
            )
            steer = (controls[tick].steer + controls[tick + 1].steer) / 2 / UNIT
            throttle = (controls[tick].throttle + controls[tick + 1].throttle) / 2 / UNIT
            assert columns["action"][row] == pytest.approx((steer, throttle, 0.0), abs=1e-6)
        shown = {
            int(t): int(s) for t, s in zip(columns["sim_tick"], columns["shown_tick"], strict=True)
        }
        assert shown[4] == 9
        assert shown[6] == -1


def test_splits_and_card(made_set):
    info, _, columns = read(made_set)
    assert info["splits"] == {"train": "0:4", "test": "4:6"}
    rows = json.loads((made_set / "meta/provenance.json").read_text())["sessions"]
    by_split: dict[str, set[str]] = {}
    for row in rows:
        by_split.setdefault(row["split"], set()).add(row["player"])
    assert not by_split["train"] & by_split["test"]
    card = (made_set / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    for words in ("shows the state **before** `action[t]`", "- LeRobot", "city pack",
                  "tick(s) off", "Known limits", "not a diffusion model"):  # fmt: skip
        assert words in card
    assert f"{len(columns['index'])} at 30 frames/s" in card
