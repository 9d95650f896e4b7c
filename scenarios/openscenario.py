"""One concrete case as OpenSCENARIO XML 1.2, for whoever's simulator. Needs extra `standards`.

The script goes out, not one run of it: timed polylines, triggers as conditions. What the standard
cannot hold goes into properties: the discs of each body, the seed, the conditions of success. What
yields yields to nobody there, and traffic outside the script stays at home.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from math import remainder, tau
from pathlib import Path
from typing import Any

from game.errors import MissingPart
from game.world.entity import BODIES, Body, EntityState, Kind
from game.world.state import Part, Trigger
from game.world.track import sample
from game.world.version import DT, TICK_HZ
from scenarios.ride import Timed, ride, thin
from scenarios.spawn import Stage

try:
    from scenariogeneration import xosc
except ImportError:  # the extra is not installed; `document` says so
    xosc = None

EGO = "ego"
MINOR = 2
DATED = datetime(2020, 1, 1, tzinfo=UTC)
"""Of every file, so that the same case gives the same bytes."""
WAYPOINTS = 12
"""Points of the ego's route, at most."""
_CATEGORIES = {"bus": "bus", "lorry": "truck", "fire_engine": "truck", "van": "van",
               "motorcycle": "motorbike"}  # fmt: skip


def document(stage: Stage, road_file: str, driven: Sequence[EntityState] = ()) -> Any:
    """The case as a `scenariogeneration.xosc.Scenario`.

    driven: the ego in every tick of one drive, for the ego's trajectory; without it the ego has
    its route alone. Raises MissingPart without the extra `standards`.
    """
    if xosc is None:
        raise MissingPart("no scenariogeneration here", "pip install 'scale-diffusion[standards]'")
    seconds = stage.duration_ticks / TICK_HZ
    stop = _when("stop", xosc.SimulationTimeCondition(seconds, xosc.Rule.greaterThan), 0, "stop")
    entities, init = xosc.Entities(), xosc.Init()
    board = xosc.StoryBoard(init, stop)
    entities.add_scenario_object(EGO, _body(BODIES[stage.state.ego.body]))
    _place_ego(stage, init)
    if len(driven) > 1:
        board.add_act(_drive_act(driven))
    names = {part.id: part.name for part in stage.state.cast}
    idle = {part.id for part in stage.state.cast if _stands(part) and _at_once(part.trigger)}
    for part in stage.state.cast:
        entities.add_scenario_object(part.name, _body(BODIES[part.body]))
        if part.waits or _at_once(part.trigger):
            init.add_init_action(part.name, xosc.TeleportAction(_world(sample(part.track, 0.0))))
        if part.id not in idle:
            board.add_act(_act(part, names, idle, stage.duration_ticks))
    return xosc.Scenario(
        stage.scenario.title, "scale-diffusion", xosc.ParameterDeclarations(), entities, board,
        xosc.RoadNetwork(road_file), xosc.Catalog(), osc_minor_version=MINOR,
        creation_date=DATED, header_properties=_header(stage),
    )  # fmt: skip


def write(made: Any, path: Path) -> None:
    """Write a document whole or not at all."""
    part = path.with_name(path.name + ".part")
    made.write_xml(str(part))
    part.replace(path)


def _header(stage: Stage) -> Any:
    made = xosc.Properties()
    made.add_property("scenario", stage.scenario.id)
    made.add_property("digest", stage.digest)
    made.add_property("seed", str(stage.seed))
    made.add_property("drawn", json.dumps(dict(stage.drawn)))
    said = [condition.model_dump(mode="json") for condition in stage.scenario.success]
    made.add_property("success", json.dumps(said))
    return made


def _world(pose: tuple[float, float, float]) -> Any:
    return xosc.WorldPosition(pose[0], pose[1], 0, pose[2])


def _when(name: str, condition: Any, delay: int, where: str = "start") -> Any:
    return xosc.ValueTrigger(name, delay * DT, xosc.ConditionEdge.none, condition, where)


