"""Settings, Wheel and pad: shows what is plugged in, calibrates it, and keeps that by its name."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from game.play.app.calibration import Calibrator, changed, device, devices
from game.view.axes import Calibration, Gadget, plain
from game.view.screen.model import Screen

if TYPE_CHECKING:
    from game.play.app.desk import Desk
    from game.play.gear import DeviceSettings

LIVE_S = 1.0 / 15.0
"""How often what a device says is drawn anew."""
Keep = Callable[[tuple[str, ...]], tuple[str, str]]
"""Writes the calibrations into the settings; returns what to say of it, and its tone."""


class WheelPages:
    """settings: the section as it is now. keep: writes another one. buttons: shows that page."""

    def __init__(
        self, desk: "Desk", settings: Callable[[], "DeviceSettings"], keep: Keep,
        buttons: Callable[[], None],
    ) -> None:  # fmt: skip
        self._desk, self._settings, self._keep, self._buttons = desk, settings, keep, buttons

    def run(self) -> None:
        """The list of devices, until it is left."""
        focus = ""
        while True:
            shown = self._list().at(focus)
            _, act = self._desk.ask(shown, refresh=partial(_renewed, self._list))
            focus = act.id
            if act.id == "back":
                return
            if act.id == "buttons":
                self._buttons()
            elif act.id.startswith("device:"):
                here = self._desk.pads.gadgets()
                number = int(act.id.partition(":")[2])
                if number < len(here):
                    self._one(here[number])

    def _list(self) -> Screen:
        return devices(self._desk.pads.gadgets(), self._settings().known)

    def _now(self, gadget: Gadget) -> Gadget:
        """The same device as it is now, or as it last was."""
        return next((g for g in self._desk.pads.gadgets() if g.name == gadget.name), gadget)

    def _one(self, gadget: Gadget) -> None:
        said, tone, focus = "", "dim", "calibrate"
        while True:
            made = partial(self._page, gadget, said, tone)
            _, act = self._desk.ask(
                made().at(focus), refresh=partial(_renewed, made), every_s=LIVE_S
            )
            focus = act.id
            if act.id == "back":
                return
            wanted: Calibration | None = None
            if act.id == "calibrate":
                wanted = self._calibrate(gadget)
            elif act.id == "forget":
                said, tone = self._put(self._settings().without(gadget.name))
            else:
                wanted = changed(self._use(gadget), act.id, act.value)
            if wanted is not None:
                said, tone = self._put(self._settings().having(wanted))

    def _page(self, gadget: Gadget, said: str, tone: str) -> Screen:
        now = self._now(gadget)
        return device(now, self._use(now), self._calibrated(now), said, tone)

    def _use(self, gadget: Gadget) -> Calibration:
        return self._desk.pads.axes.calibration(gadget)

    def _calibrated(self, gadget: Gadget) -> bool:
        return plain(gadget.name) in {each.device for each in self._settings().known}

    def _put(self, texts: tuple[str, ...]) -> tuple[str, str]:
        said = self._keep(texts)
        self._desk.pads.calibrate(self._settings().known)
        return said

    def _calibrate(self, gadget: Gadget) -> Calibration | None:
        """The steps, one after the other; None where the player gives up."""
        steps = Calibrator(plain(gadget.name), gadget.kind)

        def watched(screen: Screen) -> Screen:
            steps.watch(self._now(gadget).axes)
            return _renewed(steps.screen, screen)

        while steps.made is None:
            steps.watch(self._now(gadget).axes)
            _, act = self._desk.ask(steps.screen(), refresh=watched, every_s=0.0)
            if act.id == "back":
                return None
            steps.watch(self._now(gadget).axes)
            if act.id == "skip":
                steps.skip()
            elif act.id == "next":
                steps.next()
        return steps.made


def _renewed(made: Callable[[], Screen], before: Screen) -> Screen:
    """A newer screen with the focus where it was."""
    return dataclasses.replace(made(), focus=before.focus)
