"""Real devices of the system: a virtual wheel made by the kernel, where it lets us make one."""

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from game.view.axes import Gadget
from game.view.gadgets import Plugged, gadget
from game.view.pads import Pads

NAME = b"Scale Diffusion test wheel"
_EVBIT, _KEYBIT, _ABSBIT, _CREATE, _DESTROY = 0x40045564, 0x40045565, 0x40045567, 0x5501, 0x5502
_EV_KEY, _EV_ABS, _BTN_WHEEL, _WHEEL, _GAS, _BRAKE = 1, 3, 0x150, 8, 9, 10


def _axis(name: str, value: float) -> Any:
    return SimpleNamespace(axis=SimpleNamespace(name=name), value=value)


def test_axes_without_a_name_of_their_own_go_by_their_number() -> None:
    button = SimpleNamespace(handle="face_a", known=True, pressed=True)
    unknown = SimpleNamespace(handle="face_b", known=False, pressed=True)
    device = SimpleNamespace(
        name="Wheel", buttons=[button, unknown],
        axes=[_axis("wheel", 0.5), _axis("none", 1.0), _axis("wheel", -1.0)],
    )  # fmt: skip
    found = gadget(device, "wheel")
    assert found == Gadget(
        "Wheel", "wheel", frozenset({"face_a"}), {"wheel": 0.5, "axis1": 1.0, "axis2": -1.0}
    )


class Motors:
    """Stands for one of Panda's devices."""

    axes = (_axis("wheel", 0.0),)
    buttons = ()

    def __init__(self, kind: str, can: bool) -> None:
        self.name, self.device_class, self.can = kind, SimpleNamespace(name=kind), can
        self.felt: list[tuple[float, float]] = []

    def hasFeature(self, feature: Any) -> bool:
        return self.can and feature.name == "vibration"

    def setVibration(self, strong: float, weak: float) -> None:
        assert self.can
        self.felt.append((strong, weak))


def test_panda_s_manager_and_devices_have_what_is_asked_of_them() -> None:
    from panda3d.core import InputDevice, InputDeviceManager

    assert all(hasattr(InputDeviceManager, name) for name in ("update", "getDevices"))
    assert all(hasattr(InputDevice, name) for name in ("hasFeature", "setVibration", "poll"))


def test_only_what_drives_and_has_motors_is_shaken() -> None:
    pad, plain, mouse = Motors("gamepad", True), Motors("gamepad", False), Motors("mouse", True)
    plugged = Plugged()
    found = [pad, plain, mouse]
    plugged._manager = SimpleNamespace(update=lambda: None, getDevices=lambda: found)
    Pads(plugged).shake(1.0, 0.25)
    assert pad.felt == [(1.0, 0.25)]
    assert plain.felt == mouse.felt == []
    Pads(lambda: ()).shake(1.0, 1.0)  # a source without motors


@pytest.fixture
def virtual() -> Iterator[Callable[[int, int], None]]:
    """A wheel with two pedals; call it with an axis and its value, -1000 .. 1000 or 0 .. 255."""
    try:
        file = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        pytest.skip(f"no virtual devices here ({error}); modprobe uinput and rights on it run this")
    try:
        for bit, values in ((_EVBIT, (_EV_KEY, _EV_ABS)), (_KEYBIT, (_BTN_WHEEL,)),
                            (_ABSBIT, (_WHEEL, _GAS, _BRAKE))):  # fmt: skip
            for value in values:
                fcntl.ioctl(file, bit, value)
        low, high = [0] * 64, [0] * 64
        low[_WHEEL], high[_WHEEL], high[_GAS], high[_BRAKE] = -1000, 1000, 255, 255
        layout = struct.Struct("80sHHHHi64i64i64i64i")
        os.write(file, layout.pack(NAME, 3, 1, 1, 1, 0, *high, *low, *[0] * 128))
        fcntl.ioctl(file, _CREATE)

        def turn(axis: int, value: int) -> None:
            os.write(file, struct.pack("llHHi", 0, 0, _EV_ABS, axis, value))
            os.write(file, struct.pack("llHHi", 0, 0, 0, 0, 0))

        yield turn
        fcntl.ioctl(file, _DESTROY)
    finally:
        os.close(file)


def test_a_wheel_of_the_kernel_steers(virtual: Callable[[int, int], None]) -> None:
    if not Path("/dev/input").is_dir():
        pytest.skip("no /dev/input here: the kernel's devices cannot be read")
    pads = Pads(Plugged())
    told: dict[str, float] = {}
    until = time.monotonic() + 120.0
    while told.get("steer") != 1000 and time.monotonic() < until:
        virtual(_WHEEL, -1000)
        told |= {event.code: event.value for event in pads.keys(0)}
    assert told.get("steer") == 1000
    assert NAME.decode() in {each.name for each in pads.gadgets()}
