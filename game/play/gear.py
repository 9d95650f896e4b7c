"""What one drives with besides the keyboard: the settings section `devices`."""

from dataclasses import dataclass

from game.errors import SettingsError
from game.view.axes import Calibration, plain, read


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """Wheels, pedals, pads and the mouse."""

    calibrations: tuple[str, ...] = ()
    """one a device, as the app writes them: 'NAME: steer wheel -1 0 1 dead 0.02 reach 1; ...'"""
    mouse: bool = False
    """steer with the mouse: the pointer is held in the window while you drive"""
    mouse_speed: int = 100
    """how quickly it turns the wheel [%], 10 .. 1000"""

    rumble: bool = True
    """pads shake in collisions and slides, where they have motors"""

    def __post_init__(self) -> None:
        for text in self.calibrations:
            try:
                read(text)
            except ValueError as error:
                raise SettingsError("devices.calibrations", "value", str(error)) from error
        if not 10 <= self.mouse_speed <= 1000:
            raise SettingsError("devices.mouse_speed", "range", "must lie in 10 .. 1000 %")

    @property
    def known(self) -> tuple[Calibration, ...]:
        """The calibrations."""
        return tuple(read(text) for text in self.calibrations)

    @property
    def mouse_pace(self) -> int:
        """Steering [1/1000] of a pixel; 0 where the mouse does not steer."""
        return max(1, self.mouse_speed * 3 // 100) if self.mouse else 0

    def having(self, made: Calibration) -> tuple[str, ...]:
        """`calibrations` with this one in place of the device's old one."""
        return (*self.without(made.device), made.written())

    def without(self, device: str) -> tuple[str, ...]:
        """`calibrations` without that device's."""
        return tuple(t for t in self.calibrations if read(t).device != plain(device))
