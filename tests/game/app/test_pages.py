"""Menus, settings pages, medals and the rest of what the screens are made of. No display."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from game.loop import Pacer
from game.outbox.job import Job, JobStore, State
from game.outbox.outbox import Outbox, OutboxConfig
from game.outbox.process import step_unless_paused
from game.play.app import (
    calibration,
    consent,
    drives,
    graphics,
    menus,
    settings_pages,
    uploading,
)
from game.play.app.cards import cards, upcoming
from game.play.app.medal import Merit, better, daily, day_seed, merit, noted
from game.play.app.memory import Best, Memory
from game.play.app.photo import png
from game.play.screen import goal
from game.session.format import CaptureProfile
from game.session.ids import new_id
from game.settings import Settings
from game.view.axes import Gadget, usual
from game.view.keys import Deed, rebound
from game.view.screen.canvas import Canvas, Words
from game.view.screen.layout import place
from game.view.screen.model import Act, Button, Note, Screen
from game.view.screen.theme import TEXT_SIZES, Theme
from scenarios.expect import Outcome
from scenarios.spawn import Expectation, Stage
from tests.game.app.stages import a_stage
from tests.view.screen.fits import stays_inside

SETTINGS = Settings()
CARD, PROCESSOR = "NVIDIA GeForce RTX 3060/PCIe/SSE2", "llvmpipe (LLVM 15.0.6, 256 bits)"
G27 = Gadget(
    "Logitech G27 Racing Wheel USB", "wheel", axes={"wheel": 0.3, "accelerator": 0.0, "brake": 1.0}
)


def screens(tmp_path: Path) -> dict[str, Screen]:
    card = cards()[0]
    merits = Merit("gold", 12.3, "nobody near")
    made = {
        "main": menus.main(Memory(), card, 3, ["No stream server: you see the game itself."]),
        "scenarios": menus.scenarios(cards(), Memory()),
        "free": menus.free(),
        "today": menus.today(date(2026, 11, 22), card, 77, Memory()),
        "paused": menus.paused(card.title, "Recorded so far: 12 s"),
        "ended": menus.ended(card.title, True, "", merits, "your best", "is uploading", True),
        "waits": menus.waits("the first painted picture", 3.0, 20.0),
        "wheels": calibration.devices((G27,), ()),
        "wheel": calibration.device(G27, usual(G27), True, "written to a file", "good"),
        "calibrate": calibration.Calibrator("G27 Racing Wheel", "wheel", 3).screen(),
        "uploads": menus.uploads([], True, "no rewards service"),
        "consent": consent.ask(),
        "facts": consent.facts(tmp_path),
        "settings": settings_pages.index(),
        "keys": settings_pages.controls(""),
        "pads": settings_pages.pads(),
        "drives": drives.browser((), tmp_path),
    }
    made |= {name: settings_pages.page(name, SETTINGS) for name in settings_pages.PAGES}
    for name, family in (("card", CARD), ("processor", PROCESSOR)):
        head = graphics.head(family, CaptureProfile())
        made[f"graphics {name}"] = settings_pages.page(settings_pages.GRAPHICS, SETTINGS, head=head)
        made[f"drawn by a {name}"] = graphics.page(family)
    return made


@pytest.mark.parametrize("size", [(480, 480), (800, 600), (1280, 800), (1920, 1080)])
def test_every_screen_fits_every_window_at_every_size_of_letters(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    canvas = Canvas.of(*size)
    for name, screen in screens(tmp_path).items():
        stays_inside(name, screen, canvas)


@pytest.mark.parametrize("size", [(480, 480), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("text", [1.0, 1.5])
def test_no_word_of_a_screen_is_cut_off(tmp_path: Path, size: tuple[int, int], text: float) -> None:
    """Rows may scroll, a row is whole. Fields end with what is typed, so their ghosts may not."""
    queue = [
        {"share": share, "session": "01M82WCQG7DCEG22SXPDZ7E28Z", "said": said, "detail": why,
         "state": state}
        for share, said, why, state in (
            (0.4, "uploading", "12.3 of 30.8 MB", "uploading"),
            (1.0, "refused", "the service refused it: no ticket of this run is known", "refused"),
            (0.0, "waits", "the service cannot be reached; the next try is in 40 s", "held"),
        )
    ]  # fmt: skip
    made = screens(tmp_path) | {
        "queue": menus.uploads(queue, False, "https://rewards.example.org"),
        "close": menus.ended(
            "Busy Intersection", False, "You hit a taxi", Merit("", 3.0, ""), "", "kept, unpaid",
            False, "0.4 m and 0.6 s to a cyclist",
        ),
    }  # fmt: skip
    for name, screen in made.items():
        cut = [
            mark.text
            for mark in place(screen, Canvas.of(*size), Theme(text=text)).marks
            if isinstance(mark, Words) and "…" in mark.text
        ]
        ours = ("empty:", "none:", "█empty", "01M82WCQG7…", "Try 01M82WCQG7…")
        assert [each for each in cut if not each.startswith(ours)] == [], name


@pytest.mark.parametrize("size", [(480, 480), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("text", TEXT_SIZES.values())
def test_whoever_is_asked_for_consent_can_read_all_of_it(
    size: tuple[int, int], text: float
) -> None:
    asked = consent.ask()
    marks = place(asked, Canvas.of(*size), Theme(text=text)).marks
    shown = " ".join(mark.text for mark in marks if isinstance(mark, Words))
    for row in asked.rows:
        if isinstance(row, Note):
            assert all(word in shown for word in row.text.split()), row.text
    assert "▲ more" not in shown


def outcome(tick: int, ttc: float | None, success: bool = True) -> Outcome:
    return Outcome(success, "ok" if success else "collision", tick, 0, ttc)


def test_a_medal_is_for_distance_and_time() -> None:
    stage = replace(
        a_stage(),
        duration_ticks=3000,
        expectations=(Expectation("reach_position", 0.0, 50.0, 5.0),),
    )
    soon, late = 2400, 2700  # 40 and 45 of 50 s; gold takes 42.5
    assert merit(stage, outcome(soon, None)).medal == "gold"
    assert merit(stage, outcome(late, 5.0)).medal == "silver"
    assert merit(stage, outcome(soon, 1.5)).medal == "silver"
    assert merit(stage, outcome(soon, 0.4)).medal == "bronze"
    assert merit(stage, outcome(soon, None, success=False)).medal == ""
    survive = replace(stage, expectations=(Expectation("survive_duration", ticks=3000),))
    assert merit(survive, outcome(3000, None)).medal == "gold"  # there is nothing to be early for


def test_the_better_drive_has_the_better_medal_then_the_better_time() -> None:
    gold, quick = Best(40.0, "gold", "a", 1, ""), Best(20.0, "silver", "b", 1, "")
    assert better(quick, gold) == gold
    assert better(gold, Best(39.0, "gold", "c", 1, "")).session == "c"
    assert better(None, quick) == quick


def test_the_day_is_the_same_for_everybody_and_another_tomorrow() -> None:
    names = tuple(card.id for card in cards())
    days = [date(2026, 11, day) for day in range(1, 29)]
    assert len({day_seed(day) for day in days}) == 28
    assert len({daily(day, names)[0] for day in days}) > 5
    assert daily(days[3], names) == daily(date(2026, 11, 4), names)


def test_a_drive_with_the_seed_of_the_day_counts_for_the_day() -> None:
    today = date(2026, 11, 22)
    gold, won = Merit("gold", 12.0, ""), outcome(720, None)
    memory = noted(Memory(), "road-debris", gold, won, "S", day_seed(today), today)
    assert memory.daily["2026-11-22 road-debris"].seconds == 12.0
    other = noted(Memory(), "road-debris", gold, won, "S", 5, today)
    assert (other.daily, other.best["road-debris"].medal, other.passed) == ({}, "gold", 1)
    lost = noted(Memory(), "x", Merit("", 3.0, ""), outcome(9, 0.0, False), "S", 5, today)
    assert (lost.best, lost.drives, lost.passed) == ({}, 1, 0)


def test_the_next_scenario_is_the_next_without_a_medal() -> None:
    known = cards()
    best = {known[0].id: Best(1.0, "gold", "", 1, ""), known[2].id: Best(1.0, "gold", "", 1, "")}
    memory = Memory(best=best)
    assert upcoming(memory, known).id == known[1].id
    assert upcoming(memory, known, known[1].id).id == known[3].id
    assert upcoming(memory, known, known[-1].id).id == known[1].id


def test_a_key_that_is_given_is_the_only_one_of_its_deed_and_no_other_s() -> None:
    keys = settings_pages.with_key("", "horn", "w")
    bound = rebound(keys)
    assert [code for code, deed in bound.items() if deed is Deed.HORN] == ["w"]
    assert Deed.THROTTLE not in (bound["w"],)
    assert "arrow_up" in bound
    back = settings_pages.with_key(settings_pages.with_key(keys, "throttle", "w"), "horn", "h")
    assert rebound(back)["w"] is Deed.THROTTLE
    assert settings_pages.difference(rebound("")) == ""
    for code in ("escape", "enter", "", ","):
        with pytest.raises(ValueError, match="choose another"):
            settings_pages.with_key("", "horn", code)


def test_every_deed_can_be_given_another_key() -> None:
    rows = {getattr(row, "id", "") for row in settings_pages.controls("").rows}
    assert {deed.value for deed in Deed} <= rows


def test_a_page_asks_for_values_of_the_right_kind() -> None:
    assert settings_pages.asked(SETTINGS, Act("app.calm", "on")) == {"app.calm": True}
    assert settings_pages.asked(SETTINGS, Act("app.volume", "40")) == {"app.volume": 40}
    assert settings_pages.asked(SETTINGS, Act("stream.url", " off ")) == {"stream.url": "off"}
    assert settings_pages.asked(SETTINGS, Act("stream.url:typed", "o")) is None
    for items in settings_pages.PAGES.values():
        for item in items:
            settings_pages.value_of(SETTINGS, item.key)  # each is a real setting


@pytest.mark.parametrize(
    ("family", "processor"),
    [
        (PROCESSOR, True), ("softpipe", True), ("GDI Generic", True),
        ("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)", True),
        ("Microsoft Basic Render Driver", True), ("Apple Software Renderer", True),
        (CARD, False), ("AMD Radeon RX 6600 (navi23, LLVM 15.0.7, DRM 3.54)", False),
        ("Mesa Intel(R) UHD Graphics 620 (KBL GT2)", False), ("Apple M2", False),
    ],
)  # fmt: skip
def test_a_renderer_without_a_card_is_known_and_what_to_do_is_said(
    family: str, processor: bool
) -> None:
    assert graphics.is_software(family) is processor
    row = graphics.head(family, CaptureProfile())[1]
    assert isinstance(row, Button)
    assert row.id == graphics.RENDERER
    assert ("processor" in row.text) is processor
    told = " ".join(line for each in graphics.page(family).rows if isinstance(each, Button)
                    for line in each.lines)  # fmt: skip
    assert ("driver" in told) is processor


def test_the_graphics_page_says_what_the_capture_stays() -> None:
    note = graphics.head(CARD, CaptureProfile())[0]
    assert isinstance(note, Note)
    assert "480 by 480 pixels, 30 a second" in note.text
    after = graphics.head(CARD, CaptureProfile(), "it holds now", "good")[0]
    assert after == Note("it holds now", "good")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("app.size", 640, "now"), ("app.hud", "huge", "now"), ("app.scaling", "sharp", "now"),
        ("app.frames", "30", "from the next drive on"),
        ("app.frames", "display", "from the next start on"),
        ("wallet.address", "", "from the next drive on"),
        ("stream.url", "off", "from the next start on"),
    ],
)  # fmt: skip
def test_a_change_says_from_when_on_it_holds(key: str, value: object, said: str) -> None:
    assert settings_pages.when(key, value) == said


def test_a_paused_queue_does_nothing_until_it_goes_on(tmp_path: Path) -> None:
    session = new_id()
    JobStore(tmp_path).put(Job(session, str(tmp_path / "no-such-folder")))
    outbox = Outbox(OutboxConfig(tmp_path, "http://127.0.0.1:9"))
    uploading.pause(tmp_path, True)
    step_unless_paused(outbox)
    assert uploading.is_paused(tmp_path)
    assert outbox.jobs.all()[0].state is State.QUEUED
    uploading.pause(tmp_path, False)
    step_unless_paused(outbox)
    assert outbox.jobs.all()[0].state is State.HELD  # there is no such folder
    outbox.close()


def test_the_queue_is_told_with_how_far_each_is(tmp_path: Path) -> None:
    folder = tmp_path / "drive"
    folder.mkdir()
    (folder / "a").write_bytes(bytes(750))
    (folder / "b").write_bytes(bytes(250))
    store = JobStore(tmp_path / "box")
    store.put(Job(new_id(), str(folder), State.UPLOADING, sent=("a",)))
    facts = uploading.jobs(tmp_path / "box")[0]
    assert facts["share"] == pytest.approx(0.1 + 0.8 * 0.75)
    assert uploading.waiting(tmp_path / "box") == 1
    assert uploading.jobs(tmp_path / "nothing") == ()


def test_a_photo_is_a_png_of_the_picture() -> None:
    from PIL import Image

    picture = np.random.default_rng(3).integers(0, 256, (6, 9, 4), np.uint8)
    back = np.asarray(Image.open(io.BytesIO(png(picture))))
    assert np.array_equal(back, picture[..., 2::-1])


def test_the_goal_is_told_in_metres_or_seconds() -> None:
    stage: Stage = a_stage()
    ego = stage.state.ego
    aim = Expectation("reach_position", ego.x + 30.0, ego.y + 40.0, 5.0)
    assert goal(replace(stage, expectations=(aim,)), stage.state) == "goal 45 m away"
    last = (Expectation("no_collision"), Expectation("survive_duration", ticks=600))
    told = goal(replace(stage, expectations=last), stage.state)
    assert told == "last 10 s without a collision"
    assert goal(replace(stage, free=True), stage.state) == ""


def test_a_rest_is_not_caught_up() -> None:
    clock = [0]
    pacer = Pacer(lambda: clock[0])
    clock[0] = 100_000_000
    assert pacer.due() == 6
    clock[0] += 900_000_000  # a break, shorter than what is forgiven anyway
    pacer.rest()
    assert pacer.due() == 0
    clock[0] += 34_000_000
    assert pacer.due() == 2
