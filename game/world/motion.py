"""How the driven car moves in one tick: a kinematic bicycle with a cap on lateral acceleration.

Owns the car's limits, in SI units. Reads integer controls, knows nothing of what is in the way.
"""

from math import sqrt

from game.world.controls import HANDBRAKE, UNIT, Controls
from game.world.entity import BODIES, EntityState
from game.world.trig import PI, sincos, wrap
from game.world.version import DT

MAX_DRIVE = 4.0
"""Acceleration that the tyres and the gearbox give at most [m/s^2]."""
POWER = 48.0
"""Engine power over mass [W/kg]: above 12 m/s it limits the acceleration."""
DRAG = 0.001
"""Air drag over mass [1/m]."""
ROLLING = 0.15
"""Rolling resistance [m/s^2]."""
ENGINE_BRAKE = 0.6
"""With no throttle in gear [m/s^2]."""
MAX_BRAKE = 8.0
"""All that slows the car together never exceeds this grip [m/s^2]."""
HAND_BRAKE = 5.0
REVERSE_DRIVE = 2.5
REVERSE_SPEED = 6.0
"""Where the reverse gear pulls no more [m/s]."""

LATERAL_CAP = 5.5
"""Largest lateral acceleration; asked for more, the car runs wide [m/s^2]."""
MAX_STEER = 0.6
"""Front-wheel angle at full lock, at walking pace [rad]."""
STEER_RATE = 1.2
"""How fast the wheels turn away from straight ahead [rad/s]; back again twice as fast."""
STEER_MARGIN = 1.3
"""At speed full lock asks for this much of the lateral cap, so that the limit can be felt."""

Pose = tuple[float, float, float, float, float]
"""x, y [m], heading [rad], speed [m/s], steer [rad]."""


def move(car: EntityState, controls: Controls) -> Pose:
    """Where the car is one tick later, on an empty plane. The pose is the middle of the body."""
    wheelbase = BODIES[car.body].wheelbase
    speed = _speed(car.speed, controls)
    steer = _steer(car.steer, controls.steer, speed, wheelbase)
    if speed == 0.0:
        return car.x, car.y, car.heading, speed, steer
    s, c = sincos(steer)
    slope = s / c  # curvature of the rear axle's path times the wheelbase
    grip = LATERAL_CAP * wheelbase / (speed * speed)
    if slope > grip:
        slope = grip
    elif slope < -grip:
        slope = -grip
    # the middle of the wheelbase moves at the slip angle b with tan b = slope / 2
    half = 0.5 * slope
    cos_slip = 1.0 / sqrt(1.0 + half * half)
    sin_slip = half * cos_slip
    turn = speed * slope * cos_slip / wheelbase * DT
    s, c = sincos(car.heading + 0.5 * turn)
    run = speed * DT
    x = car.x + run * (c * cos_slip - s * sin_slip)
    y = car.y + run * (s * cos_slip + c * sin_slip)
    heading = car.heading + turn
    if not -PI < heading <= PI:
        heading = wrap(heading)
    return x, y, heading, speed, steer


def _speed(speed: float, controls: Controls) -> float:
    """Speed one tick later [m/s]. Brakes and resistance bring to rest, never beyond it."""
    drive = _drive(speed, controls)
    pace = speed if speed >= 0.0 else -speed
    resist = ROLLING + DRAG * pace * pace
    if controls.throttle == 0 and controls.gear != 0:
        resist += ENGINE_BRAKE
    resist += MAX_BRAKE * controls.brake / UNIT
    if controls.flags & HANDBRAKE:
        resist += HAND_BRAKE
    if resist > MAX_BRAKE:
        resist = MAX_BRAKE
    speed += drive * DT
    slow = resist * DT
    if speed > slow:
        return speed - slow
    if speed < -slow:
        return speed + slow
    return 0.0


def _drive(speed: float, controls: Controls) -> float:
    """What the engine gives along the heading [m/s^2]."""
    if controls.throttle == 0 or controls.gear == 0:
        return 0.0
    share = controls.throttle / UNIT
    if controls.gear < 0:
        return 0.0 if speed <= -REVERSE_SPEED else -REVERSE_DRIVE * share
    pull = POWER / speed if speed > POWER / MAX_DRIVE else MAX_DRIVE
    return pull * share


def _steer(angle: float, wanted: int, speed: float, wheelbase: float) -> float:
    """Front-wheel angle one tick later [rad], held to what suits the speed."""
    lock = MAX_STEER
    if speed != 0.0:
        fit = STEER_MARGIN * LATERAL_CAP * wheelbase / (speed * speed)
        if fit < lock:
            lock = fit
    target = lock * wanted / UNIT
    back = (angle > 0.0 and target < angle) or (angle < 0.0 and target > angle)
    most = STEER_RATE * DT * (2.0 if back else 1.0)
    if target > angle + most:
        return angle + most
    if target < angle - most:
        return angle - most
    return target
