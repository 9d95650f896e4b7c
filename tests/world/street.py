"""A handful of walls and cars for tests of the world."""

from game.world.city import City, Footprint, Point
from game.world.controls import IDLE, Controls
from game.world.entity import EGO_ID, EntityState, Kind
from game.world.state import Part, Track, Trigger, WorldState
from game.world.step import begin, step
from game.world.track import straight

Rings = tuple[tuple[Point, ...], ...]


def box(x0: float, y0: float, x1: float, y1: float) -> tuple[Point, ...]:
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def hole(x0: float, y0: float, x1: float, y1: float) -> tuple[Point, ...]:
    return tuple(reversed(box(x0, y0, x1, y1)))


def city_of(*shapes: Rings) -> City:
    prints = tuple(Footprint(100 + k, rings, 20.0) for k, rings in enumerate(shapes))
    return City("test", "00" * 32, 40.75, -73.98, (0.0, 0.0, 1.0, 1.0), prints, (), (), ())


OPEN = city_of()


def car(
    x: float = 0.0, y: float = 0.0, heading: float = 0.0, speed: float = 0.0, body: str = "sedan"
) -> EntityState:
    return EntityState(EGO_ID, body, x, y, heading, speed)


def part(
    key: int,
    track: Track | None = None,
    speed: float = 0.0,
    body: str = "sedan",
    trigger: Trigger | None = None,
    ending: str = "stay",
    yields: bool = False,
    waits: bool = False,
) -> Part:
    return Part(
        key,
        f"part {key}",
        Kind.VEHICLE,
        body,
        track or straight(50.0 * key, 200.0, 50.0 * key + 40.0, 200.0),
        ((0, speed),),
        trigger or Trigger(),
        waits,
        ending,
        yields,
    )


def start(
    *cast: Part, ego: EntityState | None = None, city: City = OPEN, seed: int = 1
) -> WorldState:
    return begin(city, cast, ego or car(), seed, "test")


def run(
    state: WorldState, ticks: int, controls: Controls = IDLE, city: City = OPEN
) -> list[WorldState]:
    """The state itself, then the state after each tick."""
    states = [state]
    for _ in range(ticks):
        states.append(step(city, states[-1], controls))
    return states
