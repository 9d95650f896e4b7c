"""What the checks find: clean drives, and kinds of tampering and decay at three strengths each.

A *forger* changes a recording and makes its own hashes good, but cannot sign for our server. A
*decay* is what an honest server may send: the journal is signed again over the worse frames, so
that only the pictures can tell. Every trial is one line of a file, so that a run that was stopped
goes on where it was.

    python -m tests.rewards.detection --drives 30 --folder build/detection
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from game.session.format import JOURNAL
from game.session.protocols import Finding
from game.session.reader import Session
from rewards import checks
from rewards.checks.table import CHECKS
from tests.rewards import decays, tampering
from tests.rewards.decays import Film, restyle
from tests.rewards.detection_report import SHOWN, lines, table, write
from tests.rewards.drives import Judge, drive, plan, verdict
from tests.rewards.recording import JOURNAL_KEY, TICKET_KEY, Made, sampled
from tests.rewards.showings import SECRETS, Reel, showing, shown

Deed = Callable[[Path], None]
PARTS = {"structure": ("things",), "humanity": ("reaction",)}
"""Files that one check alone uses."""
DRAWS = 5
"""Clean drives are judged this often, each time looking at other frames."""
PICTURES = ("pairs", "geometry", "blur", "structure", "temporal")


@dataclass(frozen=True)
class Kind:
    """strengths: deeds, mild to strong; each changes the folder. forged: by a forger."""

    name: str
    forged: bool
    strengths: tuple[Deed, ...]


# --- deeds ---------------------------------------------------------------------------------------


def recycled(film: Film, share: float) -> Deed:
    """The last part shows the first part again, byte for byte."""
    count = len(film.packets)
    start = int(count * (1 - share))
    packets = [*film.packets[:start], *film.packets[: count - start]]
    keys = [r.key for r in (*film.records[:start], *film.records[: count - start])]
    return lambda folder: decays.replace(film, folder, packets, keys, signed=False)


def other_video(film: Film, other: Film, share: float) -> Deed:
    """The first part is another drive's, byte for byte."""
    count = int(len(film.packets) * share)
    packets = [*other.packets[:count], *film.packets[count:]]
    keys = [r.key for r in (*other.records[:count], *film.records[count:])]
    return lambda folder: decays.replace(film, folder, packets, keys, signed=False)


def dropped(film: Film, keep: float) -> Deed:
    """The film ends early."""
    count = int(len(film.packets) * keep)
    keys = [r.key for r in film.records]
    return lambda folder: decays.replace(film, folder, film.packets[:count], keys, signed=True)


def paced(factor: float) -> Deed:
    """The server saw the drive at another pace, and says so."""

    def tamper(folder: Path) -> None:
        first = json.loads((folder / JOURNAL).read_bytes().splitlines()[0])["frames"][0][1]

        def stretch(block: dict[str, Any]) -> None:
            for frame in block["frames"]:
                frame[1:3] = [first + int((ns - first) * factor) for ns in frame[1:3]]
            block["server_time_ns"] = first + int((block["server_time_ns"] - first) * factor) + 9

        tampering.rewritten_journal(folder, stretch, JOURNAL_KEY)

    return tamper


def times(deed: Callable[..., None], *ticks: int) -> Deed:
    return both(*(lambda folder, at=tick: deed(folder, at) for tick in ticks))


def both(*deeds: Deed) -> Deed:
    def tamper(folder: Path) -> None:
        for deed in deeds:
            deed(folder)

    return tamper


def resigned(key: Any, **change: Any) -> Deed:
    return lambda folder: tampering.rewritten_journal(folder, lambda b: b.update(change), key)


def forgeries(made: Made, film: Film, theirs: Film) -> tuple[Kind, ...]:
    """What a forger does."""
    t = tampering
    edited = both(lambda f: t.one_input_and_every_state(f, made.city))
    swap = t.swapped_styled_frame
    success = t.claimed_success if not _won(made.folder) else t.claimed_collisions

    def at_ticks(*ticks: int) -> Deed:
        return lambda f: t.swapped_source_frame(f, *ticks)

    def at_home(sigma: float) -> Deed:
        return lambda f: restyle(film, f, decays.blurred(sigma), signed=False)

    return (
        Kind("swapped styled frames", True, (times(swap, 120), times(swap, 120, 200), times(
            swap, *range(100, 240, 20)))),
        Kind("another session's video", True, tuple(
            other_video(film, theirs, s) for s in (0.1, 0.5, 1.0))),
        Kind("recycled frames, rehashed", True, tuple(recycled(film, s) for s in (0.1, 0.3, 0.5))),
        Kind("styled frames made at home", True, tuple(at_home(s) for s in (0.5, 1.5, 3.0))),
        Kind("time stretched", True, (paced(0.95), paced(0.8), paced(0.5))),
        Kind("slow motion", True, (paced(1.04), paced(1.2), paced(2.0))),
        Kind("swapped source frames", True, (at_ticks(120), at_ticks(120, 180), at_ticks(
            60, 120, 180, 240))),
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
    )  # fmt: skip


