"""How fast the world steps: ten actors and all of Midtown on one core. Asserts nothing."""

import math
import time
from collections.abc import Callable
from random import Random
from typing import Any

from game.atlas.load import load
from game.errors import PackError
from game.world.ambient import FIRST_DRIVER, FIRST_WALKER
from game.world.city import City, Lane
from game.world.collision import Obstacles, obstacles_of
from game.world.controls import Controls
from game.world.digest import pack_state, unpack_state
from game.world.entity import BODIES, EGO_ID, EntityState
from game.world.golden import cast as town_cast
from game.world.golden import town
from game.world.state import Part, Track, WorldState
from game.world.step import begin, step
from game.world.track import sample, through
from scenarios.free import free_stage

BODY = ("taxi", "sedan", "bus", "van", "suv", "police", "lorry", "bicycle", "taxi", "pedestrian")
REPEATS = 12
GOAL = 12_000.0
LIVING_GOAL = 600.0
LIVING = ("West 42nd Street & 7th Avenue", "Park Avenue & East 48th Street")


def _best(run: Callable[[], object], units: int) -> float:
    """Units per second of processor time, the best of some short runs: others disturb less."""
    best = 0.0
    for _ in range(REPEATS):
        before = time.process_time()
        run()
        best = max(best, units / (time.process_time() - before))
    return best


def _length(lane: Lane) -> float:
    return sum(math.dist(a, b) for a, b in zip(lane.points, lane.points[1:], strict=False))


def _route(lane: Lane, onward: dict[int, list[Lane]], dice: Random) -> Track:
    points = list(lane.points)
    for _ in range(12):
        following = onward.get(lane.end)
        if not following:
            break
        lane = dice.choice(following)
        points += [p for p in lane.points if p != points[-1]]
    return through(tuple(points))


def _midtown(yields: bool) -> tuple[City, tuple[Part, ...], EntityState]:
    city, dice = load(), Random(3)
    onward: dict[int, list[Lane]] = {}
    for lane in city.lanes:
        onward.setdefault(lane.start, []).append(lane)
    picked = dice.sample([lane for lane in city.lanes if _length(lane) > 60.0], 11)
    profile = ((0, 8.0),)
    cast = tuple(
        Part(
            k + 1,
            BODY[k],
            BODIES[BODY[k]].kind,
            BODY[k],
            _route(lane, onward, dice),
            profile,
            ending="stay",
            yields=yields,
        )
        for k, lane in enumerate(picked[:10])
    )
    x, y, heading = sample(_route(picked[10], onward, dice), 0.0)
    return city, cast, EntityState(EGO_ID, "sedan", x, y, heading, 8.0)


def scene(yields: bool = False) -> tuple[str, City, WorldState]:
    """(name, city, first state): Midtown where its pack is there, else the built-in town."""
    try:
        city, cast, ego = _midtown(yields)
        name = f"Midtown, {len(city.footprints)} footprints"
    except PackError:
        city, cast, ego = town(), town_cast(), EntityState(EGO_ID, "sedan", 0.0, 2.0, 1.5708, 6.0)
        name = "town of 25 footprints"
    return name, city, begin(city, cast, ego, 1, "bench")


def _drive(city: City, state: WorldState, ticks: int) -> WorldState:
    for tick in range(ticks):
        state = step(city, state, Controls((tick // 37 % 3 - 1) * 60, 300))
    return state


def _poses(state: WorldState, count: int) -> list[tuple[int, float, float, float]]:
    """What the actors of a scene would ask: a quarter of a metre a tick along their tracks."""
    each = count // len(state.cast)
    return [(part.id, *sample(part.track, 0.25 * k)) for part in state.cast for k in range(each)]


def _rows_hit(obstacles: Obstacles, poses: list[tuple[int, float, float, float]]) -> None:
    body = BODIES["sedan"]
    for entity, x, y, heading in poses:
        obstacles.row_hit(entity, body, x, y, heading)


def _discs_hit(obstacles: Obstacles, poses: list[tuple[int, float, float, float]]) -> None:
    for _, x, y, _ in poses:
        obstacles.hit(x, y, 1.5)


def _near(state: WorldState) -> tuple[int, int]:
    """(vehicles, people) of the living city within 200 m of the ego."""
    found = [0, 0]
    for actor in state.actors:
        if math.dist((actor.x, actor.y), (state.ego.x, state.ego.y)) < 200.0:
            found[actor.id >= FIRST_WALKER] += actor.id >= FIRST_DRIVER
    return found[0], found[1]


def _living() -> list[tuple[str, float]]:
    """(what, ticks per second) of a drive through each place with the city full of life."""
    try:
        city = load()
    except PackError:
        return []
    found = []
    for place in LIVING:
        state = free_stage(city, place, 1, "full").state
        state = _drive(city, state, 600)  # the queues at the lights have grown
        vehicles, people = _near(state)
        speed = _best(lambda state=state: _drive(city, state, 120), 120)  # type: ignore[misc]
        found.append((f"living city: {vehicles} vehicles + {people} people, {place}", speed))
    return found


def rows() -> list[dict[str, Any]]:
    """The rows of this bench for `make bench`."""
    name, city, state = scene()
    out: list[dict[str, Any]] = []

    def row(
        what: str, value: float, unit: str, against: str = "", ratio: float | None = None
    ) -> None:
        out.append({"name": what, "value": value, "unit": unit, "against": against, "ratio": ratio})

    laid = _best(lambda: Obstacles(city), 1)
    row(f"world: lay the grid ({name})", 1000.0 / laid, "ms", "goal 150 ms", 0.15 * laid)
    _drive(city, state, 1200)  # cuts the cells that the drive visits
    moving = _best(lambda: _drive(city, state, 600), 600)
    row(f"world: ego + 10 actors ({name})", moving, "ticks/s", f"goal {GOAL:.0f}", moving / GOAL)
    _, _, polite = scene(yields=True)
    careful = _best(lambda: _drive(city, polite, 600), 600)
    row("world: the same, all actors yield", careful, "ticks/s", "not yielding", careful / moving)

    for what, speed in _living():
        row(what, speed, "ticks/s", f"goal {LIVING_GOAL:.0f}", speed / LIVING_GOAL)

    poses = _poses(state, 6_000)
    remembering, plain = obstacles_of(city), Obstacles(city, remember=False)
    _rows_hit(plain, poses)  # cuts the cells
    without = _best(lambda: _rows_hit(plain, poses), len(poses))
    saved = _best(lambda: _rows_hit(remembering, poses), len(poses))
    row("collision: a row of discs, nothing remembered", 1e6 / without, "us")
    row(
        "collision: a row, clearance remembered",
        1e6 / saved,
        "us",
        "not remembered",
        saved / without,
    )
    single = _best(lambda: _discs_hit(plain, poses), len(poses))
    row("collision: one disc", 1e6 / single, "us", "a row", single / without)

    data = pack_state(_drive(city, state, 600))
    last = unpack_state(data, state.cast)
    packing = _best(lambda: [pack_state(last) for _ in range(2000)], 2000)
    row(f"state: pack ({len(data)} bytes)", 1e6 / packing, "us")
    return out
