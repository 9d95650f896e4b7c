"""Every screen after the opening, and what each of its rows does. Returns wishes to the app.

A wish is quit, menu, next, restart, or the name of what to drive, with '#seed' where it matters.
"""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from game.errors import GameError
from game.outbox.job import JobStore
from game.play.app import menus, uploading
from game.play.app.boot import told
from game.play.app.cards import card, cards, errands, own_cards, upcoming
from game.play.app.change_pages import ChangePages
from game.play.app.close import FOLDER, keep_moment
from game.play.app.drive_pages import DrivePages
from game.play.app.medal import merit
from game.play.app.street_pages import StreetPages, rated
from game.play.drive import Drive
from game.play.opening import Opened
from game.play.runner import Driven
from game.play.screen import hand_in_line, why
from game.view.screen.model import Choice, Screen
from scenarios.cases import is_known
from scenarios.daily import daily, today
from scenarios.errors import ScenarioError
from scenarios.near import Moment

if TYPE_CHECKING:
    from game.play.app.app import App

log = logging.getLogger(__name__)
AUTO_S = 9.0
"""After a drive that was passed, the next one begins by itself after so long."""


class Pages:
    """The screens of one run of the program."""

    def __init__(self, app: "App") -> None:
        self._app, self._desk = app, app.desk
        self._outbox = app.services.outbox
        self.street = StreetPages(app)
        self._kept_drives = DrivePages(app, self.street, self.trouble)
        self._changes = ChangePages(app)

    def main(self) -> str:
        """The main menu, until something is to be driven or the program left."""
        focus = "go"
        while True:
            memory = self._app.memory
            first = upcoming(memory, cards(), self._app.scenario)
            notices = self._notices()
            shown = menus.main(memory, first, uploading.waiting(self._outbox), notices).at(focus)
            _, act = self._desk.ask(shown)
            focus = act.id
            wish = self._obey(act.id)
            if wish:
                return wish

    def _obey(self, row: str) -> str:
        if row == "go":
            return "next"
        if row == "quit":
            return "quit"
        if row == "scenarios":
            own = own_cards(self._app.settings.paths.data / FOLDER)
            return self._list((*cards(), *own))
        if row == "missions":
            return self._list(errands(), "Missions")
        if row == "free":
            return self._free()
        if row == "daily":
            return self._today()
        if row == "sessions":
            return self._kept_drives.browse()
        pages = {"uploads": self._uploads, "settings": self._changes.run,
                 "map": self.street.map, "boards": self.street.boards}  # fmt: skip
        if row in pages:
            pages[row]()
        return ""

    def _notices(self) -> list[str]:
        """What is missing on this machine, in words."""
        out = []
        if not self._app.backing.stream_url:
            out.append("No stream server: you see the game itself. Settings, Stream server.")
        if not self._app.backing.rewards_url:
            out.append("No rewards service: drives are kept here and can be handed in later.")
        if not self._app.settings.record.enabled:
            out.append("Recording is off: nothing is written, nothing is paid.")
        if uploading.is_paused(self._outbox):
            out.append("Uploads are paused.")
        return out

    def _list(self, known: Sequence[menus.Card], title: str = "Scenarios") -> str:
        memory, pay = self._app.memory, self.street.pay
        rates = rated(known, pay)
        shown = menus.scenarios(known, memory, self._app.scenario, title, rates)
        while True:
            shown, act = self._desk.ask(
                shown, beside=lambda screen: menus.beside(screen, known, memory, rates)
            )
            if act.id == "back":
                return ""
            return act.id

    def _free(self) -> str:
        from scenarios.free import Level, free_at

        shown = menus.free()
        while True:
            shown, act = self._desk.ask(shown)
            if act.id == "back":
                return ""
            if act.id == "start":
                place, level = (cast(Choice, shown.named(n)) for n in ("place", "level"))
                wanted = cast(Level, level.options[level.at])
                try:
                    return free_at(self._app.city, place.options[place.at], wanted).name
                except GameError as error:
                    self.trouble(told(error))

    def _today(self) -> str:
        day = today()
        name, seed = daily(day, tuple(each.id for each in cards()))
        _, act = self._desk.ask(menus.today(day, card(name), seed, self._app.memory).at("start"))
        return f"{name}#{seed}" if act.id == "start" else ""

    def trouble(self, text: str) -> str:
        """Something went wrong and is explained; afterwards the menu."""
        self._desk.ask(menus.notice("That did not work", text, "bad"))
        return "menu"

    # in and after a drive

    def paused(self, drive: Drive) -> str:
        """The break; '' goes on."""
        self._desk.alive = lambda: self._revive(drive)
        shown = menus.paused(drive.stage.scenario.title, self._kept(drive))
        try:
            while True:
                shown, act = self._desk.ask(shown)
                if act.id in ("resume", "back"):
                    return ""
                if act.id in ("restart", "next", "menu", "quit"):
                    return act.id
                if act.id == "photo":
                    self._photo(drive)
                if act.id == "settings":
                    self._changes.run()
        finally:
            self._desk.alive = lambda: None

    def _revive(self, drive: Drive) -> None:
        if drive.link is not None:
            drive.link.revive()
        if drive.tape is not None:
            drive.tape.revive()

    def _kept(self, drive: Drive) -> str:
        if drive.writer is None:
            return "Nothing of this drive is recorded."
        return f"Recorded so far: {drive.state.tick / 60:.0f} s, in {drive.writer.folder.name}"

    def _photo(self, drive: Drive) -> None:
        from game.play.app.photo import save

        try:
            path = save(drive, self._app.settings.paths.data)
            self._desk.ask(menus.notice("Photo", f"saved as {path}", "good"))
        except OSError as error:
            self.trouble(f"the photo could not be written: {error}")

    def results(self, driven: Driven, opened: Opened, found: tuple[str, str]) -> str:
        """How it ended, and what is next."""
        outcome, session = driven.outcome, found[0]
        assert outcome is not None
        auto = outcome.success
        close = self._app.near.closest() if opened.writer is not None else None

        lost = len(self.street.lose(session)) if opened.writer is not None else 0

        def made() -> Screen:
            pay = self._pay(opened, session)
            return menus.ended(
                opened.stage.scenario.title, outcome.success,
                "" if outcome.success else why(outcome), merit(opened.stage, outcome), found[1],
                pay, auto, close.says() if close is not None else "", lost,
            )  # fmt: skip

        shown = made()
        while True:
            shown, act = self._desk.ask(
                shown, until_s=AUTO_S if auto else 0.0,
                refresh=lambda screen: dataclasses.replace(made(), focus=screen.focus),
            )  # fmt: skip
            if act.id == "later":
                return "next"
            if act.id in ("next", "restart", "menu", "quit"):
                return act.id
            if act.id == "back":
                return "menu"
            auto = False
            if act.id == "replay" and opened.writer is not None:
                self._kept_drives.watch(opened.writer.folder.name)
            if act.id == "lost":
                self.street.losses(session, opened.stage.scenario.title)
            if act.id == "close" and opened.writer is not None and close is not None:
                self._close(opened.writer.folder, close)

    def _close(self, folder: Path, moment: Moment) -> None:
        try:
            path, title = keep_moment(folder, moment, self._app.city, self._app.settings.paths.data)
        except (GameError, ScenarioError, OSError) as error:
            self.trouble(told(error))
            return
        text = (
            f"{title}. It begins five seconds before, with the traffic as it was. You find it under"
            f" Scenarios; give the file to others: {path}"
        )
        self._desk.ask(menus.notice("That was close", text, "good"))

    def _pay(self, opened: Opened, session: str) -> str:
        if opened.writer is None:
            return "not recorded, so not paid"
        if not is_known(self._app.scenario):
            return "a scenario of your own: kept on this machine, not paid"
        if not opened.ticket:
            return "kept on this machine, unpaid; it can be handed in later"
        return hand_in_line(self._outbox, (session,)) or "waits to be handed in"

    def _uploads(self) -> None:
        def made() -> Screen:
            service = self._app.backing.rewards_url or "no rewards service; nothing is sent"
            return menus.uploads(
                uploading.jobs(self._outbox), uploading.is_paused(self._outbox), service
            )

        shown = made()
        while True:
            shown, act = self._desk.ask(
                shown, refresh=lambda screen: dataclasses.replace(made(), focus=screen.focus)
            )
            if act.id == "back":
                return
            if act.id == "pause":
                uploading.pause(self._outbox, not uploading.is_paused(self._outbox))
            elif act.id.startswith("retry:"):
                JobStore(self._outbox).retry(act.id.partition(":")[2])
            shown = dataclasses.replace(made(), focus=shown.focus)
