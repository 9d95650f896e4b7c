"""What the app shows of missions, near misses and one's own scenario files. No display."""

from dataclasses import replace
from math import pi
from pathlib import Path

import pytest

from game.play.app import menus
from game.play.app.cards import card, errands, own_cards
from game.play.app.close import FOLDER, keep_moment
from game.play.app.medal import Merit, merit
from game.play.app.memory import Memory
from game.play.screen import bearing, stop_lines, why
from game.session.reader import Session
from game.session.writer import SessionWriter
from game.view.hud import Hud, layout
from game.view.screen.model import Button, Note
from game.world.state import WorldState
from game.world.step import step
from scenarios.cases import is_known
from scenarios.driver import DRIVERS
from scenarios.errand import Errand
from scenarios.expect import Outcome
from scenarios.load import load, missions
from scenarios.model import digest
from scenarios.near import moments
from scenarios.spawn import Expectation
from tests.game.app.stages import a_stage
from tests.session.conftest import manifest_of

FIRST = Expectation("stop", 0.0, 0.0, 12.0, 180, "pick up the couple, 8th Avenue", 600)
STAGE = replace(
    a_stage(),
    expectations=(Expectation("no_collision"), FIRST, replace(FIRST, x=300.0, by=0, title="out")),
)


def at(x: float, y: float, heading: float = 0.0, tick: int = 0, speed: float = 0.0) -> WorldState:
    ego = STAGE.state.ego._replace(x=x, y=y, heading=heading, speed=speed)
    return replace(STAGE.state, tick=tick, ego=ego)


def test_the_hud_leads_to_the_next_stop() -> None:
    errand = Errand(STAGE)
    lines = stop_lines(errand, at(-100.0, 0.0, 0.0, 60))
    assert " ".join(lines[:-1]) == "stop 1 of 2: pick up the couple, 8th Avenue"
    assert lines[-1] == "100 m straight ahead, 9 s left"
    assert stop_lines(errand, at(5.0, 0.0, 0.0, 60, 4.0))[-1] == "here: come to rest, 9 s left"
    for tick in (60, 180):
        errand.observe(at(0.0, 0.0, 0.0, tick))
    assert stop_lines(errand, at(0.0, 0.0, 0.0, 180))[-1] == "here: stand for 1 s, 7 s left"
    errand.observe(at(0.0, 0.0, 0.0, 240))
    assert stop_lines(errand, at(0.0, 0.0, pi / 2, 240)) == (
        "stop 2 of 2: out", "300 m to the right",
    )  # fmt: skip
    assert max(len(line) for line in lines[:-1]) <= 22
    rows = [block for block in layout(Hud(lines=(*lines, "style Noir"))) if block.anchor < 0]
    assert [block.row for block in rows] == sorted(block.row for block in rows)


@pytest.mark.parametrize(
    ("heading", "words"),
    [(0.0, "straight ahead"), (-pi / 4, "ahead to the left"), (pi / 2, "to the right"),
     (pi, "behind you, left"), (-pi / 2, "to the left")],
)  # fmt: skip
def test_a_place_lies_where_the_driver_looks(heading: float, words: str) -> None:
    assert bearing(at(-50.0, 0.0, heading), FIRST).startswith(words.split(",")[0])


def test_missions_are_in_the_menu_with_their_stops() -> None:
    assert any(isinstance(r, Button) and r.id == "missions" for r in menus.main(
        Memory(), None, 0, []).rows)  # fmt: skip
    shown = menus.scenarios(errands(), Memory(), "taxi-theatre-run", "Missions")
    notes = [row.text for row in shown.aside if isinstance(row, Note)]
    assert "at most 10 min, 2 stops in their order" in notes
    assert any(note.startswith("2. let them out at the theatre") for note in notes)
    assert {each.id for each in errands()} == set(missions())


def test_a_mission_is_worth_what_its_time_says() -> None:
    whole = STAGE.duration_ticks
    ends = [merit(STAGE, Outcome(True, "ok", int(whole * part), 0, 0.3)).medal
            for part in (0.69, 0.84, 0.99)]  # fmt: skip
    assert ends == ["gold", "silver", "bronze"]
    assert why(Outcome(False, "timeout", 600, 0, None, "stop")) == "too late at a stop"


def test_after_a_near_miss_the_summary_offers_it() -> None:
    plain = menus.ended("A", True, "", Merit("", 9.0, ""), "", "", False)
    near = menus.ended("A", True, "", Merit("", 9.0, ""), "", "", False, "0.4 s from a taxi")
    assert plain.named("close") is None
    row = near.named("close")
    assert isinstance(row, Button)
    assert row.detail.startswith("0.4 s from a taxi")


def test_a_kept_moment_is_found_among_ones_own_and_pays_nothing(tmp_path: Path) -> None:
    stage = a_stage()
    bot, state = DRIVERS["full-throttle"](stage, stage.city), stage.state
    manifest = manifest_of(scenario="road-debris", scenario_digest=digest(load("road-debris")))
    writer = SessionWriter.create(tmp_path / "sessions", manifest)
    states = [state]
    writer.tick(state)
    for _ in range(700):
        state = step(stage.city, state, bot.controls(state))
        writer.tick(state)
        states.append(state)
    writer.finish({})
    moment = moments(states)[0]
    path, title = keep_moment(writer.folder, moment, stage.city, tmp_path)
    other, _ = keep_moment(writer.folder, moment, stage.city, tmp_path)
    (tmp_path / FOLDER / "broken.yaml").write_text("schema_version: 9")
    found = own_cards(tmp_path / FOLDER)
    assert {each.id for each in found} == {str(path), str(other)}
    assert found[0].title == f"yours: {title}"
    assert card(str(path)).actors == len(load(path).actors)
    assert not is_known(str(path))
    with Session.open(writer.folder) as driven:
        assert driven.manifest.session not in path.read_text()
