"""Digests that every machine, hash seed and optimisation level must get.

A digest that moves is a bug or a new world version; the file is never just made again.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from game.world import motion, trig
from game.world.golden import COURSES, EXPECTED, checkpoints, drive, prove
from game.world.version import WORLD_VERSION

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "world.json").read_text())


@pytest.mark.parametrize("name", list(COURSES))
def test_every_second_of_a_golden_drive_is_as_recorded(name: str) -> None:
    expected = GOLDEN["drives"][name]
    got = [
        [point.tick, point.digest.hex(), point.inputs.hex()]
        for point in checkpoints(COURSES[name], expected["ticks"])
    ]
    assert got == expected["checkpoints"]


def test_the_recorded_drives_are_of_this_world_version() -> None:
    assert GOLDEN["world_version"] == WORLD_VERSION


def test_the_built_in_proof_holds_and_agrees_with_the_recorded_drives() -> None:
    rows = prove()
    assert len(rows) == len(EXPECTED) == 7
    for name, expected, got in rows:
        assert got == expected, name
    for name, recorded in GOLDEN["drives"].items():
        assert EXPECTED[f"drive.{name}"] == recorded["checkpoints"][-1][1]


@pytest.mark.parametrize(("hashseed", "flags"), [("0", []), ("4711", []), ("random", ["-O"])])
def test_neither_hash_seed_nor_optimisation_moves_a_digest(hashseed: str, flags: list[str]) -> None:
    code = "from game.world.golden import prove; print([n for n, e, g in prove() if e != g])"
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hashseed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def other_python(version: str) -> str:
    """Path of an interpreter of this version, '' where there is none that starts."""
    homes = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for path in [*map(str, homes), shutil.which(f"python{version}")]:
        if path is None:
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if said.returncode == 0 and f"Python {version}." in said.stdout:
            return path
    return ""


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_python_at_hand_gets_the_same_digests(version: str) -> None:
    python = other_python(version)
    if not python:
        pytest.skip(f"no Python {version} here")
    code = "from game.world.golden import prove; print([n for n, e, g in prove() if e != g])"
    done = subprocess.run(
        [python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "name", "value", "moved"),
    [
        (motion, "LATERAL_CAP", 5.5 + 1e-12, ["drive.crash"]),
        (motion, "ROLLING", 0.15 + 1e-15, ["drive.crash", "drive.drawn", "drive.weave"]),
        (trig, "_C16", 0.0, ["trig"]),
    ],
)
def test_the_proof_sees_the_smallest_change_of_a_constant(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: float, moved: list[str]
) -> None:
    monkeypatch.setattr(module, name, value)
    wrong = [row for row, expected, got in prove() if expected != got]
    assert [row for row in moved if row not in wrong] == []


def test_the_golden_drives_meet_everything_there_is_to_meet() -> None:
    walls = struck = vanished = waited = yielded = 0
    for course in COURSES.values():
        states = list(drive(course, 720))
        walls += any(c.other < 0 for s in states for c in s.contacts)
        struck += any(a.struck > 0 for a in states[-1].actors)
        vanished += len(states[-1].actors) < len(states[-1].progress)
        waited += any(a.started < 0 for a in states[0].actors)
        yielded += any(a.id == 11 and a.speed < 1.0 and a.struck < 0 for a in states[-1].actors)
    assert min(walls, struck, vanished, waited, yielded) > 0
