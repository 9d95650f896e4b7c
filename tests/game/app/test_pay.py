"""What the app says of pay, losses and leaderboards; a hostile service cannot bend its screens."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from game.play.app import drives, lost, menus
from game.play.app.cards import cards
from game.play.app.chart import CLASSES, KNOWN, NEW, PART, chart, classes, colour_of, drawn
from game.play.app.medal import Merit
from game.play.app.memory import Memory
from game.play.app.pay import Pay, PayDesk, by_policy, read_pay
from game.play.app.street_pages import board, printable, rated
from game.session.writer import SessionWriter
from game.view.screen.canvas import Canvas, Lines, Words
from game.view.screen.model import Button, Note, Screen
from game.view.screen.theme import PALETTES, Theme
from game.world.controls import Controls
from game.world.step import step
from rewards import policy
from tests.game.app.stages import a_stage
from tests.session.conftest import manifest_of
from tests.view.screen.fits import stays_inside

RULES = policy.load("default")
CITY = a_stage().city
RATES = {
    "policy": "default", "decimals": 6, "novelty_bonus_milli": 500, "drivers": ["human"],
    "scenarios": [{"id": "road-debris", "per_minute": 1_800_000, "per_minute_new": 2_700_000,
                   "why": ["1000 base units for each attested pair"]}],
}  # fmt: skip
STREETS = {"streets": [{"name": "Madison Avenue", "new_milli": 0, "pays_milli": 1000},
                       {"name": "Park Avenue", "new_milli": 500, "pays_milli": 1250},
                       {"name": "12th Avenue", "new_milli": 900, "pays_milli": 1450}]}  # fmt: skip
LOSS = lost.Loss(300, 10.0, 20.0, "12th Avenue", "hit a taxi at 12 mph", 0.1)
ROWS = {"rows": [{"rank": 1, "name": "driver ABC", "seconds": 12.25, "closest_s": None},
                 {"rank": 2, "name": "x" * 99, "seconds": 13.0, "closest_s": 1.5}],
        "yours": {"rank": 2, "name": "me", "seconds": 13.0, "closest_s": 1.5}}  # fmt: skip


def notes(screen: Screen) -> list[str]:
    return [row.text for row in (*screen.rows, *screen.aside) if isinstance(row, Note)]


def test_without_a_service_the_policy_that_came_along_speaks() -> None:
    pay = by_policy("default")
    assert pay.rate("road-debris") == "1.80 to 2.70 SPL/min"
    assert pay.rate("school-zone-chaos") == "2.34 to 3.51 SPL/min"
    assert pay.rate("nowhere") == ""
    assert by_policy("offline").rate("road-debris") == "pays nothing"
    assert by_policy("no such policy").scenarios == {}


def test_the_services_word_is_taken_where_it_can_be() -> None:
    pay = read_pay(RATES, STREETS)
    assert pay.source == "server"
    assert pay.rate("road-debris") == "1.80 to 2.70 SPL/min"
    assert pay.streets["Park Avenue"] == (500, 1250)


@pytest.mark.parametrize(
    "change",
    [{"decimals": 99}, {"scenarios": [{"id": "x"}]}, {"scenarios": None}, {"drivers": None},
     {"novelty_bonus_milli": -1}, {"decimals": True}],
)  # fmt: skip
def test_what_a_service_cannot_mean_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_pay(RATES | change, STREETS)


def test_a_service_that_does_not_answer_leaves_the_policys_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, asked = [0.0], [0]

    def deaf(url: str, path: str) -> Any:
        asked[0] += 1
        raise ValueError("status 503")

    monkeypatch.setattr("game.play.app.pay.get", deaf)
    desk = PayDesk("http://127.0.0.1:9", "default", "ab", lambda: clock[0])
    desk.refresh()
    desk.wait()
    desk.refresh()
    desk.wait()
    assert asked == [1], "asked again only when the answer is old"
    assert desk.pay.source == "policy"
    clock[0] = 500.0
    monkeypatch.setattr("game.play.app.pay.get", lambda url, path: (
        STREETS if "streets" in path else RATES))  # fmt: skip
    desk.refresh()
    desk.wait()
    assert desk.pay.source == "server"
    with pytest.raises(ValueError, match="no rewards service"):
        PayDesk("", "default", "ab").board("road-debris")


def test_the_map_sorts_streets_by_what_is_new_and_says_so_in_words() -> None:
    names = {"Madison Avenue", "Park Avenue", "12th Avenue", "5th Avenue"}
    sorts = classes(names, {}, read_pay(RATES, STREETS))
    assert sorts == {"Madison Avenue": KNOWN, "Park Avenue": PART, "12th Avenue": NEW,
                     "5th Avenue": NEW}  # fmt: skip
    assert classes(names, {"5th Avenue": 9.0}, by_policy("default"))["5th Avenue"] == KNOWN
    memory = Memory(streets={"Madison Avenue": 1200.0})
    told = notes(chart(CITY, memory, Theme(), read_pay(RATES, STREETS), (LOSS,))[0])
    assert any("new to us" in note and "up to 50 % more" in note for note in told)
    assert any("partly new: 1" in note for note in told)
    assert any(note.startswith("1 -10 %  hit a taxi") for note in told)
    assert any("x1.00" in note and "Madison" in note for note in told)
    alone = notes(chart(CITY, memory, Theme(), by_policy("default"))[0])
    assert any("No rewards service answers" in note for note in alone)
    flat = notes(chart(CITY, memory, Theme(), by_policy("demo"))[0])
    assert any("pays streets alike" in note for note in flat)


@pytest.mark.parametrize("palette", sorted(PALETTES))
def test_no_colour_says_it_alone_on_the_map(palette: str) -> None:
    theme = Theme(palette=palette)
    pay = read_pay(RATES, STREETS)
    names = {street.name for street in CITY.streets if street.name}
    marks = drawn(CITY, classes(names, {}, pay), set(), Canvas.of(960, 720), theme, (LOSS,))
    lines = [mark for mark in marks if isinstance(mark, Lines)]
    assert len({line.width for line in lines}) == len(lines) == len(CLASSES)
    assert [line.width for line in lines] == sorted(line.width for line in lines)
    assert len({colour_of(kind, theme) for kind in CLASSES}) == len(CLASSES)
    assert [mark.text for mark in marks if isinstance(mark, Words)] == ["1"]
    twice = drawn(CITY, {}, set(), Canvas.of(960, 720), theme, (LOSS, LOSS))
    words = [mark for mark in twice if isinstance(mark, Words)]
    assert [mark.text for mark in words] == ["1", "2"]
    assert words[1].x - words[0].x >= 20.0


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Foot down into whatever lies on the road."""
    stage = a_stage()
    manifest = manifest_of(scenario="road-debris", scenario_digest=stage.digest)
    writer = SessionWriter.create(tmp_path_factory.mktemp("lost"), manifest)
    state = stage.state
    writer.tick(state)
    for _ in range(900):
        state = step(stage.city, state, Controls(throttle=1000))
        writer.tick(state)
        for contact in state.contacts:
            if contact.since == state.tick:
                writer.event("contact", state.tick, other=contact.other, speed=contact.speed)
        if state.collisions:
            break
    assert state.collisions
    writer.finish({"success": False, "reason": "collision", "tick": state.tick, "cause": "crate"})
    return writer.folder


