"""Kills a recording's processes at random moments and says what was lost, as a table.

    python -m tests.session.torture --kills 200 [--seed 1] [--jobs 1]
        [--log kills.jsonl] [--json]

With --log each kill is a line of that file, and a run that was cut short goes on where it stopped.
Each turn drives in a child that has a recorder as its own child, pairs of pictures going to it.
One of the two gets SIGKILL at a random moment; the folder is recovered and replayed. A line of the
table counts what the drive had told of before it died against what is in the recovered session.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from game.errors import SessionBusy
from game.recorder.process import Recorder, encoded_ring, source_ring
from game.session.format import CaptureProfile, InputEvent, TrackId
from game.session.reader import Session
from game.session.recover import recover
from game.session.verify import verify
from game.session.writer import SessionWriter
from game.world.step import step
from streaming.frames import EncodedFrame, pack_encoded
from streaming.ring import sweep

from . import conftest as made

VICTIMS = ("play", "recorder")
FRAMES = 300
_HELD = 4  # frames that a dead encoder may have held


@dataclass(frozen=True, slots=True)
class Turn:
    """One kill. told_*: what the drive had handed over for sure; kept_*: what is in the session.

    refused: pictures that a full ring turned away while a killed recorder was starting again. They
    are counted and shown to the player; on a quiet machine it is back before the ring is full.
    """

    victim: str
    after_ticks: int
    told_ticks: int
    kept_ticks: int
    told_inputs: int
    kept_inputs: int
    told_source: int
    kept_source: int
    told_styled: int
    kept_styled: int
    refused: int
    replays: bool

    @property
    def fine(self) -> bool:
        """No input and no tick lost, pictures short by what the encoder held, replay to the end."""
        return (
            self.kept_ticks >= self.told_ticks
            and self.kept_inputs >= self.told_inputs
            and self.short <= _HELD
            and self.replays
        )

    @property
    def short(self) -> int:
        """Frames missing of the track that misses most."""
        return max(self.told_source - self.kept_source, self.told_styled - self.kept_styled)


def drive(root: Path) -> None:
    """The child: drives and records until its standard input ends; tells each tick it lived."""
    capture = CaptureProfile(width=made.SIDE, height=made.SIDE)
    manifest = made.manifest_of(capture=capture)
    stream = made.vp8(FRAMES)
    writer = SessionWriter.create(root, manifest)
    state = made.start_of(manifest, made.CITY).state
    label = f"torture-{os.getpid()}"
    with source_ring(capture, f"{label}-s") as source, encoded_ring(f"{label}-e") as encoded:
        recorder = Recorder(writer.folder, capture, source, encoded)
        recorder.start()
        assert recorder.ready(300.0)
        writer.tick(state)
        print("pid", recorder.pid, flush=True)
        frames, styled, ending = 0, 0, [False]
        signal.signal(signal.SIGTERM, lambda *_: ending.__setitem__(0, True))
        while state.tick < 2 * FRAMES - 2 and not ending[0]:
            began = time.monotonic()
            tick = state.tick
            writer.input(InputEvent(0, 1, "panda", tick, tick + 1, "key", "KeyA", 1.0))
            state = step(made.CITY, state, made.driven(tick))
            writer.tick(state)
            if state.tick % 2 == 0:
                at, data, key = stream[state.tick // 2]
                frames += source.push(made.picture(at).data.cast("B"), kind=0, tick=at, t_ns=5)
                frame = EncodedFrame(at, data, key, 5)
                styled += encoded.push(pack_encoded(frame), kind=2, tick=at, t_ns=5)
                recorder.revive()
            print(state.tick, frames, styled, flush=True)
            time.sleep(max(0.0, 1 / 60 - (time.monotonic() - began)))
        recorder.stop(300.0)
        writer.finish()


def turn(root: Path, victim: str, chance: random.Random) -> Turn:
    """One drive, one kill, one recovery."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.session.torture", "--child", str(root)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    recorder = int(child.stdout.readline().split()[1])
    after = chance.randrange(5, 240)
    told = "0 0 0"
    for _ in range(after):
        told = child.stdout.readline() or told
    time.sleep(chance.random() / 60)
    if victim == "recorder":  # it is started again and the drive goes on for a while
        os.kill(recorder, signal.SIGKILL)
        for _ in range(60):
            told = child.stdout.readline() or told
    # a killed recorder is started again: that drive ends in good order, the other one at once
    os.kill(child.pid, signal.SIGTERM if victim == "recorder" else signal.SIGKILL)
    rest = [line for line in child.stdout.read().split("\n") if len(line.split()) == 3]
    child.wait()
    child.stdout.close()
    ticks, source, styled = (int(word) for word in (rest[-1] if rest else told).split())
    folder = next(root.iterdir())
    _recovered(folder)
    sweep()
    with Session.open(folder) as session:
        report = verify(session, made.CITY, made.start_of)
        return Turn(
            victim, after, ticks + 1, report.ticks, ticks, len(session.inputs()), source,
            len(session.frames(TrackId.SOURCE)), styled, len(session.frames(TrackId.STYLED)),
            max(0, ticks // 2 - min(source, styled)), report.ok,
        )  # fmt: skip


def _recovered(folder: Path) -> None:
    """Recover once the recorder has drained its rings and let go of the files."""
    until = time.monotonic() + 60
    while True:
        try:
            recover(folder)
            return
        except SessionBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def one(number: int, seed: int) -> Turn:
    """Kill number `number`, the victims in turn; its chance hangs on seed and number alone."""
    with tempfile.TemporaryDirectory(prefix="torture-") as root:
        return turn(Path(root), VICTIMS[number % len(VICTIMS)], random.Random(f"{seed}/{number}"))


def turns(
    kills: int, seed: int = 1, jobs: int = 1, log: Path | None = None
) -> Iterator[tuple[int, Turn]]:
    """Number and outcome of each kill; those that `log` holds come first and are not done again."""
    done = _logged(log, seed) if log is not None else {}
    yield from ((number, each) for number, each in done.items() if number < kills)
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(one, n, seed): n for n in range(kills) if n not in done}
        for each in as_completed(waiting):
            number, found = waiting[each], each.result()
            if log is not None:
                with log.open("a", encoding="utf-8") as file:
                    line = {"seed": seed, "number": number, **asdict(found)}
                    file.write(json.dumps(line) + "\n")
            yield number, found


