"""Asked once before anything is recorded: what is kept, what leaves the machine, what never does.

The view of what leaves is made from the recording format itself and, where there is a recording
on this machine, from its own first lines. Pure but for reading that one recording.
"""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from game.session import format as layout
from game.session.format import InputEvent, Manifest
from game.view.screen.model import Button, Note, Row, Screen

VERSION = "2026-11"
REFUSED = "no"

PLAIN = (
    "While you drive, this program writes down: which of the game's own keys and axes you press "
    "and when, what the simulated city does at each tick, the pictures the game draws, and the "
    "pictures the model paints from them.",
    "If you agree, these recordings are uploaded, checked by driving them again, paid for, and "
    "used and given away as data for research on driving. A wallet address that you give is "
    "public wherever payments are public.",
    "It never records: other keys, other windows, your screen, camera, microphone, files, name or "
    "e-mail. The server sees your network address, as every server does.",
    "You can drive without recording, change your mind in Settings, Privacy, and delete any drive "
    "here and on the server (Sessions).",
)
_FILES: tuple[tuple[str, str], ...] = (
    (layout.MANIFEST, "what the drive was: program, city, scenario, seed, picture, payee"),
    (layout.INPUTS, "every event of a bound key, axis or look button, and the controls made of it"),
    (layout.TICKS, "60 times a second: place and speed of every car and person of the game"),
    (layout.EVENTS, "prompts (what you type of one, too), styles, latency, contacts, the outcome"),
    (layout.JOURNAL, "what the stream server signed of the pictures it painted"),
    (layout.FRAMES, "a list of the pictures: tick, size, hash, when it was drawn"),
    ("source-*.mkv, check-*.mkv", "what the game drew"),
    ("styled-*.mkv", "what the model painted"),
    (layout.END, "how it ended, and the hashes of all these files"),
)
_MEANING = {
    "payee": "your wallet address, if you gave one",
    "claim": "else a random number of this machine, to claim the drive with later",
    "created": "date and time of the start",
    "renderer": "name of your graphics driver",
    "devices": "keyboard, mouse, pad or wheel: which kinds, not which ones",
    "driver": "a person, a bot or a program",
    "clock": "this machine's clock at the start",
    "consent": "the version of this text that you agreed to",
}


def ask() -> Screen:
    """The question, in plain words."""
    rows: list[Row] = [Note(text) for text in PLAIN]
    rows += [
        Note(""),
        Button("agree", "Record my drives", "paid, uploaded"),
        Button("refuse", "Drive without recording", "nothing is written"),
        Button("facts", "Show exactly what leaves this machine", "file by file"),
    ]
    return Screen(
        "Before you drive", tuple(rows), foot="↑↓ choose   Enter decide   Esc: without recording"
    ).at("agree")


def facts(sessions: Path) -> Screen:
    """Every file and every field of a recording. sessions: folder of those on this machine."""
    rows: list[Row] = [Note("Each drive is one folder. These files of it are uploaded, no others:")]
    for name, what in _FILES:
        rows.append(Button(f"file:{name}", name, lines=(what,)))
    rows.append(Note(f"\nThe fields of {layout.MANIFEST}:", "accent"))
    for each in fields(Manifest):
        rows.append(Button(f"field:{each.name}", each.name, _MEANING.get(each.name, "")))
    rows.append(Note(f"\nThe fields of one input event in {layout.INPUTS}:", "accent"))
    names = ", ".join(each.name for each in fields(InputEvent))
    rows.append(Button("input", names))
    return Screen(
        "What leaves this machine", tuple(rows), aside=tuple(example(sessions)),
        foot="↑↓ read on   Esc back",
    )  # fmt: skip


def example(sessions: Path) -> Sequence[Row]:
    """The first lines of the newest recording here, as they are uploaded."""
    newest = _newest(sessions)
    if newest is None:
        return [
            Note("From your own drives", "accent"),
            Note("There is no recording on this machine yet. After your first drive its own lines "
                 "are shown here, as they are uploaded.", "dim"),
        ]  # fmt: skip
    rows: list[Row] = [Note("From your newest drive", "accent"), Note(newest.name, "dim")]
    try:
        for name in (layout.INPUTS, layout.EVENTS):
            with (newest / name).open(encoding="utf-8", errors="replace") as file:
                lines = [file.readline(400).strip() for _ in range(4)]
            rows.append(Note(f"{name}", "accent"))
            rows += [Note(line[:170], "dim") for line in lines if line]
        total = sum(path.stat().st_size for path in newest.iterdir() if path.is_file())
        rows.append(Note(f"{total / 1e6:.1f} MB in all", "plain"))
    except OSError as error:
        rows.append(Note(f"it cannot be read: {error.strerror}", "warn"))
    return rows


def _newest(sessions: Path) -> Path | None:
    if not sessions.is_dir():
        return None
    known = [path for path in sorted(sessions.iterdir()) if (path / layout.INPUTS).is_file()]
    return known[-1] if known else None
