"""A clean session verifies; one flipped bit anywhere is found, with its tick."""

import json
import random
from dataclasses import replace

import pytest

from game.session import framefile, tickfile
from game.session.format import END, FRAMES, INPUTS, TICKS, TrackId
from game.session.reader import Session
from game.session.verify import verify
from game.world.version import DIGEST_TICKS

from . import conftest as made


def checked(folder, city):
    with Session.open(folder) as session:
        return verify(session, city, made.start_of)


def test_a_clean_session(record, city):
    report = checked(record(200, video=True), city)
    assert report.ok, report.problems
    assert (report.ticks, report.pairs) == (201, 100)
    assert len(report.digest) == 64


def test_a_changed_control_is_found_at_its_tick(record, city):
    folder = record(200)
    path = folder / INPUTS
    lines = path.read_bytes().splitlines()
    changed = next(i for i, line in enumerate(lines) if b'"tick":70' in line)
    line = json.loads(lines[changed])
    line["c"][1] ^= 1
    lines[changed] = json.dumps(line, separators=(",", ":")).encode()
    path.write_bytes(b"\n".join(lines) + b"\n")
    report = checked(folder, city)
    kinds = {p.kind: p.tick for p in report.problems}
    assert kinds["controls"] == 70
    assert "hash" in kinds


def test_one_flipped_bit_in_the_inputs(record, city):
    folder = record(200)
    path = folder / INPUTS
    whole, chance = path.read_bytes(), random.Random(5)
    lines = whole.splitlines(keepends=True)
    for _ in range(60):
        number = chance.choice([i for i, line in enumerate(lines) if b'"c":[' in line])
        tick = json.loads(lines[number])["tick"]
        start = sum(map(len, lines[:number]))
        at = start + lines[number].index(b'"c":[') + 5
        at += chance.randrange(len(lines[number]) - (at - start) - 2)
        data = bytearray(whole)
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(data))
        report = checked(folder, city)
        found = [p for p in report.problems if p.kind in ("inputs", "controls", "state")]
        assert found or json.loads(data[start:].splitlines()[0]) == json.loads(lines[number])
        assert all(abs(p.tick - tick) <= DIGEST_TICKS for p in found), (report.problems, tick)
        assert any(p.kind == "hash" for p in report.problems)


def test_one_flipped_bit_in_the_ticks(record, city):
    folder = record(150)
    path = folder / TICKS
    whole, chance = path.read_bytes(), random.Random(6)
    with Session.open(folder) as session:
        starts = list(session.ticks()._starts)
    for _ in range(60):
        at = chance.randrange(starts[0], len(whole))
        tick = sum(start <= at for start in starts) - 1
        data = bytearray(whole)
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(data))
        report = checked(folder, city)
        assert [p.tick for p in report.problems if p.kind == "ticks"] == [tick]


def test_a_changed_state_with_a_good_sum(record, city):
    """Whoever makes the sums good again still meets the replay."""
    import zlib

    folder = record(150)
    path = folder / TICKS
    data = bytearray(path.read_bytes())
    with Session.open(folder) as session:
        start, length = session.ticks()._starts[90], session.ticks()._lengths[90]
    data[start + 4 + length - 3] ^= 1
    end = start + 4 + length
    data[end : end + 4] = zlib.crc32(bytes(data[start:end])).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    report = checked(folder, city)
    assert [(p.kind, p.tick) for p in report.problems if p.kind == "state"] == [("state", 90)]


def test_another_start_is_no_replay(record, city):
    folder = record(70)
    with Session.open(folder) as session:
        report = verify(
            session, city, lambda m, c: made.start_of(made.manifest_of(seed=m.seed + 1), c)
        )
    assert [(p.kind, p.tick) for p in report.problems] == [("state", 0)]


def test_a_swapped_frame(record, city):
    folder = record(60, video=True)
    path = folder / "styled-0000.mkv"
    data = bytearray(path.read_bytes())
    with Session.open(folder) as session:
        victim = session.encoded(TrackId.STYLED, 20)
    at = bytes(data).index(victim)
    data[at + len(victim) // 2] ^= 4
    path.write_bytes(bytes(data))
    report = checked(folder, city)
    assert ("video", 20) in [(p.kind, p.tick) for p in report.problems]


def test_a_frame_record_too_few_or_too_many(record, city):
    folder = record(60, video=True)
    path = folder / FRAMES
    whole = path.read_bytes()
    path.write_bytes(whole[: -framefile.RECORD_BYTES])
    assert ("frames", 58) in [(p.kind, p.tick) for p in checked(folder, city).problems]
    path.write_bytes(whole)
    track = folder / "source-0000.mkv"
    track.write_bytes(track.read_bytes()[:-5])
    found = [(p.kind, p.tick) for p in checked(folder, city).problems]
    assert ("video", 58) in found


@pytest.mark.parametrize("name", [END, "check-0000.mkv", INPUTS])
def test_a_missing_file(record, city, name):
    folder = record(60, video=True)
    (folder / name).unlink()
    assert not checked(folder, city).ok


def test_another_city_or_world(record, city):
    folder = record(10)
    manifest = folder / "session.json"
    text = manifest.read_text()
    manifest.write_text(text.replace(city.digest, "00" * 32))
    assert "pack" in [p.kind for p in checked(folder, city).problems]
    document = json.loads(text)
    document["world_version"] = 99
    manifest.write_text(json.dumps(document))
    assert "world" in [p.kind for p in checked(folder, city).problems]


def test_a_world_that_is_gone_leaves_states_that_prove_themselves(record, city):
    folder = record(150)
    document = json.loads((folder / "session.json").read_text())
    document["world_version"] = 0
    (folder / "session.json").write_text(json.dumps(document))
    (world,) = [p for p in checked(folder, city).problems if p.kind == "world"]
    assert "151 stored states agree with their digests" in world.detail
    with Session.open(folder) as session:
        states = list(session.ticks())
    for tick, changed in (
        (90, replace(states[90], collisions=9)),  # found at the next checkpoint
        (31, replace(states[31], controls=replace(states[31].controls, brake=5))),
        (120, replace(states[120], ego=states[120].ego._replace(x=1.0))),
        (77, replace(states[77], inputs=bytes(32))),
        (78, replace(states[78], digest=bytes(32))),
    ):
        coder, out = tickfile.TickEncoder(), tickfile.header()
        for state in [*states[:tick], changed, *states[tick + 1 :]]:
            out += coder.encode(state, 0)
        (folder / TICKS).write_bytes(out)
        (world,) = [p for p in checked(folder, city).problems if p.kind == "world"]
        if tick == 90:  # only states at checkpoints are chained; the replay compares every one
            assert "agree" in world.detail
        else:
            assert abs(world.tick - tick) <= 1, (tick, world)
            assert "agree" not in world.detail
