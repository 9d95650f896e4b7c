"""Answers of a program come before a person could see; a delayed and uneven hand's do not."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from game.atlas.load import load as load_city
from game.session.reader import Session
from game.world.city import City
from game.world.controls import Controls
from game.world.entity import EntityState
from game.world.state import WorldState
from game.world.step import step
from rewards.checks.humanity import humanity
from rewards.checks.reaction import REFLEX_TICKS, Reactions, need, reactions
from scenarios.driver import Bot, Driver
from scenarios.load import load
from scenarios.road import survey
from scenarios.spawn import stage
from tests.rewards.recording import Made


@pytest.fixture(scope="module")
def city() -> City:
    return load_city()


class Hand:
    """What the bot would do, as a person does it: seen in glances, late by 0.3 to 0.9 s, never the
    same twice, and no pedal is pressed at once."""

    name = "hand"

    def __init__(self, inner: Driver, seed: int) -> None:
        self._inner, self._chance = inner, random.Random(seed)
        self._seen: list[Controls] = []
        self._aim = self._out = Controls()
        self._glance = 0

    def controls(self, state: WorldState) -> Controls:
        self._seen.append(self._inner.controls(state))
        self._glance -= 1
        if self._glance <= 0:
            self._glance = self._chance.randint(6, 18)
            late = int(self._chance.lognormvariate(3.4, 0.35))
            self._aim = self._seen[max(0, len(self._seen) - 1 - late)]
        was, aim = self._out, self._aim
        self._out = Controls(
            steer=_toward(was.steer, aim.steer, 40, -1000),
            throttle=_toward(was.throttle, aim.throttle, 80, 0),
            brake=_toward(was.brake, aim.brake, 120, 0),
        )
        return self._out


def _toward(was: int, aim: int, most: int, least: int) -> int:
    return max(least, min(1000, was + max(-most, min(most, aim - was))))


def answers(city: City, name: str, driver: Callable[[Bot], Driver]) -> Reactions:
    staged = stage(load(name), city, 1)
    holder, state = driver(Bot(staged, city, "brisk")), staged.state
    views, drive = [], []
    for _ in range(min(staged.duration_ticks, 30 * 60)):
        views.append((state.ego, state.actors))
        drive.append(holder.controls(state))
        state = step(city, state, drive[-1])
    return reactions(views.__getitem__, drive, survey(staged.route, city))


def test_the_bot_answers_before_a_person_could_and_the_hand_does_not(city: City) -> None:
    bot = answers(city, "busy-intersection", lambda bot: bot)
    hand = answers(city, "busy-intersection", lambda bot: Hand(bot, 1))
    assert len(bot.ticks) > 0
    assert max(bot.ticks) < REFLEX_TICKS
    assert len(hand.ticks) > 0
    assert min(hand.ticks) >= REFLEX_TICKS
    assert (bot.score, hand.score) == (0.0, 1.0)


def test_the_same_delay_each_time_is_no_persons() -> None:
    assert Reactions((30, 30, 30, 30)).score == 0.5
    assert Reactions((24, 31, 52, 40)).score == 1.0
    assert Reactions((2, 1, 3)).score == 0.0
    assert Reactions(()).score is None


def car(x: float, y: float = 0.0, speed: float = 0.0, heading: float = 0.0) -> EntityState:
    return EntityState(1, "sedan", x, y, heading, speed)


def test_who_is_in_the_way_needs_braking_by_v_squared_over_twice_the_gap() -> None:
    ego = car(0.0, speed=10.0)
    assert need(ego, [car(24.7)]) == pytest.approx(100 / (2 * 20.0))
    assert need(ego, [car(24.7, speed=10.0)]) == 0.0, "as fast as we are"
    assert need(ego, [car(24.7, y=3.5)]) == 0.0, "in the next lane"
    assert need(ego, [car(-20.0)]) == 0.0, "behind"
    crossing = car(24.7, y=-6.0, speed=3.0, heading=1.5708)
    assert need(ego, [crossing]) > 2.0, "who will have stepped in front by then"


@pytest.mark.render
def test_it_moves_the_score_and_rejects_nobody(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    with Session.open(clean.folder) as session:
        found = humanity(session, clean.evidence(tmp_path, renderer))
    assert (found.passed, found.threshold) == (True, 0.0)
    assert "answers" in found.evidence
    assert 0 <= found.evidence["humanity_milli"] <= 1000
