"""What a file can ask of the engine: triggers, reactions, draws, and the limits that end a run."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from game.world.city import City
from game.world.controls import Controls
from game.world.digest import pack_state, unpack_state
from game.world.signals import Light, light, place_of
from game.world.state import WorldState
from game.world.step import step
from scenarios.driver import DRIVERS, Idle
from scenarios.errors import PlaceUnknown, ScenarioInvalid
from scenarios.expect import Outcome
from scenarios.load import parse
from scenarios.model import Scenario, digest
from scenarios.place import junction_at
from scenarios.run import drive
from scenarios.spawn import Stage, stage
from tests.scenarios.example import GOOD

LEAD = "    line: [[-30, -1.65], [60, -1.65]]\n    speed: {min: 5, max: 7}\n"


def small(*edits: tuple[str, str]) -> Scenario:
    text = GOOD
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode())[0]


def staged(city: City, *edits: tuple[str, str], seed: int = 0) -> Stage:
    return stage(small(*edits), city, seed)


def drives(stage: Stage, until: Callable[[WorldState], bool], ticks: int = 1200) -> WorldState:
    state = stage.state
    for _ in range(ticks):
        if until(state):
            return state
        state = step(stage.city, state, Controls())
    raise AssertionError("it never happened")


def outcome(city: City, *edits: tuple[str, str], driver: str = "idle") -> Outcome:
    case = staged(city, *edits)
    return drive(case, city, DRIVERS[driver](case, city))[0]


def test_a_signal_lets_an_actor_off_when_its_light_shows_the_colour(city: City) -> None:
    where = "{at: West 34th Street & 7th Avenue, along: street, shows: green}"
    case = staged(city, (LEAD, LEAD + f"    trigger: {{at_s: 1, signal: {where}}}\n"))
    name = junction_at("West 34th Street & 7th Avenue", city, "small").name
    tick = case.state.cast[0].trigger.at_tick
    assert light(place_of(name), 1, tick) == Light.GREEN
    assert light(place_of(name), 1, tick - 1) != Light.GREEN
    assert 60 < tick < 3600
    assert not case.state.actors
    assert drives(case, lambda state: bool(state.actors)).tick == tick


def test_a_signal_at_a_crossing_without_lights_is_refused(city: City) -> None:
    where = "{at: West 34th Street & 12th Avenue, along: street, shows: green}"
    with pytest.raises(PlaceUnknown, match="no light"):
        staged(city, (LEAD, LEAD + f"    trigger: {{signal: {where}}}\n"))


def test_a_trigger_goes_with_the_actor_it_is_near_to(city: City) -> None:
    other = "  - id: second\n    kind: pedestrian\n    line: [[0, 9], [0, -9]]\n    speed: 1\n"
    other += "    trigger: {near: {of: lead, radius: 18}}\n"
    case = staged(city, ("{min: 5, max: 7}", "2"), ("success:", other + "success:"))
    state = drives(case, lambda state: len(state.actors) == 2)
    lead, ego = state.actors[0], state.ego
    gap = ((lead.x - ego.x) ** 2 + (lead.y - ego.y) ** 2) ** 0.5
    assert 17.7 < gap <= 18.0
    assert state.tick > 60


WALKER = "  - {id: post, kind: pedestrian, stands: {at: [20, -1.65]}, waits: true}\nsuccess:"


@pytest.mark.parametrize(
    ("reacts", "passes", "aside"),
    [("keep", True, 0.0), ("swerve", True, 1.3), ("brake", False, 0.0), ("stop", False, 0.0)],
)
def test_reactions_to_what_stands_in_the_way(
    reacts: str, passes: bool, aside: float, city: City
) -> None:
    case = staged(
        city, (LEAD, LEAD + f"    reacts: {reacts}\n"), ("success:", WALKER), ("8\n", "0\n")
    )
    most, last = 0.0, 0.0
    state = case.state
    for _ in range(900):
        state = step(city, state, Controls())
        there = [actor for actor in state.actors if actor.id == 1]
        if there:
            last, left = case.frame.local((there[0].x, there[0].y))
            most = max(most, abs(left + 1.65))
    assert (last > 40.0) == passes
    assert most == pytest.approx(aside, abs=0.35)
    if not passes:
        assert 13.0 < last < 17.0  # before the post, nose and gap accounted for


def test_what_brakes_goes_on_when_the_way_is_free_and_what_stops_does_not(city: City) -> None:
    walker = "  - {id: walker, kind: pedestrian, line: [[8, -5], [8, 9]], speed: 0.45}\nsuccess:"
    ends = {}
    for reacts in ("brake", "stop"):
        case = staged(
            city, (LEAD, LEAD + f"    reacts: {reacts}\n"), ("success:", walker), ("8\n", "0\n")
        )
        state = case.state
        for _ in range(1300):
            state = step(city, state, Controls())
        ends[reacts] = [actor.id for actor in state.actors]
    assert 1 not in ends["brake"]  # it has left at the end of its way
    assert 1 in ends["stop"]


def test_a_peak_makes_values_near_it_likelier(city: City) -> None:
    edit = ("{min: 5, max: 7}", "{min: 5, max: 9, likely: 6}")
    drawn = [dict(staged(city, edit, seed=k).drawn)["lead.speed.0"] for k in range(400)]
    assert 5.0 <= min(drawn) < 5.3
    assert 8.3 < max(drawn) <= 9.0
    assert sum(drawn) / 400 == pytest.approx((5 + 6 + 9) / 3, abs=0.1)  # mean of the triangle
    with pytest.raises(ScenarioInvalid, match="likely must lie between"):
        small(("{min: 5, max: 7}", "{min: 5, max: 9, likely: 10}"))


def test_every_body_of_a_list_is_drawn(city: City) -> None:
    edit = (LEAD, LEAD + "    body: [taxi, bus, fire_engine]\n")
    bodies = {staged(city, edit, seed=k).state.cast[0].body for k in range(30)}
    assert bodies == {"taxi", "bus", "fire_engine"}
    with pytest.raises(ScenarioInvalid, match="no vehicle has the body 'cone'"):
        small((LEAD, LEAD + "    body: [taxi, cone]\n"))


def test_ahead_moves_along_the_way_and_shift_to_its_left(city: City) -> None:
    plain = staged(city).state.cast[0].track
    moved = staged(city, (LEAD, LEAD + "    ahead: 5\n    shift: 2\n"))
    x, y = moved.frame.local((moved.state.cast[0].track.x[0], moved.state.cast[0].track.y[0]))
    assert (x, y) == pytest.approx((-25.0, 0.35))
    assert moved.state.cast[0].track.s[-1] == pytest.approx(plain.s[-1])


def test_what_says_nothing_new_keeps_its_digest() -> None:
    plain = digest(small())
    assert digest(small(("success:", "hazards: [lead]\nsuccess:"))) == plain
    assert digest(small((LEAD, LEAD + "    reacts: keep\n"))) == plain
    assert digest(small((LEAD, LEAD + "    reacts: brake\n"))) != plain
    assert digest(small((LEAD, LEAD + "    ahead: 1\n"))) != plain
    assert digest(small(("success:", "failure: [{type: red_light}]\nsuccess:"))) != plain


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("success:", "hazards: [lad]\nsuccess:"), "no actor 'lad'; did you mean 'lead'"),
        ((LEAD, LEAD + "    yields: true\n    reacts: stop\n"), "say the same"),
        ((LEAD, LEAD + "    trigger: {near: {radius: 5}}\n"), "exactly one of 'at' and 'of'"),
        ((LEAD, LEAD + "    trigger: {near: {of: x, radius: 5}}\n"), "no actor 'x'"),
        (("success:", "failure: [{type: time_out, seconds: 21}]\nsuccess:"), "ends the drive"),
        (("success:", "failure: [{type: red_lights}]\nsuccess:"), "one of speed_limit, red_light"),
    ],
)
def test_contradictions_are_named(edit: tuple[str, str], said: str) -> None:
    with pytest.raises(ScenarioInvalid, match=said):
        small(edit)


def failing(kind: str) -> tuple[str, str]:
    return ("success:", f"failure: [{{{kind}}}]\nsuccess:")


def test_too_fast_for_too_long_fails(city: City) -> None:
    assert outcome(city, failing("type: speed_limit, speed: 8.1")).reason == "timeout"
    ended = outcome(city, failing("type: speed_limit, speed: 7.5, for_s: 0.2"))
    assert (ended.reason, ended.cause, ended.tick) == ("speed_limit", "speed_limit", 12)


def test_a_red_light_fails_who_crosses_the_line_and_nobody_else(city: City) -> None:
    far = ("[[-30, -1.65], [60, -1.65]]", "[[30, -1.65], [90, -1.65]]")
    ended = outcome(city, far, failing("type: red_light"), driver="full-throttle")
    assert (ended.success, ended.reason) == (False, "red_light")
    longer = ("duration_s: 20", "duration_s: 45")
    green = outcome(city, far, longer, failing("type: red_light"), driver="bot")
    assert green.success


def test_leaving_the_roadway_fails(city: City) -> None:
    class Left(Idle):
        def controls(self, state: WorldState) -> Controls:
            return Controls(steer=400, throttle=500)

    case = staged(city, failing("type: stay_on_road"))
    ended = drive(case, city, Left())[0]
    assert (ended.success, ended.reason) == (False, "stay_on_road")
    kept = staged(city, failing("type: stay_on_road"))
    assert drive(kept, city, Idle())[0].reason == "timeout"


def test_a_time_out_comes_before_the_limit_of_the_file(city: City) -> None:
    ended = outcome(city, failing("type: time_out, seconds: 3"))
    assert (ended.reason, ended.cause, ended.tick) == ("timeout", "time_out", 180)


@pytest.mark.parametrize("cut", [1, 137, 401])
def test_a_drive_saved_and_resumed_at_any_tick_ends_in_the_same_bits(cut: int, city: City) -> None:
    reacting = (LEAD, LEAD + "    reacts: swerve\n    trigger: {near: {of: post, radius: 90}}\n")
    case = staged(city, reacting, ("success:", WALKER), ("8\n", "0\n"))
    whole = resumed = case.state
    for tick in range(500):
        whole = step(city, whole, Controls(throttle=tick % 7 * 20))
    for tick in range(500):
        if tick == cut:
            resumed = unpack_state(pack_state(resumed), case.state.cast)
        resumed = step(city, resumed, Controls(throttle=tick % 7 * 20))
    assert pack_state(resumed) == pack_state(whole)
    assert whole.actors


def test_a_stage_without_limits_breaks_none(city: City) -> None:
    assert staged(city).limits == ()
    assert replace(staged(city), seed=1).city is city