def _decays(made: Made, film: Film, judge: Judge) -> tuple[Kind, ...]:
    def of(*changes: decays.Change, bitrate: int = 2_500_000) -> tuple[Deed, ...]:
        return tuple((lambda f, c=c: restyle(film, f, c, bitrate)) for c in changes)

    boxes = judge.boxes(made, sampled(made.folder))
    seen = len(boxes) >= 4  # else no vehicle is near enough to be missed
    d = decays
    return (
        Kind("mush", False, of(d.coarse(3), d.coarse(4), d.coarse(8), bitrate=300_000)),
        Kind("blurred", False, of(d.blurred(2.0), d.blurred(3.0), d.blurred(6.0))),
        Kind("frozen", False, of(d.frozen(8), d.frozen(30), d.frozen(10**6))),
        Kind("flicker", False, of(d.flicker(20), d.flicker(35), d.flicker(60))),
        Kind("missing car", False, of(*(d.erased(boxes, s) for s in (0.7, 0.85, 1.0) if seen))),
        Kind("extra car", False, of(d.added(48), d.added(96), d.added(180))),
        Kind("shifted", False, of(d.shifted(8), d.shifted(16), d.shifted(40))),
        Kind("flipped", False, of(d.flipped(4), d.flipped(2), d.flipped(1))),
        Kind("black frames", False, of(d.black(6), d.black(3), d.black(1))),
        Kind("missing frames", False, tuple(dropped(film, s) for s in (0.85, 0.6, 0.2))),
    )


def _won(folder: Path) -> bool:
    with Session.open(folder) as session:
        return bool((session.end or {}).get("outcome", {}).get("success"))


# --- trials --------------------------------------------------------------------------------------


def codes() -> dict[str, str]:
    """Check -> digest of the code that a refusal by it rests on: what it shares with others, its
    own, and that of the checks before it. '' (accepted): all of it."""
    here = Path(next(iter(checks.__path__)))
    own = {step.name: {step.name, *PARTS.get(step.name, ())} for step in CHECKS}
    everything = {path.stem: path for path in here.glob("*.py")}
    used = everything.keys() - set().union(*own.values())
    found = {}
    for name, more in own.items():
        used |= more
        found[name] = decays.digest_of(*(everything[stem] for stem in used))
    return found | {"": decays.digest_of(*everything.values())}


def newest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last row of each trial."""
    return list({(r["drive"], r["kind"], r["strength"]): r for r in rows}.values())


class Trials:
    """What was found so far: one JSON line a trial, (drive, kind, strength) once for each state
    of the code that its result rests on."""

    def __init__(self, path: Path) -> None:
        self.path, self.codes = path, codes()
        self.rows: list[dict[str, Any]] = []
        if path.is_file():
            lines = path.read_text().splitlines()
            self.rows = [json.loads(line) for line in lines if line.endswith("}")]

    def has(self, number: int, kind: str, strength: int) -> bool:
        """Tried, by the code as it is."""
        return any(
            (r["drive"], r["kind"], r["strength"]) == (number, kind, strength)
            and r["code"] == self._code(r["reason"])
            for r in self.rows
        )

    def _code(self, reason: str) -> str:
        return self.codes.get(reason.partition(".")[0], self.codes[""])

    def put(
        self, number: int, kind: str, group: str, strength: int, reason: str,
        how: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Keep one. how: of a clean showing."""
        row = {
            "drive": number, "kind": kind, "group": group, "strength": strength,
            "reason": reason, "code": self._code(reason), "backend": plan(number).backend,
            "style": plan(number).style, **(how or {}),
        }  # fmt: skip
        self.rows.append(row)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def newest(self) -> list[dict[str, Any]]:
        """The last word on each trial, whatever code said it."""
        return newest(self.rows)


@dataclass(frozen=True)
class Wanted:
    """Which trials. only: kinds whose name holds it. group: 'forged', 'decay' or '' for both.
    every: decays and forgeries on each `every`th drive alone. strengths: so many, the mildest
    first. draws: judgements of a clean drive, each by other frames."""

    only: str = ""
    group: str = ""
    every: int = 1
    strengths: int = 3
    draws: int = DRAWS

    def kinds(self, made: Made, other: Made, judge: Judge) -> Iterator[Kind]:
        """Those of one drive. other: whose frames a thief would take."""
        film = Film(made.folder)
        if self.group != "decay":
            yield from forgeries(made, film, Film(other.folder))
        if self.group != "forged":
            yield from _decays(made, film, judge)


