"""Ten minutes from the Battery to 60th Street through the whole island: time, holes, memory.

Twenty frames a second, never farther apart, because what is built ahead of need is built by the
frame. Building does not depend on the size of the picture: one frame in twenty is drawn as it is
captured, and looked at for holes; the others are small ones. All times are CPU time, so that a busy
machine tells the same. SCALE_DIFFUSION_TOUR_FRAMES draws only so many of them, from
SCALE_DIFFUSION_TOUR_FROM on: the drive in parts, each of which says in one line on standard error
how it went. SCALE_DIFFUSION_TOUR_NOTES names a file that keeps every frame: called again, it
drives on.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view.renderer import SceneRenderer
from tests.bench.tour import MINUTES, holes, tour

FRAMES = 12_000
LIMIT_MS = 50.0
LATE_MS = LIMIT_MS / 2  # of loading: the other half is what a captured frame costs anyway
SIDE, SMALL = 480, 96
WHOLE = 20  # one frame in so many is drawn at full size and looked at for holes
AGAIN = 3


def _row(name: str, value: float, unit: str, against: str, limit: float | None) -> dict[str, Any]:
    ratio = None if limit is None else round(value / limit, 4)
    return {"name": f"tour: {name}", "value": round(value, 3), "unit": unit, "against": against,
            "ratio": ratio}  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    begin = int(os.environ.get("SCALE_DIFFUSION_TOUR_FROM", 0))
    frames = min(int(os.environ.get("SCALE_DIFFUSION_TOUR_FRAMES", FRAMES)), FRAMES - begin)
    if frames < 1:
        raise SystemExit(f"SCALE_DIFFUSION_TOUR_FROM lies from 0 to {FRAMES - 1:,}")
    notes = os.environ.get("SCALE_DIFFUSION_TOUR_NOTES")
    book = Path(notes) if notes else None
    done = _read(book) if book else []
    if book and done:
        begin, frames = int(done[-1]["frame"]) + 1, FRAMES - int(done[-1]["frame"]) - 1
        frames = min(int(os.environ.get("SCALE_DIFFUSION_TOUR_FRAMES", FRAMES)), frames)
    for line in _drive(begin, frames) if frames else ():
        done.append(line)
        if book:
            with book.open("a") as file:
                file.write(json.dumps(line) + "\n")
    return _told(done)


def _read(book: Path) -> list[dict[str, float]]:
    """The frames that are noted; half a last line, cut off by a kill, is no frame."""
    if not book.is_file():
        return []
    text = book.read_text()
    whole = text[: text.rfind("\n") + 1]
    book.write_text(whole)
    return [json.loads(line) for line in whole.splitlines()]


def _drive(begin: int, frames: int) -> Iterator[dict[str, float]]:
    """Frame by frame: number, CPU [ms], what loading took [ms]; of whole ones CPU [ms], holes [px]
    and memory [MB].

    loading is worked out where a frame may be late by it alone. part: where this part begins.
    """
    city, profile = load(Path("manhattan")), CaptureProfile()
    renderer = SceneRenderer(city, profile)
    states = islice(tour(city, FRAMES), begin, begin + frames)
    for number, state in enumerate(states, begin):
        if number == begin:  # a start is no frame of the drive
            renderer.render(state, ["class", "depth"], SIDE, SIDE)
            for side in (SIDE, SMALL):
                _cpu(renderer, state, side)
        line = {"frame": number, "part": begin, "cpu": _cpu(renderer, state, SMALL)}
        if line["cpu"] > LATE_MS:
            # loading happens once: what the frame costs more than when it is drawn again
            line["loading"] = line["cpu"] - min(_cpu(renderer, state, SMALL) for _ in range(AGAIN))
        if (number - begin) % WHOLE == 0:
            line["whole"] = _cpu(renderer, state, SIDE)
            found = renderer.render(state, ["class", "depth"], SIDE, SIDE)
            line["holes"] = holes(found["class"], found["depth"], renderer.eye(state), profile)
            line["memory"] = psutil.Process().memory_info().rss / 1e6
        yield {name: round(value, 2) for name, value in line.items()}
    renderer.close()


def _told(done: list[dict[str, float]]) -> list[dict[str, Any]]:
    """The rows, from the notes of all frames."""
    small = [line["cpu"] for line in done]
    whole = [line["whole"] for line in done if "whole" in line]
    loading = [line.get("loading", 0.0) for line in done]
    late = sum(each > LATE_MS for each in loading)
    looked = [line["holes"] for line in done if "holes" in line]
    # of the longest part driven in one process, in which what is kept near by has filled up
    longest = Counter(line["part"] for line in done).most_common(1)[0][0]
    memory = [x["memory"] for x in done if "memory" in x and x["part"] == longest]
    middle = len(memory) * 2 // 5
    grown = float(np.median(memory[-4:]) - np.median(memory[middle : middle + 4]))
    note = f"{len(done):,} frames, {len(done) / FRAMES:.0%} of {MINUTES:g} minutes"
    p50, p99 = np.percentile(whole, (50, 99))
    sys.stderr.write(
        f"tour, frames {done[0]['frame']:,.0f} to {done[-1]['frame']:,.0f}: {p50:.1f} CPU ms in "
        f"the median, {late} late by loading, {sum(looked):.0f} px of holes, "
        f"memory {memory[-1]:.0f} MB, grown by {grown:.0f} MB\n"
    )
    return [
        _row(f"frame {SIDE}x{SIDE}, median", float(p50), "CPU ms", f"{len(whole)} frames", None),
        _row(f"frame {SIDE}x{SIDE}, 99 %", float(p99), "CPU ms", f"{len(whole)} frames", None),
        _row(f"frame {SMALL}x{SMALL}, median", float(np.median(small)), "CPU ms", note, None),
        _row(f"frame {SMALL}x{SMALL}, worst", max(small), "CPU ms", note, None),
        _row("most that loading took of a frame", max(loading), "CPU ms",
             f"limit {LATE_MS:g}, what 50 ms leave", LATE_MS),
        _row("frames over 50 ms by loading", late, "frames", "limit 0", None),
        _row("holes in the ground", sum(looked), "px", f"of {len(looked)} pictures", None),
        _row("memory at the end", memory[-1], "MB", "limit 700", 700.0),
        _row("memory, end against the middle", grown, "MB", "flat: under 10", 10.0),
    ]  # fmt: skip


def _cpu(renderer: SceneRenderer, state: Any, side: int) -> float:
    before = time.process_time()
    renderer.render(state, ["colour"], side, side)
    return (time.process_time() - before) * 1000.0
