"""The app's own pages, walked by a script instead of a hand: what each row leads to."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from game.outbox.job import JobStore
from game.play.app.drives import GHOST, GHOSTS
from game.play.app.memory import Best, Memory
from game.play.app.pages import Pages
from game.play.opening import Opened
from game.play.runner import Driven
from game.session.reader import Session
from game.session.share import share
from game.session.writer import SessionWriter
from game.settings import Settings
from game.view.screen.canvas import Canvas
from game.view.screen.model import Act, Note, Screen
from game.view.screen.theme import Theme
from game.world.controls import Controls
from game.world.step import step
from scenarios.driver import Replay
from scenarios.expect import Referee
from scenarios.load import load
from scenarios.model import digest
from scenarios.near import Moment, Watcher
from streaming.gauges import Gauges
from tests.game.app.stages import a_stage
from tests.session.conftest import manifest_of

NAME = "road-debris"
BOARD = {"rows": [{"rank": 1, "name": "driver AB", "seconds": 9.5, "closest_s": None}],
         "yours": None}  # fmt: skip


class Desk:
    """Answers every screen with the next act of a script; keeps what was shown."""

    def __init__(self, *script: str) -> None:
        self.script: Iterator[str] = iter(script)
        self.shown: list[Screen] = []
        self.theme = Theme()
        self.alive: Callable[[], None] = lambda: None

    def ask(self, screen: Screen, **more: Any) -> tuple[Screen, Act]:
        if more.get("over") is not None:
            more["over"](Canvas.of(960, 720))
        self.shown.append(screen)
        return screen, Act(next(self.script, "back"))

    @property
    def titles(self) -> list[str]:
        return [screen.title for screen in self.shown]


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Opened, Driven, Watcher]:
    """Foot down on a road with debris, recorded, until it hits something."""
    root = tmp_path_factory.mktemp("data")
    stage = a_stage()
    manifest = manifest_of(
        pack=stage.city.name, pack_digest=stage.city.digest, scenario=NAME, seed=stage.seed,
        scenario_digest=digest(load(NAME)),
    )  # fmt: skip
    writer = SessionWriter.create(root / "sessions", manifest)
    referee, near, state = Referee(stage), Watcher(), stage.state
    pilot = Replay([Controls(throttle=1000)] * 3000)
    while referee.outcome is None:
        writer.tick(state)
        near.observe(state)
        referee.observe(state)
        for contact in state.contacts:
            if contact.since == state.tick:
                writer.event("contact", state.tick, other=contact.other, speed=contact.speed)
        state = step(stage.city, state, pilot.controls(state))
    outcome = referee.outcome
    writer.finish({"success": outcome.success, "reason": outcome.reason, "tick": outcome.tick,
                   "cause": outcome.cause})  # fmt: skip
    opened = Opened(stage, writer.folder.name, {}, writer, None, None)
    return root, opened, Driven(outcome, outcome.tick, 0, 0, Gauges(), None, {}), near


def pages_of(
    driven: tuple[Path, Opened, Driven, Watcher], *script: str
) -> tuple[Pages, Desk, SimpleNamespace]:
    root, opened, _, near = driven
    settings = Settings()
    paths = replace(settings.paths, data=root)
    desk = Desk(*script)
    JobStore(root / "outbox")
    app = SimpleNamespace(
        desk=desk, services=SimpleNamespace(outbox=root / "outbox"),
        backing=SimpleNamespace(rewards_url="", stream_url=""), city=opened.stage.city,
        settings=replace(settings, paths=paths), near=near, scenario=NAME,
        memory=Memory(best={NAME: Best(9.0, "gold", opened.session, 3, "2026-11-23")}),
        sitting=SimpleNamespace(ghost=None),
    )  # fmt: skip
    return Pages(app), desk, app  # type: ignore[arg-type]


def test_missions_are_chosen_like_scenarios(driven: Any) -> None:
    pages, desk, _ = pages_of(driven, "missions", "taxi-theatre-run")
    assert pages.main() == "taxi-theatre-run"
    assert desk.titles == ["SCALE DIFFUSION", "Missions"]


def test_after_a_crash_the_summary_leads_to_losses_and_to_the_map(driven: Any) -> None:
    pages, desk, _ = pages_of(driven, "lost", "map", "back", "back", "menu")
    _, opened, end, _ = driven
    assert pages.results(end, opened, (opened.session, "")) == "menu"
    assert [title.partition(":")[0] for title in desk.titles] == [
        "Road Debris", "Where it was lost", "Map", "Where it was lost", "Road Debris",
    ]  # fmt: skip
    notes = [row.text for row in desk.shown[1].rows if isinstance(row, Note)]
    assert any("not passed" in note for note in notes)
    aside = [row.text for row in desk.shown[2].aside if isinstance(row, Note)]
    assert "Your last run lost" in aside


def test_a_moment_that_was_close_becomes_one_of_ones_own(driven: Any) -> None:
    pages, desk, app = pages_of(driven, "close", "ok", "menu", "scenarios", "back", "quit")
    root, opened, end, _ = driven
    with Session.open(opened.writer.folder) as session:
        state = session.ticks()[120]
    other = state.actors[0]
    moment = Moment(120, other.id, other.body, 0.4, 2.0, state.ego.speed)
    app.near = SimpleNamespace(closest=lambda: moment)
    assert pages.results(end, opened, (opened.session, "")) == "menu"
    assert "That was close" in desk.titles
    assert pages.main() == "quit"
    listed = next(screen for screen in desk.shown if screen.title == "Scenarios")
    files = [row for row in listed.rows if str(getattr(row, "id", "")).startswith(str(root))]
    assert len(files) == 1


def test_a_drive_of_ones_own_and_a_shared_file_can_be_raced(driven: Any) -> None:
    root, opened, _, _ = driven
    pages, _, app = pages_of(driven, "sessions", opened.session, "race")
    assert pages.main() == f"{NAME}#{opened.stage.seed}"
    assert app.sitting.ghost.digest == digest(load(NAME))
    file = root / GHOSTS / "theirs.drive"
    file.parent.mkdir(exist_ok=True)
    with Session.open(opened.writer.folder) as session:
        share(session, file)
    pages, _, again = pages_of(driven, "sessions", f"{GHOST}{file}")
    assert pages.main() == f"{NAME}#{opened.stage.seed}"
    assert again.sitting.ghost == app.sitting.ghost
    file.write_bytes(b"noise")
    pages, desk, _ = pages_of(driven, "sessions", f"{GHOST}{file}", "ok", "back", "quit")
    assert pages.main() == "quit"
    assert "That did not work" in desk.titles


def test_leaderboards_say_why_there_are_none_and_show_them_where_there_are(
    driven: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, desk, _ = pages_of(driven, "boards", NAME, "back", "back", "quit")
    assert pages.main() == "quit"
    assert any("there is no rewards service" in row.text for screen in desk.shown
               for row in screen.rows if isinstance(row, Note))  # fmt: skip
    asked: list[str] = []

    def get(url: str, path: str) -> Any:
        asked.append(path)
        return BOARD

    monkeypatch.setattr("game.play.app.pay.get", get)
    pages, desk, _ = pages_of(driven, "boards", "today", "back", NAME, "back", "back", "quit")
    pages.street.desk._url = "http://127.0.0.1:9"
    assert pages.main() == "quit"
    boards = [path for path in asked if "leaderboards" in path]
    assert "day=20" in boards[0]
    assert driven[1].session in boards[1]
    assert sum("driver AB" in row.text for screen in desk.shown
               for row in screen.rows if isinstance(row, Note)) == 2  # fmt: skip
