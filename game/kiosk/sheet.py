"""Every screen of the kiosk as a picture, drawn without a window: for the guide, and to look at."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from game.atlas.load import load as load_city
from game.kiosk import code as codes
from game.kiosk.machine import Mode
from game.kiosk.screens import QR, Card, View, draw, marks
from game.session.format import CaptureProfile
from game.settings import PlaySettings
from game.view.renderer import make_renderer
from game.view.screen.canvas import Canvas, Sprite
from game.view.screen.still import still
from game.view.screen.theme import Theme
from scenarios.cases import case
from scenarios.free import free_at

MODES = (Mode.ATTRACT, Mode.CONSENT, Mode.DRIVING, Mode.CLAIM, Mode.CLOSED)
_CODE = "0123456789ABCDEFGHJKMNPQRS"
_HOST = "https://rewards.example.org"
_CITY = "city"


def screens(width: int, height: int) -> dict[str, NDArray[np.uint8]]:
    """The screens by name, each (height, width, 3) RGB. Raises MissingPart without OpenGL."""
    card = Card(
        "Free drive", "That was a drive", 178.0, codes.grouped(_CODE), "rewards.example.org/c"
    )
    street, theme, canvas = _street(), Theme(calm=True), Canvas.of(width, height)
    code = codes.picture(codes.address(_HOST, _CODE))
    side = min(canvas.width, canvas.height)
    behind = Sprite((canvas.width - side) / 2, (canvas.height - side) / 2, side, side, _CITY)
    found = {}
    for mode in MODES:
        view = View(mode, left_s=42.0, style="Rainy night", card=card)
        if mode is not Mode.ATTRACT:
            view = dataclasses.replace(view, style="")
        drawn = marks(draw(view, canvas, theme))
        if mode in (Mode.ATTRACT, Mode.DRIVING):
            drawn = (behind, *drawn)
        picture = still(drawn, width, height, {QR: code, _CITY: street})
        found[mode.value] = np.ascontiguousarray(picture[..., 2::-1])
    return found


def _street() -> NDArray[np.uint8]:
    """Where a visitor begins, as BGRA."""
    city, profile = load_city(None), CaptureProfile(hour=21.0, weather="rain")
    stage = case(free_at(city, PlaySettings().place, "light").name, city, 1)
    renderer = make_renderer(city, profile)
    try:
        rgb = renderer.render(stage.state, ("colour",), 480, 480)["colour"]
    finally:
        renderer.close()
    out = np.full((480, 480, 4), 255, np.uint8)
    out[..., :3] = rgb[..., ::-1]
    return out
