"""Where the picture is taken from: a function of the ego's pose and of the controls, no memory."""

from dataclasses import dataclass
from math import cos, degrees, radians, sin

from game.world.controls import Camera
from game.world.state import WorldState

_BEHIND, _ABOVE, _DOWN = 6.6, 2.5, radians(-5.0)
_HOOD_AHEAD, _HOOD_ABOVE = 0.35, 1.34


@dataclass(frozen=True, slots=True)
class Eye:
    """Position [m], yaw counter-clockwise from east and pitch upwards [rad]."""

    x: float
    y: float
    z: float
    yaw: float
    pitch: float

    def panda(self) -> tuple[float, float, float, float, float, float]:
        """x, y, z, heading, pitch, roll as Panda's camera, which looks along +y, wants them."""
        return self.x, self.y, self.z, degrees(self.yaw) - 90.0, degrees(self.pitch), 0.0


def eye(state: WorldState) -> Eye:
    """The eye of one tick: behind and above the car, or over its bonnet."""
    ego, controls = state.ego, state.controls
    yaw = ego.heading + radians(controls.look_yaw / 10.0)
    pitch = radians(controls.look_pitch / 10.0)
    if controls.camera == Camera.HOOD:
        x = ego.x + cos(ego.heading) * _HOOD_AHEAD
        y = ego.y + sin(ego.heading) * _HOOD_AHEAD
        return Eye(x, y, _HOOD_ABOVE, yaw, pitch - radians(1.5))
    rise = max(_ABOVE - sin(pitch) * _BEHIND, 0.5)
    return Eye(ego.x - cos(yaw) * _BEHIND, ego.y - sin(yaw) * _BEHIND, rise, yaw, pitch + _DOWN)


def standing(x: float, y: float, heading: float, height: float = 1.7, pitch: float = 0.03) -> Eye:
    """Someone on foot at a place."""
    return Eye(x, y, height, heading, pitch)
