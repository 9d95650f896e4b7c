"""The words that a scenario file is made of: bounded numbers, places, ways, and spans to draw from.

Metres are local to the scenario's place: [forward, left]. What the words add up to is in `model`.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MAX_POINTS = 61
LONGEST_S = 900.0
"""No file asks for a longer drive [s]; a free drive has its own limit."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Metres = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-5000.0, le=5000.0)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.0, le=LONGEST_S)]
Speed = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.0, le=70.0)]
Name = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]
BodyName = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=2000)]
Place = tuple[Metres, Metres]
"""[forward, left] of the anchor [m]."""

KINDS = ("vehicle", "pedestrian", "bicycle", "obstacle", "emergency_worker")
BODY_OF_KIND = {
    "vehicle": "sedan",
    "pedestrian": "pedestrian",
    "bicycle": "bicycle",
    "obstacle": "debris",
    "emergency_worker": "worker",
}


class Strict(BaseModel):
    """A mapping that knows all of its keys and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SpeedRange(Strict):
    """A speed [m/s] that every seed draws for itself; a plain number leaves nothing to draw.

    Every value is as likely as every other; with `likely` the draw is triangular and peaks there.
    """

    min: Speed
    max: Speed
    likely: Speed | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "SpeedRange":
        return _in_order(self)


class TimeRange(Strict):
    """A span of time [s] that every seed draws for itself, as SpeedRange; a number is fixed."""

    min: Seconds
    max: Seconds
    likely: Seconds | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "TimeRange":
        return _in_order(self)


class MetreRange(Strict):
    """A length [m] that every seed draws for itself, as SpeedRange; a plain number is fixed."""

    min: Metres
    max: Metres
    likely: Metres | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "MetreRange":
        return _in_order(self)


Range = SpeedRange | TimeRange | MetreRange
_R = TypeVar("_R", SpeedRange, TimeRange, MetreRange)


def _in_order(drawn: _R) -> _R:
    if drawn.min > drawn.max:
        raise PydanticCustomError("range", "min must not be greater than max")
    if drawn.likely is not None and not drawn.min <= drawn.likely <= drawn.max:
        raise PydanticCustomError("range", "likely must lie between min and max")
    return drawn


def _widen(value: object) -> object:
    """A plain number is the range from itself to itself."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"min": value, "max": value}
    return value


SpeedDraw = Annotated[SpeedRange, BeforeValidator(_widen)]
TimeDraw = Annotated[TimeRange, BeforeValidator(_widen)]
MetreDraw = Annotated[MetreRange, BeforeValidator(_widen)]


class Knot(Strict):
    """One corner of a speed profile: at so many seconds after setting off, this speed."""

    at_s: Seconds | TimeRange
    speed: SpeedDraw

    @property
    def span(self) -> tuple[float, float]:
        """Earliest and latest time that it can be drawn for [s]."""
        if isinstance(self.at_s, TimeRange):
            return self.at_s.min, self.at_s.max
        return self.at_s, self.at_s


def _as_knots(value: object) -> object:
    if isinstance(value, list | tuple):
        return value
    return [{"at_s": 0.0, "speed": value}]


Profile = Annotated[
    tuple[Knot, ...], BeforeValidator(_as_knots), Field(min_length=1, max_length=50)
]


def _check_points(points: tuple[Place, ...]) -> tuple[Place, ...]:
    if len(points) % 3 != 1 or len(points) < 4:
        raise PydanticCustomError(
            "bezier",
            "a chain of cubic Beziers takes 4, 7, 10, ... control points, got {count}",
            {"count": len(points)},
        )
    for first in range(0, len(points) - 1, 3):
        if len(set(points[first : first + 4])) == 1:
            raise PydanticCustomError("bezier", "four equal control points lead nowhere")
    return points


def _check_line(points: tuple[Place, Place]) -> tuple[Place, Place]:
    if points[0] == points[1]:
        raise PydanticCustomError("line", "both ends of the line are the same point")
    return points


class Stand(Strict):
    """A place to stand at, turned anticlockwise from forward [degree]."""

    at: Place
    turn: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-360.0, le=360.0)] = 0.0


Bezier = Annotated[tuple[Place, ...], Field(max_length=MAX_POINTS), AfterValidator(_check_points)]
Line = Annotated[tuple[Place, Place], AfterValidator(_check_line)]
Bodies = Annotated[tuple[BodyName, ...], Field(min_length=1, max_length=20)]


def check_one(said: BaseModel, keys: tuple[str, ...]) -> None:
    """Raises PydanticCustomError unless it says exactly one of these keys."""
    if sum(getattr(said, key) is not None for key in keys) != 1:
        names = " and ".join(f"'{key}'" for key in keys)
        raise PydanticCustomError("way", "give exactly one of {names}", {"names": names})


class Way(Strict):
    """Where something goes: `path` (3k+1 Bezier control points) or `line` (its two ends)."""

    path: Bezier | None = None
    line: Line | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Way":
        check_one(self, ("path", "line"))
        return self


class Anchor(Strict):
    """The named crossing that [0, 0] lies on, and which way is forward.

    facing: the street at that crossing that leads most nearly this way, `along`: only of this name.
    towards: another crossing, straight ahead. Exactly one of facing and towards.
    """

    at: Text
    facing: Literal["north", "east", "south", "west"] | None = None
    along: Text | None = None
    towards: Text | None = None

    @model_validator(mode="after")
    def _one_direction(self) -> "Anchor":
        if (self.facing is None) == (self.towards is None):
            raise PydanticCustomError("anchor", "give exactly one of 'facing' and 'towards'")
        if self.along is not None and self.facing is None:
            raise PydanticCustomError("anchor", "'along' needs 'facing'")
        return self
