"""The same bits as when the golden file was written, whatever the interpreter's hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from game.world.version import WORLD_VERSION
from tests.scenarios.golden import FILE, SEEDS, drive_all

ROOT = Path(__file__).parents[2]


def golden() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return data


def test_the_golden_file_is_of_this_world_and_this_city() -> None:
    now = drive_all((), ())
    assert golden()["world_version"] == WORLD_VERSION
    assert golden()["pack"] == now["pack"], "another city pack; see tests/scenarios/golden.py"


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(golden()["scenarios"]))
def test_every_golden_case_ends_in_the_same_bits(name: str) -> None:
    assert drive_all((name,), SEEDS)["scenarios"][name] == golden()["scenarios"][name]


@pytest.mark.parametrize(("hash_seed", "flags"), [("1", []), ("4711", ["-O"])])
def test_no_hash_seed_and_no_optimisation_changes_a_bit(hash_seed: str, flags: list[str]) -> None:
    code = (
        "import json; from tests.scenarios.golden import drive_all; "
        "print(json.dumps(drive_all(('busy-intersection',), (0,))))"
    )
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
        text=True,
    )
    runs = json.loads(done.stdout)["scenarios"]["busy-intersection"]["runs"]
    assert runs["0"] == golden()["scenarios"]["busy-intersection"]["runs"]["0"]
