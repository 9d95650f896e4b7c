"""The text that asks a model for this street in this style: words from assets/styles, no model.

Owns which words hold where, and when a change of the scene is worth a new prompt.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from game.errors import SettingsError
from game.session.format import CaptureProfile
from game.world.city import City
from game.world.state import WorldState
from game.world.version import TICK_HZ

TYPED = "typed"
"""Name of a style whose text the player wrote."""
LONGEST_TYPED = 240
SETTLE_TICKS = 3 * TICK_HZ // 2
"""A new scene has to last so long before it is told: a crossing is two streets at once."""
REST_TICKS = 4 * TICK_HZ
"""Between two prompts that the city asks for: a model pays for each."""


@dataclass(frozen=True, slots=True)
class Style:
    """One look on the style key. sets: what it decides by itself, of time and weather."""

    name: str
    title: str
    text: str
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What is around the car, in words; '' for what is not known."""

    street: str = ""
    district: str = ""
    sights: str = ""
    time: str = ""
    weather: str = ""
    mood: str = ""


def styles() -> tuple[Style, ...]:
    """All styles in the order of the key."""
    return tuple(
        Style(name, item["title"], item["text"], tuple(item.get("sets", ())))
        for name, item in _data("styles.toml").items()
    )


def style_named(name: str) -> Style:
    """The style of that name. Raises SettingsError that lists all of them."""
    known = {style.name: style for style in styles()}
    if name not in known:
        raise SettingsError("stream.style", "value", f"'{name}' is not one of {', '.join(known)}")
    return known[name]


def typed_style(text: str) -> Style:
    """The player's own words as a look; they decide time and weather too."""
    words = " ".join(text.split())[:LONGEST_TYPED]
    title = words if len(words) <= 28 else words[:27] + "…"
    return Style(TYPED, title, words, ("time", "weather"))


def next_style(current: Style, by: int = 1, typed: tuple[Style, ...] = ()) -> Style:
    """The one `by` places further on the key; what was typed comes after the others."""
    every = (*styles(), *typed)
    at = every.index(current) if current in every else 0
    return every[(at + by) % len(every)]


def scene(
    city: City, state: WorldState, capture: CaptureProfile, scenario: str, title: str
) -> Scene:
    """The words that hold where the car is now. scenario: id, title: its name for people."""
    from game.atlas.streets import address

    words = _data("words.toml")
    street = address(city, state.ego.x, state.ego.y)
    near = _district(city, state.ego.x, state.ego.y)
    return Scene(
        street.split(" near ")[0],
        near["name"],
        near["text"],
        _time(words["time"], capture.hour),
        words["weather"].get(capture.weather, ""),
        words["mood"].get(scenario, title.lower()),
    )


def compose(where: Scene, style: Style) -> str:
    """The prompt: the place, the look, then what of the scene the style leaves open."""
    place = ", ".join(p for p in (where.street, where.district, "Manhattan, New York") if p)
    parts = [place, style.text, where.sights]
    parts += [getattr(where, each) for each in ("time", "weather") if each not in style.sets]
    return ", ".join(part for part in (*parts, where.mood) if part)


class Follower:
    """Decides when the scene has changed enough to ask the model anew. Times are ticks."""

    def __init__(self) -> None:
        self._told: tuple[Scene, Style] | None = None
        self._told_at = self._seen_at = -REST_TICKS
        self._seen: Scene | None = None

    def due(self, where: Scene, style: Style, tick: int) -> str | None:
        """The new prompt if it is time for one. A new style is told at once, a place when sure."""
        if where != self._seen:
            self._seen, self._seen_at = where, tick
        if self._told == (where, style):
            return None
        if self._told is not None and self._told[1] == style:
            settled = tick - self._seen_at >= SETTLE_TICKS
            if not settled or tick - self._told_at < REST_TICKS:
                return None
        before = compose(*self._told) if self._told is not None else None
        self._told, self._told_at = (where, style), tick
        text = compose(where, style)
        return text if text != before else None


@lru_cache(maxsize=4)
def _data(name: str) -> dict[str, Any]:
    path = resources.files("assets").joinpath("styles", name)
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _district(city: City, x: float, y: float) -> dict[str, Any]:
    """The district whose edge is nearest: a circle of its reach, or deepest inside of it."""
    from game.atlas.project import Projection

    plane = Projection(city.latitude, city.longitude)

    def far(district: dict[str, Any]) -> float:
        east, north = plane.metres(district["at"][1], district["at"][0])
        return math.dist((x, y), (east, north)) - float(district["reach"])

    return min(_data("words.toml")["district"], key=far)


def _time(bands: list[dict[str, Any]], hour: float) -> str:
    held = [band["text"] for band in bands if band["hour"] <= hour % 24.0]
    return str(held[-1] if held else bands[-1]["text"])
