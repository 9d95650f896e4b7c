"""The trials of `detection` as a table, and as a document with its conditions and its limits."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from rewards.checks import thresholds
from rewards.sample import MOST
from tests.rewards.drives import EVERY, SECONDS, SIDE, plan
from tests.rewards.showings import MOST_BPS, SECRETS

Row = dict[str, Any]
STRENGTHS = {
    "swapped styled frames": "1, 2, 7 frames of another second",
    "another session's video": "the first 10, 50, 100 %",
    "recycled frames, rehashed": "the last 10, 30, 50 % show the beginning again",
    "styled frames made at home": "blurred by 0.5, 1.5, 3 px, encoded again",
    "time stretched": "the server's clock at 0.95, 0.8, 0.5 of the game's",
    "slow motion": "at 1.04, 1.2, 2.0",
    "swapped source frames": "1, 2, 4 frames",
    "edited inputs": "one input; and every state after it; and the outcome",
    "forged states": "a collision more, late, early, twice",
    "forged outcome": "success, collisions, both",
    "forged journal": "one hash, a block left out, signed by another key",
    "foreign journal": "another ticket, another session, both",
    "stolen under another wallet": "in the manifest, in its ticket too, with another outcome",
    "mush": "a third, a quarter, an eighth of the size and back, at 300 kbit/s",
    "blurred": "2, 3, 6 px",
    "frozen": "only each 8th, 30th, the first frame is new",
    "flicker": "each frame lighter or darker by up to 20, 35, 60 levels",
    "missing car": "the lower 70, 85, 100 % of the largest other vehicle painted over",
    "extra car": "48, 96, 180 px wide on a street that has none there",
    "shifted": "8, 16, 40 px sideways",
    "flipped": "each 4th, 2nd, every frame mirrored",
    "black frames": "each 6th, 3rd, every one",
    "missing frames": "the film ends after 85, 60, 20 %",
}
"""Kind -> what its three strengths are, mildest first."""
SHOWN = "clean showing"
FACTORS: dict[str, Callable[[Row], str]] = {
    "painted by": lambda row: (
        "filter" if not row["size"] else f"tiny, {row['size']} px, {row['steps']} step(s)"
    ),
    "style": lambda row: str(row["style"]),
    "rate back": lambda row: "2.5 Mbit/s" if row["down"] >= MOST_BPS else (
        "0.8 to 1.5" if row["down"] < 1_500_000 else "1.5 to 2.5"),
    "frames lost": lambda row: f"{row['lost']:.0%}",
    "source video": lambda row: "sent" if row["sent"] else "at home",
}  # fmt: skip
"""What differs between showings, and the value of one."""
Table = Mapping[str | None, float]
LIMITS: dict[str, tuple[str, Callable[[Sequence[float]], float], Table]] = {
    "sharpness, least": ("blur", min, thresholds.BLUR),
    "edges found, least": (
        "structure", min, {k: v.recall for k, v in thresholds.STRUCTURE.items()}),
    "edges explained, least": (
        "structure.precision", min, {k: v.precision for k, v in thresholds.STRUCTURE.items()}),
    "tiles lost, most": (
        "structure.bad_tiles", max, {k: v.bad_tiles for k, v in thresholds.STRUCTURE.items()}),
    "stranger, most": ("structure.stranger", max, thresholds.STRANGER),
    "small stranger, most": ("structure.small_stranger", max, thresholds.STRANGER_SMALL),
    "flicker, most": ("temporal", max, thresholds.TEMPORAL),
}  # fmt: skip
"""What the pictures are measured by: name in `scores`, which end is near the limit, the limits."""
GOALS = (
    ("clean drives rejected", "", "at most 1 %"),
    ("forgeries caught", "forged", "99 %"),
    ("mildest decay caught", "decay", "90 %"),
)


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


def table(found: Sequence[Row]) -> list[Row]:
    """One row a kind and strength, the clean drives first. found: the last word on each trial."""
    hits: dict[tuple[str, str, int], list[str]] = {("clean", "", -1): []}
    for row in found:
        strength = row["strength"] if row["group"] else -1
        hits.setdefault((row["kind"], row["group"], strength), []).append(row["reason"])
    order = {kind: place for place, kind in enumerate(dict.fromkeys(kind for kind, _, _ in hits))}
    return [_row(k, g, s, hits[k, g, s]) for k, g, s in sorted(
        hits, key=lambda each: (each[1] != "", each[1] == "decay", order[each[0]], each[2]))
    ]  # fmt: skip


def _row(name: str, group: str, strength: int, found: list[str]) -> Row:
    caught = sum(bool(reason) for reason in found)
    low, high = wilson(caught, len(found))
    reasons = ", ".join(sorted({reason for reason in found if reason}))
    return {
        "kind": name, "group": group, "strength": strength + 1, "trials": len(found),
        "caught": caught, "low": round(low, 3), "high": round(high, 3), "reasons": reasons,
    }  # fmt: skip


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The table as Markdown, which a terminal reads as well."""
    yield "| kind | by | strength | caught | of | 95 % interval | reasons |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        yield (
            f"| {row['kind']} | {row['group']} | {row['strength'] or ''} | {row['caught']} | "
            f"{row['trials']} | {row['low']:.2f} to {row['high']:.2f} | {row['reasons']} |"
        )


