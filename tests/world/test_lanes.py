"""The lane graph: who may turn from where, which curves cross, and that trips arrive."""

from itertools import pairwise

import pytest

from game.atlas.load import bundled, load
from game.world.lanes import LaneGraph
from tests.world.blocks import LANE, SIDE, town


@pytest.fixture(scope="module")
def graph() -> LaneGraph:
    return LaneGraph(town())


def _into(graph: LaneGraph, junction: int, heading: float, index: int) -> int:
    """The lane into a junction that leads this way."""
    for lane in graph.lanes:
        same = lane.junction == junction and lane.index == index
        if same and abs(lane.heading[-1] - heading) < 0.1:
            return lane.id
    raise AssertionError("no such lane")


def _turns(graph: LaneGraph, lane: int) -> list[int]:
    return sorted(graph.way(curve).turn for curve in graph.exits(lane))


def test_one_turns_right_from_the_right_lane_and_left_from_the_left_one(graph: LaneGraph) -> None:
    inner = SIDE + 1  # a crossing with four arms
    assert _turns(graph, _into(graph, inner, 0.0, 0)) == [-1, 0]
    assert _turns(graph, _into(graph, inner, 0.0, 1)) == [0, 1]


def test_where_nothing_leads_straight_on_each_half_of_the_lanes_turns(graph: LaneGraph) -> None:
    rim = 2 * SIDE - 1  # eastbound the town ends here
    assert _turns(graph, _into(graph, rim, 0.0, 0)) == [-1]
    assert _turns(graph, _into(graph, rim, 0.0, 1)) == [1]


def test_a_curve_joins_the_ends_of_its_lanes_and_turns_evenly(graph: LaneGraph) -> None:
    for lane in graph.lanes:
        for number in graph.exits(lane.id):
            curve = graph.way(number)
            after = graph.lanes[curve.after]
            assert curve.pose(0.0, 0.0)[:2] == pytest.approx(lane.pose(lane.length, 0.0)[:2])
            assert curve.pose(curve.length, 0.0)[:2] == pytest.approx(after.pose(0.0, 0.0)[:2])
            steps = [curve.pose(curve.length * k / 40, 0.0)[2] for k in range(41)]
            for a, b in pairwise(steps):
                turned = (b - a + 3.2) % 6.283185307179586 - 3.2
                assert -0.2 < turned < 0.2


def test_left_of_the_way_is_left(graph: LaneGraph) -> None:
    lane = graph.lanes[_into(graph, SIDE + 1, 0.0, 1)]
    right = graph.lanes[_into(graph, SIDE + 1, 0.0, 0)]
    assert lane.pose(10.0, -LANE)[:2] == pytest.approx(right.pose(10.0, 0.0)[:2])


def test_a_left_turn_crosses_who_comes_towards_it_and_straight_ways_do_not_cross(
    graph: LaneGraph,
) -> None:
    inner = SIDE + 1
    east, west = _into(graph, inner, 0.0, 1), _into(graph, inner, 3.141592653589793, 1)
    turn = {graph.way(n).turn: n for n in graph.exits(east)}
    back = {graph.way(n).turn: n for n in graph.exits(west)}
    assert graph.cross(turn[1], back[0])
    assert not graph.cross(turn[0], back[0])
    north = _into(graph, inner, 1.5707963267948966, 0)
    for number in graph.exits(north):
        if graph.way(number).turn == 0:
            assert graph.cross(number, turn[0])
    assert graph.cross(turn[1], back[0]) == graph.cross(back[0], turn[1])


def test_every_trip_arrives_by_the_curves_that_the_plan_names(graph: LaneGraph) -> None:
    for goal in graph.goals:
        for start in range(0, len(graph.lanes), 7):
            lane = start
            for _ in range(4 * SIDE):
                if graph.lanes[lane].junction == goal:
                    break
                _, index = graph.plan(lane, goal)
                suited = graph.legs[graph.lanes[lane].leg][index]
                lane = graph.way(graph.plan(suited, goal)[0]).after
            assert graph.lanes[lane].junction == goal


def test_who_goes_straight_on_keeps_to_the_street(graph: LaneGraph) -> None:
    curve, _ = graph.plan(_into(graph, SIDE + 1, 0.0, 0), -1)
    assert graph.way(curve).turn == 0


@pytest.mark.parametrize("name", ["midtown", "manhattan"])
def test_every_curve_of_the_city_has_a_place_even_where_it_has_no_length(name: str) -> None:
    graph, without = LaneGraph(load(bundled().parent / name)), 0
    for lane in graph.lanes:
        for number in graph.exits(lane.id):
            curve = graph.way(number)
            without += curve.length == 0.0
            for s in (0.0, curve.length):
                x, y, heading = curve.pose(s, 0.5)
                assert abs(x) + abs(y) < 1e5
                assert -3.15 < heading < 3.15
    assert without > 0  # streets that meet end to end
