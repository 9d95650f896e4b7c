"""The card that a data set carries: README.md and a list of checksums of every file.

States what was recorded, how it is timed, under which terms it stands and what is wrong with it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from game.dataset import drive, splits

if TYPE_CHECKING:
    from game.dataset.job import Plan

CHECKSUMS = "SHA256SUMS"
TIMING = (
    "`action[t]` is what the simulation consumed in (t, t+1]. `image[t]` shows the state "
    "**before** `action[t]`; the next image shows its effect. Each styled frame names the source "
    "frame it was made from, and `shown_tick` says when the player saw it (-1: never): the player "
    "reacted to *that* picture."
)
_HF_LICENCE = {"CC0-1.0": "cc0-1.0", "MIT": "mit", "Apache-2.0": "apache-2.0"}


def write_card(plan: "Plan") -> None:
    """Write README.md and SHA256SUMS into the folder of `plan`."""
    (plan.folder / "README.md").write_text(card(plan), encoding="utf-8")
    lines = [
        f"{_sha256(path)}  {path.relative_to(plan.folder).as_posix()}\n"
        for path in sorted(plan.folder.rglob("*"))
        if path.is_file()
    ]
    (plan.folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def card(plan: "Plan") -> str:
    """The text of README.md."""
    return "\n".join(
        [*_yaml(plan), *_about(plan), *_timing(plan), *_columns(), *_splits(plan), *_terms(plan),
         *_limits(plan)]
    ) + "\n"  # fmt: skip


def _yaml(plan: "Plan") -> list[str]:
    tags = ["LeRobot"] if plan.kind == "lerobot" else [plan.kind]
    head = ["---", f"license: {_HF_LICENCE.get(plan.licence, plan.licence.lower())}"]
    head += ["task_categories:", "- robotics", "tags:"]
    head += [f"- {tag}" for tag in (*tags, "driving", "paired-video")]
    if plan.kind == "lerobot":
        head += ["configs:", "- config_name: default", "  data_files: data/*/*.parquet"]
    return [*head, "---", ""]


def _facts(plan: "Plan", key: str) -> str:
    counted = Counter(str(part.facts[key]) for part in plan.parts)
    return ", ".join(f"{name} ({count})" for name, count in sorted(counted.items()))


def _about(plan: "Plan") -> list[str]:
    hours = plan.frames() / plan.options.fps / 3600
    rows = [
        ("sessions", str(len(plan.parts))),
        ("episodes", str(sum(p.facts["episodes"] for p in plan.parts))),
        ("frames (pairs)", f"{plan.frames()} at {plan.options.fps:g} frames/s, {hours:.3f} h"),
        ("scenarios", _facts(plan, "scenario")),
        ("driven by", _facts(plan, "driver")),
        ("city pack", _facts(plan, "pack")),
        ("world version", _facts(plan, "world_version")),
        ("source renderer", _facts(plan, "renderer")),
        ("styled by backend", _facts(plan, "backend")),
        ("recorded", _facts(plan, "month")),
    ]
    lines = ["# Driving in Manhattan: geometry, styled picture, input and state", ""]
    lines += ["| what | how much |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in rows]
    return [*lines, ""]


def _timing(plan: "Plan") -> list[str]:
    hz = plan.parts[0].facts["tick_hz"]
    slack = plan.parts[0].facts["capture"]["every_ticks"] // 2
    exact = sum(p.facts["exact"] for p in plan.parts)
    pairs = sum(p.facts["pairs"] for p in plan.parts)
    return [
        "## Timing and synchronisation", "", f"> {TIMING}", "",
        f"* One clock: the simulation tick, 1/{hz} s. Frames, inputs and states are joined by the "
        "tick itself, never by matching wall clocks.",
        f"* A styled frame carries the tick of the source frame it was made from: {exact} of "
        f"{pairs} pairs were joined by the tick that the stream server returned, the others by "
        "picture motion.",
        f"* Frame k stands at k / {plan.options.fps:g} s on the grid; it is the pair nearest to "
        f"that time, at most {slack} tick(s) off. `sim_tick` has its real tick.",
        "* `action[t]`: mean of steer, throttle, brake and look over the ticks of the interval; "
        "handbrake and horn: held in any of them; gear and camera: as in the last.",
        "* Where a pair is missing an episode ends: nothing is repeated or interpolated.",
        "* Times in ns are monotonic, counted from the first source frame of the session.", "",
    ]  # fmt: skip


def _columns() -> list[str]:
    return [
        "## Units", "",
        f"* state: {', '.join(drive.STATE)} (x east, y north from the city pack's origin; "
        "angles counter-clockwise from east)",
        "* action: steer -1 (full right) .. +1 (full left), throttle and brake 0 .. 1",
        f"* buttons: {', '.join(drive.BUTTONS)} (gear -1 reverse, 0, 1 drive; camera 0 chase, "
        "1 bonnet)",
        f"* look: {', '.join(drive.LOOK)} against the car's nose, left and up positive",
        f"* the {drive.NEAREST} nearest road users in the ego's frame: {', '.join(drive.ACTOR)}",
        f"* ttc_s: smallest time to collision of discs at constant velocity, {drive.TTC_CAP:g} "
        "where there is none below that", "",
    ]  # fmt: skip


def _splits(plan: "Plan") -> list[str]:
    lines = [
        "## Splits", "",
        f"Sessions that share a {splits.TILE:g} m map tile, a seed of the same scenario or a "
        f"player are never on two sides. They form {plan.groups} group(s) here.", "",
    ]  # fmt: skip
    if plan.groups == 1:
        lines += ["With one group nothing can be held out without a leak: all of it is train.", ""]
    lines += ["| split | sessions | frames |", "|---|---|---|"]
    for name in splits.NAMES:
        count = sum(part.split == name for part in plan.parts)
        lines.append(f"| {name} | {count} | {plan.frames(name)} |")
    return [
        *lines, "",
        "Names of sessions and players are salted hashes; the salt never left the machine that "
        "made this. They lead to no account and no wallet.", "",
    ]  # fmt: skip


def _terms(plan: "Plan") -> list[str]:
    lines = ["## Licence and provenance", "", f"The whole: {plan.licence}.", ""]
    lines += ["| track | licence | provenance | sessions |", "|---|---|---|---|"]
    counted = Counter(
        (t["track"], t["licence"], t["provenance"]) for p in plan.parts for t in p.facts["terms"]
    )
    lines += [
        f"| {t} | {lic} | {origin} | {n} |" for (t, lic, origin), n in sorted(counted.items())
    ]
    return [*lines, ""]


def _limits(plan: "Plan") -> list[str]:
    drawn = sum(p.facts["source_frames"] for p in plan.parts)
    used = plan.frames()
    lines = [
        "## Known limits", "",
        f"* {used} of {drawn} recorded source frames are in here; the others had no styled frame, "
        f"or stood in a run of fewer than {plan.options.frames or plan.options.shortest} frames.",
        "* Both films are encoded again as H.264 4:2:0: the geometry here is not lossless. The "
        "recordings keep it better, and any channel can be drawn again from their inputs.",
        "* The styled picture may contradict the geometry: it is what the model made of it.",
        "* The world is flat, its traffic is scripted by the scenario.",
    ]  # fmt: skip
    if any(p.facts["driver"] != "human" for p in plan.parts):
        lines.append("* Some or all of this was not driven by a person: see `driven by`.")
    if any(p.facts["backend"] == "filter" for p in plan.parts):
        lines.append("* Backend `filter` is an image filter, not a diffusion model.")
    if any(not p.facts["sealed"] for p in plan.parts):
        lines.append("* Some sessions were never sealed: their end is missing.")
    return [*lines, "", f"Checksums of all files: `{CHECKSUMS}`."]


def provenance(parts: Iterable[Any]) -> dict[str, Any]:
    """One row a session: what `about` says of it, with its split."""
    rows = []
    for part in parts:
        kept = {k: v for k, v in part.facts.items() if k not in ("format", "keys")}
        rows.append({**kept, "split": part.split})
    return {"sessions": json.loads(json.dumps(rows))}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