def run(folder: Path, drives: Iterable[int], wanted: Wanted = Wanted()) -> Trials:
    """Try what is not tried yet."""
    trials, judge = Trials(folder / "trials.jsonl"), Judge(folder / "scratch")
    try:
        for number in drives:
            judge.forget()
            made = drive(folder / "drives", judge, number)
            for draw in range(wanted.draws if wanted.only in "clean" else 0):
                if not trials.has(number, "clean", draw):
                    looked = sampled(made.folder, f"draw {draw}".encode())
                    reason = judge.reason(made, sample_ticks=looked)
                    trials.put(number, "clean", "", draw, reason)
            if number % wanted.every == 0:
                _tamper(folder, judge, trials, made, number, wanted)
            _say(trials, number)
    finally:
        judge.close()
    return trials


def scores(findings: Sequence[Finding]) -> dict[str, float]:
    """What the pictures measured, for whoever sets a limit: check or 'check.name' -> number."""
    found: dict[str, float] = {}
    for each in findings:
        if each.check in PICTURES:
            found[each.check] = round(each.score, 4)
            more = ((f"{each.check}.{k}", v) for k, v in each.evidence.items())
            found |= {name: round(v, 4) for name, v in more if isinstance(v, int | float)}
    return found


def show(folder: Path, drives: Iterable[int], count: int) -> Trials:
    """Judge the first `count` clean showings of each drive that were not judged yet."""
    trials, judge = Trials(folder / "trials.jsonl"), Judge(folder / "scratch")
    try:
        for number in drives:
            left = [n for n in range(count) if not trials.has(number, SHOWN, (n + 1) * SECRETS - 1)]
            if left and plan(number).backend == "filter":  # which is cheaper to record
                judge.forget()
                _show(folder, judge, trials, number, left)
                _say(trials, number)
    finally:
        judge.close()
    return trials


def _show(folder: Path, judge: Judge, trials: Trials, number: int, left: Iterable[int]) -> None:
    reel = Reel(drive(folder / "drives", judge, number))
    judge.foresee(reel.made, reel.everything)
    for n in left:
        how = showing(number, n)
        shutil.rmtree(folder / "copy", ignore_errors=True)
        copy = shown(reel, how, folder / "copy")
        for secret, ticks in enumerate(reel.looked_at):
            findings = judge.findings(copy, ticks)
            told = asdict(how) | {"scores": scores(findings)}
            trials.put(number, SHOWN, "", n * SECRETS + secret, verdict(findings), told)
    shutil.rmtree(folder / "copy", ignore_errors=True)


def _tamper(
    folder: Path, judge: Judge, trials: Trials, made: Made, number: int, wanted: Wanted
) -> None:
    other = drive(folder / "drives", judge, number + 1)
    for kind in wanted.kinds(made, other, judge):
        deeds = kind.strengths[: wanted.strengths] if wanted.only in kind.name else ()
        for strength, deed in enumerate(deeds):
            if trials.has(number, kind.name, strength):
                continue
            shutil.rmtree(folder / "copy", ignore_errors=True)
            copy = made.copy(folder / "copy")
            deed(copy.folder)
            reason = judge.reason(copy)
            trials.put(number, kind.name, "forged" if kind.forged else "decay", strength, reason)
    shutil.rmtree(folder / "copy", ignore_errors=True)


def _say(trials: Trials, number: int) -> None:
    missed = [r for r in trials.rows if r["drive"] == number and r["group"] and not r["reason"]]
    refused = [r for r in trials.rows if r["drive"] == number and not r["group"] and r["reason"]]
    told = sorted({f"{r['kind']} {r['strength'] + 1}" for r in missed})
    clean = sorted({r["reason"] for r in refused})
    print(f"{plan(number)}: not found: {told}; clean refused: {clean}", file=sys.stderr, flush=True)


def main() -> None:
    """Try, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--drives", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="number of the first drive")
    parser.add_argument("--every", type=int, default=1, help="tamper with each n-th drive alone")
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--group", default="", choices=("", "forged", "decay"))
    parser.add_argument("--strengths", type=int, default=3, help="so many, the mildest first")
    parser.add_argument("--draws", type=int, default=DRAWS, help="judgements of a clean drive")
    parser.add_argument("--showings", type=int, help="only clean ones: so many of each drive")
    parser.add_argument("--folder", type=Path, default=Path("build/detection"))
    parser.add_argument("--out", type=Path, help="write OUT.md and OUT.json of all trials so far")
    parser.add_argument("--known", type=Path, help="an OUT.json of before: its trials count too")
    options = parser.parse_args()
    wanted = range(options.first, options.first + options.drives)
    which = Wanted(options.only, options.group, options.every, options.strengths, options.draws)
    if options.showings is None:
        found = run(options.folder, wanted, which).newest()
    else:
        found = show(options.folder, wanted, options.showings).newest()
    if options.known:
        before = json.loads(options.known.read_text())["trials"]
        found = newest((*before, *found))
    for line in lines(table(found)):
        print(line)
    if options.out:
        write(found, options.out)


if __name__ == "__main__":
    main()