def _time(tick: int) -> Any:
    return xosc.SimulationTimeCondition(tick / TICK_HZ, xosc.Rule.greaterOrEqual)


def _body(body: Body) -> Any:
    """The outline as a bounding box about the pose, the discs as properties."""
    box = xosc.BoundingBox(body.width, body.length, body.height, 0, 0, 0.5 * body.height)
    made: Any
    if body.kind in (Kind.VEHICLE, Kind.BICYCLE):
        usual = "car" if body.kind is Kind.VEHICLE else "bicycle"
        kind = getattr(xosc.VehicleCategory, _CATEGORIES.get(body.name, usual))
        wheel, half = 0.7, 0.5 * body.wheelbase
        front = xosc.Axle(0.6, wheel, 0.8 * body.width, half, 0.5 * wheel)
        rear = xosc.Axle(0.0, wheel, 0.8 * body.width, -half, 0.5 * wheel)
        made = xosc.Vehicle(body.name, kind, box, front, rear, 70, 10, 10, mass=body.mass)
    elif body.kind in (Kind.PEDESTRIAN, Kind.EMERGENCY_WORKER):
        walker = xosc.PedestrianCategory.pedestrian
        made = xosc.Pedestrian(body.name, body.mass, walker, box, body.name)
    else:
        made = xosc.MiscObject(body.name, body.mass, xosc.MiscObjectCategory.obstacle, box)
    made.add_property("discs", json.dumps(body.discs))
    return made