def meets_a_sample(share: float, samples: int = 2 * MOST) -> float:
    """Probability that a fault in this share of the frames, anywhere, is looked at."""
    return 1 - (1 - share) ** samples


def write(found: Sequence[Row], out: Path) -> None:
    """`out`.md for people and `out`.json for programs."""
    out.with_suffix(".md").write_text("\n".join(_document(found)) + "\n")
    body = {
        "drives": [vars_of(number) for number in _drives(found)],
        "seconds": SECONDS, "side": SIDE, "every_ticks": EVERY, "samples": 2 * MOST,
        "rows": table(found), "trials": list(found),
    }  # fmt: skip
    out.with_suffix(".json").write_text(json.dumps(body, indent=1) + "\n")


def vars_of(number: int) -> Row:
    """What a drive is, as plain data."""
    made = plan(number)
    return {name: getattr(made, name) for name in made.__slots__}


def _drives(found: Sequence[Row]) -> list[int]:
    return sorted({row["drive"] for row in found})


def _rate(found: Sequence[Row]) -> str:
    caught = sum(bool(row["reason"]) for row in found)
    low, high = wilson(caught, len(found))
    share = 100 * caught / max(1, len(found))
    return f"{caught} of {len(found)} | {share:.1f} % | {100 * low:.1f} to {100 * high:.1f} %"


def _document(found: Sequence[Row]) -> Iterator[str]:
    drives = _drives([row for row in found if row["kind"] != SHOWN])
    yield from (
        "# What the checks find",
        "",
        "Made by `python -m tests.rewards.detection --out docs/detection`; the same trials, one by",
        "one and for programs, are in `detection.json`. Goes on where it stopped, and tries again",
        "only what rests on checks that have changed.",
        "",
        f"Bots drove {len(drives)} sessions of {SECONDS} s; one of {EVERY} ticks is a pair of"
        f" {SIDE} px each way,",
        "through VP8 at 1.2 or 2.5 Mbit/s, and our own server's journal saw them. A",
        "*forger* changes a recording and makes its own hashes good, but cannot sign for our",
        "server. A *decay* is what an honest server may send: the journal is signed again over the",
        "worse frames, so that only pictures can tell. A clean drive is judged up to five times,",
        "each time by other frames; *showings*, below, add whole films of further drives. Drawn by",
        "a software renderer (llvmpipe) throughout. Drives 0 to 13 were made with slower settings",
        "of VP8, later ones with our peer's own codec.",
        "",
        "| | of | rate | 95 % interval (Wilson) | goal |",
        "|---|---|---|---|---|",
    )
    for name, group, goal in GOALS:
        chosen = [r for r in found if r["group"] == group]
        if group == "decay":
            chosen = [r for r in chosen if r["strength"] == 0]
        yield f"| {name} | {_rate(chosen)} | {goal} |"
    yield f"| every decay caught | {_rate([r for r in found if r['group'] == 'decay'])} | |"
    yield from _missed(found)
    yield from _kinds(found)
    yield from _clean([row for row in found if row["kind"] != SHOWN], drives)
    yield from showings([row for row in found if row["kind"] == SHOWN])
    yield from _limits()


