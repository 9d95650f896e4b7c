"""The settings that a player changes inside the program, as tables, and the screens made of them.

Pure: what a page asks for is (key, value); `settings_file` writes it, `game.settings` judges it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from game.play.app.menus import MOVE
from game.play.app.preference import OPENINGS, PACES
from game.session.format import EDGES
from game.settings import Secret, Settings
from game.view.keys import BINDINGS, Deed, rebound
from game.view.pads import DRIVES
from game.view.screen.model import Act, Button, Choice, Field, KeyRow, Note, Row, Screen, Toggle
from game.view.screen.theme import HUD_SIZES, PALETTES, SCALINGS, TEXT_SIZES


@dataclass(frozen=True, slots=True)
class Item:
    """One setting on a page. options: of a choice; () for a switch or a text."""

    key: str
    text: str
    options: tuple[str, ...] = ()
    hint: str = ""
    ghost: str = ""


GRAPHICS = "Graphics"
PAGES: Mapping[str, tuple[Item, ...]] = {
    GRAPHICS: (
        Item("app.size", "Window", ("480", "640", "720", "960", "1080"),
             "its side in pixels; any size can be drawn out"),
        Item("app.full_screen", "Whole screen"),
        Item("app.frames", "Pictures a second", PACES,
             "60: one more between two captured ones, where there is time for it; "
             "display: in step with it, so that nothing tears (from the next start on)"),
        Item("app.scaling", "Larger pictures", SCALINGS,
             "how 480 by 480 pixels fill the window; sharp costs a little"),
        Item("graphics.edges", "Edges of what is recorded", EDGES,
             "a recording says which; smooth ones cost a processor 1.5 ms a picture"),
        Item("app.hud", "Size of the HUD", tuple(HUD_SIZES)),
        Item("app.shake", "Camera moves with the car",
             hint="on the screen only; the recorded picture never does"),
        Item("app.calm", "Reduced flashes", hint="no flicker, nothing flies, no shake"),
    ),
    "Screens and sound": (
        Item("app.text", "Size of letters", tuple(TEXT_SIZES)),
        Item("app.palette", "Colours", tuple(PALETTES),
             "blue-orange: without red and green; red-teal: without blue and yellow"),
        Item("app.sound", "Sound"),
        Item("app.volume", "Volume", ("0", "20", "40", "60", "70", "80", "100")),
        Item("devices.rumble", "Pads shake", hint="in collisions and slides, where they can"),
        Item("app.opening", "Opening", OPENINGS),
        Item("app.begin", "After it", ("drive", "menu")),
        Item("stream.style", "First style", ("day", "dusk", "night", "rain", "noir", "neon")),
    ),
    "Stream server": (
        Item("stream.url", "Address", ghost="empty: a server on this machine; off: none",
             hint="wss://host/v1/stream"),
        Item("stream.api_key", "Key", ghost="none"),
        Item("stream.backend", "Model on this machine", ("auto", "tiny", "filter")),
        Item("stream.transport", "Transport", ("direct", "livekit")),
        Item("stream.codec", "Codec", ("vp8", "h264")),
        Item("stream.bitrate", "Bits a second",
             ("500000", "1000000", "2500000", "5000000", "10000000")),
    ),
    "Privacy and pay": (
        Item("record.enabled", "Record my drives", hint="off: nothing is written, nothing is paid"),
        Item("record.fine_times", "Finer key times",
             hint="pynput listens too, to bound keys while the window has the focus"),
        Item("wallet.address", "Wallet", ghost="none: drives are kept to be claimed later"),
        Item("rewards.url", "Rewards service",
             ghost="empty: on this machine; off: keep drives here"),
    ),
    "Mouse": (
        Item("devices.mouse", "Steer with the mouse",
             hint="the pointer stays in the window while you drive; Esc lets it go; "
             "middle button: straight on; hold the right one to look around"),
        Item("devices.mouse_speed", "How quickly [%]", ("25", "50", "100", "200", "400")),
    ),
    "Storage": (
        Item("record.source", "Pictures of the game", ("near-lossless", "lossless")),
        Item("paths.pack", "City", ("midtown", "manhattan")),
    ),
}  # fmt: skip
"""Titles of the pages, and what is on each."""

LATER = ("stream.", "paths.", "record.source", "app.opening", "app.begin", "rewards.",
         "graphics.")  # fmt: skip
"""What holds from the next start on."""
NEXT_DRIVE = ("wallet.", "record.", "app.frames")
"""What holds from the next drive on; everything else at once."""

_DEEDS: tuple[tuple[Deed, str], ...] = (
    (Deed.LEFT, "Steer left"), (Deed.RIGHT, "Steer right"), (Deed.THROTTLE, "Throttle"),
    (Deed.BRAKE, "Brake"), (Deed.HANDBRAKE, "Hand brake"), (Deed.REVERSE, "Reverse, forward"),
    (Deed.HORN, "Horn"), (Deed.SIREN, "Siren on and off"), (Deed.CAMERA, "Camera"),
    (Deed.LOOK, "Look around (hold)"),
    (Deed.PEEK, "Peek at the game (hold)"), (Deed.STYLED, "Dreamt picture on and off"),
    (Deed.LESS_DREAM, "Less of it"), (Deed.MORE_DREAM, "More of it"),
    (Deed.NEXT_STYLE, "Next style"), (Deed.PREVIOUS_STYLE, "Previous style"),
    (Deed.TYPE, "Type a prompt"), (Deed.GRAPH, "Latency graph"), (Deed.PAUSE, "Pause recording"),
    (Deed.QUIT, "Pause, menu"),
)  # fmt: skip


def index() -> Screen:
    """The pages there are."""
    rows = [Button(title, title) for title in PAGES]
    rows.append(Button("controls", "Keys"))
    rows.append(Button("wheel", "Wheel and pad"))
    rows.append(Button("facts", "What leaves this machine"))
    return Screen("Settings", tuple(rows), foot=MOVE)


def page(title: str, settings: Settings, told: str = "", tone: str = "dim",
         more: tuple[Row, ...] = (), head: tuple[Row, ...] = ()) -> Screen:  # fmt: skip
    """One page with its values. told: what came of the last change. head, more: over and under."""
    rows = [*head, *(_row(item, value_of(settings, item.key)) for item in PAGES[title])]
    if told:
        rows.append(Note(told, tone))
    return Screen(title, (*rows, *more), foot=MOVE)


def when(key: str, value: Any) -> str:
    """From when on a changed setting holds, in words."""
    if key.startswith(LATER) or (key, value) == ("app.frames", "display"):
        return "from the next start on"
    return "from the next drive on" if key.startswith(NEXT_DRIVE) else "now"


def value_of(settings: Settings, key: str) -> Any:
    """The value of 'section.key'."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def _row(item: Item, value: Any) -> Row:
    if isinstance(value, bool):
        return Toggle(item.key, item.text, value, item.hint)
    if item.options:
        now = "midtown" if item.key == "paths.pack" and str(value) in ("", ".") else str(value)
        options = item.options if now in item.options else (now, *item.options)
        return Choice(item.key, item.text, options, options.index(now), item.hint)
    secret = isinstance(value, Secret)
    text = value.reveal() if isinstance(value, Secret) else str(value)
    return Field(item.key, item.text, text, item.ghost, item.hint, secret=secret)


