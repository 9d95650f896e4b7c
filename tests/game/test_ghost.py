"""A ghost is where the shared drive was, is drawn on the window alone and moves no world."""

from dataclasses import replace
from functools import partial
from math import cos, sin
from pathlib import Path
from typing import Any

import pytest

from game.atlas.load import load as load_city
from game.errors import UsageError
from game.play.drive import Drive
from game.play.ghost import EVERY, Ghost, Race, load_ghost
from game.play.prompt import style_named
from game.play.screen import hud
from game.play.session_loop import DAILY, Sitting
from game.session.format import CaptureProfile
from game.session.reader import Session
from game.session.share import share
from game.session.writer import SessionWriter
from game.settings import Settings
from game.view.hud import Hud
from game.view.screen.canvas import Canvas, Lines, Marks
from game.world.city import City
from game.world.state import WorldState
from scenarios.cases import case
from scenarios.daily import day_seed, today
from scenarios.driver import Bot
from scenarios.model import digest
from scenarios.run import drive as run_stage
from scenarios.spawn import Stage
from streaming.frames import Pixels
from tests.game.test_drive import Screen
from tests.session.conftest import manifest_of

CANVAS = Canvas.of(480, 480)
NAME, SEED = "oncoming-traffic", 3


@pytest.fixture(scope="module")
def city() -> City:
    return load_city()


@pytest.fixture(scope="module")
def stage(city: City) -> Stage:
    return case(NAME, city, SEED)


@pytest.fixture(scope="module")
def states(city: City, stage: Stage) -> tuple[WorldState, ...]:
    found: list[WorldState] = []
    run_stage(stage, city, Bot(stage, city), found.append)
    return tuple(found)


@pytest.fixture(scope="module")
def folder(states: tuple[WorldState, ...], stage: Stage, city: City, tmp_path_factory: Any) -> Path:
    manifest = manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=NAME, seed=SEED,
        scenario_digest=digest(stage.scenario),
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path_factory.mktemp("ghost"), manifest)
    for state in states:
        writer.tick(state)
    writer.finish({"success": True, "reason": "ok"})
    return writer.folder


@pytest.fixture(scope="module")
def ghost(folder: Path, city: City, tmp_path_factory: Any) -> Ghost:
    path = tmp_path_factory.mktemp("shared") / "it.drive"
    with Session.open(folder) as session:
        share(session, path)
    return load_ghost(path, city)


def test_a_ghost_is_where_the_shared_drive_was(
    ghost: Ghost, states: tuple[WorldState, ...], folder: Path, city: City
) -> None:
    assert ghost.ticks == len(states) - 1
    for state in states[::7]:
        x, y, _ = ghost.pose(state.tick)
        assert abs(x - state.ego.x) < 0.05
        assert abs(y - state.ego.y) < 0.05
    assert ghost.pose(10**6)[:2] == (states[-1].ego.x, states[-1].ego.y)
    assert load_ghost(folder, city) == ghost


@pytest.mark.parametrize("late", [0, 90, -60])
def test_who_drives_the_same_way_later_is_that_much_behind(
    ghost: Ghost, states: tuple[WorldState, ...], city: City, late: int
) -> None:
    race = Race(ghost, city, CaptureProfile())
    for state in states[120:600]:
        gap = race.gap(replace(state, tick=state.tick + late))
    assert gap == pytest.approx(late / 60, abs=EVERY / 60)
    said = race.says(replace(states[600], tick=600 + late))
    assert ("ahead of you" in said) is (late > 0) or late == 0


def test_off_the_ghosts_way_there_is_no_gap(
    ghost: Ghost, states: tuple[WorldState, ...], city: City
) -> None:
    race = Race(ghost, city, CaptureProfile())
    ego = states[60].ego
    assert race.gap(replace(states[60], ego=ego._replace(x=ego.x + 80, y=ego.y + 80))) is None
    assert race.says(replace(states[60], ego=ego._replace(x=ego.x + 80, y=ego.y + 80))) == (
        "ghost: off its way"
    )


