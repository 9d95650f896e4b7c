"""Built-in drives through a town made of code, and the digests that every machine must get.

`prove` runs them all in about a second. A digest that moves is a bug or a new world version.
"""

import struct
from collections.abc import Callable, Iterator
from hashlib import sha256

from game.world import chance, trig
from game.world.city import City, Footprint, Point
from game.world.collision import obstacles_of
from game.world.controls import HANDBRAKE, Controls
from game.world.digest import checkpoint
from game.world.entity import EGO_ID, EntityState, Kind
from game.world.signals import light
from game.world.state import Checkpoint, Part, Trigger, WorldState
from game.world.step import begin, step
from game.world.track import straight, through

PITCH = 80.0
"""From one street of the town to the next [m]. A street runs along every multiple, 20 m wide."""
BLOCKS = 5

Course = Callable[[int], Controls]

EXPECTED: dict[str, str] = {
    "trig": "8290fe406b0ec446cd96249d9eaa70a590756819e40adcaee632afd88982c525",
    "chance": "c32596c959e626fb2af09faf52df26011cecb80673f493c47f14474b1093db93",
    "collision": "ed6a7dff89236adbc8c45a513a10bddc70a6d2abf995507c0d024478fdcccab8",
    "signals": "bceafef384ce3f2c0ab1d553198956651fcb52956ee73efc665d62f16231e542",
    "drive.weave": "75975f15b5922592df237e74b5e5f932f0d10cf4ae0a8c3fb05620d2b3627122",
    "drive.crash": "fab7b1ca07e83ce789644c484871cb9b407c75182e096c8d19e78ae33a34e724",
    "drive.drawn": "3335b0cc1c59b29b64b364ad725f70485d5001355097b99f33d58fc3d3ac8b22",
}


def town() -> City:
    """Five by five blocks, each one building: plain, with a courtyard, a notch or a round end."""
    shapes = []
    for row in range(BLOCKS):
        for column in range(BLOCKS):
            x, y = column * PITCH + 10.0, row * PITCH + 10.0
            rings = _building(x, y, x + 60.0, y + 60.0, (row + column) % 4)
            shapes.append(Footprint(row * BLOCKS + column, rings, 20.0 + row))
    edge = BLOCKS * PITCH
    digest = sha256(b"the town of the golden drives, first edition").hexdigest()
    box = (-20.0, -20.0, edge + 20.0, edge + 20.0)
    return City("golden", digest, 40.75, -73.98, box, tuple(shapes), (), (), ())


def _building(
    x0: float, y0: float, x1: float, y1: float, kind: int
) -> tuple[tuple[Point, ...], ...]:
    if kind == 1:
        court = ((x0 + 15.0, y0 + 15.0), (x0 + 15.0, y1 - 15.0), (x1 - 15.0, y1 - 15.0))
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), (*court, (x1 - 15.0, y0 + 15.0))
    if kind == 2:
        notch = ((x1, y0 + 20.0), (x1 - 7.5, y0 + 20.0), (x1 - 7.5, y0 + 31.0), (x1, y0 + 31.0))
        return (((x0, y0), (x1, y0), *notch, (x1, y1), (x0, y1)),)
    if kind == 3:
        middle = (y0 + y1) / 2.0
        arc = []
        for k in range(17):
            s, c = trig.sincos(trig.PI * k / 16.0)
            arc.append((x1 - 30.0 + 30.0 * s, middle - 30.0 * c))
        return (((x0, y0), *arc, (x0, y1)),)
    return (((x0, y0), (x1, y0), (x1, y1), (x0, y1)),)


def cast() -> tuple[Part, ...]:
    """Eleven parts that use every trigger, ending and kind, in the order of their ids."""
    parts = (*_vehicles(), *_people(), *_things())
    return tuple(sorted(parts, key=lambda part: part.id))


def _vehicles() -> tuple[Part, ...]:
    edge, car = BLOCKS * PITCH, Kind.VEHICLE
    go, late = ((0, 8.0),), Trigger(at_tick=120)
    corner = through(((3.0, 330.0), (3.0, 84.0), (6.0, 80.0), (300.0, 77.0)))
    lead, behind = straight(0.0, 45.0, 0.0, edge), straight(0.0, -30.0, 0.0, edge)
    lost = straight(80.0, 20.0, 20.0, 60.0)
    return (
        Part(1, "lead", car, "taxi", lead, ((0, 9.0), (240, 3.0)), yields=True),
        Part(2, "oncoming", car, "bus", straight(-5.0, 300.0, -5.0, -10.0), go),
        Part(3, "turner", car, "van", corner, go, late, yields=True),
        Part(10, "lost", car, "sedan", lost, go, ending="stay"),
        Part(11, "follower", car, "police", behind, ((0, 12.0),), yields=True),
    )


