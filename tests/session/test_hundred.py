"""A hundred recorded sessions replay to the same digests, and one flipped bit is found in each."""

import json
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from game.session.format import INPUTS
from game.session.reader import Session
from game.session.verify import verify
from game.session.writer import SessionWriter
from game.world.controls import Controls
from game.world.step import step
from game.world.version import DIGEST_TICKS

from . import conftest as made

TICKS = 240
FIELDS = ((0, 10), (1, 9), (2, 9), (4, 1))  # steer, throttle, brake, flags: bits that may flip


def recorded(root, number):
    """A drive of its own: another seed, other controls, most of them changing every tick."""
    chance = random.Random(number)
    manifest = made.manifest_of(seed=number)
    writer = SessionWriter.create(root, manifest)
    state = made.start_of(manifest, made.CITY).state
    writer.tick(state)
    for _ in range(TICKS):
        controls = Controls(
            chance.randrange(-400, 400), chance.randrange(0, 900), 600 * (chance.random() < 0.1)
        )
        state = step(made.CITY, state, controls)
        writer.tick(state)
    return writer.folder, writer.finish()["digest"]


def flipped(folder, chance):
    """One bit of one input, so that the line still reads and the controls are possible."""
    path = folder / INPUTS
    lines = path.read_bytes().splitlines(keepends=True)
    while True:
        at = chance.choice([i for i, line in enumerate(lines) if b'"c":[' in line])
        line = json.loads(lines[at])
        field, bits = chance.choice(FIELDS)
        line["c"][field] ^= 1 << chance.randrange(bits)
        if Controls(*line["c"]).is_valid():
            break
    lines[at] = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    path.write_bytes(b"".join(lines))
    return line["tick"]


@dataclass(frozen=True, slots=True)
class Found:
    """One drive. same: replays to its digest. flipped, seen: ticks;"""

    number: int
    same: bool
    flipped: int
    seen: int

    @property
    def fine(self):
        """The bit was found within the interval of the digests."""
        return self.same and 0 <= self.seen - self.flipped <= DIGEST_TICKS


def tried(root, number):
    """Record a drive, replay it, flip one bit of its inputs, replay it again."""
    folder, digest = recorded(root, number)
    with Session.open(folder) as session:
        report = verify(session, made.CITY, made.start_of)
    same = report.ok and report.digest == digest
    tick = flipped(folder, random.Random(-number))
    with Session.open(folder) as session:
        report = verify(session, made.CITY, made.start_of)
    seen = [p.tick for p in report.problems if p.kind in ("controls", "state", "digest")]
    return Found(number, same, tick, seen[0] if seen else -1)


@pytest.mark.parametrize(
    "count", [10, pytest.param(100, marks=pytest.mark.slow)], ids=["ten", "hundred"]
)
def test_every_drive_replays_and_every_flipped_bit_is_found(tmp_path, count):
    found = [tried(tmp_path, number) for number in range(count)]
    assert all(each.fine for each in found), table(found)


def table(found):
    """What came of all drives."""
    late = [each.seen - each.flipped for each in found if each.seen >= 0]
    rows = (
        ("drives recorded", len(found)),
        ("replay to the same digest", sum(each.same for each in found)),
        ("one flipped input bit found", len(late)),
        (f"of these within {DIGEST_TICKS} ticks", sum(each.fine for each in found)),
        ("ticks from bit to finding, most", max(late, default=-1)),
    )
    return "\n".join(f"{name:34} {value}" for name, value in rows)


def main():
    """python -m tests.session.test_hundred [DRIVES]: the same as a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as root:
        found = [tried(Path(root), number) for number in range(count)]
    print(table(found))
    sys.exit(0 if all(each.fine for each in found) else 1)


if __name__ == "__main__":
    main()
