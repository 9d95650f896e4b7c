"""Near misses of a drive, and the scenario files that they become."""

import json
from dataclasses import replace
from math import cos, dist, sin
from pathlib import Path

import pytest
from click.testing import CliRunner

from game.cli.scenario import command
from game.session.reader import Session
from game.session.share import share
from game.session.writer import SessionWriter
from game.world.city import City
from game.world.entity import BODIES, EntityState
from game.world.state import WorldState
from game.world.step import step
from scenarios.cases import case
from scenarios.curve import CLOSE_M, Pose, fitted, knots, stands
from scenarios.driver import DRIVERS
from scenarios.errors import StageImpossible
from scenarios.load import parse
from scenarios.model import digest
from scenarios.near import OVER_TICKS, Moment, Watcher, called, moments
from scenarios.retell import AROUND_M, retell
from scenarios.run import run
from scenarios.spawn import stage
from scenarios.trajectory import bezier_track
from tests.session.conftest import manifest_of

NAME, SEED = "heavy-traffic", 5


@pytest.fixture(scope="module")
def drive(city: City) -> tuple[WorldState, ...]:
    """Half a minute of a bot between a stopping taxi and somebody who pulls out."""
    staged = case(NAME, city, SEED)
    bot, state = DRIVERS["bot"](staged, city), staged.state
    states = [state]
    for _ in range(1800):
        state = step(city, state, bot.controls(state))
        states.append(state)
    return tuple(states)


@pytest.fixture(scope="module")
def session(
    drive: tuple[WorldState, ...], city: City, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    staged = case(NAME, city, SEED)
    manifest = manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=NAME, seed=SEED,
        scenario_digest=digest(staged.scenario),
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path_factory.mktemp("near"), manifest)
    for state in drive:
        writer.tick(state)
    writer.finish({"success": True, "reason": "ok"})
    return writer.folder


def meeting(gaps: dict[int, float], speed: float = 6.0) -> list[WorldState]:
    """Somebody of the same size straight ahead at rest, `gap` metres from bumper to bumper."""
    body = BODIES["sedan"]
    reach = 2.0 * body.cover
    blank = WorldState(0, 0, EntityState(0, "sedan", 0.0, 0.0, 0.0, speed))
    return [
        replace(blank, tick=tick, actors=(EntityState(7, "sedan", gap + reach, 0.0, 0.0, 0.0),))
        for tick, gap in gaps.items()
    ]


def test_the_worst_of_a_meeting_counts_and_ttc_is_gap_over_speed() -> None:
    found = moments(meeting({0: 20.0, 30: 6.0, 60: 3.0, 90: 5.0}))
    assert [(each.tick, each.id) for each in found] == [(60, 7)]
    assert found[0].ttc_s == pytest.approx(3.0 / 6.0)
    assert found[0].says() == "0.5 s from a sedan"


def test_two_meetings_far_apart_in_time_are_two_moments() -> None:
    again = 60 + OVER_TICKS + 30
    found = moments(meeting({0: 20.0, 60: 4.0, again: 2.0}))
    assert [each.tick for each in found] == [again, 60]


def test_what_touched_is_no_near_miss_and_nobody_slow_is_in_danger() -> None:
    watcher = Watcher()
    for state in meeting({0: 3.0, 30: -0.2}):
        watcher.observe(state)
    assert [each.hit for each in watcher.moments()] == [True]
    assert watcher.closest() is None
    assert moments(meeting({0: 3.0}, speed=1.0)) == ()


def test_who_was_struck_between_two_looks_is_no_near_miss() -> None:
    watcher = Watcher()
    before = meeting({0: 3.0})[0]
    watcher.observe(before)
    assert watcher.closest() is not None
    struck = replace(before, tick=6, actors=(before.actors[0]._replace(struck=1),))
    watcher.observe(struck)
    assert watcher.closest() is None
    fresh = Watcher()  # and what was struck long ago is nobody's danger any more
    fresh.observe(replace(struck, tick=120))
    assert fresh.moments() == ()
    assert called("suv") == "an SUV"
    assert called("fire_engine") == "a fire engine"


def turning() -> list[Pose]:
    """A quarter of a circle of 12 m at 6 m/s, then a stop of two seconds."""
    way = [(12 * sin(t / 120), 12 - 12 * cos(t / 120), t / 120, 6.0) for t in range(189)]
    return [*way, *[(*way[-1][:3], 0.0)] * 120]