def _logged(path: Path, seed: int) -> dict[int, Turn]:
    """Kills that an earlier run with this seed left in `path`; a torn last line is cut off."""
    if not path.exists():
        return {}
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    path.write_text(whole + "\n" if whole else "", encoding="utf-8")
    found = [json.loads(line) for line in whole.splitlines()]
    if any(each.pop("seed") != seed for each in found):
        raise SystemExit(f"{path} is of another seed; name another file")
    return {each.pop("number"): Turn(**each) for each in found}


def table(found: list[Turn]) -> str:
    """Per victim: kills, worst loss of each kind, folders that recovered and replay."""
    lines = [
        "victim    kills  ticks lost  inputs lost  frames short (worst)  refused  replay to the end"
    ]
    for victim in VICTIMS:
        mine = [each for each in found if each.victim == victim]
        if not mine:
            continue
        ticks = sum(max(0, each.told_ticks - each.kept_ticks) for each in mine)
        inputs = sum(max(0, each.told_inputs - each.kept_inputs) for each in mine)
        short = max(0, *(each.short for each in mine), 0)
        good, refused = sum(each.replays for each in mine), sum(each.refused for each in mine)
        lines.append(
            f"{victim:9} {len(mine):5} {ticks:11} {inputs:12} {short:21} {refused:8} "
            f"{good:8} of {len(mine)}"
        )
    return "\n".join(lines)


def main() -> None:
    """Kill as often as asked and print the table; exit with 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.session.torture")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="drives at a time")
    parser.add_argument("--log", type=Path, help="a file of results, to go on with")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        drive(options.child)
        return
    found: dict[int, Turn] = {}
    for number, each in turns(options.kills, options.seed, options.jobs, options.log):
        found[number] = each
        print(f"\r{len(found)} of {options.kills} kills", end="", file=sys.stderr, flush=True)
        if not each.fine:
            print(f"\n{number}: {each}", file=sys.stderr)
    print(file=sys.stderr)
    facts: dict[str, Any] = {
        "kills": len(found), "fine": sum(each.fine for each in found.values()),
        "turns": [asdict(found[number]) for number in sorted(found)],
    }  # fmt: skip
    print(json.dumps(facts) if options.json else table(list(found.values())))
    sys.exit(0 if all(each.fine for each in found.values()) else 1)


if __name__ == "__main__":
    main()
