"""First contact by a collision checker that is not ours, given our discs; lane cases by measures
that are not ours. Both in an interpreter of their own: name it in COMMONROAD_PYTHON."""

import json
import math
import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from math import cos, sin
from pathlib import Path
from typing import Any

import pytest

from game.world.city import City
from game.world.entity import BODIES, EntityState
from game.world.motion import move
from game.world.state import WorldState
from scenarios.criticality import lead
from scenarios.driver import DRIVERS
from scenarios.expect import Outcome
from scenarios.load import library, load, parse
from scenarios.run import drive
from scenarios.spawn import stage
from tests.scenarios.example import GOOD

PYTHON = os.environ.get("COMMONROAD_PYTHON", sys.executable)
PROGRAM = Path(__file__).with_name("oracle.py")
CAR = BODIES["sedan"]
Discs = list[list[float]]


def installed(package: str) -> None:
    """Skips where `package` cannot be imported by the interpreter that is to answer."""
    there = subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True, check=False)
    if there.returncode != 0:
        pytest.skip(f"{package} is not installed: name an interpreter in COMMONROAD_PYTHON")


def ask(what: str, question: Any) -> Any:
    """What CommonRoad's packages say."""
    done = subprocess.run(
        [PYTHON, str(PROGRAM), what], input=json.dumps(question), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def row(body: str, x: float, y: float, heading: float) -> Discs:
    return [
        [x + along * cos(heading), y + along * sin(heading), radius]
        for along, radius in BODIES[body].discs
    ]


def moments(states: list[WorldState]) -> list[Any]:
    """The ego's way and the others, from the first tick on.

    The world refuses a pose in something solid, so the way is looked at, not where it stopped.
    """
    found = []
    for before, after in pairwise(states):
        x, y, heading, _, _ = move(before.ego, after.controls)
        others = [row(a.body, a.x, a.y, a.heading) for a in after.actors]
        found.append([row(before.ego.body, x, y, heading), others])
    return found


@pytest.mark.heavy
def test_an_independent_checker_finds_the_first_contact_at_the_same_tick(city: City) -> None:
    installed("commonroad_dc.pycrcc")
    cases: list[tuple[str, int, Outcome]] = []
    runs = []
    for name in library():
        for seed in range(4):
            staged = stage(load(name), city, seed)
            states: list[WorldState] = []
            pilot = DRIVERS["full-throttle"](staged, city)
            outcome, _ = drive(staged, city, pilot, states.append)
            assert outcome.reason == "collision"
            cases.append((name, seed, outcome))
            runs.append(moments(states))
    found = ask("contacts", runs)
    assert [(*case[:2], tick) for case, tick in zip(cases, found, strict=True)] == [
        (name, seed, outcome.tick - 1) for name, seed, outcome in cases
    ]


@pytest.mark.heavy
def test_gap_ttc_headway_and_drac_in_one_lane_are_those_of_commonroad_crime(city: City) -> None:
    installed("commonroad_crime")
    empty = stage(parse(GOOD.encode())[0], city, 0).state
    rng = random.Random(3)
    cases, ours = [], []
    for _ in range(40):
        gap = round(rng.uniform(2.0, 60.0), 2)  # it rounds to hundredths
        own, other = rng.uniform(4.0, 20.0), rng.uniform(0.0, 20.0)
        ego = EntityState(0, "sedan", 0.0, 0.0, 0.0, own)
        leader = EntityState(1, "sedan", gap + CAR.length, 0.0, 0.0, other)
        found = lead(replace(empty, ego=ego, actors=(leader,)))
        assert found is not None
        ours.append(found)
        cases.append(
            {"gap": gap, "own": own, "other": other, "length": CAR.length, "width": CAR.width}
        )
    theirs = ask("lanes", cases)
    assert sum(case["own"] > case["other"] for case in cases) > 10
    for mine, said in zip(ours, theirs, strict=True):
        assert mine.gap == pytest.approx(said["gap"], abs=1e-3)
        assert mine.ttc == pytest.approx(math.inf if said["ttc"] is None else said["ttc"], abs=0.01)
        if mine.own > mine.other:  # theirs squares the difference, and so brakes for who drives off
            assert mine.drac == pytest.approx(said["drac"], rel=1e-3, abs=0.01)
        else:
            assert mine.drac == 0.0
        if said["thw"] is not None:  # looked up in steps of a tenth, within eight seconds
            assert said["thw"] - 0.11 < mine.thw < said["thw"] + 0.01
        else:
            assert mine.thw > 7.8
