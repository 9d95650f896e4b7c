"""Answers of CommonRoad's packages, which are not ours: PYTHON oracle.py {contacts,lanes}.

Runs in whatever interpreter has them (commonroad-drivability-checker, commonroad-crime), so it
needs nothing of ours. One JSON question on standard input, one JSON answer as the last line.
"""

import json
import logging
import math
import sys
from importlib import import_module
from typing import Any

import numpy as np

STEP_S = 0.1
STEPS = 80
TURN = 1e-4
"""Angle of the lane [rad]."""
EGO, LEAD = 10, 11


def contacts(runs: list[list[Any]]) -> list[int]:
    """Per run the first moment in which the ego touches anybody, -1 for none.

    A run: moments, each the ego's discs and a list of others' discs; a disc: x, y, radius [m].
    """
    crcc = import_module("commonroad_dc.pycrcc")

    def shape(discs: list[list[float]]) -> Any:
        group = crcc.ShapeGroup()
        for x, y, radius in discs:
            group.add_shape(crcc.Circle(radius, x, y))
        return group

    found = []
    for moments in runs:
        touched = -1
        for at, (mine, others) in enumerate(moments):
            ego = shape(mine)
            if any(ego.collide(shape(theirs)) for theirs in others):
                touched = at
                break
        found.append(touched)
    return found


def lanes(cases: list[dict[str, float]]) -> list[dict[str, float]]:
    """gap [m], ttc, thw [s] and required deceleration [m/s^2] of commonroad-crime in one lane.

    A case: `gap` from bumper to bumper [m], speeds `own` and `other` [m/s], both constant, and the
    `length` and `width` of both cars [m]. inf is null.
    """
    logging.disable(logging.CRITICAL)
    measures = {
        "gap": ("distance.hw", "HW"),
        "ttc": ("time.ttc", "TTC"),
        "thw": ("time.thw", "THW"),
        "drac": ("acceleration.a_long_req", "ALongReq"),
    }
    found = []
    for case in cases:
        setup = import_module("commonroad_crime.data_structure.configuration")
        config = setup.CriMeConfiguration()
        config.update(ego_id=EGO, sce=_one_lane(case))
        answer = {}
        for name, (module, kind) in measures.items():
            measure = getattr(import_module(f"commonroad_crime.measure.{module}"), kind)
            value = abs(float(measure(config).compute(LEAD, 0, verbose=False)))
            answer[name] = value if math.isfinite(value) else None
        found.append(answer)
    return found


def _one_lane(case: dict[str, float]) -> Any:
    """A straight lane with two cars. It points a hair's breadth away from east: the package takes
    a lane at an angle of exactly 0 for none."""
    scenario = import_module("commonroad.scenario.scenario")
    lanelet = import_module("commonroad.scenario.lanelet")
    name = scenario.ScenarioID(country_id="USA", map_name="Lane")
    made = scenario.Scenario(STEP_S, name)
    along = np.arange(-20.0, 401.0, 2.0)

    def line(aside: float) -> Any:
        return np.stack([along - aside * TURN, along * TURN + aside], axis=1)

    made.add_objects(lanelet.Lanelet(line(1.75), line(0.0), line(-1.75), 1))
    start = case["gap"] + case["length"]
    made.add_objects(_car(EGO, 0.0, case["own"], case), 1)
    made.add_objects(_car(LEAD, start, case["other"], case), 1)
    made.assign_obstacles_to_lanelets()
    return made


def _car(number: int, start: float, speed: float, case: dict[str, float]) -> Any:
    obstacle = import_module("commonroad.scenario.obstacle")
    shape = import_module("commonroad.geometry.shape").Rectangle(case["length"], case["width"])
    states = import_module("commonroad.scenario.state")
    trajectory = import_module("commonroad.scenario.trajectory").Trajectory
    forecast = import_module("commonroad.prediction.prediction").TrajectoryPrediction

    def at(step: int, kind: Any, **more: float) -> Any:
        x = start + speed * STEP_S * step
        place = np.array([x, x * TURN])
        return kind(time_step=step, position=place, orientation=TURN, velocity=speed, **more)

    first = at(0, states.InitialState, yaw_rate=0.0, slip_angle=0.0)
    rest = [at(step, states.CustomState) for step in range(1, STEPS)]
    kind = obstacle.ObstacleType.CAR
    return obstacle.DynamicObstacle(
        number, kind, shape, first, forecast(trajectory(1, rest), shape)
    )


if __name__ == "__main__":
    answer = {"contacts": contacts, "lanes": lanes}[sys.argv[1]](json.load(sys.stdin))
    print(json.dumps(answer))
