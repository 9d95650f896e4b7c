"""The screens of the menu, made from plain facts. Pure: they do nothing and read nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from game.play.app.medal import Merit
from game.play.app.memory import Memory
from game.view.screen.model import Bar, Button, Choice, Note, Row, Screen

MOVE = "↑↓ choose   ◀▶ change   Enter do it   Esc back"
PLACES = (
    "West 42nd Street & 7th Avenue",
    "West 34th Street & 7th Avenue",
    "West 57th Street & 6th Avenue",
    "East 42nd Street & Park Avenue",
    "West 57th Street & 8th Avenue",
)
LEVELS = ("full", "light", "none")


@dataclass(frozen=True, slots=True)
class Card:
    """One scenario as the list shows it."""

    id: str
    title: str
    text: str
    place: str
    seconds: float
    actors: int
    stops: tuple[str, ...] = ()


def main(memory: Memory, upcoming: Card | None, waiting: int, notices: Sequence[str]) -> Screen:
    """The main menu. waiting: drives that are not handed in yet. notices: what is missing here."""
    first = f"{upcoming.title}, {upcoming.place}" if upcoming is not None else ""
    rows: list[Row] = [
        Button("go", "Drive", first),
        Button("scenarios", "Scenarios", _medals(memory)),
        Button("missions", "Missions", "taxi, delivery, ambulance"),
        Button("free", "Drive where you like"),
        Button("daily", "Today's drive", "the same for everybody"),
        Button("boards", "Leaderboards", "accepted drives alone"),
        Button("map", "Map", f"{sum(memory.streets.values()) / 1000:.1f} km driven"),
        Button("sessions", "Your drives", "watch, share, delete"),
        Button("uploads", "Uploads", f"{waiting} waiting" if waiting else "all done"),
        Button("settings", "Settings"),
        Button("quit", "Leave"),
    ]
    aside: list[Row] = [
        Note(
            f"{memory.drives} drive{'' if memory.drives == 1 else 's'}, {memory.passed} passed",
            "accent",
        ),
        *(Note(text, "warn") for text in notices),
    ]
    return Screen("SCALE DIFFUSION", tuple(rows), aside=tuple(aside), foot=MOVE)


def _medals(memory: Memory) -> str:
    counts = [sum(best.medal == medal for best in memory.best.values())
              for medal in ("gold", "silver", "bronze")]  # fmt: skip
    return "  ".join(
        f"{n} {name}" for n, name in zip(counts, ("gold", "silver", "bronze"), strict=True)
    )


def scenarios(
    cards: Sequence[Card], memory: Memory, focus: str = "", title: str = "Scenarios",
    rates: Mapping[str, str] = MappingProxyType({}),
) -> Screen:  # fmt: skip
    """The list; the one with the focus is told at the side by `told_of`."""
    rows = tuple(
        Button(card.id, card.title, _best(memory, card.id) or rates.get(card.id, ""))
        for card in cards
    )
    screen = Screen(title, rows or (Note("There are none."),), foot=MOVE).at(focus)
    return beside(screen, cards, memory, rates)


def beside(
    screen: Screen, cards: Sequence[Card], memory: Memory,
    rates: Mapping[str, str] = MappingProxyType({}),
) -> Screen:  # fmt: skip
    """The same list with what is to be known of the scenario that has the focus."""
    row = screen.focused
    card = next((card for card in cards if row is not None and card.id == row.id), None)
    if card is None:
        return screen
    best = memory.best.get(card.id)
    aside: list[Row] = [
        Note(card.title, "accent", True), Note(card.place, "dim"), Note(""), Note(card.text),
        Note(""), Note(_size(card), "dim"),
        *(Note(f"{number}. {stop}") for number, stop in enumerate(card.stops, start=1)),
    ]  # fmt: skip
    if rates.get(card.id):
        aside.append(Note(f"today: {rates[card.id]}, at most", "accent"))
    if best is not None:
        aside.append(Note(f"your best: {best.medal}, {best.seconds:.1f} s on {best.when}", "good"))
    return Screen(screen.title, screen.rows, screen.focus, 0, tuple(aside), screen.foot)


def _size(card: Card) -> str:
    if card.stops:
        return f"at most {card.seconds / 60:.0f} min, {len(card.stops)} stops in their order"
    return f"{card.seconds:.0f} s, {card.actors} others on the street"


def _best(memory: Memory, scenario: str) -> str:
    best = memory.best.get(scenario)
    return (
        {"gold": "★★★ gold", "silver": "★★ silver", "bronze": "★ bronze"}[best.medal]
        if best
        else ""
    )


def free(place: int = 0, level: int = 0) -> Screen:
    """Where a free drive starts and how full the city is."""
    return Screen(
        "Drive where you like",
        (
            Choice("place", "From", PLACES, place),
            Choice("level", "Traffic and people", LEVELS, level),
            Button("start", "Start"),
        ),
        foot=MOVE,
    ).at("start")


def today(day: date, card: Card, seed: int, memory: Memory) -> Screen:
    """The drive of the day."""
    found = memory.daily.get(f"{day.isoformat()} {card.id}")
    told = f"your best today: {found.medal}, {found.seconds:.1f} s" if found else "not passed yet"
    return Screen(
        f"Today's drive, {day.isoformat()}",
        (
            Note(card.title, "accent", True), Note(card.text), Note(""),
            Note(f"seed {seed}: the same traffic for everybody, until midnight UTC", "dim"),
            Note(told, "good" if found else "dim"), Note(""), Button("start", "Start"),
        ),
        foot=MOVE,
    )  # fmt: skip


def paused(title: str, recording: str, more: Sequence[Row] = ()) -> Screen:
    """In the middle of a drive. recording: what becomes of what was driven so far."""
    return Screen(
        f"{title}: paused",
        (
            Button("resume", "Go on"),
            Button("restart", "Start again"),
            Button("next", "Next scenario"),
            Button("photo", "Photo", "the picture without the HUD"),
            Button("settings", "Settings"),
            Button("menu", "Main menu"),
            Button("quit", "Leave"),
            Note(""),
            Note(recording, "dim"),
            *more,
        ),
        foot="The world stands still. Esc goes on.",
    )


def ended(
    title: str, success: bool | None, reason: str, merit: Merit, best: str, pay: str, auto: bool,
    close: str = "", lost: int = 0,
) -> Screen:  # fmt: skip
    """How a drive ended. success None: given up. auto: the next one begins by itself. close: the
    nearest miss in words, that can be made a scenario. lost: how many deductions there were."""
    word = "Given up" if success is None else "Passed" if success else "Failed"
    tone = "good" if success else "warn" if success is None else "bad"
    rows: list[Row] = [Note(f"{word}{': ' + reason if reason else ''}", tone, True)]
    if merit.medal:
        rows.append(Note(f"{merit.stars}  {merit.medal}, {merit.seconds:.1f} s", "accent", True))
        rows.append(Note(merit.why, "dim"))
    if best:
        rows.append(Note(best, "good"))
    rows += [
        Note(pay, "dim"), Note(""), Button("next", "Next scenario"), Button("restart", "Again"),
        Button("replay", "Watch it"),
        *([Button("lost", "Where it was lost", f"{lost} places")] if lost else []),
        *([Button("close", "That was close", f"{close}: make it a scenario")] if close else []),
        Button("menu", "Main menu"), Button("quit", "Leave"),
    ]  # fmt: skip
    foot = "The next one begins in a few seconds." if auto else MOVE
    return Screen(title, tuple(rows), foot=foot).at("next" if success else "restart")


def waits(what: str, waited_s: float, limit_s: float) -> Screen:
    """A service is waited for before a drive can begin."""
    return Screen(
        "One moment",
        (
            Note(f"Waiting for {what}.", "accent", True),
            Bar("so far", min(1.0, waited_s / limit_s), f"{waited_s:.0f} of {limit_s:.0f} s"),
            Note(""),
            Button("wait", "Go on waiting"),
            Button("unpaid", "Drive now", "kept on this machine, unpaid"),
            Button("menu", "Main menu"),
        ),
        foot="It goes on by itself.   Esc: main menu",
    ).at("wait")


def uploads(jobs: Sequence[Mapping[str, object]], paused_: bool, service: str) -> Screen:
    """The queue: each drive on its way out, with how far it is."""
    rows: list[Row] = [
        Button("pause", "Go on uploading" if paused_ else "Pause uploading",
               "paused" if paused_ else ""),
    ]  # fmt: skip
    for job in jobs:
        share, session = float(str(job["share"])), str(job["session"])
        tone = {"refused": "bad", "held": "warn"}.get(str(job["state"]), "accent")
        rows.append(Bar(f"{session[:10]}…  {job['said']}", share, str(job["detail"]), tone))
        if job["state"] in ("held", "refused"):
            rows.append(Button(f"retry:{session}", f"Try {session[:10]}… again"))
    if not jobs:
        rows.append(Note("Nothing has been handed in yet.", "dim"))
    rows.append(Note(service, "dim"))
    return Screen("Uploads", tuple(rows), foot=MOVE)


def notice(title: str, text: str, tone: str = "warn", *more: Row) -> Screen:
    """Something to read and to go on from."""
    return Screen(title, (Note(text, tone), Note(""), *more, Button("ok", "Go on")), foot=MOVE).at(
        "ok"
    )
