"""What the checks find: clean drives, and 22 kinds of tampering and decay at three strengths.

A *forger* changes a recording and makes its own hashes good, but cannot sign for our server. A
*decay* is what an honest server may send: the journal is signed again over the worse frames, so
that only the pictures can tell. Rates come with Wilson intervals at 95 %.

    python -m tests.rewards.detection --drives 6 --json out.json
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from game.session import framefile
from game.session.format import FRAMES, JOURNAL, TrackId
from game.session.reader import Session
from game.session.track import StyledTrack, segment_path
from rewards.checks.table import CHECKS
from rewards.graph import run_plain
from rewards.worker import KeptRenderer
from tests.rewards import tampering
from tests.rewards.recording import JOURNAL_KEY, TICKET_KEY, Line, Made, make, make_ticket

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Styler = Callable[[list[Picture]], list[Picture]]
SIDE, EVERY = 240, 4


@dataclass(frozen=True)
class Kind:
    """strengths: three deeds, mild to strong; each changes the folder. forged: by a forger."""

    name: str
    forged: bool
    strengths: tuple[Callable[[Path], None], ...]


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a rate."""
    if not trials:
        return 0.0, 1.0
    z, p = 1.96, hits / trials
    middle, spread = (
        p + z * z / (2 * trials),
        z * sqrt(p * (1 - p) / trials + z * z / 4 / trials**2),
    )
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


# --- how styled frames are changed --------------------------------------------------------------


def restyle(folder: Path, change: Styler, bitrate: int = 2_500_000, signed: bool = True) -> None:
    """Decode, change and encode the styled track; `signed`: the journal agrees with the result."""
    with Session.open(folder) as session:
        records = session.frames(TrackId.STYLED)
        pictures = [picture for _, picture in session.pictures(TrackId.STYLED)]
        others = [r for r in session._frames if r.track != TrackId.STYLED]
    segment_path(folder, TrackId.STYLED, 0).unlink()
    track, line, fresh, hashes = StyledTrack(folder, SIDE, SIDE), Line(SIDE, bitrate), [], {}
    for record, picture in zip(records, change(pictures), strict=False):
        bgra = np.dstack([picture[..., ::-1], np.full((SIDE, SIDE), 255, np.uint8)])
        data, key = line.send(np.ascontiguousarray(bgra), record.tick)
        stored = track.put(data, record.tick, record.t_ns, key=key)
        fresh.append(stored)
        hashes[record.tick] = stored.sha256.hex()
    track.close()
    table = framefile.header() + b"".join(framefile.encode(r) for r in (*others, *fresh))
    (folder / FRAMES).write_bytes(table)

    def rehash(block: dict[str, Any]) -> None:
        for frame in block["frames"]:
            frame[4] = hashes.get(frame[0], frame[4])

    if signed:
        tampering.rewritten_journal(folder, rehash, JOURNAL_KEY)


def each(change: Callable[[Picture], Picture]) -> Styler:
    return lambda pictures: [change(picture) for picture in pictures]


def blurred(sigma: float) -> Styler:
    return each(lambda p: cv2.GaussianBlur(p, (0, 0), sigma))


def shifted(pixels: int) -> Styler:
    return each(lambda p: np.roll(p, pixels, axis=1))


def noisy(levels: int) -> Styler:
    chance = np.random.default_rng(1)

    def change(picture: Picture) -> Picture:
        by = int(chance.integers(-levels, levels + 1))
        return np.clip(picture.astype(np.int16) + by, 0, 255).astype(np.uint8)

    return each(change)


