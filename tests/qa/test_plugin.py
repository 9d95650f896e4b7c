"""The plugin as its users have it: pytest in a folder of theirs, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import pytest
from scenarios.driver import DRIVERS

@pytest.mark.scenarios("lead-vehicle-braking", "road-debris", seeds=range(2))
def test_arrives(scenario_run):
    assert scenario_run.success

@pytest.mark.scenarios("road-debris", driver="idle")
def test_who_does_nothing_fails(scenario_run):
    assert scenario_run.success, scenario_run.reason
"""
PICTURES = """
import numpy as np

def test_grey(golden_picture):
    golden_picture(np.full((40, 40, 3), SHADE, np.uint8), "grey")
"""
_PLAIN = {"PATH": "/usr/bin:/bin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "game.qa.plugin",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, *words], cwd=folder, capture_output=True, text=True, timeout=600,
        env={**_PLAIN, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_scenarios_times_seeds_with_artefacts_of_what_fails(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(SUITE)
    done = _pytest(tmp_path, "--junit-xml=out.xml", "--scenario-artefacts=kept")
    assert "4 passed" in done.stdout, done.stdout
    assert "1 failed" in done.stdout
    names = {case.get("name") for case in ElementTree.parse(tmp_path / "out.xml").iter("testcase")}
    assert "test_arrives[lead-vehicle-braking-1]" in names
    (bundle,) = (tmp_path / "kept").glob("*.json")
    command = ["from game.cli import main; main()", "scenario", "run", str(bundle)]
    again = subprocess.run(
        [sys.executable, "-c", *command, "--driver", "replay", "--json"], cwd=ROOT,
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr  # the very same drive
    assert json.loads(again.stdout.splitlines()[-1])


def test_seeds_and_driver_can_be_given_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(SUITE)
    words = ("--collect-only", "-k", "arrives", "--scenario-seeds=3:6")
    done = _pytest(tmp_path, *words)
    assert done.stdout.count("test_arrives[") == 6
    assert "road-debris-5" in done.stdout


def test_a_mark_that_is_wrong_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_x(scenario_run):\n    pass\n")
    done = _pytest(tmp_path)
    assert done.returncode != 0
    assert "mark it with @pytest.mark.scenarios" in done.stdout + done.stderr


def test_a_golden_picture_is_kept_compared_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "test_pictures.py"
    file.write_text(PICTURES.replace("SHADE", "90"))
    assert "no golden picture" in _pytest(tmp_path).stdout
    assert "1 passed" in _pytest(tmp_path, "--golden-update").stdout
    assert "1 passed" in _pytest(tmp_path).stdout
    file.write_text(PICTURES.replace("SHADE", "140"))
    done = _pytest(tmp_path, "--scenario-artefacts=kept")
    assert "100.00% of the pixels differ" in done.stdout
    assert "1 differ" in (tmp_path / "kept" / "pictures.html").read_text()
