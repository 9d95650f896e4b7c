"""The commands: one JSON object on stdout, exit codes by kind of failure."""

import json

import pytest
from click.testing import CliRunner

from game.cli import cli
from game.cli.session import command as group


def run(*args):
    return CliRunner().invoke(cli, ["session", *args])


def test_the_group_knows_them_all():
    assert {"export", "view", "clip", "report"} <= set(group.list_commands(None))
    for name in ("export", "view", "clip", "report"):
        found = run(name, "--help")
        assert found.exit_code == 0
        assert "SESSION" in found.stdout


def test_export_and_clip(sessions, tmp_path):
    pytest.importorskip("pyarrow")
    root = sessions[0].parent
    out = tmp_path / "set"
    found = run("export", "parquet", "all", "--root", str(root), "--out", str(out), "--json")
    assert found.exit_code == 0, found.output
    facts = json.loads(found.stdout.splitlines()[-1])
    assert facts["sessions"] == 3
    assert facts["splits"]["train"] > facts["splits"]["test"] > 0
    assert (root.parent / "dataset.salt").stat().st_size == 32
    moment = ("clip", str(sessions[0]), "--at", "1", "--out", str(tmp_path / "x.png"), "--json")
    found = run(*moment)
    assert json.loads(found.stdout.splitlines()[-1])["frames"] == 1
    again = run("export", "parquet", "all", "--root", str(root), "--out", str(out))
    assert again.exception.exit_code == 2
    assert "name a new folder" in str(again.exception)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--size", "31x4"),
        ("--licence", "map=MIT"),
        ("--track", "styled1"),
        ("--track", "source"),
        ("--fps", "-1"),
        ("--shortest", "1"),
    ],
)
def test_wrong_options_are_said(sessions, tmp_path, wrong):
    root = ("--root", str(sessions[0].parent), "--out", str(tmp_path / "x"))
    found = run("export", "lerobot", "all", *root, *wrong)
    assert found.exception.exit_code == 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("words", [("export", "parquet"), ("report",), ("render",)])
def test_every_command_over_many_sessions_chooses_them_alike(sessions, tmp_path, words):
    out = () if words == ("report",) else ("--out", str(tmp_path / "x"))
    name = str(sessions[0])
    found = run(*words, name, sessions[0].name, "--root", str(sessions[0].parent), *out)
    assert found.exception.exit_code == 2
    assert "a session is named twice" in str(found.exception)
    found = run(*words, "nobody", "--root", str(sessions[0].parent), *out)
    assert "no session is named 'nobody'" in str(found.exception)
