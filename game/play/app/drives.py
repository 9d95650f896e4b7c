"""The drives on this disk as rows: the browser inside the program. Reads, deletes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from game.errors import SessionError
from game.outbox.job import JobStore
from game.play.app.menus import MOVE
from game.play.screen import hand_in_line
from game.session.ids import is_id
from game.session.reader import Session
from game.session.share import SUFFIX
from game.view.screen.model import Button, Note, Row, Screen
from game.world.version import TICK_HZ

GHOST = "ghost:"
GHOSTS = "ghosts"
"""In the data folder: files that others shared, put there to be raced."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording. success None: given up, or not over. why: what is wrong with it, ''."""

    session: str
    folder: Path
    title: str = ""
    created: str = ""
    seconds: float = 0.0
    pairs: int = 0
    size: int = 0
    success: bool | None = None
    driver: str = ""
    payee: str = ""
    why: str = ""


def entries(root: Path, most: int = 200) -> tuple[Entry, ...]:
    """The newest recordings first."""
    if not root.is_dir():
        return ()
    found = [path for path in root.iterdir() if path.is_dir() and is_id(path.name)]
    return tuple(_entry(path) for path in sorted(found, reverse=True)[:most])


def _entry(folder: Path) -> Entry:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    try:
        with Session.open(folder) as session:
            end, told = session.end or {}, session.manifest
            ticks = int(end.get("ticks", 0) or len(session.ticks()))
            return Entry(
                folder.name, folder, told.scenario, told.created, ticks / TICK_HZ,
                int(end.get("pairs", 0)), size, (end.get("outcome") or {}).get("success"),
                told.driver.kind, told.payee, "" if session.end else "not complete",
            )  # fmt: skip
    except SessionError as error:
        return Entry(folder.name, folder, size=size, why=str(error))


def ghosts(folder: Path, most: int = 20) -> tuple[Path, ...]:
    """The shared drives that lie in a folder, for racing."""
    return tuple(sorted(folder.glob(f"*{SUFFIX}"))[:most]) if folder.is_dir() else ()


def browser(
    found: Sequence[Entry], outbox: Path, focus: str = "", shared: Sequence[Path] = ()
) -> Screen:
    """The list, with the one that has the focus told at the side. shared: drives of others."""
    rows: list[Row] = [Button(each.session, _title(each), _when(each)) for each in found]
    rows += [
        Button(f"{GHOST}{path}", f"ghost: {path.stem}", "race this shared drive") for path in shared
    ]
    if not rows:
        rows = [Note("Nothing has been recorded on this machine yet.", "dim")]
    return beside(Screen("Your drives", tuple(rows), foot=MOVE).at(focus), found, outbox)


def beside(screen: Screen, found: Sequence[Entry], outbox: Path) -> Screen:
    """The same list with the facts of the drive that has the focus."""
    row = screen.focused
    one = next((each for each in found if row is not None and each.session == row.id), None)
    if one is None:
        return screen
    word = {True: "passed", False: "failed", None: "given up"}[one.success]
    job = JobStore(outbox).get(one.session)
    pay = hand_in_line(outbox, (one.session,)) if job is not None else "never handed in"
    aside = [
        Note(one.title or one.session, "accent", True), Note(one.created[:16].replace("T", " ")),
        Note(f"{word}, {one.seconds:.1f} s, {one.driver}"),
        Note(f"{one.pairs} pairs of pictures, {one.size / 1e6:.1f} MB"),
        Note(f"for {one.payee[:8]}…" if one.payee else "no wallet: claim later", "dim"),
        Note(pay, "dim"),
    ]  # fmt: skip
    if one.why:
        aside.append(Note(one.why, "warn"))
    return Screen(screen.title, screen.rows, screen.focus, 0, tuple(aside), screen.foot)


def _title(one: Entry) -> str:
    sign = {True: "✓", False: "✗", None: "·"}[one.success]
    return f"{sign} {one.title.partition('@')[0] or one.session[:12]}"


def _when(one: Entry) -> str:
    return f"{one.seconds:4.0f} s  {one.created[5:16].replace('T', ' ')}"


def chosen(one: Entry) -> Screen:
    """What to do with one drive."""
    return Screen(
        one.title or one.session,
        (
            Button("replay", "Watch it", "with a camera of your own"),
            Button("lost", "Where it was lost", "what cost pay, and at which place"),
            Button("race", "Race it", "it drives along as a ghost"),
            Button("share", "Share it", "a file of a few kB"),
            Button("delete", "Delete it", "here, and on the server", tone="bad"),
            Button("back", "Back"),
        ),
        foot=MOVE,
    )


def sure(one: Entry) -> Screen:
    """Before something is gone for good."""
    return Screen(
        "Delete this drive?",
        (
            Note(f"{one.title}, {one.seconds:.0f} s, {one.size / 1e6:.1f} MB", "warn"),
            Note("It is removed from this machine, and the server is asked to remove its copy. "
                 "What payment books need stays there, and is named."),
            Note(""), Button("back", "Keep it"), Button("delete", "Delete", tone="bad"),
        ),
    )  # fmt: skip
