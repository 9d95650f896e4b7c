"""A stage as a drawing: streets, footprints, paths with a dot for every second, conditions.

Owns what is drawn and in which colour. Forward is to the right, so that files and picture agree.
"""

from game.world.city import City, Point
from game.world.entity import BODIES, EntityState, Kind
from game.world.state import Part
from game.world.track import sample
from game.world.traffic import speed_at
from game.world.trig import sincos
from game.world.version import DT, TICK_HZ
from scenarios.errand import Errand
from scenarios.place import Frame
from scenarios.sheet import Sheet
from scenarios.spawn import Stage

MARGIN_M = 25.0
ROUTE = "#1f6feb"
GOAL = "#2da44e"
DRIVEN = "#8250df"
COLOURS = {
    Kind.VEHICLE: "#cf222e",
    Kind.PEDESTRIAN: "#d4700a",
    Kind.BICYCLE: "#9a6700",
    Kind.OBSTACLE: "#57606a",
    Kind.EMERGENCY_WORKER: "#bf3989",
}


def draw(stage: Stage, city: City, driven: tuple[EntityState, ...] = ()) -> Sheet:
    """The sheet of a stage; `driven` adds the path that somebody drove, one state per tick."""
    scenario = stage.scenario
    sheet = _sheet(stage)
    _ground(sheet, city, stage.frame)
    sheet.line([stage.frame.local(p) for p in stage.route], ROUTE, 0.5, dashed=True)
    for part in stage.state.cast:
        _part(sheet, part, stage.frame)
    _box(sheet, stage.state.ego, stage.frame, ROUTE)
    for wanted in stage.expectations:
        if wanted.kind == "reach_position":
            centre = stage.frame.local((wanted.x, wanted.y))
            sheet.disc(centre, wanted.radius, GOAL, filled=False)
            sheet.text((centre[0], centre[1] + wanted.radius), "reach", GOAL)
    for number, wanted in enumerate(Errand(stage).stops, start=1):
        centre = stage.frame.local((wanted.x, wanted.y))
        sheet.disc(centre, wanted.radius, GOAL, filled=False)
        high = (sheet.y1 - sheet.y0) / 60.0
        sheet.text((centre[0], centre[1] + wanted.radius), f"{number} {wanted.title}", GOAL, high)
    if driven:
        sheet.line([stage.frame.local((e.x, e.y)) for e in driven[::6]], DRIVEN, 0.4)
        for state in driven[::TICK_HZ]:
            sheet.disc(stage.frame.local((state.x, state.y)), 0.6, DRIVEN)
    size = (sheet.x1 - sheet.x0) / 70.0
    heading = f"{scenario.title}: {scenario.place.at}, seed {stage.seed}"
    sheet.text((sheet.x0 + size, sheet.y1 - 2.0 * size), heading, "#24292f", 1.4 * size)
    _compass(sheet, stage.frame, size)
    return sheet


def _sheet(stage: Stage) -> Sheet:
    points = [stage.frame.local(p) for p in stage.route]
    for part in stage.state.cast:
        points += [stage.frame.local(p) for p in zip(part.track.x, part.track.y, strict=True)]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return Sheet(
        min(xs) - MARGIN_M,
        min(ys) - MARGIN_M,
        max(xs) + MARGIN_M,
        max(ys) + MARGIN_M,
        stage.scenario.title,
    )


def _ground(sheet: Sheet, city: City, frame: Frame) -> None:
    for park in city.parks:
        _area(sheet, frame, park, "#d7e8cf")
    near = [s for s in city.streets if _near(sheet, frame, s.points)]
    for street in near:
        sheet.line([frame.local(p) for p in street.points], "#c9ccd1", street.width)
    ids = {street.id for street in near}
    for lane in city.lanes:
        if lane.street in ids:
            sheet.line([frame.local(p) for p in lane.points], "#e6e8eb", 0.25)
    for footprint in city.footprints:
        if _near(sheet, frame, footprint.rings[0]):
            _area(sheet, frame, footprint.rings[0], "#a8927a")
            for hole in footprint.rings[1:]:
                _area(sheet, frame, hole, sheet.paper)
    named: dict[str, Point] = {}
    for street in near:
        middle = frame.local(street.points[len(street.points) // 2])
        inside = sheet.x0 < middle[0] < sheet.x1 and sheet.y0 < middle[1] < sheet.y1
        free = all(abs(middle[1] - y) > 4.0 or abs(middle[0] - x) > 40.0 for x, y in named.values())
        if street.name and street.name not in named and inside and free:
            named[street.name] = middle
            sheet.text(middle, street.name, "#6e7781")


def _area(sheet: Sheet, frame: Frame, ring: tuple[Point, ...], colour: str) -> None:
    sheet.area([frame.local(p) for p in ring], colour)


def _near(sheet: Sheet, frame: Frame, points: tuple[Point, ...]) -> bool:
    locals_ = [frame.local(p) for p in points]
    xs, ys = [p[0] for p in locals_], [p[1] for p in locals_]
    return (
        min(xs) <= sheet.x1 and max(xs) >= sheet.x0 and min(ys) <= sheet.y1 and max(ys) >= sheet.y0
    )


def _part(sheet: Sheet, part: Part, frame: Frame) -> None:
    colour = COLOURS[part.kind]
    points = [frame.local(p) for p in zip(part.track.x, part.track.y, strict=True)]
    if len(points) > 1:
        sheet.line(points, colour, 0.35)
    for second in _seconds(part):
        sheet.disc(frame.local(second), 0.45, colour)
    x, y, heading = sample(part.track, 0.0)
    _box(sheet, EntityState(part.id, part.body, x, y, heading, 0.0), frame, colour)
    wave = f" (wave {part.wave})" if part.wave else ""
    sheet.text((points[0][0] + 2.0, points[0][1] + 1.2), part.name + wave, colour, 2.2)
    if part.trigger.near is not None and part.trigger.beside < 0:
        nx, ny, radius = part.trigger.near
        sheet.disc(frame.local((nx, ny)), radius, colour, filled=False)


def _seconds(part: Part) -> list[Point]:
    """Where it is every second after it sets off, if nothing holds it up."""
    found: list[Point] = []
    s, tick, end = 0.0, 0, part.track.s[-1]
    while s < end and tick < 120 * TICK_HZ:
        s += speed_at(part.profile, tick + 1) * DT
        tick += 1
        if tick % TICK_HZ == 0 and s < end:
            x, y, _ = sample(part.track, s)
            found.append((x, y))
    return found


def _box(sheet: Sheet, entity: EntityState, frame: Frame, colour: str) -> None:
    body = BODIES[entity.body]
    sine, cosine = sincos(entity.heading)
    half, side = 0.5 * body.length, 0.5 * body.width
    corners = []
    for along, left in ((half, side), (-half, side), (-half, -side), (half, -side)):
        x = entity.x + along * cosine - left * sine
        y = entity.y + along * sine + left * cosine
        corners.append(frame.local((x, y)))
    sheet.area(corners, colour)


def _compass(sheet: Sheet, frame: Frame, size: float) -> None:
    """An arrow that points north."""
    nx, ny = frame.fy, frame.fx  # north (0, 1) in the frame's own axes
    x, y = sheet.x1 - 5.0 * size, sheet.y1 - 5.0 * size
    tip = (x + 3.0 * size * nx, y + 3.0 * size * ny)
    sheet.line([(x, y), tip], "#24292f", 0.3 * size)
    sheet.text(tip, "N", "#24292f", 1.4 * size)
