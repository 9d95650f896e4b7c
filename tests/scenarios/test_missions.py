"""Errands: their way over the lanes, stops in order, deadlines; a bot that runs a short one."""

import itertools
from dataclasses import replace
from math import dist, hypot

import pytest

from game.world.city import City
from game.world.entity import BODIES
from game.world.lanes import lanes_of
from game.world.state import WorldState
from rewards.queue import QueueSettings
from scenarios.cases import case, is_known
from scenarios.driver import Bot
from scenarios.errand import Errand
from scenarios.errand_way import ASIDE_M, WayLost, errand_way, spot_at
from scenarios.errors import ScenarioError, ScenarioInvalid, StageImpossible
from scenarios.expect import Outcome, Referee
from scenarios.load import catalogue, library, load, missions, parse
from scenarios.run import drive
from scenarios.show import draw
from scenarios.spawn import Expectation, Stage, stage
from scenarios.terms import LONGEST_S
from scenarios.wheel import _begin

ERRAND = """
schema_version: 1
id: errand
title: An Errand
description: Two stops on one street.
place: {at: West 46th Street & 9th Avenue, facing: east}
duration_s: 120
ego: {body: van, line: [[20, 0.24], [50, 0.24]], limit: 10}
success:
  - {type: no_collision}
  - {type: stop, title: first, at: [90, 0.24], stand_s: 2, by_s: 40}
  - {type: stop, title: second, at: [150, 0.24], stand_s: 1, by_s: 90}
"""


@pytest.fixture(scope="module")
def staged(city: City) -> Stage:
    return stage(parse(ERRAND.encode())[0], city, 0)


def at(staged: Stage, tick: int, forward: float, speed: float = 0.0) -> WorldState:
    x, y = staged.frame.point((forward, 0.24))
    return replace(staged.state, tick=tick, ego=staged.state.ego._replace(x=x, y=y, speed=speed))


def ended(staged: Stage, *states: WorldState) -> Outcome | None:
    referee = Referee(staged)
    for state in states:
        referee.observe(state)
    return referee.outcome


@pytest.mark.parametrize("name", missions())
def test_a_mission_leads_past_its_stops_in_their_order(name: str, city: City) -> None:
    assert is_known(name)
    assert name not in library()
    told = case(name, city, 1)
    wanted = Errand(told).stops
    assert len(wanted) >= 2
    assert 180.0 <= told.duration_ticks / 60 <= LONGEST_S
    last = 0
    for stop in wanted:
        away = [dist(point, (stop.x, stop.y)) for point in told.route[last:]]
        assert min(away) < stop.radius
        last += away.index(min(away))
    long = sum(dist(a, b) for a, b in zip(told.route, told.route[1:], strict=False))
    assert long > 1000.0


def test_the_way_stays_on_lanes_and_passes_no_crossing_twice(city: City) -> None:
    graph = lanes_of(city)
    route = case("taxi-theatre-run", city, 0).route
    for a, b in itertools.pairwise(route):
        middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        ahead = b[0] - a[0], b[1] - a[1]
        near = spot_at(graph, middle, ahead)
        in_crossing = min(hypot(j.x - middle[0], j.y - middle[1]) for j in city.junctions) < 30.0
        assert near is not None or in_crossing
    for junction in city.junctions:
        inside = [dist(point, (junction.x, junction.y)) < 6.0 for point in route]
        assert sum(b and not a for a, b in itertools.pairwise(inside)) <= 1


def test_a_stop_away_from_every_lane_is_refused_with_its_number(city: City) -> None:
    text = ERRAND.replace("at: [150, 0.24]", "at: [150, 36]")
    with pytest.raises(StageImpossible, match=f"stop 2 within {ASIDE_M:g} m"):
        stage(parse(text.encode())[0], city, 0)
    graph = lanes_of(city)
    way = graph.lanes[0]
    start, ahead = (way.x[0], way.y[0]), (way.x[-1], way.y[-1])
    with pytest.raises(WayLost, match="stop 1"):
        errand_way(city, start, ahead, [(1.0e5, 1.0e5)])


