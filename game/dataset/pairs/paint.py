"""The offline painter: a surface and a style in, the picture that a far slower renderer would show.

What it adds follows from what can be seen (place, normal, own colour), so that it stays where it
is from frame to frame and a network can learn it: no number is drawn at random.
"""

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.dataset.pairs.looks import LOOKS, Look, Rgb
from game.dataset.pairs.shadow import Depths, Heights, contact, mirrored, occlusion, sunlit
from game.dataset.pairs.surface import Floats, Mask, Surface
from game.view.labels import Train

_LUMA = np.array([0.30, 0.59, 0.11], np.float32)
_SHOP = 4.6  # height of the ground floor [m]


def _rgb(colour: Rgb) -> Floats:
    return np.array(colour, np.float32)


def _luma(colour: Floats) -> Floats:
    return np.asarray(colour @ _LUMA, np.float32)


def _power(x: Floats, doublings: int) -> Floats:
    """x to the power of 2, `doublings` times over."""
    for _ in range(doublings):
        x = x * x
    return x


def _largest(colour: Floats) -> Floats:
    return np.maximum(np.maximum(colour[..., 0], colour[..., 1]), colour[..., 2])


def _step(low: float, high: float, x: NDArray[np.floating[Any]]) -> Floats:
    k = np.clip((x - low) / (high - low), 0.0, 1.0)
    return np.asarray(k * k * (3.0 - 2.0 * k), np.float32)


def blurred(plane: Floats, radius: int, rounds: int = 2) -> Floats:
    """Box means of (2 radius + 1) pixels a side, `rounds` times; the border repeats."""
    span = 2 * radius + 1
    for _ in range(rounds):
        for axis in (0, 1):
            pad = [(0, 0)] * plane.ndim
            pad[axis] = (radius + 1, radius)
            total = np.cumsum(np.pad(plane, pad, "edge"), axis=axis, dtype=np.float32)
            ahead, behind = (total[span:], total[:-span])
            if axis:
                ahead, behind = total[:, span:], total[:, :-span]
            plane = (ahead - behind) * np.float32(1.0 / span)
    return plane


@dataclass(frozen=True, slots=True)
class Studied:
    """What all styles share of one view. Masks are float 0..1.

    near, wide: occlusion within 0.7 and 5 m. mirror, sure: what wet ground shows there. pane: how
    much a pixel of a wall is window; lit: how likely one sees light in it. glow: lamps that are on.
    """

    surface: Surface
    depths: Depths
    heights: Heights
    near: Floats
    wide: Floats
    ground: Mask
    mirror: NDArray[np.int32]
    sure: Floats
    pane: Floats
    lit: Floats
    glow: Floats


def study(surface: Surface, heights: Heights) -> Studied:
    """Work out what does not depend on the style."""
    depths = Depths(surface)
    ground = surface.is_kind(Train.ROAD, Train.SIDEWALK, Train.TERRAIN)
    ground &= (surface.normal[..., 2] > 0.9) & (surface.place[..., 2] < 0.6)
    mirror, sure = mirrored(depths, ground)
    pane, lit = _panes(surface)
    return Studied(
        surface, depths, heights, occlusion(depths, 0.7), occlusion(depths, 5.0), ground, mirror,
        sure, pane, lit, _lamps(surface),
    )  # fmt: skip


def _panes(surface: Surface) -> tuple[Floats, Floats]:
    """Windows are the darker parts of a wall; a blind or a bright pane counts as lit."""
    wall = surface.is_kind(Train.BUILDING) & (np.abs(surface.normal[..., 2]) < 0.3)
    share = wall.astype(np.float32)
    level = np.sqrt(_luma(surface.albedo))
    mean = blurred(level * share, 9) / np.maximum(blurred(share, 9), 0.05)
    pane = _step(0.02, 0.16, (mean - level) / np.maximum(mean, 0.08)) * share
    blue = _step(0.0, 0.10, surface.albedo[..., 2] - surface.albedo[..., 0]) * share
    pane = np.maximum(pane, 0.45 * blue)
    lit = pane * _step(0.20, 0.40, level)
    return pane, lit