def frozen(run: int) -> Styler:
    return lambda pictures: [pictures[i // run * run] for i in range(len(pictures))]


def flipped(period: int) -> Styler:
    return lambda ps: [p[:, ::-1] if i % period == 0 else p for i, p in enumerate(ps)]


def black(period: int) -> Styler:
    return lambda ps: [np.zeros_like(p) if i % period == 0 else p for i, p in enumerate(ps)]


def erased(side: int) -> Styler:
    """A car ahead painted over with what surrounds it."""

    def change(picture: Picture) -> Picture:
        out, half = picture.copy(), side // 2
        box = out[130 - half : 130 + half, 120 - half : 120 + half]
        box[:] = np.median(box.reshape(-1, 3), axis=0)
        return out

    return each(change)


def added(side: int) -> Styler:
    """A car that is not there, with wheels and a window, of another colour than the road."""

    def change(picture: Picture) -> Picture:
        out = picture.copy()
        cv2.rectangle(out, (60, 150 - side // 2), (60 + side, 150), (190, 40, 30), -1)
        cv2.rectangle(out, (66, 154 - side // 2), (54 + side, 150 - side // 4), (40, 60, 80), -1)
        for x in (60 + side // 4, 60 + 3 * side // 4):
            cv2.circle(out, (x, 150), side // 8, (10, 10, 10), -1)
        return out

    return each(change)


def recycled(share: float) -> Styler:
    """The last part shows the first part again."""

    def change(pictures: list[Picture]) -> list[Picture]:
        start = int(len(pictures) * (1 - share))
        return [*pictures[:start], *pictures[: len(pictures) - start]]

    return change


def dropped(keep: int) -> Styler:
    return lambda pictures: pictures[: len(pictures) * keep // 100]


def decay(change: Styler, bitrate: int = 2_500_000) -> Callable[[Path], None]:
    return lambda folder: restyle(folder, change, bitrate)


def forgery(change: Styler) -> Callable[[Path], None]:
    return lambda folder: restyle(folder, change, signed=False)


def other_video(share: float) -> Callable[[Path], None]:
    """Frames of another drive, here: this one mirrored and backwards, rehashed."""

    def change(pictures: list[Picture]) -> list[Picture]:
        count = int(len(pictures) * share)
        return [*[p[:, ::-1] for p in pictures[::-1][:count]], *pictures[count:]]

    return lambda folder: restyle(folder, change, signed=False)


def paced(factor: float) -> Callable[[Path], None]:
    """The server saw the drive at another pace, and says so."""

    def tamper(folder: Path) -> None:
        first = json.loads((folder / JOURNAL).read_bytes().splitlines()[0])["frames"][0][1]

        def stretch(block: dict[str, Any]) -> None:
            for frame in block["frames"]:
                frame[1:3] = [first + int((ns - first) * factor) for ns in frame[1:3]]
            block["server_time_ns"] = first + int((block["server_time_ns"] - first) * factor) + 9

        tampering.rewritten_journal(folder, stretch, JOURNAL_KEY)

    return tamper


def times(deed: Callable[..., None], *ticks: int) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        for tick in ticks:
            deed(folder, tick)

    return tamper


def both(*deeds: Callable[[Path], None]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        for deed in deeds:
            deed(folder)

    return tamper


def resigned(key: Any, **change: Any) -> Callable[[Path], None]:
    return lambda folder: tampering.rewritten_journal(folder, lambda b: b.update(change), key)


def kinds(made: Made) -> tuple[Kind, ...]:
    """All kinds for one drive."""
    t = tampering
    edited = both(lambda f: t.one_input_and_every_state(f, made.city))
    swap, source = t.swapped_styled_frame, t.swapped_source_frame
    success = t.claimed_success if not _won(made.folder) else t.claimed_collisions
    return (
        Kind("swapped styled frames", True, (times(swap, 120), times(swap, 120, 200), times(
            swap, *range(100, 240, 20)))),
        Kind("another session's video", True, (other_video(0.1), other_video(0.5), other_video(1))),
        Kind("recycled frames, rehashed", True, tuple(
            forgery(recycled(s)) for s in (0.1, 0.3, 0.5))),
        Kind("styled frames made at home", True, tuple(forgery(blurred(s)) for s in (0.5, 1.5, 3))),
        Kind("time stretched", True, (paced(0.95), paced(0.8), paced(0.5))),
        Kind("slow motion", True, (paced(1.04), paced(1.2), paced(2.0))),
        Kind("swapped source frames", True, (times(source, 120), times(source, 120, 180), times(
            source, 60, 120, 180, 240))),
        Kind("edited inputs", True, (t.one_input, edited, both(edited, t.claimed_collisions))),
        Kind("forged states", True, (times(t.collision_flag, 300), times(t.collision_flag, 100),
                                     times(t.collision_flag, 100, 200))),
        Kind("forged outcome", True, (success, t.claimed_collisions, both(
            t.claimed_collisions, success))),
        Kind("forged journal", True, (t.forged_journal_entry, t.missing_journal_block,
                                      resigned(TICKET_KEY))),
        Kind("foreign journal", True, (resigned(JOURNAL_KEY, ticket="0" * 64), resigned(
            JOURNAL_KEY, session="0" * 26), t.of_another_session)),
        Kind("stolen under another wallet", True, (
            t.another_wallet, t.another_wallet_in_the_ticket_too, both(t.another_wallet, success))),
        Kind("mush", False, tuple(decay(each(_small(n)), 150_000) for n in (2, 3, 5))),
        Kind("blurred", False, tuple(decay(blurred(s)) for s in (1.5, 2.5, 4.0))),
        Kind("frozen", False, tuple(decay(frozen(n)) for n in (8, 30, 10**6))),
        Kind("flicker", False, tuple(decay(noisy(n)) for n in (20, 35, 60))),
        Kind("missing car", False, tuple(decay(erased(n)) for n in (30, 60, 100))),
        Kind("extra car", False, tuple(decay(added(n)) for n in (24, 48, 90))),
        Kind("shifted", False, tuple(decay(shifted(n)) for n in (4, 8, 20))),
        Kind("flipped", False, tuple(decay(flipped(n)) for n in (4, 2, 1))),
        Kind("black frames", False, tuple(decay(black(n)) for n in (6, 3, 1))),
        Kind("missing frames", False, tuple(decay(dropped(n)) for n in (85, 60, 20))),
    )  # fmt: skip


def _small(factor: int) -> Callable[[Picture], Picture]:
    def change(picture: Picture) -> Picture:
        small = cv2.resize(picture, (SIDE // factor, SIDE // factor), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (SIDE, SIDE))

    return change


def _won(folder: Path) -> bool:
    with Session.open(folder) as session:
        return bool((session.end or {}).get("outcome", {}).get("success"))


# --- the table ----------------------------------------------------------------------------------


def verdict(made: Made, scratch: Path, renderer: Any) -> str:
    """Reason of the first failed check, '' where the drive is accepted."""
    evidence = made.evidence(scratch, renderer)
    try:
        with Session.open(made.folder) as session:
            found = run_plain(CHECKS, session, evidence)
    except Exception as error:  # a recording that does not open is refused as well
        if type(error).__name__ != "SessionCorrupt":
            raise
        return "integrity.unreadable"
    attested = next((f.evidence.get("attested", 0) for f in found if f.check == "journal"), 0)
    reason = next((f.reason for f in found if not f.passed), "")
    return reason or ("" if attested else "earns nothing")


def drives(root: Path, renderer: Any, count: int) -> Iterable[Made]:
    """Clean drives: styles of the bot and seeds in turn."""
    from game.atlas.load import load as load_city

    city = load_city()
    for number in range(count):
        ticket = make_ticket(city, seed=7 + number)
        style = ("calm", "brisk")[number % 2]
        yield make(root, renderer, side=SIDE, every=EVERY, ticket=ticket, style=style)


def table(root: Path, renderer: Any, count: int, only: str = "") -> list[dict[str, Any]]:
    """One row a kind and strength, the clean drives first."""
    clean: list[str] = []
    hits: dict[tuple[str, bool, int], list[str]] = {}
    for made in drives(root / "made", renderer, count):
        clean.append(verdict(made, root / "scratch", renderer))
        for kind in kinds(made):
            for strength, deed in enumerate(kind.strengths if only in kind.name else ()):
                copy = made.copy(root / "copy")
                deed(copy.folder)
                found = verdict(replace(copy), root / "scratch", renderer)
                hits.setdefault((kind.name, kind.forged, strength), []).append(found)
                shutil.rmtree(root / "copy")
                print(f"{kind.name} {strength}: {found or 'NOT FOUND'}", file=sys.stderr)
    rows = [_row("clean", "", -1, clean)]
    return rows + [_row(n, "forged" if f else "decay", s, h) for (n, f, s), h in hits.items()]


def _row(name: str, group: str, strength: int, found: list[str]) -> dict[str, Any]:
    caught = sum(bool(reason) for reason in found)
    low, high = wilson(caught, len(found))
    reasons = ", ".join(sorted({reason for reason in found if reason}))
    return {
        "kind": name, "group": group, "strength": strength + 1, "trials": len(found),
        "caught": caught, "low": round(low, 3), "high": round(high, 3), "reasons": reasons,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--drives", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    from game.view.renderer import make_renderer

    kept = KeptRenderer(make_renderer)
    with tempfile.TemporaryDirectory() as folder:
        rows = table(Path(folder), kept, options.drives, options.only)
    kept.close()
    for row in rows:
        print(
            f"{row['kind']:32}{row['group']:8}{row['strength'] or '':3} {row['caught']:3} of "
            f"{row['trials']:3}  [{row['low']:.2f}, {row['high']:.2f}]  {row['reasons']}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
