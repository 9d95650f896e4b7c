"""One session driven: what comes back never touches the world, and a drive writes what it says."""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from game.atlas.load import load as load_city
from game.play.between import Between
from game.play.blend import STALE_TICKS
from game.play.drive import Drive
from game.play.human import Human
from game.play.prompt import compose, next_style, scene, style_named, styles
from game.session.format import CaptureProfile, Manifest
from game.session.format import Driver as Declared
from game.session.reader import Session
from game.session.replay import library_stage
from game.session.verify import verify
from game.session.writer import SessionWriter
from game.view.axes import Calibration, Gadget, Use
from game.view.hud import Hud
from game.view.pads import Pads
from game.world.city import City
from game.world.digest import checkpoint
from game.world.state import WorldState
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.driver import Bot
from scenarios.load import load
from scenarios.model import digest
from scenarios.spawn import Stage, stage
from streaming.backends.filter import STYLES
from streaming.frames import Frame, Pixels
from streaming.gauges import Gauges

SESSION = "01J00000000000000000000000"


class Screen:
    """Stands for the window: every capture is the tick in grey; remembers what it showed."""

    def __init__(self) -> None:
        self.shown: list[int] = []
        self.drawn: list[int] = []

    def capture(self, state: WorldState) -> Pixels:
        self.drawn.append(state.tick)
        return np.full((8, 8, 4), state.tick % 251, np.uint8)

    def present(self, picture: Pixels | None, hud: Hud) -> None:
        assert picture is not None
        self.shown.append(int(picture[0, 0, 0]))


class Loop:
    """Stands for the stream: gives back what was sent `late` ticks ago, inverted."""

    def __init__(self, late: int) -> None:
        self.late, self.sent, self.prompts = late, [], []  # type: ignore[var-annotated]
        self.commits: list[int] = []

    def send(self, tick: int, drawn_ns: int, picture: Pixels) -> None:
        self.sent.append(Frame(tick, 255 - picture, drawn_ns))

    def newest(self, after_tick: int) -> Frame | None:
        last = self.sent[-1].tick if self.sent else 0
        old = [f for f in self.sent if after_tick < f.tick <= last - self.late]
        return old[-1] if old else None

    def set_prompt(self, text: str, style: Any) -> int:
        self.prompts.append(text)
        return len(self.prompts)

    def commit(self, tick: int, inputs: bytes) -> None:
        self.commits.append(tick)

    def revive(self) -> bool:
        return False

    def gauges(self) -> Gauges:
        return Gauges()

    def reading(self) -> dict[str, Any]:
        return {"state": "streaming"}


@pytest.fixture(scope="module")
def city() -> City:
    return load_city()


@pytest.fixture(scope="module")
def case(city: City) -> Stage:
    return stage(load("oncoming-traffic"), city, 3)


def drive_for(drive: Drive, ticks: int, draw: Iterable[bool] = ()) -> WorldState:
    pattern = list(draw) or [True]
    for n in range(ticks):
        drive.turn((), pattern[n % len(pattern)])
    return drive.state


def manifest_of(city: City, case: Stage, scenario_digest: str) -> Manifest:
    """Of a drive of the bot."""
    return Manifest(
        session=SESSION,
        created="2026-01-01T00:00:00+00:00",
        build="0",
        world_version=WORLD_VERSION,
        pack=city.name,
        pack_digest=city.digest,
        scenario=case.scenario.id,
        scenario_digest=scenario_digest,
        seed=case.seed,
        tick_hz=60,
        driver=Declared("bot", "calm"),
        backend="filter",
    )


def make(city: City, case: Stage, link: Loop | None, writer: SessionWriter | None = None) -> Drive:
    parts: tuple[Any, ...] = (city, case, Screen(), Bot(case, city), style_named("noir"), 2)
    return Drive(*parts, writer=writer, link=link)  # type: ignore[arg-type]


def test_no_stream_no_delay_and_no_skipped_picture_changes_a_digest(
    city: City, case: Stage
) -> None:
    alone = drive_for(make(city, case, None), 130)
    for late, pattern in ((0, (True,)), (40, (True,)), (4, (True, False, False))):
        streamed = drive_for(make(city, case, Loop(late)), 130, pattern)
        assert streamed == alone