def where(x: float, y: float) -> str:
    return f"at {x:.0f}, {y:.0f}"


def test_each_deduction_has_its_place_and_its_share(crashed: Path) -> None:
    found = lost.losses(crashed, RULES, {}, where)
    assert [round(one.cost, 3) for one in found] == [0.1, 0.5]
    assert found[0].what.startswith("hit a ")
    assert "mph" in found[0].what
    assert found[1].what == "not passed: you hit the crate"
    assert found[0].tick == found[1].tick > 0
    assert found[0].place == where(found[0].x, found[0].y)
    assert all(one.by == "here" for one in found)


def test_the_services_verdict_adds_what_it_found(crashed: Path) -> None:
    verdict = {
        "decision": "accepted", "measures": {"quality_milli": 870},
        "findings": [{"check": "blur", "passed": False, "reason": "blur.soft", "tick": 40,
                      "detail": "0.2"},
                     {"check": "humanity", "passed": False, "reason": "humanity.idle", "tick": 9**9,
                      "detail": "secret"}, {"check": "replay", "passed": True}, "noise"],
    }  # fmt: skip
    found = lost.losses(crashed, RULES, {"verdict": verdict}, where)
    server = {one.what: one for one in found if one.by == "server"}
    assert set(server) == {"blur.soft: 0.2", "humanity.idle", "pictures count for 87 %"}
    assert server["blur.soft: 0.2"].tick == 40
    assert server["pictures count for 87 %"].cost == pytest.approx(0.13)
    shown = notes(lost.screen("Road Debris", found, True))
    assert any("tick 40" in line for line in shown)
    assert any("as the service found" in line for line in shown)
    assert not any("not judged" in line for line in shown)
    assert lost.of_session(crashed / "nowhere", RULES, {}, where) == ()