def _people() -> tuple[Part, ...]:
    slow, wave = ((0, 1.4), (90, 1.8)), Trigger(near=(0.0, 60.0, 45.0), delay=30)
    over, back = straight(8.0, 70.0, -8.0, 70.0), straight(9.0, 72.0, -9.0, 72.0)
    lane, kerb = straight(4.0, 20.0, 4.0, 200.0), straight(6.0, 150.0, 6.0, 160.0)
    child, rider = Trigger(after=4, delay=45), Trigger(after=5)
    worker = Kind.EMERGENCY_WORKER
    return (
        Part(4, "walker", Kind.PEDESTRIAN, "pedestrian", over, slow, wave, waits=True),
        Part(5, "child", Kind.PEDESTRIAN, "child", back, slow, child),
        Part(6, "cyclist", Kind.BICYCLE, "bicycle", lane, ((0, 4.5),), rider),
        Part(9, "worker", worker, "worker", kerb, slow, ending="stay"),
    )


def _things() -> tuple[Part, ...]:
    still = ((0, 0.0),)
    barrier, cone = straight(0.5, 230.0, 0.5, 230.0), straight(0.4, 26.0, 0.4, 26.0)
    return (
        Part(7, "barrier", Kind.OBSTACLE, "barrier", barrier, still),
        Part(8, "cone", Kind.OBSTACLE, "cone", cone, still),
    )


def weave(tick: int) -> Controls:
    """Drives up the street, swaying, easing off now and then, looking about."""
    steer = 220 - abs((tick * 7) % 880 - 440)
    return Controls(steer, 520 if tick % 240 < 180 else 0, 0, 1, 0, (tick * 3) % 1800, -20, 0)


def crash(tick: int) -> Controls:
    """Full throttle round a corner into a wall, backs off, and into the wall again."""
    if tick < 150:
        return Controls(throttle=1000)
    if tick < 330:
        return Controls(steer=-1000, throttle=800)
    if tick < 480:
        return Controls(steer=500, throttle=1000, gear=-1)
    if tick < 560:
        return Controls(brake=700, flags=HANDBRAKE)
    return Controls(steer=1000, throttle=1000, camera=1)


def drawn(tick: int) -> Controls:
    """Whatever the dice say, changed twice a second."""
    at = tick // 30
    return Controls(
        chance.integer(7, at, EGO_ID, "steer", -600, 600),
        chance.integer(7, at, EGO_ID, "throttle", 0, 1000),
        chance.integer(7, at, EGO_ID, "brake", 0, 1000) if at % 5 == 4 else 0,
    )


COURSES: dict[str, Course] = {"weave": weave, "crash": crash, "drawn": drawn}


def drive(course: Course, ticks: int, seed: int = 1) -> Iterator[WorldState]:
    """Every state of a drive through the town, from tick 0 on."""
    city = town()
    ego = EntityState(EGO_ID, "sedan", 0.0, 2.0, trig.HALF_PI, 6.0)
    state = begin(city, cast(), ego, seed, "golden")
    yield state
    for tick in range(ticks):
        state = step(city, state, course(tick))
        yield state


def checkpoints(course: Course, ticks: int) -> tuple[Checkpoint, ...]:
    """One checkpoint a second of a drive."""
    return tuple([checkpoint(state) for state in drive(course, ticks) if state.tick % 60 == 0])


def _trig() -> str:
    chain = sha256()
    for k in range(-2000, 2001):
        x = k * 0.0123
        values = (*trig.sincos(x), trig.atan2(x, 1.0 + k * 0.001), trig.exp(x), trig.wrap(3.0 * x))
        chain.update(struct.pack("<5d", *values))
    return chain.hexdigest()


def _chance() -> str:
    chain = sha256()
    for k in range(500):
        draws = (chance.uniform(k, 2, 3, "golden"), chance.gaussian(k, 2, 3, "golden"))
        chain.update(struct.pack("<2dq", *draws, chance.integer(k, 2, 3, "golden", -9, 9)))
    return chain.hexdigest()


def _collision() -> str:
    obstacles = obstacles_of(town())
    chain = sha256()
    for k in range(2000):
        x = chance.uniform(k, 0, 0, "x", -20.0, 420.0)
        y = chance.uniform(k, 0, 0, "y", -20.0, 420.0)
        r = 0.3 + (k % 7) * 0.3
        chain.update(struct.pack("<id", obstacles.hit(x, y, r), obstacles.clearance(x, y)))
    return chain.hexdigest()


def _signals() -> str:
    lights = [
        light(key, axis, tick)
        for key in range(20)
        for axis in (0, 1)
        for tick in range(0, 4000, 45)
    ]
    return sha256(bytes(lights)).hexdigest()


def prove() -> list[tuple[str, str, str]]:
    """(name, expected, got) of every built-in digest; they are equal on a machine to be trusted."""
    got = {"trig": _trig(), "chance": _chance(), "collision": _collision(), "signals": _signals()}
    for name, course in COURSES.items():
        last = checkpoints(course, 720)[-1]
        got[f"drive.{name}"] = last.digest.hex()
    return [(name, EXPECTED.get(name, ""), digest) for name, digest in got.items()]
