"""Far from the origin of a pack, where places are rounded coarsely, layers keep their order."""

from dataclasses import replace
from math import radians

import numpy as np
import pytest

from game.view.camera import Eye
from game.view.labels import Train
from game.view.renderer import SceneRenderer
from game.world.city import City, Point
from tests.view.boxes import PROFILE, box_city, state_at

pytestmark = pytest.mark.render
FAR = (-3000.0, 9500.0)  # Inwood, from the origin of the island's pack [m]
GROUND = (Train.ROAD, Train.SIDEWALK)


def moved(city: City, dx: float, dy: float) -> City:
    """The same city elsewhere."""

    def there(points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple((x + dx, y + dy) for x, y in points)

    x0, y0, x1, y1 = city.bounds
    return replace(
        city,
        bounds=(x0 + dx, y0 + dy, x1 + dx, y1 + dy),
        footprints=tuple(replace(f, rings=tuple(map(there, f.rings))) for f in city.footprints),
        streets=tuple(replace(s, points=there(s.points)) for s in city.streets),
        lanes=tuple(replace(e, points=there(e.points)) for e in city.lanes),
        junctions=tuple(replace(j, x=j.x + dx, y=j.y + dy) for j in city.junctions),
    )


def kinds(city: City, dx: float, dy: float) -> list[np.ndarray]:
    renderer = SceneRenderer(moved(city, dx, dy), PROFILE)
    found = []
    for x, y, yaw in ((-30.0, -3.0, 10.0), (-12.0, 4.0, -35.0), (8.0, 2.0, 150.0), (0, 40, -80)):
        view = Eye(x + dx, y + dy, 2.4, radians(yaw), radians(-6.0))
        state = state_at(80.0 + dx, 60.0 + dy)
        found.append(np.asarray(renderer.render_from(view, state, ["class"], 240, 240)["class"]))
    renderer.close()
    return found


def test_roads_and_sidewalks_keep_their_order_at_the_end_of_the_island() -> None:
    city = box_city()
    for here, there in zip(kinds(city, 0.0, 0.0), kinds(city, *FAR), strict=True):
        ground = np.isin(here, GROUND) & np.isin(there, GROUND)
        assert ground.mean() > 0.3
        assert (here != there)[ground].mean() < 0.01  # edges of a pixel; furniture differs
