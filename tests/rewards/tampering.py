"""What a forger does to a session folder. Every function leaves hashes and sums good again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from game.session import framefile, tickfile
from game.session.format import END, FRAMES, INPUTS, JOURNAL, MANIFEST, TICKS, TrackId
from game.session.reader import Session
from game.session.track import NEAR_LOSSLESS, SourceTrack, StyledTrack, segment_path
from game.world.city import City
from game.world.step import step
from rewards import tickets
from scenarios.load import load
from scenarios.spawn import stage
from tests.rewards.recording import JOURNAL_KEY


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def another_wallet(folder: Path) -> None:
    edit_json(folder / MANIFEST, lambda data: data.update(payee="X" * 40))


def another_wallet_in_the_ticket_too(folder: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["payee"] = data["ticket"]["payee"] = "X" * 40

    edit_json(folder / MANIFEST, change)


def claimed_success(folder: Path) -> None:
    edit_json(folder / END, lambda data: data["outcome"].update(success=True))


def claimed_collisions(folder: Path) -> None:
    edit_json(folder / END, lambda data: data["outcome"].update(collisions=3))


def one_input(folder: Path) -> None:
    """Only the input; the states stay as they were."""
    lines = (folder / INPUTS).read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if '"k":"c"' in line and '"tick":1' in line)
    line = json.loads(lines[at])
    line["c"][0] += 1 if line["c"][0] < 1000 else -1
    lines[at] = json.dumps(line, separators=(",", ":"))
    (folder / INPUTS).write_text("\n".join(lines) + "\n")


def one_input_and_every_state(folder: Path, city: City) -> None:
    """As `one_input`, and the whole drive is simulated again to match."""
    one_input(folder)
    with Session.open(folder) as session:
        manifest, drive = session.manifest, session.controls()
        times = [session.ticks().record(t).t_ns for t in range(len(session.ticks()))]
    state = stage(load(manifest.scenario), city, manifest.seed).state
    coder = tickfile.TickEncoder()
    out = tickfile.header() + coder.encode(state, times[0])
    for controls in drive:
        state = step(city, state, controls)
        out += coder.encode(state, times[state.tick])
    (folder / TICKS).write_bytes(out)


def collision_flag(folder: Path, tick: int = 100) -> None:
    """One more collision in one stored state, with the sum of the record made good."""
    with Session.open(folder) as session:
        stored = session.ticks()
        states = [(stored[t], stored.record(t).t_ns) for t in range(len(stored))]
    coder, out = tickfile.TickEncoder(), tickfile.header()
    for state, t_ns in states:
        more = state.collisions + (state.tick == tick)
        out += coder.encode(replace(state, collisions=more), t_ns)
    (folder / TICKS).write_bytes(out)


def swapped_styled_frame(folder: Path, tick: int = 120) -> None:
    """The styled frame of `tick` shows that of another time; table and hashes agree."""
    with Session.open(folder) as session:
        records = session.frames(TrackId.STYLED)
        packets = {r.tick: session.encoded(TrackId.STYLED, r.tick) for r in records}
        others = [r for r in session._frames if r.track != TrackId.STYLED]
        side = session.manifest.capture.width
    segment_path(folder, TrackId.STYLED, 0).unlink()
    track = StyledTrack(folder, side, side)
    packets[tick] = packets[tick + 60]
    fresh = [track.put(packets[r.tick], r.tick, r.t_ns, key=r.key) for r in records]
    track.close()
    _table(folder, [*others, *fresh])


def swapped_source_frame(folder: Path, *ticks: int) -> None:
    """The same for pictures of the game itself; at tick 120 unless said otherwise."""
    with Session.open(folder) as session:
        records = session.frames(TrackId.SOURCE)
        pictures = dict(session.pictures(TrackId.SOURCE))
        others = [r for r in session._frames if r.track != TrackId.SOURCE]
        side = session.manifest.capture.width
    segment_path(folder, TrackId.SOURCE, 0).unlink()
    track = SourceTrack(folder, side, side, NEAR_LOSSLESS)
    pictures |= dict.fromkeys(ticks or (120,), pictures[0])
    fresh = []
    for record in records:
        rgb = pictures[record.tick]
        bgra = np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 255, np.uint8)])
        fresh.append(track.put(np.ascontiguousarray(bgra), record.tick, record.t_ns))
    track.close()
    _table(folder, [*others, *fresh])


def frame_without_its_hash(folder: Path) -> None:
    """A packet changed, the table not."""
    path = segment_path(folder, TrackId.STYLED, 0)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _table(folder: Path, records: list[Any]) -> None:
    data = framefile.header() + b"".join(framefile.encode(r) for r in records)
    (folder / FRAMES).write_bytes(data)


def forged_journal_entry(folder: Path) -> None:
    """One frame's hash changed in one signed block."""
    lines = (folder / JOURNAL).read_bytes().splitlines()
    block = json.loads(lines[2])
    block["frames"][0][4] = hashlib.sha256(b"mine").hexdigest()
    lines[2] = tickets.canonical(block)
    (folder / JOURNAL).write_bytes(b"\n".join(lines) + b"\n")


def missing_journal_block(folder: Path) -> None:
    lines = (folder / JOURNAL).read_bytes().splitlines()
    (folder / JOURNAL).write_bytes(b"\n".join([*lines[:2], *lines[3:]]) + b"\n")


def rewritten_journal(folder: Path, change: Callable[[dict[str, Any]], None], key: Any) -> None:
    """Every block changed, chained and signed again with `key`."""
    previous, out = "0" * 64, []
    for line in (folder / JOURNAL).read_bytes().splitlines():
        block = json.loads(line)
        change(block)
        block |= {"prev": previous, "key": tickets.public_hex(key)}
        del block["sig"]
        block["sig"] = key.sign(tickets.canonical(block)).hex()
        out.append(tickets.canonical(block))
        previous = hashlib.sha256(out[-1]).hexdigest()
    (folder / JOURNAL).write_bytes(b"\n".join(out) + b"\n")


def slow_motion(folder: Path) -> None:
    """A journal of a server that saw the drive at 50 ticks a second."""
    first = json.loads((folder / JOURNAL).read_bytes().splitlines()[0])["frames"][0][1]

    def stretch(block: dict[str, Any]) -> None:
        for frame in block["frames"]:
            frame[1:3] = [first + (ns - first) * 6 // 5 for ns in frame[1:3]]
        block["server_time_ns"] = first + (block["server_time_ns"] - first) * 6 // 5

    rewritten_journal(folder, stretch, JOURNAL_KEY)


def of_another_session(folder: Path) -> None:
    """A journal that our server signed for somebody else's ticket."""
    rewritten_journal(folder, lambda block: block.update(ticket="0" * 64), JOURNAL_KEY)
