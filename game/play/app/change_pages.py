"""The settings as screens that change them: each change is on file before it holds.

What a page shows is `settings_pages`; nothing here knows a setting's meaning but the wallet's and
the consent's.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from game.errors import SettingsError
from game.play.app import consent, graphics, settings_pages
from game.play.app.boot import told
from game.play.app.settings_file import Value, change
from game.play.app.wallet import advise
from game.play.human import bound
from game.session.format import CaptureProfile
from game.view.screen.model import Act, Field, Row, Screen

if TYPE_CHECKING:
    from game.play.app.app import App


class ChangePages:
    """The pages of settings of one run of the program."""

    def __init__(self, app: "App") -> None:
        self._app, self._desk = app, app.desk

    def run(self) -> None:
        """The index and the pages behind it, until they are left."""
        shown = settings_pages.index()
        while True:
            shown, act = self._desk.ask(shown)
            if act.id == "back":
                return
            if act.id == "controls":
                self._controls()
            elif act.id == "wheel":
                self._wheel()
            elif act.id == "facts":
                self._read(consent.facts(self._app.settings.paths.sessions))
            elif act.id in settings_pages.PAGES:
                self._page(act.id)

    def _wheel(self) -> None:
        from game.play.app.wheel_pages import WheelPages

        WheelPages(
            self._desk, lambda: self._app.settings.devices,
            lambda texts: self._set({"devices.calibrations": texts}),
            lambda: self._read(settings_pages.pads()),
        ).run()  # fmt: skip

    def _read(self, shown: Screen) -> None:
        """A screen that is only read, until it is left."""
        act = Act("")
        while act.id != "back":
            shown, act = self._desk.ask(shown)

    def _page(self, title: str) -> None:
        shown = self._made(title)
        while True:
            shown, act = self._desk.ask(shown)
            if act.id == "back":
                return
            if act.id == graphics.RENDERER:
                self._read(graphics.page(self._app.front.device.family))
            if act.id == "wallet.address:typed":
                row = cast(Field, shown.rows[shown.focus])
                advice = advise(row.value)
                shown = shown.with_row(
                    shown.focus, dataclasses.replace(row, advice=advice.text, tone=advice.tone)
                )
                continue
            wanted = settings_pages.asked(self._app.settings, act)
            if wanted is not None:
                fresh = self._made(title, *self._set(wanted))
                shown = dataclasses.replace(fresh, focus=shown.focus)

    def _made(self, title: str, said: str = "", tone: str = "dim") -> Screen:
        """A page with what it says besides its settings."""
        settings, more = self._app.settings, tuple[Row, ...]()
        if title == settings_pages.GRAPHICS:
            family = self._app.front.device.family
            head = graphics.head(family, CaptureProfile(), said, tone)
            return settings_pages.page(title, settings, head=head).at("app.size")
        if title == "Storage":
            from game.play.app.storage import rows

            more = rows(settings.paths)
        return settings_pages.page(title, settings, said, tone, more)

    def _set(self, wanted: Mapping[str, Value]) -> tuple[str, str]:
        """Write a change and take it up where it can be taken up now; what to say of it."""
        key, value = next(iter(wanted.items()))
        if key == "wallet.address" and not advise(str(value)).ok:
            return advise(str(value)).text, "bad"
        if key == "record.enabled" and value and not self._app.agree():
            return "it stays off: you have not agreed to be recorded", "warn"
        try:
            change(self._app.file, wanted)
        except (SettingsError, OSError) as error:
            return told(error), "bad"
        self._app.take_up(key, value)
        when = settings_pages.when(key, value)
        return f"{key} is written to {self._app.file}; it holds {when}", "good"

    def _controls(self) -> None:
        said, tone, focus = "", "dim", 1
        while True:
            keys = self._app.settings.play.keys
            shown = dataclasses.replace(settings_pages.controls(keys, said, tone), focus=focus)
            shown, act = self._desk.ask(shown)
            focus = shown.focus
            if act.id == "back":
                return
            try:
                after = "" if act.id == "defaults" else settings_pages.with_key(
                    keys, act.id, act.value
                )  # fmt: skip
                said, tone = self._set({"play.keys": after})
                bound(self._app.settings.play)
            except (ValueError, SettingsError) as error:
                said, tone = str(error), "bad"
