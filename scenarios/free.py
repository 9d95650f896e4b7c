"""Free driving: a case without a script, at a named crossing of a city that lives.

Bit-exact like `spawn`, whose stages it makes. Owns where the car stands at the start, and the name
by which a recording knows the drive: free-drive@PLACE, or free-drive@PLACE@LEVEL.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from math import sqrt
from typing import Literal

from game.atlas.streets import find_junction
from game.errors import GameError
from game.world.city import City, Lane, Point
from scenarios.errors import PlaceUnknown
from scenarios.goals import SurviveDuration
from scenarios.model import Ego, Scenario
from scenarios.place import anchor_frame
from scenarios.spawn import Expectation, Stage, stage, ticks_of
from scenarios.terms import Anchor

Level = Literal["none", "light", "full"]
Facing = Literal["east", "north", "west", "south"]

SECONDS = 3600.0
"""How long a free drive lasts unless said otherwise [s]."""
BACK = 45.0
"""The car stands so far before the crossing, on a shorter lane at its start [m]."""
LEAD = 25.0
"""Length of the first stretch of lane that shows the way [m]."""
_ID = "free-drive"
LEVELS: tuple[Level, ...] = ("none", "light", "full")
_LONGEST = 300.0  # what a scenario file may say; the stage says more


@dataclass(frozen=True, slots=True)
class Free:
    """A free drive: the crossing that it starts at, and how much of the city lives around it."""

    place: str
    level: Level = "full"

    @property
    def name(self) -> str:
        """What stands for a scenario's name in a recording and in a ticket."""
        return f"{_ID}@{self.place}" + (f"@{self.level}" if self.level != "full" else "")

    @property
    def digest(self) -> str:
        """Hex digest of the drive's name, as tick 0 chains it: one needs no city to know it."""
        return sha256(self.name.encode()).hexdigest()


def free_named(name: str) -> Free | None:
    """The free drive of this name, None where it names none."""
    head, *rest = name.split("@")
    if head != _ID or not rest or not rest[0] or len(rest) > 2:
        return None
    for level in LEVELS:
        if rest[1:] in ([], [level]):
            found = Free(rest[0], level if rest[1:] else "full")
            return found if found.name == name else None
    return None


def free_at(city: City, place: str, level: Level = "full") -> Free:
    """The free drive from a crossing, however its name is spelt. Raises PlaceUnknown."""
    try:
        return Free(find_junction(city, place).name, level)
    except (GameError, LookupError, ValueError) as wrong:
        raise PlaceUnknown(_ID, place, city.name, str(wrong)) from wrong


def free_stage(
    city: City, place: str, seed: int, level: Level = "full", seconds: float = SECONDS
) -> Stage:
    """A drive of so many seconds with nothing to reach, from the crossing named `place`.

    The car stands in a lane that leads to the crossing. It succeeds when the time is over or its
    driver ends it; nothing that happens ends it before. Raises PlaceUnknown and StageImpossible.
    """
    scenario = free_scenario(city, place, level)
    staged = stage(scenario, city, seed, free_at(city, place, level).digest)
    ticks = ticks_of(seconds)
    return replace(
        staged,
        duration_ticks=ticks,
        expectations=(Expectation("survive_duration", ticks=ticks),),
        free=True,
    )


def free_scenario(city: City, place: str, level: Level) -> Scenario:
    """The scenario behind a free drive. Raises PlaceUnknown."""
    try:
        junction = find_junction(city, place)
    except (GameError, LookupError, ValueError) as wrong:
        raise PlaceUnknown(_ID, place, city.name, str(wrong)) from wrong
    lane = _approach(city, junction.id)
    if lane is None:
        raise PlaceUnknown(_ID, place, city.name, "no lane leads there")
    start, ahead = _stretch(lane)
    anchor = Anchor(at=place, facing=_facing(start, (junction.x, junction.y)))
    frame = anchor_frame(anchor, city, _ID)
    line = (_centimetres(frame.local(start)), _centimetres(frame.local(ahead)))
    return Scenario(
        schema_version=1,
        id=_ID,
        title="Free Drive",
        description=f"Drive where you like, from {junction.name} on.",
        place=anchor,
        duration_s=_LONGEST,
        city=level,
        ego=Ego(line=line),
        success=(SurviveDuration(type="survive_duration", seconds=_LONGEST),),
    )


def _approach(city: City, junction: int) -> Lane | None:
    """The lane to the crossing to start from: a long one, of these the rightmost, the first."""
    best: Lane | None = None
    rank = (False, 0, 0)
    for lane in city.lanes:
        if lane.end != junction:
            continue
        own = (_run(lane) > BACK, -lane.index, -lane.id)
        if best is None or own > rank:
            best, rank = lane, own
    return best


def _run(lane: Lane) -> float:
    """Length of a lane's last straight piece [m]."""
    (ax, ay), (bx, by) = lane.points[-2:]
    return sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))


def _stretch(lane: Lane) -> tuple[Point, Point]:
    """Where the car stands, and a point ahead of it in the lane."""
    (ax, ay), (bx, by) = lane.points[-2:]
    run = _run(lane)
    first = run - BACK if run > BACK else 0.0
    last = first + LEAD if first + LEAD < run else run
    ux, uy = (bx - ax) / run, (by - ay) / run
    return (ax + first * ux, ay + first * uy), (ax + last * ux, ay + last * uy)


def _facing(there: Point, crossing: Point) -> Facing:
    """The compass direction in which a point lies as seen from the crossing."""
    dx, dy = there[0] - crossing[0], there[1] - crossing[1]
    if dx * dx >= dy * dy:
        return "east" if dx > 0.0 else "west"
    return "north" if dy > 0.0 else "south"


def _centimetres(point: Point) -> Point:
    return round(point[0], 2), round(point[1], 2)