def test_one_must_stand_and_in_order(staged: Stage) -> None:
    errand = Errand(staged)
    for tick in range(200):  # rolls through the second, then through the first
        errand.observe(at(staged, tick, 150.0 if tick < 100 else 90.0, 2.0))
    assert errand.made == []
    for tick in range(200, 400):
        errand.observe(at(staged, tick, 90.0))
    assert errand.made == [320]
    assert errand.next is not None
    assert errand.next.title == "second"
    assert not errand.late


def test_leaving_the_circle_begins_the_wait_anew(staged: Stage) -> None:
    errand = Errand(staged)
    for tick, forward in ((0, 90.0), (100, 90.0), (101, 60.0), (102, 90.0), (221, 90.0)):
        errand.observe(at(staged, tick, forward))
    assert errand.made == []
    errand.observe(at(staged, 222, 90.0))
    assert errand.made == [222]


def test_all_stops_in_time_is_success_and_a_missed_one_ends_it(staged: Stage) -> None:
    first = [at(staged, tick, 90.0) for tick in (100, 220)]
    won = ended(staged, *first, *(at(staged, tick, 150.0) for tick in (500, 560)))
    assert won == Outcome(True, "ok", 560, 0, None)
    assert ended(staged, *first, at(staged, 5399, 100.0)) is None
    lost = ended(staged, *first, at(staged, 5400, 150.0))
    assert lost == Outcome(False, "timeout", 5400, 0, None, "stop")


def test_a_deadline_that_cannot_hold_is_named_with_its_line() -> None:
    with pytest.raises(ScenarioInvalid, match=r"11: success\.2\.by_s: stops come in their order"):
        parse(ERRAND.strip().replace("by_s: 90", "by_s: 40").encode())
    with pytest.raises(ScenarioInvalid, match="later than duration_s"):
        parse(ERRAND.replace("by_s: 90", "by_s: 121").encode())
    with pytest.raises(ScenarioError, match="duration_s"):
        parse(ERRAND.replace("duration_s: 120", f"duration_s: {LONGEST_S + 1:g}").encode())


def test_the_bot_runs_an_errand_in_an_empty_street(staged: Stage, city: City) -> None:
    stood: dict[str, int] = {}
    referee = Referee(staged)

    def watch(state: WorldState) -> None:
        referee.observe(state)
        wanted = referee.errand.next
        if wanted is not None and abs(state.ego.speed) < 0.1:
            stood[wanted.title] = stood.get(wanted.title, 0) + 1

    outcome, _ = drive(staged, city, Bot(staged, city), watch)
    assert outcome.success
    assert stood["first"] >= 100
    assert stood["second"] >= 40


def test_who_drives_by_socket_hears_of_the_stops(staged: Stage) -> None:
    told = _begin(staged)["stops"]
    assert [each["title"] for each in told] == ["first", "second"]
    assert told[0]["by_tick"] == 2400
    assert told[0]["stand_ticks"] == 120


def test_the_picture_shows_numbered_stops(staged: Stage, city: City) -> None:
    texts = [shape.text for shape in draw(staged, city).shapes if shape.kind == "text"]
    assert "1 first" in texts
    assert "2 second" in texts


def test_scenarios_without_stops_are_done_with_their_errand(city: City) -> None:
    errand = Errand(stage(load("oncoming-traffic"), city, 0))
    assert errand.done
    assert errand.next is None
    assert not errand.late


def test_a_judge_has_twice_the_time_of_the_longest_drive() -> None:
    assert QueueSettings().deadline_s >= 2 * LONGEST_S
    assert set(catalogue()) == {*library(), *missions()}


def test_every_body_of_a_mission_can_be_driven() -> None:
    assert all(load(name).ego.body in BODIES for name in missions())
    assert Expectation("stop").by == 0
