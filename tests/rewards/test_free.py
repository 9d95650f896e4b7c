"""A free drive is judged under its own rule: whoever leaves it has ended it."""

import json
from pathlib import Path

from game.atlas.load import load as load_city
from game.session.format import END, CaptureProfile, Driver, Manifest
from game.session.ids import new_id
from game.session.protocols import Evidence
from game.session.reader import Session
from game.session.replay import library_stage
from game.session.verify import verify
from game.session.writer import SessionWriter
from game.world.city import City
from game.world.step import step
from game.world.version import TICK_HZ, WORLD_VERSION
from rewards.checks.case import resim
from rewards.checks.replay import replay
from scenarios.driver import DRIVERS
from scenarios.expect import Referee
from scenarios.free import Free, free_stage

PLACE = "West 42nd Street & 7th Avenue"


def record(root: Path, city: City, place: str = PLACE) -> Path:
    free, staged = Free(place, "light"), free_stage(city, PLACE, 5, "light")
    manifest = Manifest(
        session=new_id(), created="2026-11-22T18:00:00Z", build="test",
        world_version=WORLD_VERSION, pack=city.name, pack_digest=city.digest, scenario=free.name,
        scenario_digest=free.digest, seed=5, tick_hz=TICK_HZ, driver=Driver("bot", "calm"),
        backend="none", capture=CaptureProfile(),
    )  # fmt: skip
    writer, state, referee = SessionWriter.create(root, manifest), staged.state, Referee(staged)
    bot = DRIVERS["bot"](staged, city)
    for _ in range(121):
        writer.tick(state)
        referee.observe(state)
        last, state = state, step(city, state, bot.controls(state))
    outcome = referee.leave(last)
    assert outcome is not None
    writer.finish({"success": outcome.success, "tick": outcome.tick, "collisions": 0})
    return writer.folder


def evidence(city: City, scratch: Path) -> Evidence:
    return Evidence(city, None, (60,), {}, scratch)


def test_a_free_drive_verifies_and_counts_as_ended_by_its_driver(tmp_path: Path) -> None:
    city = load_city()
    folder = record(tmp_path, city)
    with Session.open(folder) as session:
        report = verify(session, city, library_stage)
        assert report.ok, report.problems
        found = replay(session, evidence(city, tmp_path))
        assert (found.passed, found.evidence["success"], found.evidence["ticks"]) == (
            True,
            True,
            120,
        )
    end = json.loads((folder / END).read_text())
    end["outcome"]["tick"] = 119
    (folder / END).write_text(json.dumps(end))
    with Session.open(folder) as session:
        assert replay(session, evidence(city, tmp_path)).reason == "replay.outcome"


def test_a_place_that_the_pack_does_not_have_is_a_fault_of_the_recording(tmp_path: Path) -> None:
    city = load_city()
    with Session.open(record(tmp_path, city, "Nowhere & 7th Avenue")) as session:
        fault = resim(session, evidence(city, tmp_path)).fault
    assert fault is not None
    assert fault[1] == "replay.scenario"