def _lamps(surface: Surface) -> Floats:
    """Tail lamps and signals: strong colours on vehicles and signal heads."""
    colour = surface.albedo
    strong = _largest(colour) + _largest(-colour)
    lens = _step(0.30, 0.55, strong) * surface.is_kind(Train.TRAFFIC_LIGHT)
    red = _step(0.30, 0.60, colour[..., 0] - 1.2 * colour[..., 1]) * surface.is_kind(
        Train.CAR, Train.BUS, Train.TRUCK
    )
    return np.maximum(lens, red)


def paint(view: Studied, style: str) -> NDArray[np.uint8]:
    """The picture in one style, (h, w, 3) uint8 RGB."""
    look, surface = LOOKS[style], view.surface
    heaven = _heaven(surface.rays, look)
    light = _lighting(view, look)
    albedo = _weathered(view, look)
    body = albedo * light + _emitted(view, look, albedo)
    body += _sheen(view, look)
    scene = _fogged(body, surface, look)
    _wet(view, look, scene, heaven)
    sky = surface.sky[..., None]
    return _printed(scene * (1.0 - sky) + heaven * sky, look)


def _heaven(rays: Floats, look: Look) -> Floats:
    """Sky and clouds by direction; the clouds stand where the live sky has its wisps."""
    rise = np.clip(rays[..., 2], 0.0, 1.0)
    share = np.sqrt(rise)[..., None]
    base = _rgb(look.low) * (1.0 - share) + _rgb(look.high) * share
    turn, up = radians(look.azimuth), radians(look.height)
    sun = np.array([cos(turn) * cos(up), sin(turn) * cos(up), sin(up)], np.float32)
    toward = np.clip(rays @ sun, 0.0, 1.0)[..., None]
    base = base + _rgb(look.sun) * (0.10 * _power(toward, 3) + 0.35 * _power(toward, 6))
    flat = rays[..., :2] / np.maximum(rays[..., 2:3], 0.06) * 1.7
    bent = flat + 0.55 * np.sin(flat[..., ::-1] * 2.1 + 1.0)
    x, y = bent[..., 0], bent[..., 1]
    heap = np.sin(x * 2.3 + y) + np.sin(y * 3.1 - x * 0.7) + 0.5 * np.sin(x * 5.3 + y * 4.1)
    fine = np.sin(x * 9.7 - y * 7.9) * np.sin(y * 11.3)
    cloud = _step(-0.1, 2.3, heap + 0.35 * fine) * np.clip(rise * 3.6 - 0.2, 0.0, 1.0)
    return np.asarray(base + _rgb(look.cloud) * cloud[..., None], np.float32)


def _lighting(view: Studied, look: Look) -> Floats:
    """Light that falls on each pixel: sky, sun behind roofs and cars, lamps, the ego's beam."""
    surface, normal, height = view.surface, view.surface.normal, view.surface.place[..., 2]
    turn, up = radians(look.azimuth), radians(look.height)
    sun = np.array([cos(turn) * cos(up), sin(turn) * cos(up), sin(up)], np.float32)
    face = np.clip(normal @ sun, 0.0, 1.0)
    if max(look.sun) > 0.3:
        face = face * sunlit(surface, view.heights, look.azimuth, look.height)
        face = face * contact(view.depths, look.azimuth, max(look.height, 25.0))
    open_ = view.wide * (0.55 + 0.45 * view.near)
    canyon = 0.62 + 0.38 * _step(0.0, 45.0, height)
    hemi = 0.72 + 0.28 * normal[..., 2]
    light = (hemi * open_ * canyon)[..., None] * _rgb(look.sky)
    light = light + (face * (0.6 + 0.4 * view.near))[..., None] * _rgb(look.sun)
    bounce = 0.10 * open_ * (1.0 - 0.5 * normal[..., 2]) * _step(30.0, 0.0, height)
    light += bounce[..., None] * _rgb(look.sun)
    lamps = np.exp2(-np.maximum(height, 0.0) * 0.17) * open_ * look.lamp
    warm = np.array([1.0, 0.72, 0.42], np.float32)
    cold = np.array([0.85, 0.30, 1.0], np.float32)
    light += lamps[..., None] * (warm * (1.0 - look.neon) + cold * look.neon)
    lit = light + _beam(view, look)[..., None] * np.array([1.0, 0.93, 0.78], np.float32)
    return np.asarray(lit, np.float32)


