"""A city of boxes at known places, and states in it."""

from game.session.format import CaptureProfile
from game.world.city import City, Footprint, Junction, Lane, Point, Street
from game.world.entity import EntityState
from game.world.state import WorldState

PROFILE = CaptureProfile()
WALL_AHEAD = 60.0  # x of the wall that closes the street [m]


def box(ident: int, x0: float, y0: float, x1: float, y1: float, height: float) -> Footprint:
    ring: tuple[Point, ...] = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return Footprint(ident, (ring,), height)


def box_city() -> City:
    """An eastbound street from -100 to 40 that ends at a wall; a cross street at x = 0."""
    streets = (
        Street(0, "First", "primary", ((-100.0, 0.0), (0.0, 0.0)), 0, 1, False, 4, 14.0, 11.0),
        Street(1, "First", "primary", ((0.0, 0.0), (40.0, 0.0)), 1, 2, False, 4, 14.0, 11.0),
        Street(2, "Cross", "primary", ((0.0, -100.0), (0.0, 0.0)), 3, 1, True, 2, 10.0, 11.0),
        Street(3, "Cross", "primary", ((0.0, 0.0), (0.0, 100.0)), 1, 4, True, 2, 10.0, 11.0),
    )
    places = ((-100.0, 0.0), (0.0, 0.0), (40.0, 0.0), (0.0, -100.0), (0.0, 100.0))
    meeting = ((0,), (0, 1, 2, 3), (1,), (2,), (3,))
    junctions = tuple(
        Junction(i, x, y, i == 1, f"J{i}", meeting[i]) for i, (x, y) in enumerate(places)
    )
    lanes = (Lane(0, 0, 0, ((-100.0, -5.0), (-10.0, -5.0)), 3.3, 0, 1),)
    footprints = (
        box(7, WALL_AHEAD, -20.0, WALL_AHEAD + 20.0, 20.0, 30.0),
        box(300, -60.0, 20.0, -20.0, 40.0, 12.0),
        box(70000, -60.0, -40.0, -20.0, -20.0, 25.0),
    )
    return City(
        "boxes", "0" * 64, 40.75, -73.98, (-120.0, -120.0, 120.0, 120.0), footprints, streets,
        lanes, junctions,
    )  # fmt: skip


def state_at(
    x: float, y: float = -5.0, heading: float = 0.0, tick: int = 0, **more: object
) -> WorldState:
    return WorldState(tick=tick, seed=1, ego=EntityState(0, "sedan", x, y, heading, 0.0), **more)  # type: ignore[arg-type]
