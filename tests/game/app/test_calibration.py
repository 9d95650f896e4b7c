"""Calibrating a wheel by moving it, and the pages of it, with a device that a test moves."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from game.errors import SettingsError
from game.play.app.calibration import STEPS, Calibrator, changed, device, devices
from game.play.app.settings_file import change
from game.play.app.wheel_pages import WheelPages
from game.play.gear import DeviceSettings
from game.settings import load
from game.view.axes import Calibration, Gadget, Use
from game.view.pads import Pads
from game.view.screen.model import Act, Bar, Screen

REST = {"wheel": 0.05, "axis1": 1.0, "axis2": 1.0, "axis5": -0.3}
"""A wheel a little off its middle, with pedals that rest at their far end, and a dead lever."""


def moved(steps: Calibrator, **to: float) -> None:
    """Move axes there and back, trembling, and say that it is done."""
    for share in (0.0, 0.4, 1.0, 0.3, 0.0):
        axes = {n: v + 0.01 * math.sin(9 * share + v) for n, v in REST.items()}
        for name, far in to.items():
            axes[name] = REST[name] + share * (far - REST[name])
        steps.watch(axes)
    steps.next()


def calibrated() -> Calibration:
    steps = Calibrator("G27", "wheel")
    moved(steps)
    moved(steps, wheel=-0.9)
    moved(steps, wheel=1.0)
    moved(steps, axis1=-1.0)
    moved(steps, axis2=-0.9)
    assert steps.made is not None
    return steps.made


def test_each_axis_is_found_by_moving_it_once() -> None:
    made = calibrated()
    assert [(use.role, use.axis) for use in made.uses] == [
        ("steer", "wheel"), ("throttle", "axis1"), ("brake", "axis2"),
    ]  # fmt: skip
    steer, throttle, brake = made.uses
    assert [steer.value(v) for v in (-0.9, 0.05, 1.0)] == [1000, 0, -1000]
    assert [throttle.value(v) for v in (1.0, -1.0)] == [0, 1000]
    assert brake.value(-0.9) == 1000


def test_old_pedals_share_one_axis() -> None:
    steps = Calibrator("Old", "wheel")
    for axes in ({}, {"wheel": -1.0}, {"wheel": 1.0}, {"axis5": -1.0}, {"axis5": 0.5}):
        moved(steps, **axes)
    assert steps.made is not None
    _, throttle, brake = steps.made.uses
    assert (throttle.axis, brake.axis) == ("axis5", "axis5")
    assert (throttle.value(-1.0), throttle.value(0.5)) == (1000, 0)
    assert (brake.value(-1.0), brake.value(0.5)) == (0, 1000)


def test_what_did_not_move_is_asked_for_again_and_a_pedal_can_be_left_out() -> None:
    steps = Calibrator("G27", "wheel")
    moved(steps)
    moved(steps)
    assert (STEPS[steps.step][0], "left" in steps.said) == ("left", True)
    moved(steps, wheel=-1.0)
    moved(steps, wheel=-1.0)
    assert (STEPS[steps.step][0], "right" in steps.said) == ("right", True)
    steps.skip()
    assert STEPS[steps.step][0] == "right"
    moved(steps, wheel=1.0)
    moved(steps)
    assert "leave it out" in steps.said
    steps.skip()
    moved(steps, axis2=-1.0)
    assert steps.made is not None
    assert [use.role for use in steps.made.uses] == ["steer", "brake"]


def test_dead_zone_reach_and_direction_are_changed_on_the_page() -> None:
    made = Calibration("G27", (Use("steer", "wheel", -1.0, 0.0, 1.0, 0.01),))
    dead = changed(made, "dead:steer", "10 %")
    reach = changed(made, "reach:steer", "50 %")
    turned = changed(made, "turn:steer", "")
    assert dead is not None
    assert dead.uses[0].dead == 0.1
    assert reach is not None
    assert reach.uses[0].value(-0.6) == 1000
    assert turned is not None
    assert turned.uses[0].value(1.0) == 1000
    assert changed(made, "dead:brake", "5 %") is None


def test_the_page_shows_where_the_wheel_is() -> None:
    made = Calibration("G27", (Use("steer", "wheel", -1.0, 0.0, 1.0, 0.0),))
    shown = device(Gadget("G27", "wheel", axes={"wheel": 0.5}), made, True, "", "dim")
    (bar,) = (row for row in shown.rows if isinstance(row, Bar))
    assert (bar.share, bar.detail.split()[:3]) == (0.75, ["50", "%", "right"])


def test_without_any_device_the_page_says_what_to_do() -> None:
    text = " ".join(getattr(row, "text", "") for row in devices((), ()).rows)
    assert "Plug one in" in text


def test_a_calibration_is_kept_in_the_settings_file_by_the_devices_name(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("# mine\n[devices]\nmouse = true\n")
    first = DeviceSettings().having(calibrated())
    change(file, {"devices.calibrations": first})
    other = Calibration("Pad", (Use("steer", "left_x", -1.0, 0.0, 1.0),))
    again = load(file=file, environ={}).settings.devices
    change(file, {"devices.calibrations": again.having(other)})
    kept = load(file=file, environ={}).settings.devices
    assert [each.device for each in kept.known] == ["G27", "Pad"]
    assert kept.known[0].uses[0].axis == "wheel"
    assert file.read_text().startswith("# mine")
    assert kept.mouse
    with pytest.raises(SettingsError, match=r"devices\.calibrations"):
        change(file, {"devices.calibrations": ("G27 no colon",)})


class FakeDesk:
    """Stands for the desk: what the player does is a list of (row, what he moves meanwhile)."""

    def __init__(self, gadget: Gadget, deeds: list[tuple[str, dict[str, float]]]) -> None:
        self.gadget, self.deeds = gadget, deeds
        self.pads = Pads(lambda: [self.gadget])
        self.titles: list[str] = []

    def ask(
        self, screen: Screen, *, refresh: Callable[[Screen], Screen], every_s: float = 0.5
    ) -> tuple[Screen, Act]:
        self.titles.append(screen.title)
        row, axes = self.deeds.pop(0)
        for there in ({**REST, **axes}, REST):
            self.gadget = Gadget("G27", "wheel", axes=there)
            screen = refresh(screen)
        if row not in ("back",):
            assert screen.named(row) is not None, (row, screen)
        return screen, Act(row, "5 %")


def test_the_whole_way_through_the_pages_drives_with_what_was_calibrated(tmp_path: Path) -> None:
    settings = DeviceSettings()
    deeds: list[tuple[str, dict[str, float]]] = [
        ("device:0", {}), ("calibrate", {}), ("next", {}), ("next", {"wheel": -1.0}),
        ("next", {"wheel": 1.0}), ("next", {"axis1": -1.0}), ("skip", {}),
        ("dead:throttle", {}), ("turn:steer", {}), ("back", {}), ("back", {}),
    ]  # fmt: skip
    desk = FakeDesk(Gadget("G27", "wheel", axes=REST), deeds)

    def keep(texts: tuple[str, ...]) -> tuple[str, str]:
        nonlocal settings
        settings = DeviceSettings(texts)
        return "kept", "good"

    pages: Any = WheelPages(desk, lambda: settings, keep, lambda: None)  # type: ignore[arg-type]
    pages.run()
    assert desk.deeds == []
    desk.gadget = Gadget("G27", "wheel", axes={**REST, "wheel": 1.0, "axis1": -1.0})
    events = {event.code: event.value for event in desk.pads.keys(0)}
    assert events == {"steer": 1000, "throttle": 1000}
