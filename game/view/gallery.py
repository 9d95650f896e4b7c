"""The pictures of the README: ten places, the same at four times, every channel of one of them.

One scene is drawn for each time of day. Owns the choice of places and times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import cos, hypot, pi, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from game.atlas.streets import lane_near
from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS
from game.view.camera import Eye, eye, standing
from game.view.picture import framed, sheet, visible, write_jpeg
from game.view.renderer import SceneRenderer
from game.view.shot import approach
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState

_CROWD = (
    ("taxi", 9.0, 3.3), ("sedan", 17.0, 0.2), ("bus", 27.0, 3.4), ("pedestrian", 31.0, -8.0),
    ("bicycle", 13.0, -3.4), ("van", 34.0, -3.2), ("pedestrian", 30.0, -4.0), ("suv", 44.0, 0.0),
    ("pedestrian", 31.5, 5.0), ("taxi", 56.0, 3.3), ("ambulance", 66.0, 0.0), ("child", 31.2, -7.0),
    ("taxi", 78.0, 0.1), ("sedan", 92.0, 3.2), ("suv", 104.0, 0.2), ("bus", 122.0, 3.3),
)  # fmt: skip
_STROLLERS = 36  # on the pavements
_STRIDE = 3.7  # from one to the next [m]
_CLEAR = 14.0  # nobody stands nearer to someone on foot [m]
_SIZE = (416, 240)
_LARGE = (832, 480)
_SMALL = (320, 184)
TIMES = ((13.0, "clear"), (19.3, "clear"), (22.0, "rain"), (9.0, "fog"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look from. at: a junction; on: metres ahead of the car that approaches it; turn,
    lift: of the view [degree]; height [m] of someone on foot, 0: from behind the car."""

    at: str
    on: float = 0.0
    turn: float = 0.0
    height: float = 0.0
    lift: float = 2.0


PLACES = (
    Place("W 42 St & 7 Av"),
    Place("E 48 St & 2 Av", 30.0, 80.0, 1.7),
    Place("E 38 St & Park Av", -40.0, 0.0, 1.7),
    Place("W 46 St & 9 Av", -20.0, 14.0, 1.7),
    Place("W 34 St & 5 Av", 10.0, 12.0, 2.4, 14.0),
    Place("W 42 St & 6 Av", 45.0, 60.0, 1.7),
    Place("E 50 St & Lexington Av"),
    Place("W 57 St & 6 Av", 14.0, 20.0, 1.7),
    Place("W 47 St & 9 Av", 28.0, -90.0, 1.7),
    Place("E 42 St & Lexington Av", 0.0, 0.0, 24.0, -9.0),
)


def make(city: City, out: Path, profile: CaptureProfile, done: Callable[[str], None]) -> list[Path]:
    """Draw the gallery into folder `out` as JPEG files; `done` hears of each. Returns them."""
    renderer = SceneRenderer(city, profile)
    made = []
    try:
        for name, picture in _pictures(city, renderer):
            made.append(_keep(out, name, picture, done))
    finally:
        renderer.close()
    return [*made, _keep(out, "times", _times(city, profile, done), done)]


def _keep(out: Path, name: str, picture: NDArray[np.uint8], done: Callable[[str], None]) -> Path:
    path = out / f"{name}.jpg"
    write_jpeg(path, picture)
    done(path.name)
    return path


def _times(city: City, profile: CaptureProfile, done: Callable[[str], None]) -> NDArray[np.uint8]:
    """A row a place, a column a time of day and its weather."""
    columns = []
    for hour, weather in TIMES:
        renderer = SceneRenderer(city, replace(profile, hour=hour, weather=weather))
        try:
            columns.append([_shot(city, renderer, place, _SMALL) for place in PLACES])
        finally:
            renderer.close()
        done(f"{hour:g} h, {weather}")
    return sheet([shot for row in zip(*columns, strict=True) for shot in row], len(TIMES))


