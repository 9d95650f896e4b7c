"""The real LeRobotDataset opens an export and gives the right pictures at the edges of episodes.

Optional: its pins clash with ours, so it lives in an environment of its own. docs/datasets.md says
how to make it; LEROBOT_PYTHON names its interpreter and LEROBOT_FFMPEG the folder of libraries.
"""

import itertools
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from game.dataset.job import export

LOOK = Path(__file__).parent / "lerobot_env" / "look.py"
PYTHON = os.environ.get("LEROBOT_PYTHON", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="LEROBOT_PYTHON names no environment with lerobot"),
]


def test_the_right_frame_at_both_edges_of_every_episode(sessions, options, tmp_path):
    out = tmp_path / "set"
    made = export("lerobot", sessions, out, replace(options, fps=30.0))
    found = _look(out, 30.0)
    assert (found["frames"], found["episodes"]) == (made.frames, made.episodes)
    table = pq.read_table(sorted((out / "data").rglob("*.parquet"))).to_pydict()
    rows = found["rows"]
    assert {row["episode"] for row in rows} == set(range(made.episodes))
    for row in rows:
        tick, first = row["sim_tick"], row["frame"] == 0
        assert row["index"] == row["asked"]
        assert tick == table["sim_tick"][row["index"]]
        for seen, padded in zip(row["seen"], row["padded"], strict=True):
            assert seen[1] == tick, "not the picture of this row"
            assert padded == [first, False]
            assert seen[0] == (tick if first else tick - 2), "not the picture before it"
        assert row["action"] == pytest.approx(table["action"][row["index"]])
        assert row["task"].startswith("Drive the scenario")
    for one, two in itertools.pairwise(rows):
        if one["episode"] != two["episode"]:
            assert one["action_padded"] == [False, True, True, True]
            assert two["action_padded"] == [False] * 4


def _look(folder: Path, fps: float) -> dict:
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": "",
        "LD_LIBRARY_PATH": os.environ.get("LEROBOT_FFMPEG", ""),
    }  # fmt: skip
    done = subprocess.run(
        [PYTHON, str(LOOK), str(folder), str(fps)],
        capture_output=True, text=True, env=environment, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
