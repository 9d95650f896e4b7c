"""What a scenario file asks of the driver: conditions to meet, and failures that end it."""

from typing import Annotated, Literal

from pydantic import Field

from scenarios.terms import Anchor, Metres, Place, Seconds, Speed, Strict, Text


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


class Stop(Strict):
    """A place of an errand: the ego comes to rest there for `stand_s`, in the order of the file.

    title: what it is for, in a few words. place: the crossing that `at` is counted from, where it
    is not the scenario's own. by_s: fails who has not finished there so many seconds after the
    start. Files with stops need no path through the city: the way between them is looked for.
    """

    type: Literal["stop"]
    title: Annotated[Text, Field(max_length=60)]
    place: Anchor | None = None
    at: Place
    radius: Annotated[Metres, Field(ge=4.0, le=40.0)] = 12.0
    stand_s: Annotated[Seconds, Field(le=30.0)] = 3.0
    by_s: Annotated[Seconds, Field(gt=0.0)] | None = None


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


Condition = Annotated[
    NoCollision | ReachPosition | SurviveDuration | Stop, Field(discriminator="type")
]


Failure = Annotated[SpeedLimit | RedLight | StayOnRoad | TimeOut, Field(discriminator="type")]
