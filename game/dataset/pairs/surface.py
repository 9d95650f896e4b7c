"""What the painter paints on: every pixel's albedo, place, normal and class, many samples a pixel.

Drawn under an even sky, whose light is then taken out again; foreground wins where samples differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.session.format import CaptureProfile
from game.view.camera import Eye
from game.view.daylight import look
from game.view.flow import Lens, basis, focal
from game.view.labels import Train
from game.view.renderer import SceneRenderer
from game.world.state import WorldState

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

STUDIO = CaptureProfile(hour=13.0, weather="overcast")
"""The light that albedo is read under."""


@dataclass(frozen=True, slots=True)
class Surface:
    """One view, all (h, w) or (h, w, 3) float32.

    albedo: linear RGB. place: world [m]. normal: unit or 0. depth: along the axis [m]; rays: from
    the eye, unit. sky: share of the pixel that is sky. kinds: train ids. lens, eye: the camera.
    """

    albedo: Floats
    place: Floats
    normal: Floats
    depth: Floats
    rays: Floats
    sky: Floats
    kinds: NDArray[np.uint8]
    lens: Lens
    eye: Eye

    def is_kind(self, *trains: Train) -> Mask:
        """Where the pixel is one of these."""
        return np.isin(self.kinds, [int(t) for t in trains])


def survey(
    renderer: SceneRenderer, view: Eye, state: WorldState, width: int, height: int, samples: int = 2
) -> Surface:
    """The surface seen from `view`. renderer: one of the STUDIO profile. samples: per side."""
    wanted = ("colour", "class", "depth", "normal")
    fine = renderer.render_from(view, state, wanted, width * samples, height * samples)
    depth = _split(np.asarray(fine["depth"], np.float32), samples)
    kinds = _split(np.asarray(fine["class"], np.uint8), samples)
    normal = _split(np.asarray(fine["normal"], np.float32), samples)
    colour = _split(np.asarray(fine["colour"], np.float32), samples) / np.float32(255.0)
    first = depth.argmin(axis=2)
    rows, columns = np.ogrid[:height, :width]
    near, kind = depth[rows, columns, first], kinds[rows, columns, first]
    facing = normal[rows, columns, first]
    solid = (kinds != Train.SKY).astype(np.float32)
    count = solid.sum(axis=2)
    mean = (colour * solid[..., None]).sum(axis=2) / np.maximum(count, 1.0)[..., None]
    lens = Lens(focal(width, height, STUDIO.fov_degrees), width, height)
    ahead = _rays(lens, view)
    place = near[..., None] * ahead + np.array([view.x, view.y, view.z], np.float32)
    away = np.sqrt(np.einsum("hwc,hwc->hw", ahead, ahead))
    rays = ahead / away[..., None]
    albedo = _albedo(mean, facing, near * away, rays[..., 2])
    return Surface(
        albedo, place.astype(np.float32), facing, near, rays, 1.0 - count / samples**2, kind, lens,
        view,
    )  # fmt: skip


def _split(plane: NDArray[Any], samples: int) -> NDArray[Any]:
    """(h n, w n, ...) as (h, w, n n, ...)."""
    height, width = plane.shape[0] // samples, plane.shape[1] // samples
    cut = plane.reshape(height, samples, width, samples, *plane.shape[2:])
    moved = np.moveaxis(cut, 2, 1)
    return np.ascontiguousarray(moved).reshape(height, width, samples**2, *plane.shape[2:])


def _rays(lens: Lens, view: Eye) -> Floats:
    """World directions of all pixels, of length 1 along the viewing axis."""
    u, v = lens.rays()
    own = np.empty((lens.height, lens.width, 3), np.float32)
    own[..., 0], own[..., 1], own[..., 2] = 1.0, u, v
    return np.asarray(own @ basis(view).astype(np.float32), np.float32)


def _albedo(colour: Floats, normal: Floats, distance: Floats, rise: Floats) -> Floats:
    """Take the studio's haze and light out of what was drawn."""
    light = look(STUDIO)
    low, high = (np.array(c, np.float32) for c in (light.low, light.high))
    square = distance * distance
    fade = square * (light.haze[0] + light.haze[1] * square) + light.haze[2] * distance
    kept = np.maximum(np.exp2(-fade), 0.22)[..., None]
    veil = np.sqrt(np.clip(rise, 0.0, 1.0) * 0.35)[..., None]
    clear = (colour - (1.0 - kept) * (low + (high - low) * veil)) / kept
    shade = np.array(light.fill, np.float32) * (1.0 + 0.32 * normal[..., 2:3])
    return np.asarray(np.clip(clear / shade, 0.01, 1.3) ** 2, np.float32)