def _kinds(found: Sequence[Row]) -> Iterator[str]:
    yield from ("", "## Kind by kind", "")
    yield "Caught of tried, the mildest strength first; the interval is that of all three."
    yield from ("", "| kind | strengths | mild | middle | strong | 95 % interval | found by |")
    yield "|---|---|---|---|---|---|---|"
    for kind in dict.fromkeys(row["kind"] for row in table(found) if row["group"]):
        mine = [row for row in found if row["kind"] == kind]
        cells = []
        for strength in range(3):
            tried = [row for row in mine if row["strength"] == strength]
            cells.append(f"{sum(bool(r['reason']) for r in tried)}/{len(tried)}")
        low, high = wilson(sum(bool(r["reason"]) for r in mine), len(mine))
        by = ", ".join(f"`{r}`" for r in sorted({r["reason"] for r in mine if r["reason"]}))
        what = f"{STRENGTHS[kind]} | {' | '.join(cells)}"
        yield f"| {kind} | {what} | {100 * low:.0f} to {100 * high:.0f} % | {by} |"


def _missed(found: Sequence[Row]) -> Iterator[str]:
    missed = [row for row in found if row["group"] and not row["reason"]]
    if missed:
        yield from ("", "Not found:", "")
    for row in missed:
        made = plan(row["drive"])
        what = STRENGTHS[row["kind"]]
        yield (
            f"- {row['kind']}, strength {row['strength'] + 1} ({what}), in drive {row['drive']}:"
            f" {made.backend}, {made.style}, {made.scenario}"
        )


def _clean(found: Sequence[Row], drives: Sequence[int]) -> Iterator[str]:
    yield from ("", "## Clean drives", "")
    yield from ("| drive | scenario | driver | painter | style | kbit/s | rejected | trials |",)
    yield "|---|---|---|---|---|---|---|---|"
    for number in drives:
        mine, made = [r for r in found if r["drive"] == number], plan(number)
        clean = [r for r in mine if not r["group"]]
        said = ", ".join(sorted({r["reason"] for r in clean if r["reason"]}))
        no = f"{sum(bool(r['reason']) for r in clean)} of {len(clean)} {said}".strip()
        yield (
            f"| {number} | {made.scenario} | {made.bot} | {made.backend} | {made.style} | "
            f"{made.bitrate // 1000} | {no} | {len(mine) - len(clean)} |"
        )
    yield from (
        "",
        "Judgements of one drive are not independent of each other, nor are its trials:",
        "read the intervals as if there were fewer trials, down to one a drive.",
    )


