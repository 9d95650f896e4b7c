"""A hundred recorded sessions replay to the same digests, and one flipped bit is found in each."""

import json
import random

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


@pytest.mark.parametrize(
    "count", [10, pytest.param(100, marks=pytest.mark.slow)], ids=["ten", "hundred"]
)
def test_every_drive_replays_and_every_flipped_bit_is_found(tmp_path, count):
    late = []
    for number in range(count):
        folder, digest = recorded(tmp_path, number)
        with Session.open(folder) as session:
            report = verify(session, made.CITY, made.start_of)
        assert report.ok, report.problems
        assert report.digest == digest
        tick = flipped(folder, random.Random(-number))
        with Session.open(folder) as session:
            report = verify(session, made.CITY, made.start_of)
        found = [p.tick for p in report.problems if p.kind in ("controls", "state", "digest")]
        assert found, (number, tick)
        late.append(found[0] - tick)
    assert all(0 <= each <= DIGEST_TICKS for each in late), late
