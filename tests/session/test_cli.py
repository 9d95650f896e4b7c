"""The session commands on a bot's drive through the real city: one JSON object, right exits."""

import json

import pytest
from click.testing import CliRunner

from game.atlas.load import load as load_city
from game.cli import session as cli
from game.session.format import INPUTS, Driver
from game.session.writer import SessionWriter
from scenarios.driver import Bot
from scenarios.load import load
from scenarios.model import digest
from scenarios.run import drive
from scenarios.spawn import stage

from . import conftest as made


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A sessions folder with one bot drive of a library scenario."""
    city, scenario = load_city(), load("oncoming-traffic")
    staged = stage(scenario, city, 5)
    manifest = made.manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=scenario.id,
        scenario_digest=digest(scenario), seed=5, driver=Driver("bot", "calm"),
    )  # fmt: skip
    root = tmp_path_factory.mktemp("drives")
    writer = SessionWriter.create(root, manifest)
    outcome, _ = drive(staged, city, Bot(staged, city), writer.tick)
    made.film(writer.folder, 120)
    writer.finish({"success": outcome.success})
    return root


def call(root, *args):
    name, *rest = args
    result = CliRunner().invoke(cli.command, [name, *rest, "--root", str(root), "--json"])
    last = result.stdout.strip().splitlines()[-1] if result.stdout.strip() else "null"
    return result, json.loads(last)


def test_verify_and_replay_agree(root):
    result, report = call(root, "verify", "last")
    assert result.exit_code == 0, result.output
    assert report["ok"] is True
    assert report["problems"] == []
    assert report["pairs"] == 60
    assert set(report) >= {"session", "path", "ok", "ticks", "pairs", "digest", "problems"}
    result, again = call(root, "replay", report["session"][:12])
    assert again["digest"] == report["digest"]
    assert again["ticks"] == report["ticks"] - 1


def test_list_show_recover(root):
    _, listed = call(root, "list")
    assert [row["state"] for row in listed["sessions"]] == ["sealed"]
    assert listed["sessions"][0]["pairs"] == 60
    _, shown = call(root, "show")
    assert shown["manifest"]["scenario"] == "oncoming-traffic"
    _, recovered = call(root, "recover")
    assert recovered["sealed_before"] is True
    assert CliRunner().invoke(cli.command, ["list", "--root", str(root)]).exit_code == 0


def test_a_changed_input_exits_with_one(root):
    path = next(root.iterdir()) / INPUTS
    whole = path.read_bytes()
    at = whole.index(b'"c":[', len(whole) // 2) + 5
    line = whole[whole.rindex(b"\n", 0, at) + 1 : whole.index(b"\n", at)]
    changed = json.loads(line)
    changed["c"][0] ^= 1
    new = json.dumps(changed, separators=(",", ":")).encode()
    path.write_bytes(whole.replace(line, new))
    try:
        result, report = call(root, "verify")
        assert result.exit_code == 1
        assert {"kind": "controls", "tick": changed["tick"]}.items() <= report["problems"][
            1
        ].items()
    finally:
        path.write_bytes(whole)


def test_wrong_names_say_what_to_do(root, tmp_path):
    for name in ("nothing", "last"):
        result = CliRunner().invoke(cli.command, ["show", name, "--root", str(tmp_path)])
        assert "scale-diffusion" in str(result.exception)
    result = CliRunner().invoke(
        cli.command, ["render", "--channel", "x", "--out", str(tmp_path), "--root", str(root)]
    )
    assert "depth" in str(result.exception)


def test_delete(tmp_path):
    writer = SessionWriter.create(tmp_path, made.manifest_of())
    writer.finish()
    result, gone = call(tmp_path, "delete", "last", "--yes")
    assert result.exit_code == 0, result.output
    assert gone["deleted"] == str(writer.folder)
    assert not writer.folder.exists()
