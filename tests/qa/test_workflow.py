"""The example workflows: they read as workflows, and every command in them is one that there is."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from game.cli import cli

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "qa-github-actions.yml"
PACKAGES = ROOT / "docs" / "packages-github-actions.yml"
STEP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "uses": {"type": "string", "pattern": r"^[\w.-]+/[\w./-]+@[\w.]+$"},
        "run": {"type": "string"},
        "with": {"type": "object"},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "if": {"type": "string"},
        "shell": {"enum": ["bash", "cmd"]},
    },
    "oneOf": [{"required": ["uses"]}, {"required": ["run"]}],
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {  # the part of the workflow syntax that the example uses, and no more
    "type": "object",
    "required": ["name", "on", "jobs", "permissions"],
    "properties": {
        "name": {"type": "string"},
        "on": {
            "type": "object",
            "properties": {
                "push": {"type": "object"},
                "workflow_dispatch": {"type": ["object", "null"]},
                "pull_request": {"type": ["object", "null"]},
                "schedule": {"type": "array", "items": {"required": ["cron"]}},
            },
            "additionalProperties": False,
        },
        "permissions": {"const": {"contents": "read"}},
        "jobs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["runs-on", "steps", "timeout-minutes"],
                "properties": {
                    "runs-on": {"enum": ["ubuntu-22.04", "${{ matrix.os }}"]},
                    "timeout-minutes": {"type": "integer"},
                    "strategy": {
                        "type": "object",
                        "required": ["matrix"],
                        "properties": {
                            "fail-fast": {"type": "boolean"},
                            "matrix": {"type": "object"},
                        },
                    },
                    "steps": {"type": "array", "items": STEP, "minItems": 1},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def _read(path: Path) -> dict[str, Any]:
    """YAML 1.1 reads the key `on` as true."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    told["on"] = told.pop(True)
    return dict(told)


@pytest.fixture
def workflow() -> dict[str, Any]:
    """The one that drives scenarios."""
    return _read(FILE)


@pytest.mark.parametrize("path", [FILE, PACKAGES], ids=lambda path: path.stem)
def test_it_is_a_workflow(path: Path) -> None:
    workflow = _read(path)
    jsonschema.validate(workflow, SCHEMA)
    for step in (s for job in workflow["jobs"].values() for s in job["steps"]):
        for spoken in re.findall(r"\$\{\{(.*?)\}\}", str(step)):
            assert re.match(r"\s*(matrix\.(shard|os)|github\.event_name)\b", spoken), spoken


def test_a_workflow_with_a_wrong_key_is_refused(workflow: dict[str, Any]) -> None:
    workflow["jobs"]["drive"]["steps"][0]["uzes"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(workflow, SCHEMA)


def test_every_option_that_it_gives_is_there(workflow: dict[str, Any]) -> None:
    found = 0
    for step in (s for job in workflow["jobs"].values() for s in job["steps"]):
        words = shlex.split(re.sub(r"\$\{\{.*?\}\}", "1", step.get("run", "")))
        if words[:1] != ["scale-diffusion"]:
            continue
        command: click.Command = cli
        rest = words[1:]
        while isinstance(command, click.Group):
            named = command.get_command(click.Context(command), rest.pop(0))
            assert named is not None, words
            command = named
        known = {name for each in command.params for name in each.opts}
        assert {word for word in rest if word.startswith("--")} <= known
        found += 1
    assert found == 2


def test_its_shards_are_all_driven_once(workflow: dict[str, Any]) -> None:
    job = workflow["jobs"]["drive"]
    shards = job["strategy"]["matrix"]["shard"]
    (run,) = (s["run"] for s in job["steps"] if "--shard" in s.get("run", ""))
    assert shards == list(range(1, len(shards) + 1))
    assert f"}}}}/{len(shards)}" in run


def test_every_file_that_the_packages_are_built_with_is_there() -> None:
    steps = _read(PACKAGES)["jobs"]["build"]["steps"]
    named = {word for s in steps for word in re.findall(r"packaging/[\w/.]+", s.get("run", ""))}
    assert named == {"packaging/desktop/build.py", "packaging/desktop/smoke.py"}
    assert all((ROOT / name).is_file() for name in named)
