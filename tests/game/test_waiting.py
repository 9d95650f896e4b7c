"""Waiting for services: the window lives meanwhile, and the player can have enough of it."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from game.cli.consent import agreed
from game.play import link as link_module
from game.play.app.app import App
from game.play.app.consent import REFUSED, VERSION
from game.play.app.memory import Memory, keep, recall
from game.play.embedded import Backing
from game.play.intake import Intake, Payee, ServiceUnreachable
from game.play.link import Link
from game.play.opening import Wanted, open_session
from game.play.waiting import AtWindow, DriveUnpaid, GaveUp, pumped
from game.session.format import CaptureProfile
from game.session.format import Driver as Declared
from game.settings import PathSettings, PlaySettings, ServerSettings, Settings
from game.view.keys import BINDINGS, RawInput
from game.view.screen.model import Act, Screen
from streaming.gauges import Gauges
from tests.game.app.stages import a_city


class Enough(Exception):
    pass


def test_a_question_is_asked_beside_the_window_and_its_answer_or_error_comes_back() -> None:
    go, turns = threading.Event(), []

    def alive(what: str, waited: float, limit: float) -> None:
        turns.append((what, limit))
        if len(turns) == 3:
            go.set()

    assert pumped(lambda: go.wait(120), "it", 7.0, alive) is True
    assert len(turns) >= 3
    assert turns[0] == ("it", 7.0)
    with pytest.raises(ZeroDivisionError):
        pumped(lambda: 1 // 0, "it", 1.0, alive)


def test_who_has_enough_is_not_held_by_a_service_that_never_answers() -> None:
    never = threading.Event()

    def alive(what: str, waited: float, limit: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        pumped(lambda: never.wait(60.0), "it", 60.0, alive)
    never.set()


class Pane:
    """Stands for the window: gives out events, keeps what it was to show."""

    def __init__(self, *events: RawInput) -> None:
        self.events, self.said, self.closed = list(events), [], False  # type: ignore[var-annotated]

    def poll(self) -> list[RawInput]:
        given, self.events = self.events, []
        return given

    def present(self, picture: None, hud: Any) -> None:
        self.said.append(hud.message)


def test_a_window_without_menus_says_what_it_waits_for_and_esc_leaves() -> None:
    pane: Any = Pane()
    wait = AtWindow(pane, BINDINGS)
    wait("the run's traffic", 0.1, 20.0)
    wait("the run's traffic", 3.2, 20.0)
    assert pane.said == ["waiting for the run's traffic, 3 of 20 s; Esc leaves"]
    pane.events = [RawInput(0, "key", "escape", 1.0)]
    with pytest.raises(GaveUp):
        wait("the run's traffic", 3.3, 20.0)
    pane.closed = True
    with pytest.raises(GaveUp):
        wait("the run's traffic", 3.4, 20.0)


class Silent:
    """Stands for a peer whose server never releases a seed."""

    def __init__(self, *_: Any) -> None:
        self.stopped = False

    def start(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True

    def alive(self) -> bool:
        return True

    def gauges(self) -> Gauges:
        return Gauges()


def test_the_wait_for_a_seed_asks_who_looks_on_and_ends_when_he_has_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "PeerThread", Silent)
    link = Link("ws://nowhere", "s", {}, CaptureProfile(), None, thread=True)
    told: list[float] = []

    def alive(waited: float, limit: float) -> None:
        told.append(limit)
        if len(told) == 3:
            raise DriveUnpaid("ws://nowhere", "the run's traffic")

    try:
        link.start()
        with pytest.raises(ServiceUnreachable, match="did not wait"):
            link.released_seed(20.0, alive)
    finally:
        link.close()
    assert told == [20.0] * 3


def wanted(consent: str, kind: str = "human") -> Wanted:
    return Wanted("road-debris", 3, Declared(kind, "x"), Payee(claim="c"), consent=consent)


@pytest.mark.parametrize(
    ("who", "recorded"),
    [(wanted("none"), False), (wanted(VERSION), True), (wanted("none", "bot"), True)],
)
def test_nobody_is_recorded_who_has_not_agreed(tmp_path: Path, who: Wanted, recorded: bool) -> None:
    settings = Settings(paths=PathSettings(data=tmp_path), rewards=ServerSettings(url="off"))
    opened = open_session(
        settings, a_city(), CaptureProfile(), "none", Backing(), None, who
    )  # fmt: skip
    try:
        assert (opened.writer is not None) == recorded
        assert (tmp_path / "sessions").exists() == recorded
        if opened.writer is not None:
            told = who.consent if who.driver.kind == "human" else "none"
            assert opened.writer.manifest.consent == told
    finally:
        if opened.tape is not None:
            opened.tape.close()
        if opened.writer is not None:
            opened.writer.finish({})


def test_without_consent_no_ticket_is_asked_for(tmp_path: Path) -> None:
    settings = Settings(paths=PathSettings(data=tmp_path))
    asked: Any = SimpleNamespace(run_ticket=lambda *_: pytest.fail("a ticket was asked for"))
    assert isinstance(asked, Intake) is False
    opened = open_session(
        settings, a_city(), CaptureProfile(), "none", Backing(), asked, wanted("none")
    )
    assert opened.ticket == {}


def test_consent_at_the_command_line_is_given_remembered_or_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(paths=PathSettings(data=tmp_path))
    assert agreed(settings, False, True) == "none"
    assert "play --consent" in capsys.readouterr().err
    assert recall(tmp_path).consent == "", "nothing was answered"
    assert agreed(settings, True, True) == VERSION
    assert recall(tmp_path).consent == VERSION
    assert agreed(settings, False, True) == VERSION
    keep(tmp_path, Memory(consent=REFUSED))
    assert agreed(settings, False, False) == "none"
    bot = Settings(paths=PathSettings(data=tmp_path), play=PlaySettings(driver="bot"))
    assert agreed(bot, True, True) == "none"
    keep(tmp_path, Memory())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    assert agreed(settings, False, False) == "none"
    assert recall(tmp_path).consent == REFUSED


class Patient:
    """Stands for the app: what the player asks for on the screen of a wait is said beforehand."""

    def __init__(self, *acts: Act | None) -> None:
        self.acts, self.shown, self._patience = list(acts), [], ""  # type: ignore[var-annotated]
        self.backing = Backing(rewards_url="http://here")
        self.front = SimpleNamespace(listen=self.shown.append)
        self.desk = self

    def glance(self, screen: Screen) -> tuple[Screen, Act | None]:
        self.shown.append(screen.title)
        return screen, self.acts.pop(0)


def test_the_app_shows_a_wait_that_lasts_and_does_what_is_asked_for() -> None:
    app: Any = Patient(None, Act("wait"), Act("unpaid"), Act("back"))
    App.waiting(app, "it", 0.1, 20.0)
    assert app.shown == [], "a short wait shows nothing"
    App.waiting(app, "it", 1.0, 20.0)
    App.waiting(app, "it", 1.1, 20.0)
    assert app.shown == [True, "One moment", "One moment"]
    with pytest.raises(DriveUnpaid):
        App.waiting(app, "it", 1.2, 20.0)
    with pytest.raises(GaveUp):
        App.waiting(app, "it", 1.3, 20.0)