def _beam(view: Studied, look: Look) -> Floats:
    """What the ego's head lamps throw on the street ahead of it."""
    ahead, right = view.depths.place[..., 0] - 8.0, view.depths.place[..., 1]
    fan = np.clip(1.0 - np.abs(right) / (1.3 + 0.22 * np.maximum(ahead, 0.0)), 0.0, 1.0)
    far = np.exp2(-np.maximum(ahead, 0.0) / 9.0) * _step(0.0, 2.5, ahead)
    low = _step(2.6, 0.4, view.surface.place[..., 2])
    return np.asarray(look.beam * fan * far * low, np.float32)


def _weathered(view: Studied, look: Look) -> Floats:
    """The albedo with grime and relief: dark feet, streaks under sills, worn asphalt, wet dark."""
    surface = view.surface
    place, height = surface.place, surface.place[..., 2]
    wall = surface.is_kind(Train.BUILDING).astype(np.float32)
    foot = 1.0 - 0.30 * wall * _step(3.0, 0.0, height)
    along = place[..., 0] * surface.normal[..., 1] - place[..., 1] * surface.normal[..., 0]
    close = _step(60.0, 8.0, surface.depth)
    course = np.sin(height * (2 * np.pi / 0.3)) + 0.5 * np.sin(along * (2 * np.pi / 0.6))
    rough = 1.0 + 0.06 * wall * close * (1.0 - view.pane) * course
    streak = np.sin(along * 2.9 + 1.3) * np.sin(along * 7.3)
    rough *= 1.0 + 0.05 * wall * (1.0 - view.pane) * streak
    level = _luma(surface.albedo)
    local = blurred(level, 2)
    crisp = np.sqrt(np.clip((level + 0.02) / (local + 0.02), 0.6, 1.6))
    worn = place[..., 0] * 0.9, place[..., 1] * 0.9
    grain = np.sin(worn[0] * 2.3 + np.sin(worn[1] * 1.7)) * np.sin(worn[1] * 2.9 + worn[0] * 0.6)
    floor = view.ground * (1.0 + 0.08 * close * grain) + (1.0 - view.ground)
    tone = foot * rough * crisp * floor
    tone *= 1.0 - 0.42 * look.wet * view.ground
    tone *= 1.0 - 0.45 * view.pane
    return np.asarray(surface.albedo * tone[..., None], np.float32)


def _emitted(view: Studied, look: Look, albedo: Floats) -> Floats:
    """Lit rooms, shop fronts and their signs, tail lamps and signals."""
    surface, height = view.surface, view.surface.place[..., 2]
    tall = _luma(surface.albedo)
    warmth = _step(-0.06, 0.06, surface.albedo[..., 0] - surface.albedo[..., 2])[..., None]
    room = np.array([1.0, 0.62, 0.26], np.float32) * warmth
    room = room + np.array([0.70, 0.85, 1.0], np.float32) * (1.0 - warmth)
    upper = _step(_SHOP - 0.2, _SHOP + 0.4, height)
    out = (look.windows * upper * (0.05 * view.pane + 0.95 * view.lit))[..., None] * room
    wall = surface.is_kind(Train.BUILDING) & (np.abs(surface.normal[..., 2]) < 0.3)
    shop = wall * (1.0 - upper) * _step(0.2, 1.2, height)
    hue = surface.albedo / np.maximum(_largest(surface.albedo), 0.02)[..., None]
    pink = np.array([1.0, 0.12, 0.72], np.float32) * warmth
    neon = pink + np.array([0.08, 0.75, 1.0], np.float32) * (1.0 - warmth)
    front = hue * np.array([1.0, 0.80, 0.55], np.float32) * (1.0 - look.neon) + neon * look.neon
    board = _step(3.0, 3.4, height) * _step(4.4, 4.0, height)
    bright = 0.10 + 0.55 * np.sqrt(tall) + 0.55 * board * look.neon
    out += (look.signs * shop * bright)[..., None] * front
    lamps = view.glow * (0.5 + 2.2 * min(1.0, look.lamp + look.windows))
    return np.asarray(out + lamps[..., None] * albedo, np.float32)