def showings(found: Sequence[Row]) -> Iterator[str]:
    """Whole films of clean drives, by what differed, and how near they came to a limit."""
    if not found:
        return
    films = {(row["drive"], row["strength"] // SECRETS): row for row in found}
    refused = {
        place
        for place in films
        if any(
            row["reason"] for row in found if (row["drive"], row["strength"] // SECRETS) == place
        )
    }
    drives = {drive for drive, _ in films}
    yield from ("", "## Clean showings", "")
    yield from (
        f"{len(found)} judgements of {len(films)} films of {len(drives)} drives, numbers"
        f" {min(drives)} to {max(drives)}, new to every limit:",
        "each film is a drive sent through the stream anew with a painter, style, bitrates, lost",
        f"frames and server clock of its own, and is judged with {SECRETS} secrets. To add to",
        "them, and go on where it stopped: `python -m tests.rewards.detection --first 20 --drives",
        "30 --showings 4 --folder FOLDER --known docs/detection.json --out docs/detection`.",
        "",
        "| counted as if independent were | refused | 95 % interval (Wilson) |",
        "|---|---|---|",
        _counted("every judgement", sum(bool(row["reason"]) for row in found), len(found)),
        _counted("every film (its frames share its faults)", len(refused), len(films)),
        _counted("every drive (its films share street and light)",
                 len({drive for drive, _ in refused}), len(drives)),
        "",
        "| | judgements | refused | why |",
        "|---|---|---|---|",
    )  # fmt: skip
    for name, of in FACTORS.items():
        for value in sorted({of(row) for row in found}):
            mine = [row for row in found if of(row) == value]
            why = ", ".join(sorted({f"`{row['reason']}`" for row in mine if row["reason"]}))
            no = sum(bool(row["reason"]) for row in mine)
            yield f"| {name} {value} | {len(mine)} | {no} | {why} |"
    yield from (
        "",
        "| nearest to a limit | filter | limit | tiny | limit |",
        "|---|---|---|---|---|",
    )
    for name, (score, pick, table) in LIMITS.items():
        cells = []
        for painter in ("filter", "tiny"):
            known = [row["scores"][score] for row in found if row["backend"] == painter]
            cells += [f"{pick(known):.2f}" if known else "-", f"{table[painter]:.2f}"]
        yield f"| {name} | {' | '.join(cells)} |"


def _counted(what: str, hits: int, trials: int) -> str:
    low, high = wilson(hits, trials)
    return f"| {what} | {hits} of {trials} | {100 * low:.1f} to {100 * high:.1f} % |"


def _limits() -> Iterator[str]:
    yield from ("", "## How much is looked at", "")
    yield from (
        "Hashes, states, inputs and the luma print of the source are compared for **every** frame;",
        f"pictures are drawn again for {MOST} places of a session, two neighbouring frames each,",
        "chosen by the server's secret, one in each twelfth of the drive. A fault in a share of",
        "the frames, anywhere, is looked at with probability",
        "",
        "| share of frames | looked at |",
        "|---|---|",
    )
    for share in (0.01, 0.05, 0.10, 0.12, 0.22, 0.50):
        yield f"| {share:.0%} | {100 * meets_a_sample(share):.0f} % |"
    yield from (
        "",
        "A fault that lasts for a twelfth of the drive or longer is always looked at. Being looked",
        "at is not being caught: several rules want two or three wrong frames, or a fifth of them.",
        "",
        "## What this does not say",
        "",
        "- **Other drives.** The limits for vehicles, small strangers, the sky and the sharpness",
        "  of `tiny` were drawn after looking at drives 0 to 11; only later ones are new to them.",
        "- **People.** Bots drove. How people steer moves trust alone and rejects nobody; nothing",
        "  here says how often it errs on people.",
        "- **Graphics cards.** One renderer drew and judged. A second software renderer was",
        "  measured (`make bench ARGS=tolerance`); no card was.",
        "- **Other weights of `tiny`.** The trials are of those of their day; what newer ones",
        "  give stands in `docs/embedded-network.md`. Forgeries do not depend on them.",
        "- **Large models.** `wan` was never judged: its row of limits is a guess on the safe",
        "  side, and has no limit for small strangers.",
        "- **Real networks.** Frames went through the codec; losses and late clocks of showings",
        "  are made up, no packet was sent. The first frames of a new connection over a poor line",
        "  (0.6 to 1.5 Mbit/s) are worse than any film here: of 12 recordings whose every sampled",
        "  frame was one of the first five, 4 were refused (sharpness, stranger, vehicle). A line",
        "  that breaks every second may cost an honest player the pay of that drive.",
        "- **Forgers who read this.** The kinds are ours. Whoever paints frames at home from the",
        "  game's own geometry is stopped by the journal's signature, not by looking at pictures.",
    )