def _shot(
    city: City, renderer: SceneRenderer, place: Place, size: tuple[int, int]
) -> NDArray[np.uint8]:
    state, view = stand(city, place)
    found = renderer.render_from(view, state, ["colour"], *size, ego=not place.height)
    return np.asarray(found["colour"], np.uint8)


def _pictures(city: City, renderer: SceneRenderer) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    yield "places", sheet([_shot(city, renderer, place, _SIZE) for place in PLACES], 2)
    state, view = stand(city, PLACES[0])
    yield "drive", np.asarray(renderer.render_from(view, state, ["colour"], *_LARGE)["colour"])
    yield "channels", sheet(_channels(renderer, state, view), 2)


def _channels(renderer: SceneRenderer, state: WorldState, view: Eye) -> list[NDArray[np.uint8]]:
    """Every channel as something to look at, boxes on the colours."""
    back = [
        e._replace(x=e.x - 0.3 * cos(e.heading), y=e.y - 0.3 * sin(e.heading))
        for e in (state.ego, *(a for a in state.actors if a.speed))
    ]
    earlier = replace(state, ego=back[0], actors=tuple(back[1:]))
    before = eye(earlier), earlier
    found = renderer.render_from(view, state, list(CHANNELS), *_SIZE, before=before)
    boxes = [box for box in renderer.boxes_from(view, state, *_SIZE) if box.pixels]
    tones = [(230, 60, 40) if box.occlusion > 0.5 else (60, 230, 90) for box in boxes]
    shown = [visible(channel, found[channel]) for channel in CHANNELS]
    shown[0] = framed(shown[0], [box.outline for box in boxes], tones)
    return shown


def stand(city: City, place: Place) -> tuple[WorldState, Eye]:
    """A state with some traffic before the junction, and the eye that looks at it."""
    ego = approach(city, place.at, None)
    ux, uy = cos(ego.heading), sin(ego.heading)
    crowd = tuple(
        EntityState(i + 1, body, ego.x + ux * a - uy * b, ego.y + uy * a + ux * b,
                    ego.heading + (1.5708 if body in ("pedestrian", "child") else 0.0), 5.0)
        for i, (body, a, b) in enumerate(_CROWD)
    )  # fmt: skip
    crowd += tuple(_strollers(city, ego))
    state = WorldState(tick=100, seed=0, ego=ego, actors=crowd)
    if not place.height:
        return state, eye(state)
    x, y = ego.x + ux * place.on, ego.y + uy * place.on
    clear = tuple(a for a in crowd if (a.x - x) ** 2 + (a.y - y) ** 2 > _CLEAR * _CLEAR)
    state = replace(state, actors=clear)
    heading = ego.heading + radians(place.turn)
    return state, standing(x, y, heading, place.height, radians(place.lift))


def _strollers(city: City, ego: EntityState) -> Iterator[EntityState]:
    """People on both pavements of the street that the ego drives in, off its roadway."""
    street = city.streets[lane_near(city, ego.x, ego.y, heading=ego.heading)[0].street]
    ux, uy = cos(ego.heading), sin(ego.heading)
    (x0, y0), (x1, y1) = street.points[0], street.points[-1]
    long = hypot(x1 - x0, y1 - y0)
    # how far the middle of the roadway lies to the left of the ego
    aside = ((x0 - ego.x) * (y1 - y0) - (y0 - ego.y) * (x1 - x0)) / long
    aside = aside if (x1 - x0) * ux + (y1 - y0) * uy < 0.0 else -aside
    for number in range(_STROLLERS):
        side = 1.0 if number % 2 else -1.0
        ahead = 4.0 + number * _STRIDE + number * 7 % 5 * 0.6
        b = aside + side * (street.width / 2 + 1.3 + number * 3 % 4 * 0.7)
        back = number % 3 == 0
        yield EntityState(
            100 + number, "pedestrian", ego.x + ux * ahead - uy * b, ego.y + uy * ahead + ux * b,
            ego.heading + (pi if back else 0.0), 1.3,
        )  # fmt: skip