def _sheen(view: Studied, look: Look) -> Floats:
    """What panes and paint mirror of the sky, stronger at a glance."""
    surface = view.surface
    face = np.einsum("hwc,hwc->hw", surface.rays, surface.normal)
    bounced = surface.rays - 2.0 * face[..., None] * surface.normal
    glance = np.clip(1.0 + face, 0.0, 1.0) ** 3
    rise = np.sqrt(np.clip(bounced[..., 2], 0.0, 1.0))[..., None]
    seen = _rgb(look.low) * (1.0 - rise) + _rgb(look.high) * rise
    open_ = _step(-0.15, 0.35, bounced[..., 2])
    paint_ = surface.is_kind(Train.CAR, Train.BUS, Train.TRUCK) * (0.06 + 0.55 * glance)
    share = view.pane * (0.12 + 0.60 * glance) * (1.0 - 0.8 * view.lit * min(1.0, look.windows))
    return np.asarray((np.maximum(share, paint_) * open_)[..., None] * seen, np.float32)


def _fogged(colour: Floats, surface: Surface, look: Look) -> Floats:
    away = surface.place - _eye(surface)
    distance = np.sqrt(np.einsum("hwc,hwc->hw", away, away))
    low = 0.6 + 0.8 * np.exp2(-np.maximum(surface.place[..., 2], 0.0) / 18.0)
    kept = np.exp(-(distance * low / look.reach))[..., None]
    return np.asarray(colour * kept + _rgb(look.fog) * (1.0 - kept), np.float32)


def _eye(surface: Surface) -> Floats:
    return np.array([surface.eye.x, surface.eye.y, surface.eye.z], np.float32)


def _wet(view: Studied, look: Look, scene: Floats, heaven: Floats) -> None:
    """Lay what wet ground mirrors over it; puddles where the ground is worn."""
    if look.wet <= 0.0:
        return
    sky = view.surface.sky[..., None]
    shown = blurred(scene * (1.0 - sky) + heaven * sky, 1, 1)
    ground = view.ground
    mirror = shown.reshape(-1, 3)[view.mirror]
    face = np.clip(-view.surface.rays[ground][:, 2], 0.0, 1.0)
    fresnel = 0.08 + 0.80 * (1.0 - face) ** 4
    worn = view.surface.place[ground]
    pool = 0.5 + 0.25 * np.sin(worn[:, 0] * 0.21 + worn[:, 1] * 0.09 + 1.7)
    pool += 0.25 * np.sin(worn[:, 1] * 0.17 - worn[:, 0] * 0.12)
    share = look.wet * fresnel * (0.55 + 0.45 * pool) * (0.35 + 0.65 * view.sure)
    scene[ground] = scene[ground] * (1.0 - share)[:, None] + mirror * share[:, None]


def _printed(linear: Floats, look: Look) -> NDArray[np.uint8]:
    """Exposure, bloom, film curve, grade and corners."""
    light = linear * look.exposure
    spill = np.maximum(light[::4, ::4] - 0.75, 0.0)
    spread = blurred(spill, 2) * 0.6 + blurred(spill, 7) * 0.4
    height, width = light.shape[:2]
    wide = np.repeat(np.repeat(spread, 4, axis=0), 4, axis=1)[:height, :width]
    light = light + look.bloom * blurred(wide, 2, 1)
    light = light * (1.0 + light * 0.10) / (1.0 + light * 0.62)  # shoulder of a film
    level = _luma(light)[..., None]
    light = level + (light - level) * look.saturation
    shown = np.sqrt(np.clip(light, 0.0, 4.0))
    shown = (shown - 0.40) * look.contrast + 0.40
    tone = np.clip(_luma(shown), 0.0, 1.0)[..., None]
    shown = shown * (_rgb(look.shadows) * (1.0 - tone) + _rgb(look.lights) * tone)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    corner = np.clip((x * x + y * y) / 2.0, 0.0, 1.0)
    shown = shown * (1.0 - (1.0 - look.edge) * corner * corner)[..., None]
    return np.asarray(np.rint(np.clip(shown, 0.0, 1.0) * 255.0), np.uint8)
