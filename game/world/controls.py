"""What the driver asks of the car in one tick, as integers, so that every machine reads the same.

Owns the ranges and the byte layout that is recorded and hashed. Knows no device.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

UNIT = 1000
"""Full lock, full throttle, full brake."""

_LAYOUT = struct.Struct("<hhhbBhhB")
CONTROLS_BYTES = _LAYOUT.size


class Gear(IntEnum):
    """Direction of travel."""

    REVERSE = -1
    NEUTRAL = 0
    DRIVE = 1


class Camera(IntEnum):
    """Where the captured picture is taken from."""

    CHASE = 0
    HOOD = 1


@dataclass(frozen=True, slots=True)
class Controls:
    """One tick of input after device mapping, every field an integer.

    steer: -1000 full right .. +1000 full left (counter-clockwise is positive)
    throttle, brake: 0 .. 1000
    look_yaw, look_pitch: direction of the view against the car's nose [0.1 degree],
        left and up positive, -1800..1800 and -600..600
    flags: bit 0 handbrake, bit 1 horn
    """

    steer: int = 0
    throttle: int = 0
    brake: int = 0
    gear: int = 1
    flags: int = 0
    look_yaw: int = 0
    look_pitch: int = 0
    camera: int = 0

    def pack(self) -> bytes:
        """Little-endian fixed layout, the form that is recorded and chained into digests."""
        return _LAYOUT.pack(
            self.steer,
            self.throttle,
            self.brake,
            self.gear,
            self.flags,
            self.look_yaw,
            self.look_pitch,
            self.camera,
        )

    @classmethod
    def unpack(cls, data: bytes) -> "Controls":
        """Inverse of `pack`. Raises ValueError for a wrong length or a value out of range."""
        if len(data) != CONTROLS_BYTES:
            raise ValueError(f"controls take {CONTROLS_BYTES} bytes, got {len(data)}")
        controls = cls(*_LAYOUT.unpack(data))
        if not controls.is_valid():
            raise ValueError(f"controls out of range: {controls}")
        return controls

    def is_valid(self) -> bool:
        """True where every field lies in its range."""
        return (
            -UNIT <= self.steer <= UNIT
            and 0 <= self.throttle <= UNIT
            and 0 <= self.brake <= UNIT
            and self.gear in (-1, 0, 1)
            and 0 <= self.flags <= 3
            and -1800 <= self.look_yaw <= 1800
            and -600 <= self.look_pitch <= 600
            and self.camera in (0, 1)
        )


HANDBRAKE = 1
HORN = 2
IDLE = Controls()