def test_the_last_styled_frame_stays_less_than_half_a_second(city: City, case: Stage) -> None:
    loop = Loop(4)
    drive = make(city, case, loop)
    drive_for(drive, 20)
    screen: Any = drive.window
    assert screen.shown[-1] == 255 - 16
    loop.late = 1000
    drive_for(drive, STALE_TICKS)
    assert screen.shown[-1] == 255 - 16
    drive_for(drive, TICK_HZ // 2 - STALE_TICKS)
    assert screen.shown[-1] == drive.state.tick


def test_a_first_picture_that_is_not_to_be_shown_yet_is_there_all_the_same(
    city: City, case: Stage
) -> None:
    parts: tuple[Any, ...] = (city, case, Screen(), Bot(case, city), style_named("noir"), 2)
    drive = Drive(*parts, shown=False)
    screen: Any = drive.window
    assert drive.picture is not None
    assert screen.shown == []
    drive.shown = True
    drive_for(drive, 2)
    assert screen.shown == [2]


def test_the_raw_key_shows_the_game_itself(city: City, case: Stage) -> None:
    drive = make(city, case, Loop(2))
    drive.blend.raw = True
    drive_for(drive, 10)
    screen: Any = drive.window
    assert screen.shown[-1] == drive.state.tick


def test_every_second_the_inputs_are_committed_to_the_journal(city: City, case: Stage) -> None:
    loop = Loop(2)
    drive_for(make(city, case, loop), 185)
    assert loop.commits == [60, 120, 180]


def test_what_is_written_is_what_was_driven(city: City, case: Stage, tmp_path: Path) -> None:
    manifest = manifest_of(city, case, digest(case.scenario))
    writer = SessionWriter.create(tmp_path, manifest)
    drive = make(city, case, Loop(2), writer)
    last = drive_for(drive, 90)
    writer.finish({})
    with Session.open(writer.folder) as session:
        assert len(session.ticks()) == 91
        assert session.ticks()[90].ego == last.ego
        (prompt,) = session.events("prompt")
        assert "34th Street" in prompt["prompt"]
        assert prompt["style"] == "noir"
        assert [e["tick"] for e in session.events("shown")][:2] == [2, 4]


def test_every_style_on_the_key_has_its_grade_in_the_filter() -> None:
    assert [style.name for style in styles()] == list(STYLES)
    assert next_style(style_named("neon")).name == "day"
    assert next_style(style_named("day"), -1).name == "neon"


def test_the_prompt_names_the_street_and_the_look(city: City, case: Stage) -> None:
    where = scene(city, case.state, CaptureProfile(), "oncoming-traffic", "Oncoming Traffic")
    text = compose(where, style_named("rain"))
    assert text.startswith("West 34th Street")
    assert "heavy rain" in text
    assert text.endswith(where.mood)
    assert where.mood


def test_a_wheel_is_recorded_as_whole_numbers_and_replays_bit_for_bit(
    city: City, case: Stage, tmp_path: Path
) -> None:
    made = Calibration("G27", (Use("steer", "wheel", -1.0, 0.0, 1.0, 0.0),
                               Use("throttle", "axis1", 0.0, 1.0, -1.0, 0.0)))  # fmt: skip
    plugged: list[Gadget] = []
    pads, human = Pads(lambda: plugged, [made]), Human()
    manifest = manifest_of(city, case, digest(case.scenario))
    driver = Declared("human", "keyboard, wheel")
    manifest = replace(manifest, driver=driver, devices=("keyboard", *pads.kinds()))
    writer = SessionWriter.create(tmp_path, manifest)
    parts: tuple[Any, ...] = (city, case, Screen(), human, style_named("noir"), 2)
    drive = Drive(*parts, writer=writer)
    for tick in range(120):
        axes = {"wheel": math.sin(tick / 17), "axis1": math.cos(tick / 29)}
        plugged[:] = [Gadget("G27", "wheel", axes=axes)]
        drive.turn(human.feed(pads.keys(tick), tick))
    writer.finish({})
    with Session.open(writer.folder) as session:
        chain = session.inputs()
        axes_told = [event for event in chain if event.kind == "axis"]
        assert {event.src for event in axes_told} == {"wheel"}
        assert {event.code for event in axes_told} == {"steer", "throttle"}
        assert all(event.value == int(event.value) for event in axes_told)
        assert len({each.steer for each in session.controls()}) > 60  # no ramp of a key
        report = verify(session, city, library_stage)
        assert report.problems == ()
        assert report.digest == checkpoint(drive.state).digest.hex()


def test_a_picture_between_two_captured_ones_is_for_the_screen_alone(
    city: City, case: Stage
) -> None:
    plain, more = Screen(), Screen()
    ends = []
    sent = []
    for screen, between in ((plain, None), (more, Between(True, budget_ms=1e9))):
        link: Any = Loop(late=0)
        window: Any = screen
        drive = Drive(city, case, window, Bot(case, city), style_named("day"), 2,
                      link=link, between=between)  # fmt: skip
        drive.blend.raw = True
        ends.append(drive_for(drive, 12))
        sent.append([(frame.tick, int(frame.pixels[0, 0, 0])) for frame in link.sent])
        assert drive.counts.frames == 7
    assert sent[0] == sent[1]
    assert ends[0] == ends[1]
    assert plain.shown[1:] == [2, 4, 6, 8, 10, 12]
    assert more.shown[1:] == list(range(1, 13))


def test_the_game_is_not_drawn_in_between_where_the_dream_covers_it(
    city: City, case: Stage
) -> None:
    screen: Any = Screen()
    link: Any = Loop(late=0)
    drive = Drive(city, case, screen, Bot(case, city), style_named("day"), 2,
                  link=link, between=Between(True, budget_ms=1e9))  # fmt: skip
    drive_for(drive, 6)
    assert screen.drawn == [0, 2, 4, 6]
    assert screen.shown == [255, 255, 253, 253, 251, 251, 249]


def test_there_is_a_picture_in_between_only_where_there_is_time() -> None:
    wanted, never = Between(True), Between(False)
    assert not wanted.due(1)  # nobody knows yet what one costs
    for each in (wanted, never):
        each.took(2.0)
    assert wanted.due(1)
    assert not wanted.due(2)  # a tick waits already
    assert not never.due(1)
    for _ in range(60):
        wanted.took(12.0)
    assert not wanted.due(1)
    for _ in range(60):
        wanted.took(3.0)
    assert wanted.due(1)
