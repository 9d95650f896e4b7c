"""Wheels, pedals, pads and sticks of this machine, through Panda's device API.

The only place that knows it; everything else takes `Gadget`s. Without a device there is nothing.
"""

import sys
from pathlib import Path
from typing import Any

from game.view.axes import Gadget

_KINDS = {"gamepad": "pad", "steering_wheel": "wheel", "flight_stick": "stick", "unknown": "other"}
"""Panda's classes that can drive. A set of pedals of its own is of no class it knows."""


class Plugged:
    """Call it for what is plugged in now."""

    def __init__(self) -> None:
        self._manager: Any = None
        if sys.platform != "linux" or Path("/dev/input").is_dir():
            from panda3d.core import InputDeviceManager

            self._manager = InputDeviceManager.getGlobalPtr()

    def __call__(self) -> list[Gadget]:
        """Every device that can drive, in the system's order."""
        found = []
        for device, kind in self._driving():
            device.poll()
            found.append(gadget(device, kind))
        return found

    def _driving(self) -> list[tuple[Any, str]]:
        if self._manager is None:
            return []
        self._manager.update()
        found = []
        for device in self._manager.getDevices():
            kind = _KINDS.get(device.device_class.name, "")
            if kind and (kind != "other" or len(device.axes)):
                found.append((device, kind))
        return found

    def shake(self, strong: float, weak: float) -> None:
        """Set the low and the high motor of every device that has them, 0 to 1."""
        for device, _ in self._driving():
            if _can_shake(device):
                device.setVibration(strong, weak)


def _can_shake(device: Any) -> bool:
    from panda3d.core import InputDevice

    return bool(device.hasFeature(InputDevice.Feature.vibration))


def gadget(device: Any, kind: str) -> Gadget:
    """One of Panda's devices as it is now. Axes without a name of their own go by their number."""
    axes: dict[str, float] = {}
    for number, state in enumerate(device.axes):
        name = str(state.axis.name)
        if name == "none" or name in axes:
            name = f"axis{number}"
        axes[name] = float(state.value)
    pressed = frozenset(str(b.handle) for b in device.buttons if b.known and b.pressed)
    return Gadget(str(device.name), kind, pressed, axes)
