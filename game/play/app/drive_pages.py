"""The drives on this disk as screens: watch, race, share, delete, and what one lost.

Owns no file: sessions and ghosts are read where they lie. Returns wishes as `pages` does.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from game.errors import GameError, UsageError
from game.play.app import drives, menus
from game.play.app.boot import told
from game.play.app.desk import WindowClosed
from game.play.app.street_pages import StreetPages
from scenarios.cases import is_known

if TYPE_CHECKING:
    from game.play.app.app import App


class DrivePages:
    """trouble: shows what went wrong. street: has the list of what a drive lost."""

    def __init__(self, app: "App", street: StreetPages, trouble: Callable[[str], object]) -> None:
        self._app, self._desk, self._street, self._trouble = app, app.desk, street, trouble
        self._outbox = app.services.outbox

    def browse(self) -> str:
        """The browser; returns a wish where one of them is to be raced."""
        root = self._app.settings.paths.sessions
        focus = ""
        while True:
            found = drives.entries(root)
            shared = drives.ghosts(self._app.settings.paths.data / drives.GHOSTS)
            shown = drives.browser(found, self._outbox, focus, shared)
            beside = partial(drives.beside, found=found, outbox=self._outbox)
            _, act = self._desk.ask(shown, beside=beside)
            if act.id == "back":
                return ""
            focus = act.id
            if focus.startswith(drives.GHOST):
                wish = self._ghost(Path(focus.removeprefix(drives.GHOST)))
                if wish:
                    return wish
                continue
            one = next((each for each in found if each.session == act.id), None)
            wish = self._one(one) if one is not None else ""
            if wish:
                return wish

    def _one(self, one: drives.Entry) -> str:
        _, act = self._desk.ask(drives.chosen(one))
        try:
            if act.id == "replay":
                self.watch(one.session)
            elif act.id == "lost":
                self._street.losses(one.session, one.title)
            elif act.id == "race":
                return self._race(one.folder)
            elif act.id == "share":
                self._share(one)
            elif act.id == "delete":
                self._delete(one)
        except WindowClosed:
            raise
        except (GameError, OSError, ValueError) as error:
            self._trouble(told(error))
        return ""

    def _ghost(self, file: Path) -> str:
        try:
            return self._race(file)
        except (GameError, OSError, ValueError) as error:
            self._trouble(told(error))
            return ""

    def _race(self, where: Path) -> str:
        """A drive as a ghost in the next one, of the same scenario and seed."""
        from game.play.ghost import load_ghost

        ghost = load_ghost(where, self._app.city)
        if not is_known(ghost.scenario):
            raise UsageError("only scenarios and missions that come with the game can be raced")
        self._app.sitting.ghost = ghost
        return f"{ghost.scenario}#{ghost.seed}"

    def watch(self, session: str) -> None:
        from game.play.watch import watch
        from game.session.reader import Session
        from game.session.replay import need_this_world, stage_of

        with Session.open(self._app.settings.paths.sessions / session) as driven:
            need_this_world(driven, self._app.city)
            stage = stage_of(driven.scenario_text())(driven.manifest, self._app.city)
            self._app.front.listen(False)
            watch(driven, self._app.city, stage, window=self._app.window)

    def _share(self, one: drives.Entry) -> None:
        from game.session.reader import Session
        from game.session.share import SUFFIX, share

        out = self._app.settings.paths.data / "shared" / f"{one.session}{SUFFIX}"
        out.parent.mkdir(parents=True, exist_ok=True)
        with Session.open(one.folder) as session:
            share(session, out)
        size = out.stat().st_size / 1000
        text = (
            f"{out} ({size:.1f} kB). It holds what was driven and nothing of who drove it. "
            f"Watch it with: scale-diffusion session replay --window {out.name}"
        )
        self._desk.ask(menus.notice("Shared", text, "good"))

    def _delete(self, one: drives.Entry) -> None:
        from game.outbox.deletion import erase

        _, act = self._desk.ask(drives.sure(one).at("back"))
        if act.id == "delete":
            settings = self._app.settings
            gone = erase(one.folder, settings.paths.data, settings.rewards.url)
            rest = "; the server is asked to remove its copy" if gone.asked else ", the only place"
            said = f"{one.folder.name} is removed from this machine{rest}"
            self._desk.ask(menus.notice("Deleted", said, "good"))