def test_few_curves_tell_a_driven_way_within_a_hand() -> None:
    poses = turning()
    points = fitted(poses, 0.0)
    assert len(points) % 3 == 1
    assert len(points) <= 13
    track = bezier_track(tuple(points))
    curve = list(zip(track.x, track.y, strict=True))
    for pose in poses[::7]:
        assert min(dist(pose[:2], point) for point in curve) < 0.4 + CLOSE_M
    assert track.s[-1] == pytest.approx(12 * 188 / 120, abs=0.1)
    assert not stands(poses)


def test_knots_keep_speeds_and_leave_out_what_is_on_the_line() -> None:
    found = knots(turning(), 60)
    assert found[0] == (0.0, 6.0)
    assert found[-1][1] == 0.0
    assert len(found) < 9
    rising = knots([(0.0, 0.0, 0.0, t / 60) for t in range(601)], 60)
    assert rising == [(0.0, 0.0), *rising[1:-1], (10.0, 10.0)]
    assert all(at == pytest.approx(speed) for at, speed in rising)


def test_the_file_begins_where_the_recording_was(drive: tuple[WorldState, ...], city: City) -> None:
    moment = moments(drive)[0]
    made = retell(drive, city, moment, NAME)
    again = parse(made.text.encode())[0]
    assert again == made.scenario
    began, first = stage(again, city, 3).state, drive[made.first]
    assert made.first == moment.tick - 300
    assert dist((began.ego.x, began.ego.y), (first.ego.x, first.ego.y)) < 0.02
    assert began.ego.speed == pytest.approx(first.ego.speed, abs=0.01)
    near = [a for a in first.actors if dist((a.x, a.y), (first.ego.x, first.ego.y)) < AROUND_M]
    placed = [(actor.x, actor.y, actor.body) for actor in began.actors]
    for actor in near:
        assert any(
            dist((actor.x, actor.y), (x, y)) < 0.05 and body == actor.body for x, y, body in placed
        )


def test_the_others_move_as_they_did_and_the_same_wheel_gives_the_same_moment(
    drive: tuple[WorldState, ...], city: City
) -> None:
    moment = moments(drive)[0]
    made = retell(drive, city, moment, NAME)
    state = stage(made.scenario, city, 0).state
    for tick in range(made.first, moment.tick):
        state = step(city, state, drive[tick + 1].controls)
    told = drive[moment.tick]
    assert dist((state.ego.x, state.ego.y), (told.ego.x, told.ego.y)) < 0.3
    was = next(actor for actor in told.actors if actor.id == moment.id)
    away = [dist((a.x, a.y), (was.x, was.y)) for a in state.actors if a.body == was.body]
    assert min(away) < 0.5


def test_others_drive_it_and_it_ends(drive: tuple[WorldState, ...], city: City) -> None:
    made = retell(drive, city, moments(drive)[0], NAME)
    ends = {who: run(made.scenario, city, 0, DRIVERS[who]) for who in ("bot", "full-throttle")}
    assert ends["bot"].success
    assert not ends["full-throttle"].success


def test_nothing_of_the_driver_is_in_the_file(session: Path, city: City) -> None:
    with Session.open(session) as driven:
        ticks = driven.ticks()
        text = retell(ticks, city, moments(ticks[t] for t in range(0, 1800, 3))[0], NAME).text
        assert driven.manifest.session not in text
        assert driven.manifest.created[:10] not in text


def test_a_moment_without_a_recording_around_it_is_refused(
    drive: tuple[WorldState, ...], city: City
) -> None:
    with pytest.raises(StageImpossible, match="less than a second"):
        retell(drive[:31], city, Moment(30, 1, "taxi", 0.5, 1.0, 9.0), NAME)


def test_the_command_lists_makes_and_the_linter_passes(
    session: Path, tmp_path: Path, city: City
) -> None:
    def call(*words: str) -> dict[str, object]:
        done = CliRunner().invoke(command, [*words, "--json"])
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout.splitlines()[-1])
        assert isinstance(found, dict)
        return found

    listed = call("from-session", str(session))["moments"]
    assert isinstance(listed, list)
    assert listed == sorted(listed, key=lambda each: each["hit"])
    out = tmp_path / "close.yaml"
    made = call("from-session", str(session), "--closest", "--out", str(out))
    assert made["moment"] == listed[0]
    assert call("check", str(out))["ok"] is True
    file = tmp_path / "it.drive"
    with Session.open(session) as driven:
        share(driven, file)
    tick = str(listed[0]["tick"])
    again = tmp_path / "again.yaml"
    call("from-session", str(file), "--at", tick, "--out", str(again))
    assert parse(again.read_bytes())[0].actors == parse(out.read_bytes())[0].actors
    refused = CliRunner().invoke(command, ["from-session", str(session), "--at", "99999"])
    assert refused.exit_code != 0