def test_a_fourth_collision_costs_no_more(crashed: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / crashed.name
    shutil.copytree(crashed, folder)
    events = folder / "events.jsonl"
    line = next(each for each in events.read_text().splitlines() if '"contact"' in each)
    events.write_text("".join(f"{line}\n" for _ in range(5)))
    costs = [one.cost for one in lost.losses(folder, RULES, {}, where) if "hit a" in one.what]
    assert costs[:3] == pytest.approx([0.1, 0.09, 0.081])
    assert costs[3:5] == [0.0, 0.0]


def test_a_leaderboard_is_read_as_a_strangers_text() -> None:
    lines = notes(board("Road Debris", "2026-11-23", ROWS))
    assert any(
        "driver ABC" in line and "12.25 s" in line and "nobody near" in line for line in lines
    )
    assert any(line.startswith("you: 2") for line in lines)
    odd = {"rows": [{"rank": "x"}, None, {"rank": 1, "name": "\u202eevil", "seconds": 1.0,
                                          "closest_s": 2}], "yours": 7}  # fmt: skip
    shown = notes(board("A", "", odd))
    assert sum("s away" in line for line in shown) == 1
    assert printable("\u202eevil") == "?evil"


def test_shared_files_in_the_folder_of_ghosts_can_be_raced(tmp_path: Path) -> None:
    assert drives.ghosts(tmp_path / "nowhere") == ()
    for name in ("b.drive", "a.drive", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    found = drives.ghosts(tmp_path)
    assert [path.name for path in found] == ["a.drive", "b.drive"]
    shown = drives.browser((), tmp_path / "outbox", "", found)
    row = shown.named(f"{drives.GHOST}{found[0]}")
    assert isinstance(row, Button)
    assert row.text == "ghost: a"


def test_lists_and_summary_offer_it() -> None:
    pay = by_policy("default")
    known = cards()
    shown = menus.scenarios(known, Memory(), "road-debris", rates=rated(known, pay))
    row = shown.named("road-debris")
    assert isinstance(row, Button)
    assert row.detail == "1.80 to 2.70 SPL/min"
    assert "today: 1.80 to 2.70 SPL/min, at most" in notes(shown)
    ended = menus.ended("A", False, "x", Merit("", 9.0, ""), "", "", False, "", 2)
    assert isinstance(ended.named("lost"), Button)
    plain = menus.ended("A", False, "x", Merit("", 9.0, ""), "", "", False)
    assert plain.named("lost") is None


@pytest.mark.parametrize("size", [(480, 480), (960, 720), (1920, 1080)])
def test_every_screen_fits(size: tuple[int, int]) -> None:
    canvas = Canvas.of(*size)
    made: dict[str, Callable[[], Screen]] = {
        "board": lambda: board("Double Intersection Gauntlet", "", ROWS),
        "lost": lambda: lost.screen("Road Debris", (LOSS, replace(LOSS, cost=0.0)), False),
        "map": lambda: chart(CITY, Memory(), Theme(), read_pay(RATES, STREETS), (LOSS,))[0],
        "ended": lambda: menus.ended("A", True, "", Merit("gold", 9.0, "x"), "best", "paid", True,
                                     "0.4 s from a taxi", 2),
    }  # fmt: skip
    for name, make in made.items():
        stays_inside(name, make(), canvas)
    assert Pay("policy", "x").rate("a") == ""
