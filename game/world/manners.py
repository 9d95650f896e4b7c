"""How each kind of vehicle of the living city drives, and the law by which it follows.

Owns the numbers, in SI units, and the working copy of a vehicle during one decision.
"""

from dataclasses import dataclass
from math import sqrt

from game.world.ambient import Drive
from game.world.entity import Body, EntityState
from game.world.trig import sincos
from game.world.version import DT
from game.world.way import Way

DRIVE_TICKS = 6
"""Vehicles decide once in so many ticks."""
SPAN = DRIVE_TICKS * DT
HARDEST = 8.0
"""Nobody brakes harder [m/s^2]."""
MARGIN = 0.25
"""Two whose sides come closer do not pass [m]."""
SIDE_RATE = 1.1
"""How fast one moves sideways at most [m/s]."""
CLOSEST = 0.3
"""A gap below this asks for all the brakes can do [m]."""

Thing = tuple[float, float, float, float, float]
"""x, y, radius [m] and velocity [m/s] of a disc on the road that is none of the vehicles."""


@dataclass(frozen=True, slots=True)
class Manner:
    """pull, brake: comfortable acceleration and deceleration [m/s^2]; headway [s]; keep: gap at
    rest [m]; top: own highest speed [m/s]. turns: goes where its trip leads rather than straight
    on. keeps_right: rides at the kerb. share: of a hundred vehicles."""

    pull: float
    brake: float
    headway: float
    keep: float
    top: float
    turns: bool
    keeps_right: bool
    share: int


MANNERS: dict[str, Manner] = {
    "taxi": Manner(2.3, 2.6, 1.0, 1.8, 15.0, True, False, 32),
    "sedan": Manner(2.0, 2.4, 1.2, 2.0, 15.0, True, False, 24),
    "suv": Manner(1.9, 2.3, 1.2, 2.0, 15.0, True, False, 15),
    "van": Manner(1.5, 2.1, 1.3, 2.2, 13.0, True, False, 8),
    "pickup": Manner(1.7, 2.2, 1.3, 2.2, 14.0, True, False, 3),
    "lorry": Manner(1.0, 1.8, 1.6, 2.6, 11.5, False, False, 4),
    "bus": Manner(1.0, 1.6, 1.6, 2.6, 11.0, False, False, 4),
    "bicycle": Manner(1.1, 2.0, 0.9, 1.2, 5.4, True, True, 8),
    "cargo_bike": Manner(0.9, 1.8, 1.0, 1.3, 4.6, True, True, 2),
}
"""By body."""
MIX: tuple[str, ...] = tuple(
    [name for name, manner in MANNERS.items() for _ in range(manner.share)]
)
"""A hundred bodies, to draw one from."""


class Rider:
    """One vehicle while it decides. half, wide: half its length and width [m]; aim: where across
    its way it is going [m]."""

    __slots__ = (
        "aim", "body", "cos", "count", "curve", "d", "drive", "goal", "gone", "granted", "half",
        "hold", "id", "manner", "pace", "s", "sin", "speed", "stop", "stuck", "way", "wide",
    )  # fmt: skip

    def __init__(
        self, body: EntityState, drive: Drive, way: Way, manner: Manner, shape: Body
    ) -> None:
        self.body, self.drive, self.way, self.manner = body, drive, way, manner
        self.id = body.id
        self.half, self.wide = shape.length / 2.0, shape.width / 2.0
        self.s, self.d, self.speed = drive.s, drive.d, drive.speed
        self.aim = drive.d
        self.curve, self.granted, self.goal = drive.curve, drive.granted, drive.goal
        self.count, self.stop, self.hold = drive.ways, drive.stop, drive.hold
        self.pace, self.stuck = drive.pace, drive.stuck
        self.sin, self.cos = sincos(body.heading)
        self.gone = False
        if body.struck >= 0:
            self.speed = 0.0


def follow(manner: Manner, speed: float, wanted: float, gap: float, leading: float) -> float:
    """Acceleration of the Intelligent Driver Model [m/s^2], at least -HARDEST.

    wanted: speed on an empty road; gap to whoever leads, and their speed [m], [m/s].
    """
    ratio = speed / wanted if wanted > 0.1 else speed / 0.1
    square = ratio * ratio
    free = 1.0 - square * square
    if gap < CLOSEST:
        return -HARDEST
    dynamic = speed * manner.headway + speed * (speed - leading) / (
        2.0 * sqrt(manner.pull * manner.brake)
    )
    desired = manner.keep + (dynamic if dynamic > 0.0 else 0.0)
    near = desired / gap
    push = manner.pull * (free - near * near)
    return push if push > -HARDEST else -HARDEST
