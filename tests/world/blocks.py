"""A town of four by four crossings with two-way streets, lights and houses, for the living city."""

from game.world.city import City, Footprint, Junction, Lane, Point, Street
from tests.world.street import box

PITCH = 120.0
SIDE = 4
WIDTH = 18.0
LANE = 3.3
TRIM = 15.0


def town(lit: bool = True) -> City:
    """Streets run along every multiple of PITCH; each has two lanes in both directions."""
    junctions: list[Junction] = []
    meeting: dict[int, list[int]] = {}
    streets: list[Street] = []
    lanes: list[Lane] = []
    for row in range(SIDE):
        for column in range(SIDE):
            for a, b in ((row, column + 1), (row + 1, column)):
                if a < SIDE and b < SIDE:
                    _street(streets, lanes, meeting, row * SIDE + column, a * SIDE + b)
    for key in range(SIDE * SIDE):
        x, y = _place(key)
        junctions.append(Junction(key, x, y, lit, f"crossing {key}", tuple(meeting[key])))
    edge = WIDTH / 2.0 + 5.0
    houses = tuple(
        Footprint(
            row * SIDE + column,
            (
                box(
                    column * PITCH + edge,
                    row * PITCH + edge,
                    (column + 1) * PITCH - edge,
                    (row + 1) * PITCH - edge,
                ),
            ),
            20.0,
        )
        for row in range(SIDE - 1)
        for column in range(SIDE - 1)
    )
    bounds = (-20.0, -20.0, SIDE * PITCH, SIDE * PITCH)
    return City(
        "blocks", "11" * 32, 40.75, -73.98, bounds, houses, tuple(streets), tuple(lanes),
        tuple(junctions),
    )  # fmt: skip


def _place(key: int) -> Point:
    return (key % SIDE) * PITCH, (key // SIDE) * PITCH


def _street(
    streets: list[Street], lanes: list[Lane], meeting: dict[int, list[int]], a: int, b: int
) -> None:
    (ax, ay), (bx, by) = _place(a), _place(b)
    street = len(streets)
    kind = "secondary"
    streets.append(Street(street, "", kind, ((ax, ay), (bx, by)), a, b, False, 4, WIDTH, 11.0))
    meeting.setdefault(a, []).append(street)
    meeting.setdefault(b, []).append(street)
    ux, uy = (bx - ax) / PITCH, (by - ay) / PITCH
    for start, end, (x, y), (dx, dy) in ((a, b, (ax, ay), (ux, uy)), (b, a, (bx, by), (-ux, -uy))):
        for index in range(2):
            right = (1.5 - index) * LANE
            ox, oy = x + dy * right, y - dx * right
            ends = (
                (ox + dx * TRIM, oy + dy * TRIM),
                (ox + dx * (PITCH - TRIM), oy + dy * (PITCH - TRIM)),
            )
            lanes.append(Lane(len(lanes), street, index, ends, LANE, start, end))
