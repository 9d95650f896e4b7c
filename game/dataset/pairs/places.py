"""Where training pictures are taken: drives through the living city, some of them held out.

A function of the seed alone. Streets and hours that are held out never appear in training.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from game.atlas.streets import street_near
from game.session.format import CaptureProfile
from game.world.city import City
from game.world.controls import Camera
from game.world.state import WorldState
from game.world.step import step
from scenarios.driver import Bot
from scenarios.errors import ScenarioError
from scenarios.free import free_stage
from scenarios.load import library
from scenarios.load import load as load_scenario
from scenarios.spawn import Stage, stage

SPLITS = ("train", "validation", "test")
EVERY = 2  # ticks between frames, as the capture has it
APART = 75  # ticks between clips of one drive


@dataclass(frozen=True, slots=True)
class Hour:
    """One light that the source is captured in. share: of the drives. held: only ever tested."""

    hour: float
    weather: str
    share: int
    held: bool = False

    def profile(self) -> CaptureProfile:
        """The capture profile of it."""
        return CaptureProfile(hour=self.hour, weather=self.weather)


HOURS = (
    Hour(13.0, "clear", 8), Hour(9.0, "clear", 1), Hour(18.4, "clear", 1),
    Hour(21.0, "clear", 1), Hour(12.0, "rain", 1), Hour(11.0, "overcast", 1, held=True),
)  # fmt: skip
"""Nearly all drives are captured at 13:00, the capture's own hour."""


@dataclass(frozen=True, slots=True)
class DrivePlan:
    """One drive to take clips of. place: a scenario's id, or a junction's name for a free drive."""

    index: int
    hour: Hour
    place: str
    scripted: bool
    seed: int
    warm_up: int
    hood: bool


@dataclass(frozen=True, slots=True)
class Clip:
    """States of neighbouring frames, and the split that the street they lie in belongs to."""

    states: tuple[WorldState, ...]
    street: str
    split: str


def plan(city: City, seed: int, drives: int) -> tuple[DrivePlan, ...]:
    """The first `drives` of an endless list; more only adds to the end."""
    hours = [hour for hour in HOURS for _ in range(hour.share)]
    crossings = [j.name for j in city.junctions if j.signal and len(j.streets) >= 2]
    made: list[DrivePlan] = []
    for index in range(drives):
        draw = random.Random(f"pairs {seed} {index}")
        hour, scripted = draw.choice(hours), draw.random() < 0.4
        place = draw.choice(library() if scripted else crossings)
        own, warm_up = draw.randrange(1, 1 << 30), draw.randrange(20, 260)
        hood = draw.random() < 0.15
        made.append(DrivePlan(index, hour, place, scripted, own, warm_up, hood))
    return tuple(made)


def split_of(street: str, hour: Hour) -> str:
    """By street name: of seven, one for validation and one for the test; held hours: the test."""
    if hour.held:
        return "test"
    which = hashlib.sha256(f"street {street}".encode()).digest()[0] % 7
    return {0: "test", 1: "validation"}.get(which, "train")


def clips(city: City, planned: DrivePlan, count: int, frames: int) -> Iterator[Clip]:
    """Drive the bot and yield up to `count` clips of `frames` states each."""
    staged = _staged(city, planned)
    if staged is None:
        return
    bot, state = Bot(staged, city), staged.state
    for index in range(count):
        for _ in range(planned.warm_up if index == 0 else APART):
            state = step(city, state, bot.controls(state))
        kept: list[WorldState] = []
        for _ in range(frames):
            kept.append(_seen(state, planned.hood))
            for _ in range(EVERY):
                state = step(city, state, bot.controls(state))
        near = street_near(city, kept[0].ego.x, kept[0].ego.y)
        street = near.name if near is not None else ""
        yield Clip(tuple(kept), street, split_of(street, planned.hour))


def _staged(city: City, planned: DrivePlan) -> Stage | None:
    try:
        if planned.scripted:
            return stage(load_scenario(planned.place), city, planned.seed)
        return free_stage(city, planned.place, planned.seed, seconds=120.0)
    except ScenarioError:  # a crossing that no lane leads to, or no room to start
        return None


def _seen(state: WorldState, hood: bool) -> WorldState:
    """The state with the camera over the bonnet, or as it is."""
    if not hood:
        return state
    return replace(state, controls=replace(state.controls, camera=Camera.HOOD))