def test_it_is_drawn_where_it_stands_and_not_behind_the_eye(
    states: tuple[WorldState, ...], ghost: Ghost, city: City
) -> None:
    state = states[0]
    ego = state.ego
    c, s = cos(ego.heading), sin(ego.heading)

    def drawn(ahead: float, left: float) -> Marks:
        at = (ego.x + ahead * c - left * s, ego.y + ahead * s + left * c, ego.heading)
        return Race(replace(ghost, poses=(at, at)), city, CaptureProfile()).marks(state, CANVAS)

    middle = CANVAS.width / 2
    for left, side in ((3.0, -1), (-3.0, 1)):
        lines = drawn(15.0, left)[0]
        assert isinstance(lines, Lines)
        assert len(lines.segments) == 12
        mean = sum(a + b for a, _, b, _ in lines.segments) / 24
        assert (mean - middle) * side > 20
    near, far = drawn(12.0, 0.0)[0], drawn(40.0, 0.0)[0]
    assert isinstance(near, Lines)
    assert isinstance(far, Lines)
    tall = [max(y for _, y, _, _ in m.segments) - min(y for _, y, _, _ in m.segments)
            for m in (near, far)]  # fmt: skip
    assert tall[0] > 2.5 * tall[1]
    assert drawn(-20.0, 0.0) == ()
    assert drawn(1.0, 0.0) == ()
    assert drawn(60.0, 35.0) == ()  # in the picture, but behind the houses


class Glass(Screen):
    """Keeps what was drawn over the pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.over: list[Marks] = []
        self.pictures: list[bytes] = []
        self.chips: list[str] = []

    def present(self, picture: Pixels | None, hud: Hud, over: Any = None) -> None:
        super().present(picture, hud)
        assert picture is not None
        self.pictures.append(picture.tobytes())
        self.chips += [chip.text for chip in hud.chips]
        if over is not None:
            self.over.append(over(CANVAS))


def test_a_race_changes_no_digest_and_no_captured_picture(
    stage: Stage, city: City, ghost: Ghost
) -> None:
    ends = []
    other = replace(ghost, poses=tuple((x + 8, y + 4, h) for x, y, h in ghost.poses))
    from game.play.intake import Payee

    for race in (None, Race(other, city, CaptureProfile())):
        glass = Glass()
        show = partial(hud, city=city, who=Payee(claim="x"), last="")
        drive = Drive(city, stage, glass, Bot(stage, city), style_named("day"), 2,  # type: ignore[arg-type]
                      race=race, hud=show)  # fmt: skip
        for _ in range(200):
            drive.turn()
        ends.append((drive.state.digest, tuple(glass.pictures)))
        assert bool(glass.over) is (race is not None)
        assert any("ghost" in text for text in glass.chips) is (race is not None)
    assert ends[0] == ends[1]


def test_what_is_no_shared_drive_is_refused_with_its_name(tmp_path: Path, city: City) -> None:
    path = tmp_path / "noise.drive"
    path.write_bytes(b"noise")
    with pytest.raises(UsageError, match=r"noise\.drive"):
        load_ghost(path, city)


def test_a_seed_known_beforehand_earns_nothing_but_the_days_one_counts_on_the_boards() -> None:
    settings = replace(Settings(), rewards=replace(Settings().rewards, policy="default"))
    sitting = Sitting.__new__(Sitting)
    sitting._settings, sitting._say = settings, lambda text: None
    sitting._intake = object()  # type: ignore[assignment]
    assert sitting._terms(NAME, None) == (settings, sitting._intake)
    daily, intake = sitting._terms(NAME, day_seed(today()))
    assert daily.rewards.policy == DAILY
    assert intake is sitting._intake
    assert sitting._terms(NAME, 77) == (settings, None)
    demo = replace(settings, rewards=replace(settings.rewards, policy="demo"))
    sitting._settings = demo
    assert sitting._terms(NAME, 77) == (demo, sitting._intake)
