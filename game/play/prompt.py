"""The text that asks a model for this street in this style. Data from assets/styles, no model."""

import tomllib
from dataclasses import dataclass
from importlib import resources

from game.errors import SettingsError
from game.world.city import City
from game.world.state import WorldState


@dataclass(frozen=True, slots=True)
class Style:
    """One look on the style key."""

    name: str
    title: str
    text: str


def styles() -> tuple[Style, ...]:
    """All styles in the order of the key."""
    data = tomllib.loads(
        resources.files("assets").joinpath("styles", "styles.toml").read_text(encoding="utf-8")
    )
    return tuple(Style(name, item["title"], item["text"]) for name, item in data.items())


def style_named(name: str) -> Style:
    """The style of that name. Raises SettingsError that lists all of them."""
    known = {style.name: style for style in styles()}
    if name not in known:
        raise SettingsError("stream.style", "value", f"'{name}' is not one of {', '.join(known)}")
    return known[name]


def next_style(current: Style, by: int = 1) -> Style:
    """The one `by` places further on the key."""
    every = styles()
    names = [style.name for style in every]
    return every[(names.index(current.name) + by) % len(every)]


def compose(city: City, state: WorldState, style: Style, mood: str) -> str:
    """The prompt for where the car is now. mood: the scenario in a word or two, '' for none."""
    from game.atlas.streets import address

    place = address(city, state.ego.x, state.ego.y)
    parts = [f"{place}, Midtown Manhattan, New York", style.text, mood]
    return ", ".join(part for part in parts if part)
