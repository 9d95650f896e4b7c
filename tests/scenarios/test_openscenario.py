"""Exported cases: followed by numpy and scipy they go where ours go; the ASAM checkers agree."""

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from scipy.interpolate import BPoly

from game.cli.scenario import command
from game.world.city import City
from game.world.entity import BODIES
from game.world.state import Part, Track, Trigger, WorldState
from game.world.version import TICK_HZ
from scenarios import opendrive
from scenarios.driver import DRIVERS
from scenarios.load import library, load
from scenarios.openscenario import document, write
from scenarios.ride import ride, thin
from scenarios.run import drive
from scenarios.spawn import Stage, stage
from tests.scenarios.standards import asam_check, at_times, polyline

CLOSE_M = 0.05


@dataclass(frozen=True)
class Exported:
    stage: Stage
    states: list[WorldState]
    path: Path
    root: ET.Element


@pytest.fixture(scope="module", params=library())
def exported(
    request: pytest.FixtureRequest, city: City, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    staged = stage(load(request.param), city, 5)
    states: list[WorldState] = []
    drive(staged, city, DRIVERS["bot"](staged, city), states.append)
    path = tmp_path_factory.mktemp("case") / "case.xosc"
    write(document(staged, "case.xodr", [state.ego for state in states]), path)
    opendrive.save(
        opendrive.network(city, (staged.frame.x, staged.frame.y), "case", 60.0),
        path.with_name("case.xodr"),
    )
    return Exported(staged, states, path, ET.parse(path).getroot())


def moving(staged: Stage) -> list[Part]:
    return [part for part in staged.state.cast if part.track.s[-1] > 0.0]


def test_actors_are_at_every_tick_where_the_world_had_them(exported: Exported) -> None:
    for part in moving(exported.stage):
        if part.yields or getattr(part, "reacts", ""):
            continue  # what yields leaves its script
        seen = [
            (state.tick - actor.started, actor.x, actor.y)
            for state in exported.states
            for actor in state.actors
            if actor.id == part.id and actor.started >= 0 and actor.struck < 0
        ]
        if not seen:
            continue
        ticks, *ours = np.array(seen).T
        theirs = at_times(polyline(exported.root, part.name), ticks / TICK_HZ)
        assert np.hypot(*(theirs.T - ours)).max() < CLOSE_M


def test_a_path_that_is_driven_out_ends_where_ours_ends(exported: Exported) -> None:
    for part in moving(exported.stage):
        rows = polyline(exported.root, part.name)
        poses = ride(part, exported.stage.duration_ticks)
        assert np.hypot(rows[-1, 1] - poses[-1][1], rows[-1, 2] - poses[-1][2]) < 1e-6
        assert rows[-1, 0] == pytest.approx(poses[-1][0] / TICK_HZ)
        assert np.all(np.diff(rows[:, 0]) > 0.0)


def test_a_bezier_as_scipy_knows_it_is_never_far_from_what_is_exported(exported: Exported) -> None:
    scenario = exported.stage.scenario
    starts = {p.name: (p.track.x[0], p.track.y[0]) for p in exported.stage.state.cast}
    waves = [member for wave in scenario.waves for member in wave.actors]
    for member in [*scenario.actors, *waves]:
        if member.path is None:
            continue
        points = np.array([exported.stage.frame.point(point) for point in member.path])
        points += np.array(starts[member.id]) - points[0]  # a seed may shift a whole way
        pieces = [points[i : i + 4] for i in range(0, len(points) - 1, 3)]
        spline = BPoly(np.stack(pieces, axis=1), np.arange(len(pieces) + 1.0))
        curve = shapely.LineString(spline(np.linspace(0.0, len(pieces), 4000 * len(pieces))))
        rows = polyline(exported.root, member.id)
        way = shapely.LineString(rows[:, 1:3]).segmentize(0.1)
        assert shapely.distance(curve, shapely.points(way.coords)).max() < CLOSE_M


def test_the_ego_drives_what_was_driven_and_stops(exported: Exported) -> None:
    rows = polyline(exported.root, "ego")
    ticks, *ours = np.array([(s.tick, s.ego.x, s.ego.y) for s in exported.states]).T
    assert np.hypot(*(at_times(rows, ticks / TICK_HZ).T - ours)).max() < CLOSE_M
    assert rows[-1, 1:3] == pytest.approx([ours[0][-1], ours[1][-1]], abs=1e-6)
    stop = exported.root.find(".//Event[@name='end_ego']//AbsoluteTargetSpeed")
    assert stop is not None
    assert float(stop.get("value", "nan")) == 0.0
    assert exported.root.find(".//Init//Private[@entityRef='ego']//AssignRouteAction") is not None


def test_who_is_not_there_at_first_is_added_and_who_leaves_is_deleted(exported: Exported) -> None:
    there = {one.get("entityRef") for one in exported.root.findall(".//Init//Private")}
    added = {
        one.get("entityRef")
        for one in exported.root.findall(".//EntityAction")
        if one.find("AddEntityAction") is not None
    }
    names = {part.name for part in exported.stage.state.cast}
    first = {a.id for a in exported.stage.state.actors}
    assert there == {"ego"} | {p.name for p in exported.stage.state.cast if p.id in first}
    assert added == names - there
    gone = {
        one.get("entityRef")
        for one in exported.root.findall(".//EntityAction")
        if one.find("DeleteEntityAction") is not None
    }
    limit = exported.stage.duration_ticks
    assert gone == {
        part.name
        for part in moving(exported.stage)
        if part.ending == "vanish" and ride(part, limit)[-1][0] < limit
    }


def test_shapes_are_ours(exported: Exported) -> None:
    for thing in exported.root.findall(".//Entities/ScenarioObject"):
        part = next((p for p in exported.stage.state.cast if p.name == thing.get("name")), None)
        body = BODIES[part.body if part is not None else exported.stage.state.ego.body]
        box = thing.find(".//BoundingBox/Dimensions")
        discs = thing.find(".//Property[@name='discs']")
        assert box is not None
        assert discs is not None
        assert float(box.get("length", "nan")) == body.length
        assert json.loads(discs.get("value", "")) == [list(disc) for disc in body.discs]


def test_asam_finds_nothing_and_skips_nothing_in_a_case(exported: Exported) -> None:
    statuses, skipped, issues = asam_check(exported.path)
    assert (statuses, skipped, issues) == ({"completed": 17}, [], [])


def test_asam_would_find_a_broken_case(exported: Exported, tmp_path: Path) -> None:
    text = exported.path.read_text().replace(
        'storyboardElementRef="start_', 'storyboardElementRef="no_'
    )
    broken = tmp_path / "broken.xosc"
    broken.write_text(text)
    assert asam_check(broken)[2]


def test_triggers_become_conditions(city: City) -> None:
    staged = stage(load("oncoming-traffic"), city, 0)
    first, second, third, fourth, *_ = staged.state.cast
    cast = (
        replace(first, trigger=Trigger(near=(1.0, 2.0, 30.0), delay=12)),
        replace(second, trigger=Trigger(after=first.id, at_tick=60, delay=6)),
        replace(third, trigger=Trigger(at_tick=90, delay=30)),
        replace(fourth, trigger=Trigger(near=(0.0, 0.0, 12.0), beside=second.id)),
    )
    changed = replace(staged, state=replace(staged.state, cast=cast))
    root = ET.fromstring(ET.tostring(document(changed, "x.xodr").get_element()))
    gate = root.find(f".//Act[@name='act_{first.name}']/StartTrigger//Condition")
    assert gate is not None
    distance = gate.find(".//DistanceCondition")
    assert distance is not None
    assert float(gate.get("delay", "nan")) == pytest.approx(0.2)
    assert float(distance.get("value", "nan")) == 30.0
    beside = root.find(f".//Act[@name='act_{fourth.name}']/StartTrigger//Condition")
    assert beside is not None
    assert beside.find(".//DistanceCondition") is None
    relative = beside.find(".//RelativeDistanceCondition")
    assert relative is not None
    assert (relative.get("entityRef"), relative.get("freespace")) == (second.name, "false")
    assert float(relative.get("value", "nan")) == 12.0
    groups = root.findall(f".//Event[@name='start_{second.name}']/StartTrigger/ConditionGroup")
    states = [one.find(".//StoryboardElementStateCondition") for one in groups]
    assert [one.get("state") for one in states if one is not None] == [
        "runningState", "completeState",
    ]  # fmt: skip
    assert all(len(one.findall(".//SimulationTimeCondition")) == 1 for one in groups)
    delays = {one.get("delay") for group in groups for one in group}
    assert [float(str(one)) for one in delays] == [pytest.approx(0.1)]
    late = root.find(f".//Event[@name='start_{third.name}']//SimulationTimeCondition")
    assert late is not None
    assert float(late.get("value", "nan")) == pytest.approx(2.0)


def test_a_corner_keeps_the_poses_that_it_needs() -> None:
    track = Track((0.0, 10.0, 20.0), (0.0, 10.0, 10.0), (0.0, 0.0, 10.0), (0.0, 0.0, 1.5))
    body = BODIES["sedan"]
    part = Part(1, "a", body.kind, "sedan", track, ((0, 6.0),))
    poses = ride(part, 1000)
    kept = thin(poses)
    assert poses[-1][:3] == (200, 10.0, 10.0)
    assert kept[0] == poses[0]
    assert kept[-1] == poses[-1]
    assert len(kept) < len(poses) / 4
    times, xs, ys, _ = np.array(kept).T
    ticks, x, y, _ = np.array(poses).T
    off = np.hypot(np.interp(ticks, times, xs) - x, np.interp(ticks, times, ys) - y)
    assert off.max() <= 0.01 + 1e-9


def test_the_command_writes_both_files_and_the_same_twice(tmp_path: Path) -> None:
    told = []
    for name in ("one", "two"):
        out = tmp_path / name
        args = ("export", "oncoming-traffic", "--out", str(out), "--seed", "3", "--json")
        result = CliRunner().invoke(command, args)
        assert result.exit_code == 0, result.output
        told.append(json.loads(result.stdout.splitlines()[-1]))
    assert sorted(one.name for one in (tmp_path / "one").iterdir()) == [
        "oncoming-traffic-3.xodr", "oncoming-traffic-3.xosc",
    ]  # fmt: skip
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert told[0]["entities"] == 5
    assert told[0]["roads"] > 10
