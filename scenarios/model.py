"""What a scenario file may say: typed, bounded, unknown keys refused. Schema version 1.

Owns the vocabulary's top (its words are in `terms`, what is asked of a driver in `goals`) and its
JSON schema. Reads no file (`load`) and builds no world (`spawn`).
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from scenarios.goals import Condition, Failure, Stop
from scenarios.terms import (
    BODY_OF_KIND,
    Anchor,
    Bezier,
    Bodies,
    BodyName,
    Knot,
    Line,
    MetreDraw,
    MetreRange,
    Metres,
    Name,
    Place,
    Profile,
    Seconds,
    Speed,
    SpeedDraw,
    SpeedRange,
    Stand,
    Strict,
    Text,
    TimeDraw,
    TimeRange,
    Way,
    check_one,
)

SCHEMA_VERSION = 1
MAX_ACTORS = 200


class Near(Strict):
    """The ego comes within `radius` [m] of a point, or of an actor (`of`) that is in sight."""

    at: Place | None = None
    of: Name | None = None
    radius: Annotated[Metres, Field(gt=0.0)]

    @model_validator(mode="after")
    def _one_centre(self) -> "Near":
        check_one(self, ("at", "of"))
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
        check_one(self, ("path", "line", "stands"))
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
    duration_s: Annotated[Seconds, Field(gt=0.0)]
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
    def stops(self) -> tuple[Stop, ...]:
        """The places of its errand, in their order; none in most files."""
        return tuple(wanted for wanted in self.success if isinstance(wanted, Stop))

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