def asked(settings: Settings, act: Act) -> dict[str, str | bool | int] | None:
    """The change of settings that an act on a page asks for; None where it asks for none."""
    key = act.id.removesuffix(":typed")
    if act.id.endswith(":typed") or "." not in key:
        return None
    before = value_of(settings, key)
    if isinstance(before, bool):
        return {key: act.value == "on"}
    if isinstance(before, int):
        return {key: int(act.value)}
    return {key: act.value.strip()}


def controls(keys: str, told: str = "", tone: str = "dim") -> Screen:
    """Every deed with its keys. keys: the setting play.keys."""
    bound = rebound(keys)
    rows: list[Row] = [Note("Enter, then press the key that is to do it; Esc leaves it.", "dim")]
    for deed, text in _DEEDS:
        codes = tuple(code for code, what in bound.items() if what is deed)
        rows.append(KeyRow(deed.value, text, tuple(shown(code) for code in codes)))
    rows.append(Button("defaults", "All as they were"))
    if told:
        rows.append(Note(told, tone))
    return Screen("Keys", tuple(rows), foot=MOVE)


_PAD_NAMES = {
    "dpad_left": "Cross left", "dpad_right": "Cross right", "dpad_up": "Cross up",
    "dpad_down": "Cross down", "face_a": "A", "face_b": "B", "face_x": "X", "face_y": "Y",
    "lshoulder": "Left shoulder", "rshoulder": "Right shoulder", "ltrigger": "Left trigger",
    "rtrigger": "Right trigger", "back": "Back",
}  # fmt: skip


def pads() -> Screen:
    """What the buttons of a pad stand for while driving; through the same keys, so rebound too."""
    bound = rebound("")
    rows: list[Row] = [
        Note("A pad drives and chooses in every menu. Its buttons stand for these keys:", "dim"),
        Note(
            "left stick: steer; triggers: brake and throttle, as far as they are pressed; "
            "right stick: look around; A: do it, B: back",
            "accent",
        ),
    ]
    rows += [
        Button(f"pad:{name}", _PAD_NAMES.get(name, name), f"{shown(code)}: {bound[code].value}")
        for name, code in DRIVES.items()
        if code in bound
    ]
    return Screen("Buttons of a pad", tuple(rows), foot="Esc back")


def shown(code: str) -> str:
    """A key's name for people."""
    names = {
        "arrow_left": "←", "arrow_right": "→", "arrow_up": "↑", "arrow_down": "↓",
        "mouse1": "left button", "mouse2": "middle button", "mouse3": "right button",
    }  # fmt: skip
    return names.get(code, code)


def with_key(keys: str, deed: str, code: str) -> str:
    """play.keys after `code` was given to a deed: it is the deed's only new key, and no other's.

    The keys that the deed had are freed, so that a player sees what he chose and nothing else.
    Raises ValueError for a key that cannot be bound.
    """
    if code in ("", "escape", "enter") or "," in code or "=" in code:
        raise ValueError(f"'{code or 'that key'}' is kept for the screens; choose another")
    wanted = {**{each: what for each, what in rebound(keys).items() if what.value != deed}}
    wanted[code] = Deed(deed)
    return difference(wanted)


def difference(wanted: Mapping[str, Deed]) -> str:
    """The shortest play.keys that turns the usual keys into `wanted`."""
    parts = [f"{code}=none" for code in BINDINGS if code not in wanted]
    parts += [
        f"{code}={deed.value}" for code, deed in wanted.items() if BINDINGS.get(code) is not deed
    ]
    return ", ".join(parts)
