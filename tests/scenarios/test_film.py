"""A failed run leaves a bundle and a film; the film shows the same drive, to its last tick."""

import json
from pathlib import Path

import av
import pytest
from click.testing import CliRunner

from game.cli.scenario import command
from tests.scenarios.example import GOOD

pytestmark = [pytest.mark.render, pytest.mark.heavy]


def test_a_failed_run_is_filmed_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(GOOD.replace("duration_s: 20", "duration_s: 3"))
    args = ["run", str(file), "--driver", "idle", "--render", str(tmp_path / "films"), "--json"]
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 1, result.output
    (row,) = json.loads(result.stdout.splitlines()[-1])["runs"]
    with av.open(row["film"]) as container:
        frames = [(frame.pts * frame.time_base, frame) for frame in container.decode(video=0)]
    assert float(frames[-1][0]) == pytest.approx(row["ticks"] // 4 * 4 / 60, abs=1e-3)
    assert frames[-1][1].to_ndarray(format="rgb24").std() > 20.0
    assert sorted(one.suffix for one in (tmp_path / "films").iterdir()) == [".json", ".mp4"]
