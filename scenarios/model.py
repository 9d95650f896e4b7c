"""What a scenario file may say: typed, bounded, unknown keys refused. Schema version 1.

Owns the vocabulary and its JSON schema. Metres are local to the scenario's place: [forward, left].
Reads no file (`load`) and builds no world (`spawn`).
"""

import hashlib
import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

SCHEMA_VERSION = 1
MAX_ACTORS = 200
MAX_POINTS = 61

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Metres = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-5000.0, le=5000.0)]
Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.0, le=600.0)]
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


def _check_one(said: BaseModel, keys: tuple[str, ...]) -> None:
    if sum(getattr(said, key) is not None for key in keys) != 1:
        names = " and ".join(f"'{key}'" for key in keys)
        raise PydanticCustomError("way", "give exactly one of {names}", {"names": names})


class Way(Strict):
    """Where something goes: `path` (3k+1 Bezier control points) or `line` (its two ends)."""

    path: Bezier | None = None
    line: Line | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Way":
        _check_one(self, ("path", "line"))
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


class Near(Strict):
    """The ego comes within `radius` [m] of a point, or of an actor (`of`) that is in sight."""

    at: Place | None = None
    of: Name | None = None
    radius: Annotated[Metres, Field(gt=0.0)]

    @model_validator(mode="after")
    def _one_centre(self) -> "Near":
        _check_one(self, ("at", "of"))
        return self


class Signal(Strict):
    """The light of a crossing for traffic along the avenues or the cross streets shows a colour."""

    at: Text
    along: Literal["avenue", "street"]
    shows: Literal["green", "amber", "red"]


class Start(Strict):
    """When something sets off: once all of the given conditions hold, and `delay_s` later.

    after: the id of an actor, or of a wave (its first actor), that has set off.
    signal: a light has shown its colour at some time since `at_s`.
    """

    at_s: TimeDraw = TimeRange(min=0.0, max=0.0)
    near: Near | None = None
    after: Name | None = None
    signal: Signal | None = None
    delay_s: TimeDraw = TimeRange(min=0.0, max=0.0)


class Member(Strict):
    """One actor of a wave: its own way and pace, the wave's trigger and `offset_s` after it.

    path, line: as in Way; stands: it never moves. Exactly one of the three.
    body: its body, or a list that every seed draws one from. shift, ahead: move the whole way to
    its left, or along its first-to-last direction [m]; what stands goes left and forward.
    ending: at the end of the way it stays or vanishes. waits: stands in sight at the start of its
    way until it sets off.
    reacts: to what stands in its way. keep: not at all; brake: stops before it and goes on when it
    is gone; stop: stops before it for good; swerve: moves aside. yields: true is reacts: brake.
    """

    id: Name
    kind: Literal["vehicle", "pedestrian", "bicycle", "obstacle", "emergency_worker"]
    body: BodyName | Bodies | None = None
    path: Bezier | None = None
    line: Line | None = None
    stands: Stand | None = None
    speed: Profile = (Knot(at_s=0.0, speed=SpeedRange(min=0.0, max=0.0)),)
    shift: MetreDraw = MetreRange(min=0.0, max=0.0)
    ahead: MetreDraw = MetreRange(min=0.0, max=0.0)
    offset_s: TimeDraw = TimeRange(min=0.0, max=0.0)
    ending: Literal["vanish", "stay"] = "vanish"
    waits: bool = False
    yields: bool = False
    reacts: Literal["keep", "brake", "swerve", "stop"] = "keep"

    @model_validator(mode="after")
    def _one_way(self) -> "Member":
        _check_one(self, ("path", "line", "stands"))
        if self.yields and self.reacts != "keep":
            raise PydanticCustomError("way", "'yields' and 'reacts' say the same; give one of them")
        return self

    @property
    def bodies(self) -> tuple[str, ...]:
        """The bodies it may have: the ones named, else the usual one of its kind."""
        if self.body is None:
            return (BODY_OF_KIND[self.kind],)
        return (self.body,) if isinstance(self.body, str) else self.body


class Actor(Member):
    """One actor outside any wave, with a trigger of its own."""

    trigger: Start = Start()


class Wave(Strict):
    """Actors that share a number and a trigger."""

    id: Name
    trigger: Start = Start()
    actors: Annotated[tuple[Member, ...], Field(min_length=1, max_length=MAX_ACTORS)]


class Ego(Way):
    """The player's car: its route starts where the car stands, `speed` is how fast it comes in.

    limit: the speed that a reasonable driver keeps to [m/s].
    """

    body: BodyName = "sedan"
    speed: SpeedDraw = SpeedRange(min=0.0, max=0.0)
    limit: Annotated[Speed, Field(gt=0.0)] = 11.0


