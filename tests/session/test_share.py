"""A drive as one small file: the same drive to the last bit, and nothing of the player in it."""

import json
import lzma
from dataclasses import replace

import pytest
from click.testing import CliRunner

from game.atlas.load import load as load_city
from game.cli import session as cli
from game.errors import ReplayImpossible, ScenarioChanged, SessionTooNew
from game.session import share as sharing
from game.session.format import Driver, InputEvent
from game.session.reader import Session
from game.session.replay import need_this_world, replay, said, stage_of
from game.session.writer import SessionWriter
from game.world.digest import checkpoint
from scenarios.driver import Bot
from scenarios.free import free_scenario
from scenarios.load import load
from scenarios.model import digest
from scenarios.run import drive
from scenarios.spawn import stage

from . import conftest as made

WALLET = "3euKCdJ5NKeq9boGTRwzh6Y9Hy3aMpsgo1AmD2gST7Se"


@pytest.fixture(scope="module")
def city():
    return load_city()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, city):
    """A bot's drive of a library scenario, with all that must not be given away."""
    scenario = load("oncoming-traffic")
    staged = stage(scenario, city, 5)
    manifest = made.manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=scenario.id, payee=WALLET,
        scenario_digest=digest(scenario), seed=5, driver=Driver("human", "my own keyboard"),
        ticket={"sig": "secret-ticket"}, devices=("racing wheel",), renderer="some card",
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path_factory.mktemp("drives"), manifest)
    writer.input(InputEvent(0, 5, "panda", 0, 1, "key", "w", 1.0))
    drive(staged, city, Bot(staged, city), writer.tick)
    writer.finish({"success": True, "reason": "passed"})
    return writer.folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory, folder):
    path = tmp_path_factory.mktemp("shared") / "it.drive"
    with Session.open(folder) as session:
        sharing.share(session, path)
    return path


def test_a_shared_drive_is_the_drive(folder, shared, city):
    found = sharing.read(shared)
    with Session.open(folder) as session:
        assert found.controls() == session.controls()
        *_, last = session.ticks()
    *_, again = replay(found, city, stage_of(found.scenario)(found.manifest, city))
    assert checkpoint(again).digest.hex() == found.digest == checkpoint(last).digest.hex()
    assert shared.stat().st_size < 8_000


def test_nothing_in_it_leads_to_the_player(folder, shared):
    data = shared.read_bytes()
    inside = lzma.decompress(data[sharing._HEAD.size :], lzma.FORMAT_RAW, filters=sharing._FILTERS)
    with Session.open(folder) as session:
        manifest = session.manifest
    for secret in (
        manifest.session, WALLET, "keyboard", "secret-ticket", "racing wheel", "some card",
        manifest.created, str(folder.parent),
    ):  # fmt: skip
        assert secret.encode() not in inside, secret


def test_a_scenario_that_only_the_sender_had_comes_along(tmp_path, city):
    scenario = free_scenario(city, "West 42nd Street & 7th Avenue", "none")
    staged = stage(scenario, city, 3)
    manifest = made.manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=scenario.id,
        scenario_digest=digest(scenario), seed=3,
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path, manifest)
    writer.event("scenario", 0, said=said(scenario))
    state = staged.state
    writer.tick(state)
    writer.finish()
    with Session.open(writer.folder) as session:
        sharing.share(session, tmp_path / "free.drive")
    found = sharing.read(tmp_path / "free.drive")
    assert stage_of(found.scenario)(found.manifest, city).state == state
    with pytest.raises(ScenarioChanged):
        stage_of({})(found.manifest, city)
    with pytest.raises(ScenarioChanged):  # a text that is not what the digest names
        stage_of({**found.scenario, "title": "Another"})(found.manifest, city)


def test_replay_from_any_tick_is_the_same_drive(folder, shared, city):
    with Session.open(folder) as session:
        staged = stage_of({})(session.manifest, city)
        states = list(session.ticks())
        for first in (0, 1, 59, 60, len(states) - 1):
            found = list(replay(session, city, staged, first))
            assert [s.tick for s in found] == list(range(first, len(states)))
            assert found[-1].digest == states[-1].digest
            assert found[-1].ego == states[-1].ego
    from_file = list(replay(sharing.read(shared), city, staged, len(states) - 1))
    assert [s.ego for s in from_file] == [states[-1].ego]


def test_another_world_is_told_in_one_line(folder, city):
    with Session.open(folder) as session:
        old = replace(session.manifest, world_version=session.manifest.world_version + 1)
        session.manifest = old
        with pytest.raises(ReplayImpossible, match="--from-states"):
            need_this_world(session, city)


def test_foreign_files_are_refused(shared, tmp_path):
    whole = shared.read_bytes()
    path = tmp_path / "x.drive"
    for data in (b"", b"x" * 50, whole[:-7], whole[:20], whole[:14] + bytes(200)):
        path.write_bytes(data)
        with pytest.raises(ValueError):
            sharing.read(path)
    path.write_bytes(whole[:8] + b"\x09\x00" + whole[10:])
    with pytest.raises(SessionTooNew):
        sharing.read(path)
    bomb = lzma.compress(bytes(1 << 27), lzma.FORMAT_RAW, filters=sharing._FILTERS)
    path.write_bytes(sharing._HEAD.pack(sharing.MAGIC, 1, 1000) + bomb)
    with pytest.raises(ValueError):
        sharing.read(path)
    good = sharing.read(shared)
    for wrong in (
        replace(good, steps=3),
        replace(good, changes=good.changes[:5] + good.changes[:1]),
        replace(good, changes=((0, replace(good.changes[0][1], steer=1200)),)),
    ):
        path.write_bytes(sharing.encode(wrong))
        with pytest.raises(ValueError):
            sharing.read(path)


def call(*args):
    result = CliRunner().invoke(cli.command, [*map(str, args), "--json"])
    last = result.stdout.strip().splitlines()[-1] if result.stdout.strip() else "null"
    return result, json.loads(last)


def test_share_and_replay_by_command(folder, tmp_path):
    out = tmp_path / "mine.drive"
    result, facts = call("share", folder, "-o", out)
    assert result.exit_code == 0, result.output
    assert facts["bytes"] == out.stat().st_size
    result, again = call("replay", out)
    assert (result.exit_code, again["same"], again["digest"]) == (0, True, facts["digest"])
    result, part = call("replay", out, "--from-tick", 100)
    assert part["same"] is True
    other = sharing.read(out)
    first = replace(other.changes[0][1], steer=other.changes[0][1].steer ^ 64)
    forged = replace(other, changes=((other.changes[0][0], first), *other.changes[1:]))
    out.write_bytes(sharing.encode(forged))
    result, lie = call("replay", out)
    assert (result.exit_code, lie["same"]) == (1, False)
