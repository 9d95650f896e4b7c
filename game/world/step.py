"""The only way the world changes: `begin` makes the state of tick 0, `step` each one after it.

Pure: the next state is a function of city, state and controls. No clock, no I/O, no randomness.
"""

from dataclasses import replace

from game.world.ambient import FIRST_DRIVER, LEVELS, Living
from game.world.city import City
from game.world.collision import obstacles_of
from game.world.contact import resolve
from game.world.controls import IDLE, Controls
from game.world.digest import MAX_SEED, chain_inputs, genesis, seal
from game.world.entity import BODIES, EGO_ID, EntityState
from game.world.living import advance_living, settle
from game.world.motion import move
from game.world.state import REACTIONS, ZERO_DIGEST, Part, WorldState
from game.world.traffic import advance, appear, fire
from game.world.version import DIGEST_TICKS

# One tick, from t to t + 1. Everything on the left is of tick t:
#
#   actors, ego ──> advance ──> moved ──┬─> struck ones stop ──> fire ──> actors(t+1)
#                                       v                          ^
#   living, actors ──> advance_living ──> moved, living(t+1)
#   ego, controls ──> move ──> pose ─> resolve ──> ego(t+1) ───────┤
#                                       ^   └────> contacts(t+1)   └──> progress, visited(t+1)
#                                     walls


def begin(
    city: City,
    cast: tuple[Part, ...],
    ego: EntityState,
    seed: int,
    scenario_digest: str,
    level: str = "none",
) -> WorldState:
    """The state of tick 0, with every part present whose trigger holds at once.

    level: how much of the city lives around the ego: none, light or full. Raises ValueError for a
    cast or an ego that cannot be.
    """
    cast = tuple(sorted(cast, key=lambda part: part.id))
    _check(cast, ego, seed)
    if level not in LEVELS:
        raise ValueError(f"the city is {level!r}, not one of {[*LEVELS]}")
    wall = obstacles_of(city).row_near(BODIES[ego.body], ego.x, ego.y, ego.heading, 0.0)
    if wall:
        raise ValueError(f"the ego starts inside a building at ({ego.x:.1f}, {ego.y:.1f})")
    waiting = [appear(part, -1) for part in cast if part.waits]
    actors, progress, visited = fire(cast, 0, ego, waiting, [], ())
    start = genesis(city, cast, seed, scenario_digest, level)
    state = WorldState(
        0, seed, ego, actors, IDLE, (), 0, start, ZERO_DIGEST, progress, visited, cast
    )
    if level != LEVELS[0]:
        state = replace(state, living=Living(LEVELS.index(level)))
        everybody, living = settle(city, state)
        state = replace(state, actors=everybody, living=living)
    return _sealed(state)


def step(city: City, state: WorldState, controls: Controls) -> WorldState:
    """The state one tick later. Raises ValueError for controls that no driver can give."""
    if not controls.is_valid():
        raise ValueError(f"controls out of range: {controls}")
    if not isinstance(_total(controls), int):
        raise ValueError(f"controls are integers: {controls}")
    return _step(city, state, controls)


def _total(c: Controls) -> int:
    """Of no meaning in itself: it is an integer only where every field is one."""
    return c.steer + c.throttle + c.brake + c.gear + c.flags + c.look_yaw + c.look_pitch + c.camera


def _step(city: City, state: WorldState, controls: Controls) -> WorldState:
    tick = state.tick + 1
    obstacles = obstacles_of(city)
    moved, progress = advance(state, obstacles)
    living = None
    if state.living is not None:
        others, living = advance_living(city, state)
        moved += others
    pose = move(state.ego, controls)
    meeting = resolve(obstacles, state.ego, pose, moved, state.contacts, tick)
    if meeting.struck:
        moved = [_stopped(a, tick) if a.id in meeting.struck else a for a in moved]
    actors, went, visited = fire(state.cast, tick, meeting.ego, moved, progress, state.visited)
    after = WorldState(
        tick,
        state.seed,
        meeting.ego,
        actors,
        controls,
        meeting.contacts,
        state.collisions + meeting.begun,
        state.digest,
        chain_inputs(state.inputs, controls),
        went,
        visited,
        state.cast,
        living,
    )
    return after if tick % DIGEST_TICKS else _sealed(after)


def _stopped(actor: EntityState, tick: int) -> EntityState:
    """An actor that the ego has just struck stands still for good."""
    struck = actor.struck if actor.struck >= 0 else tick
    return EntityState(
        actor.id, actor.body, actor.x, actor.y, actor.heading, 0.0, 0.0, actor.started, struck
    )


def _sealed(state: WorldState) -> WorldState:
    return WorldState(
        state.tick,
        state.seed,
        state.ego,
        state.actors,
        state.controls,
        state.contacts,
        state.collisions,
        seal(state),
        state.inputs,
        state.progress,
        state.visited,
        state.cast,
        state.living,
    )


def _check(cast: tuple[Part, ...], ego: EntityState, seed: int) -> None:
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed {seed} is not in 0..{MAX_SEED}")
    if ego.id != EGO_ID or ego.body not in BODIES or BODIES[ego.body].wheelbase <= 0.0:
        raise ValueError(f"the ego needs id {EGO_ID} and a body with wheels, not {ego}")
    known: dict[int, bool] = {}
    for part in cast:
        if not EGO_ID < part.id < FIRST_DRIVER or part.id in known:
            most = FIRST_DRIVER - 1
            raise ValueError(f"part {part.name!r}: id {part.id} is taken or not in 1..{most}")
        known[part.id] = True
        if part.body not in BODIES:
            raise ValueError(f"part {part.name!r}: body {part.body!r} is not one of {[*BODIES]}")
        if part.ending not in ("stay", "vanish"):
            raise ValueError(f"part {part.name!r}: ending is {part.ending!r}, not stay or vanish")
        if part.reacts not in REACTIONS:
            raise ValueError(f"part {part.name!r}: reacts {part.reacts!r} is not of {REACTIONS}")
        _check_track(part)
    for part in cast:
        if part.trigger.after >= 0 and part.trigger.after not in known:
            raise ValueError(f"part {part.name!r} waits for {part.trigger.after}, which is no part")
        if part.trigger.beside >= 0 and part.trigger.beside not in known:
            raise ValueError(f"part {part.name!r}: nobody has the id {part.trigger.beside}")
        if part.trigger.delay < 0:
            raise ValueError(f"part {part.name!r}: a delay of {part.trigger.delay} ticks is none")


def _check_track(part: Part) -> None:
    track = part.track
    count = len(track.s)
    if count == 0 or not count == len(track.x) == len(track.y) == len(track.heading):
        raise ValueError(f"part {part.name!r}: its track is empty or uneven")
    if track.s[0] != 0.0:
        raise ValueError(f"part {part.name!r}: its track starts at {track.s[0]} m, not 0")
    for i in range(1, count):
        if not track.s[i] > track.s[i - 1]:
            raise ValueError(f"part {part.name!r}: its track does not grow at sample {i}")