class NoCollision(Strict):
    """The ego touches nothing and nobody, to the end."""

    type: Literal["no_collision"]


class ReachPosition(Strict):
    """The ego's centre comes within `radius` [m] of a point before time is up."""

    type: Literal["reach_position"]
    at: Place
    radius: Annotated[Metres, Field(gt=0.0)]


class SurviveDuration(Strict):
    """So much time passes without a failure."""

    type: Literal["survive_duration"]
    seconds: Annotated[Seconds, Field(gt=0.0)]


class SpeedLimit(Strict):
    """Fails who drives faster than `speed` [m/s] for longer than `for_s`."""

    type: Literal["speed_limit"]
    speed: Annotated[Speed, Field(gt=0.0)]
    for_s: Seconds = 0.0


class RedLight(Strict):
    """Fails whose nose crosses a stop line of the route while its light is red."""

    type: Literal["red_light"]


class StayOnRoad(Strict):
    """Fails whose middle is more than `margin` [m] off the roadway for longer than `for_s`."""

    type: Literal["stay_on_road"]
    margin: Annotated[Metres, Field(ge=0.0)] = 0.5
    for_s: Seconds = 0.0


class TimeOut(Strict):
    """Fails who has not succeeded after so many seconds, before the time limit of the file."""

    type: Literal["time_out"]
    seconds: Annotated[Seconds, Field(gt=0.0)]


Condition = Annotated[NoCollision | ReachPosition | SurviveDuration, Field(discriminator="type")]


Failure = Annotated[SpeedLimit | RedLight | StayOnRoad | TimeOut, Field(discriminator="type")]


class Scenario(Strict):
    """One file. duration_s: the time limit. It succeeds when all of `success` is met,
    and fails as soon as one of `failure` comes true.

    city: how much traffic and how many people of their own the streets around the ego have.
    hazards: ids of the actors that it is about, for statistics; all of them where none is named.
    """

    schema_version: Literal[1]
    id: Name
    title: Annotated[Text, Field(max_length=80)]
    description: Text
    place: Anchor
    duration_s: Annotated[Seconds, Field(gt=0.0, le=300.0)]
    city: Literal["none", "light", "full"] = "none"
    ego: Ego
    actors: Annotated[tuple[Actor, ...], Field(max_length=MAX_ACTORS)] = ()
    waves: Annotated[tuple[Wave, ...], Field(max_length=50)] = ()
    hazards: Annotated[tuple[Name, ...], Field(max_length=MAX_ACTORS)] = ()
    success: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)]
    failure: Annotated[tuple[Failure, ...], Field(max_length=20)] = ()

    @property
    def entities(self) -> int:
        """How many scripted entities it has, the ego not counted."""
        return len(self.actors) + sum(len(wave.actors) for wave in self.waves)

    @property
    def danger(self) -> frozenset[str]:
        """Ids of the actors that it is about."""
        if self.hazards:
            return frozenset(self.hazards)
        members = [*self.actors, *(member for wave in self.waves for member in wave.actors)]
        return frozenset(member.id for member in members)


LATER: dict[str, object] = {
    "likely": None,
    "ahead": {"min": 0.0, "max": 0.0},
    "of": None,
    "signal": None,
    "reacts": "keep",
    "failure": [],
    "city": "none",
}
"""Keys that came after the first files, and what they hold where nothing is said. There they are
left out of the digest, so that a file keeps its digest when the vocabulary grows. `hazards` is
never part of it: no drive depends on it."""


def digest(scenario: Scenario) -> str:
    """Hex SHA-256 of what the file says: comments, order of keys and defaults spelt out aside."""
    said = _as_first_said(scenario.model_dump(mode="json", exclude={"hazards"}))
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _as_first_said(value: Any) -> Any:
    """The same values without later keys that say nothing."""
    if isinstance(value, list):
        return [_as_first_said(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _as_first_said(item) for key, item in value.items()}
    return {key: v for key, v in plain.items() if key not in LATER or v != LATER[key]}


def json_schema() -> dict[str, Any]:
    """The JSON schema of a scenario file, for editors that complete and check while one types."""
    schema = Scenario.model_json_schema()
    _widen_schema(schema["$defs"])
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Scale Diffusion scenario"
    return schema


def _widen_schema(definitions: dict[str, Any]) -> None:
    """Say what the before-validators allow: a number for a range, a range for a profile."""
    for name in ("SpeedRange", "TimeRange", "MetreRange"):
        exact = definitions[name]
        definitions[name] = {"anyOf": [exact["properties"]["min"], exact]}
    for name in ("Member", "Actor"):
        knots = definitions[name]["properties"]["speed"]
        definitions[name]["properties"]["speed"] = {
            "anyOf": [knots, {"$ref": "#/$defs/SpeedRange"}],
            "title": "Speed",
        }