def _place_ego(stage: Stage, init: Any) -> None:
    ego = stage.state.ego
    init.add_init_action(EGO, xosc.TeleportAction(_world((ego.x, ego.y, ego.heading))))
    init.add_init_action(EGO, _speed(ego.speed))
    route = xosc.Route("route")
    last = len(stage.route) - 1
    count = min(last, WAYPOINTS - 1)
    for i in range(count + 1):
        x, y = stage.route[i * last // count]
        route.add_waypoint(xosc.WorldPosition(x, y), xosc.RouteStrategy.shortest)
    init.add_init_action(EGO, xosc.AssignRouteAction(route))


def _speed(value: float) -> Any:
    shape, over = xosc.DynamicsShapes.step, xosc.DynamicsDimension.time
    return xosc.AbsoluteSpeedAction(value, xosc.TransitionDynamics(shape, over, 0))


def _follow(name: str, poses: Sequence[Timed]) -> Any:
    """Timed poses, counted from the moment in which the action begins."""
    kept = thin(poses)
    shape = xosc.Polyline([tick * DT for tick, *_ in kept], [_world(p[1:]) for p in kept])
    line = xosc.Trajectory(f"way_{name}", False)
    line.add_shape(shape)
    relative = xosc.ReferenceContext.relative
    return xosc.FollowTrajectoryAction(line, xosc.FollowingMode.position, relative, 1, 0)


def _drive_act(driven: Sequence[EntityState]) -> Any:
    poses = [(i, ego.x, ego.y, ego.heading) for i, ego in enumerate(driven)]
    maneuver = xosc.Maneuver(f"script_{EGO}")
    _event(maneuver, f"start_{EGO}", [[_time(0)]], 0, _follow(EGO, _unwound(poses)))
    _event(maneuver, f"end_{EGO}", [[_over(EGO)]], 0, _speed(0.0))
    return _acted(EGO, maneuver, _when(f"from_{EGO}", _time(0), 0))


def _unwound(poses: Sequence[Timed]) -> list[Timed]:
    """The same with headings that never jump."""
    made = [poses[0]]
    for tick, x, y, heading in poses[1:]:
        made.append((tick, x, y, made[-1][3] + remainder(heading - made[-1][3], tau)))
    return made


def _acted(name: str, maneuver: Any, start: Any) -> Any:
    group = xosc.ManeuverGroup(f"group_{name}")
    group.add_actor(name)
    group.add_maneuver(maneuver)
    act = xosc.Act(f"act_{name}", start)
    act.add_maneuver_group(group)
    return act


def _act(part: Part, names: dict[int, str], idle: set[int], ticks: int) -> Any:
    """A part's act. It begins once the ego has been near; its events wait for the rest."""
    name, trigger = part.name, part.trigger
    groups, delay = _conditions(trigger, names, idle)
    maneuver = xosc.Maneuver(f"script_{name}")
    absent = not part.waits and not _at_once(trigger)
    if absent:
        added = xosc.AddEntityAction(name, _world(sample(part.track, 0.0)))
        first = f"start_{name}" if _stands(part) else f"add_{name}"
        _event(maneuver, first, groups, delay, added)
    if not _stands(part):
        poses = ride(part, ticks)
        _event(maneuver, f"start_{name}", groups, delay, _follow(name, poses))
        gone = part.ending == "vanish" and poses[-1][0] < ticks
        ending = xosc.DeleteEntityAction(name) if gone else _speed(0.0)
        _event(maneuver, f"end_{name}", [[_over(name)]], 0, ending)
    elif not absent:
        _event(maneuver, f"start_{name}", groups, delay, _speed(0.0))
    return _acted(name, maneuver, _gate(part, names))


def _gate(part: Part, names: dict[int, str]) -> Any:
    """An act's start is kept, as 'has been near' is; a condition of an event would be lost."""
    near = part.trigger.near
    if near is None:
        return _when(f"from_{part.name}", _time(0), 0)
    straight, within = xosc.RelativeDistanceType.euclidianDistance, xosc.Rule.lessOrEqual
    own = xosc.CoordinateSystem.entity
    if part.trigger.beside >= 0:
        other = names[part.trigger.beside]
        reach = xosc.RelativeDistanceCondition(
            near[2], within, straight, other, freespace=False, coordinate_system=own
        )
    else:
        reach = xosc.DistanceCondition(
            near[2], within, xosc.WorldPosition(near[0], near[1]), alongroute=False,
            freespace=False, distance_type=straight, coordinate_system=own,
        )  # fmt: skip
    delay, edge = part.trigger.delay * DT, xosc.ConditionEdge.none
    return xosc.EntityTrigger(f"from_{part.name}", delay, edge, reach, EGO)


def _conditions(
    trigger: Trigger, names: dict[int, str], idle: set[int]
) -> tuple[list[list[Any]], int]:
    """Groups of which one must hold whole, and the delay of each condition [ticks]."""
    if trigger.after < 0 or trigger.after in idle:
        if trigger.near is None:
            return [[_time(trigger.at_tick + trigger.delay)]], 0
        return [[_time(trigger.at_tick)]], trigger.delay if trigger.at_tick else 0
    states = xosc.StoryboardElementState
    groups = []
    for state in (states.runningState, states.completeState):
        group = [_state(f"start_{names[trigger.after]}", state)]
        if trigger.at_tick:
            group.append(_time(trigger.at_tick))
        groups.append(group)
    return groups, trigger.delay


def _state(event: str, state: Any) -> Any:
    kind = xosc.StoryboardElementType.event
    return xosc.StoryboardElementStateCondition(kind, event, state)


def _over(name: str) -> Any:
    return _state(f"start_{name}", xosc.StoryboardElementState.completeState)


def _event(
    maneuver: Any, name: str, groups: Sequence[Sequence[Any]], delay: int, action: Any
) -> None:
    made = xosc.Event(name, xosc.Priority.parallel)
    trigger = xosc.Trigger("start")
    for number, conditions in enumerate(groups):
        group = xosc.ConditionGroup("start")
        for index, condition in enumerate(conditions):
            group.add_condition(_when(f"when_{name}_{number}_{index}", condition, delay))
        trigger.add_conditiongroup(group)
    made.add_trigger(trigger)
    made.add_action(f"do_{name}", action)
    maneuver.add_event(made)


def _stands(part: Part) -> bool:
    return part.track.s[-1] == 0.0


def _at_once(trigger: Trigger) -> bool:
    """True where it sets off at tick 0 whatever the ego does."""
    return trigger == Trigger()
