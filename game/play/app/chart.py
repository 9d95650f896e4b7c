"""The map: where you have driven, what each street pays today, where the last run lost. Pure.

No colour says a thing alone: what pays more is also drawn wider, losses carry numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from game.play.app.lost import Loss
from game.play.app.memory import Memory
from game.play.app.pay import Pay
from game.view.screen.canvas import Box, Canvas, Colour, Lines, Marks, Segment, Words
from game.view.screen.model import Note, Row, Screen
from game.view.screen.theme import Theme
from game.world.city import City

NEW, PART, KNOWN = "new", "part", "known"
CLASSES = (NEW, PART, KNOWN)
_WIDTH = {NEW: 3.4, PART: 2.2, KNOWN: 1.2}
_MOSTLY, _HARDLY = 800, 200
"""From so much new ground on a street is new, below the other it is known, in 1/1000."""


def chart(
    city: City, memory: Memory, theme: Theme | None = None, pay: Pay | None = None,
    lost: Sequence[Loss] = (),
) -> tuple[Screen, Callable[[Canvas], Marks]]:  # fmt: skip
    """The screen, and what is drawn over its left side."""
    look = theme or Theme()
    told = pay or Pay("policy", "")
    names = {street.name for street in city.streets if street.name}
    seen = {name: way for name, way in memory.streets.items() if name in names}
    sorts = classes(names, seen, told)
    aside: list[Row] = [
        Note(f"{len(seen)} of {len(names)} streets, {sum(seen.values()) / 1000:.1f} km", "accent",
             True),
        Note(""), *legend(sorts, told), Note(""), *_losses(lost), *_top(seen, told),
    ]  # fmt: skip
    screen = Screen(
        "Map", (), aside=tuple(aside), foot="wider pays more   light: driven by you   Esc back"
    )
    return screen, lambda canvas: drawn(city, sorts, set(seen), canvas, look, lost)


def classes(names: set[str], seen: Mapping[str, float], pay: Pay) -> dict[str, str]:
    """What each street is: by what the service says, else by where this player has been."""
    found = {}
    for name in names:
        if pay.streets:
            new = pay.streets.get(name, (1000, 1000))[0]
        else:
            new = 0 if name in seen else 1000
        found[name] = NEW if new >= _MOSTLY else KNOWN if new < _HARDLY else PART
    return found


def colour_of(kind: str, theme: Theme) -> Colour:
    """Of the player's palette."""
    colours = theme.colours
    dark: Colour = (*colours.edge[:3], 0.6)
    return {NEW: colours.good, PART: colours.warn, KNOWN: dark}[kind]


def legend(sorts: Mapping[str, str], pay: Pay) -> list[Row]:
    """What the colours mean and what they pay, and who says so."""
    counts = {kind: sum(each == kind for each in sorts.values()) for kind in CLASSES}
    most = pay.bonus_milli / 10
    nothing = pay.bonus_milli == 0 or not pay.pays_people
    said = {
        NEW: "new to us" if pay.streets else "never driven by you",
        PART: "partly new", KNOWN: "known" if pay.streets else "driven by you",
    }  # fmt: skip
    worth = {NEW: f"up to {most:.0f} % more", PART: "a share of that", KNOWN: "the plain rate"}
    tones = {NEW: "good", PART: "warn", KNOWN: "dim"}
    signs = {NEW: "━━", PART: "━ ", KNOWN: "─ "}
    rows: list[Row] = [
        Note(f"{signs[kind]} {said[kind]}: {counts[kind]}"
             + ("" if nothing else f", {worth[kind]}"), tones[kind])
        for kind in CLASSES if counts[kind] or kind != PART
    ]  # fmt: skip
    if nothing:
        rows.append(Note(f"The policy '{pay.policy or 'none'}' pays streets alike.", "dim"))
    if pay.source != "server":
        rows.append(Note("No rewards service answers: what others drove is not known.", "dim"))
    return rows


def _losses(lost: Sequence[Loss]) -> list[Row]:
    if not lost:
        return []
    rows: list[Row] = [Note("Your last run lost", "bad", True)]
    for number, one in enumerate(lost[:6], start=1):
        cost = f"-{100 * one.cost:.0f} %" if one.cost else "time"
        rows.append(Note(f"{number} {cost}  {one.what}"))
    return [*rows, Note("")]


def _top(seen: Mapping[str, float], pay: Pay) -> list[Row]:
    top = sorted(seen.items(), key=lambda item: -item[1])[:6]
    rows: list[Row] = []
    for name, way in top:
        paid = pay.streets.get(name)
        worth = f"  x{paid[1] / 1000:.2f}" if paid is not None else ""
        rows.append(Note(f"{way / 1000:6.2f} km{worth}  {name}", "dim"))
    return rows


def drawn(
    city: City, sorts: Mapping[str, str], seen: set[str], canvas: Canvas, theme: Theme,
    lost: Sequence[Loss] = (),
) -> Marks:  # fmt: skip
    """The streets in the left half of a canvas, north up; a dot of light where you have been."""
    west = min(x for street in city.streets for x, _ in street.points)
    east = max(x for street in city.streets for x, _ in street.points)
    south = min(y for street in city.streets for _, y in street.points)
    north = max(y for street in city.streets for _, y in street.points)
    left, top = 34.0, 96.0
    wide, high = (canvas.width - 80) * 0.52, canvas.height - top - 60.0
    scale = min(wide / (east - west), high / (north - south))

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (x - west) * scale, top + (north - y) * scale

    thick = min(1.0, wide / 450.0)  # a small map is drawn finer
    found: dict[str, list[Segment]] = {kind: [] for kind in CLASSES}
    lit: list[Segment] = []
    for street in city.streets:
        spots = [place(x, y) for x, y in street.points]
        pieces = [(*one, *other) for one, other in pairwise(spots)]
        found[sorts.get(street.name, KNOWN)] += pieces
        if street.name in seen:
            lit += pieces
    marks = [
        Lines(tuple(found[kind]), thick * _WIDTH[kind], colour_of(kind, theme))
        for kind in reversed(CLASSES) if found[kind]
    ]  # fmt: skip
    if lit:
        marks.append(Lines(tuple(lit), thick, theme.colours.ink))
    flags: list[Words | Box | Lines] = []
    taken: list[tuple[float, float]] = []
    for number, one in enumerate(lost[:9], start=1):
        x, y = place(one.x, one.y)
        while any(abs(x - other) < 20.0 and abs(y - high) < 20.0 for other, high in taken):
            x += 20.0  # two at one place stand beside each other
        taken.append((x, y))
        flags += _flag(number, x, y, theme)
    return (*marks, *flags)


def _flag(number: int, x: float, y: float, theme: Theme) -> tuple[Box, Words]:
    """A numbered plate at a place where something was lost."""
    colours = theme.colours
    return (
        Box(x - 9.0, y - 9.0, 18.0, 18.0, colours.ground, colours.bad, 2.0),
        Words(x, y - 8.0, str(number), 13.0, colours.ink, 0, True),
    )
