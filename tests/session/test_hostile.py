"""Files made by an enemy are refused with a plain error: nothing is followed, nothing explodes."""

import json
import os
import struct
import zlib

import pytest

from game.errors import GameError, SessionCorrupt, SessionTooNew
from game.session import framefile, hostile, matroska, tickcode, tickfile
from game.session.format import (
    END,
    EVENTS,
    FRAMES,
    INPUTS,
    JOURNAL,
    MANIFEST,
    TICKS,
    FrameRecord,
    TrackId,
)
from game.session.matroska import TrackHeader
from game.session.reader import Session
from game.session.verify import verify
from game.world.digest import pack_state, unpack_state

from . import conftest as made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"session": NaN}',
        "[" * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '{"session": "../../etc"}',
        '{"seed": ' + "9" * 5_000 + "}",
        '{"seed": 1e999}',
        '{"seed": 1, "seed": 2}',
    ],
)
def test_manifests(record, text):
    folder = record(2)
    (folder / MANIFEST).write_text(text)
    with pytest.raises(SessionCorrupt):
        Session.open(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 1.5), ("seed", True), ("world_version", -1), ("session", "x" * 26),
        ("driver", 5), ("capture", {"width": 10**9}), ("devices", {"a": 1}), ("payee", "p" * 65),
        ("extra", 1), ("tracks", {"source": {"licence": 5}}), ("clock", {"unix_ns": "now"}),
    ],
)  # fmt: skip
def test_manifest_fields(record, field, value):
    folder = record(2)
    document = json.loads((folder / MANIFEST).read_text())
    document[field] = value
    (folder / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(SessionCorrupt):
        Session.open(folder)


def test_a_newer_format_is_told_apart(record):
    folder = record(2)
    document = json.loads((folder / MANIFEST).read_text())
    document["format_version"] += 1
    (folder / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(SessionTooNew, match="update Scale Diffusion"):
        Session.open(folder)


@pytest.mark.parametrize(
    "line",
    [
        '{"k":"c","seq":0,"tick":0,"c":[2000,0,0,1,0,0,0,0]}',
        '{"k":"c","seq":0,"tick":-1,"c":[0,0,0,1,0,0,0,0]}',
        '{"k":"c","seq":0,"tick":0,"c":[0,0,0,1,0,0,0]}',
        '{"k":"c","seq":0,"tick":0,"c":[0.0,0,0,1,0,0,0,0]}',
        '{"k":"c","seq":0,"tick":99999999999,"c":[0,0,0,1,0,0,0,0]}',
        '{"k":"c","seq":5,"tick":0,"c":[0,0,0,1,0,0,0,0]}',
        '{"k":"z","seq":0}',
        '{"k":"i","seq":0,"t_ns":0,"src":"p","seen":0,"applied":0,"kind":"k","code":"c","v":NaN}',
        '{"k":"e","seq":0,"tick":1}\n{"k":"e","seq":1,"tick":1}',
        '{"k":"i","seq":0,"pad":"' + "x" * 70_000 + '"}',
    ],
)
def test_input_lines(record, city, line):
    folder = record(5)
    (folder / INPUTS).write_text(line + "\n")
    with Session.open(folder) as session:
        with pytest.raises(SessionCorrupt):
            session.controls()
        assert not verify(session, city, made.start_of).ok


def test_tick_records_of_absurd_length(record, city):
    folder = record(5)
    for length in (0, 3, 2**32 - 1, tickfile.MAX_BODY + 1):
        (folder / TICKS).write_bytes(tickfile.header() + struct.pack("<I", length) + b"x" * 64)
        with Session.open(folder) as session:
            assert len(session.ticks()) == 0
            assert not verify(session, city, made.start_of).ok


@pytest.mark.parametrize("data", [b"", b"x", b"NOTTICKS" + bytes(100), b"\0" * 16])
def test_wrong_magic(record, city, data):
    folder = record(5, video=True)
    (folder / TICKS).write_bytes(data)
    (folder / FRAMES).write_bytes(data or b"x" * 99)
    with Session.open(folder) as session:
        with pytest.raises(SessionCorrupt):
            session.ticks()
        assert not verify(session, city, made.start_of).ok


def test_a_state_that_is_not_finite(record):
    folder = record(5)
    with Session.open(folder) as session:
        packed = pack_state(session.ticks()[0])
    at = packed.index(struct.pack("<d", -50.0))
    packed = packed[:at] + struct.pack("<d", float("nan")) + packed[at + 8 :]
    assert unpack_state(packed, ())
    body = struct.pack("<IQB", 0, 0, tickcode.KEY) + zlib.compress(packed)
    framed = struct.pack("<I", len(body)) + body
    record_ = framed + struct.pack("<I", zlib.crc32(framed))
    (folder / TICKS).write_bytes(tickfile.header() + record_)
    with Session.open(folder) as session, pytest.raises(SessionCorrupt, match="not finite"):
        session.ticks()[0]


def test_no_playlist_named_mkv(record, tmp_path):
    folder = record(20, video=True)
    secret = tmp_path / "secret.mkv"
    secret.write_bytes((folder / "source-0000.mkv").read_bytes())
    path = folder / "source-0000.mkv"
    for text in (f"ffconcat version 1.0\nfile {secret}\n", "#EXTM3U\nhttp://x/\n", ""):
        path.write_text(text)
        with Session.open(folder) as session, pytest.raises(SessionCorrupt):
            session.picture(TrackId.SOURCE, 0)
    path.unlink()
    path.symlink_to(secret)
    with Session.open(folder) as session, pytest.raises(SessionCorrupt):
        session.picture(TrackId.SOURCE, 0)


@pytest.mark.parametrize(
    "header",
    [
        TrackHeader("V_MPEGH/ISO/HEVC", 96, 96),
        TrackHeader("V_VP8", 100_000, 100_000),
        TrackHeader("V_VP8", 8000, 8000),
        TrackHeader("V_VP8", 0, 96),
        TrackHeader("V_VP8", 48, 48),  # not the size of its pictures
    ],
)
def test_foreign_tracks(record, header):
    folder = record(20, video=True)
    with Session.open(folder) as session:
        data = session.encoded(TrackId.STYLED, 0)
    path = folder / "styled-0000.mkv"
    path.write_bytes(matroska.head(header) + matroska.cluster(0, True, data))
    with Session.open(folder) as session, pytest.raises(SessionCorrupt):
        session.picture(TrackId.STYLED, 0)


def test_garbage_never_passes_as_a_picture(record):
    folder = record(20, video=True)
    path = folder / "styled-0000.mkv"
    header = matroska.head(TrackHeader("V_VP8", 96, 96))
    path.write_bytes(header + matroska.cluster(0, True, os.urandom(4000)))
    with Session.open(folder) as session, pytest.raises(SessionCorrupt):
        session.picture(TrackId.STYLED, 0)


def test_any_flipped_byte_in_a_segment_is_harmless(record):
    folder = record(6, video=True)
    path = folder / "source-0000.mkv"
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        data = bytearray(whole)
        data[at] ^= 0xFF
        path.write_bytes(bytes(data))
        with Session.open(folder) as session:
            try:
                for _ in session.pictures(TrackId.SOURCE):
                    pass
            except GameError:
                pass


def test_other_files(record, city):
    folder = record(5, video=True)
    for name, text in (
        (EVENTS, '{"k":"prompt","tick":' + "[" * 99 + "\n"),
        (JOURNAL, "not json\n"),
        (END, '{"files":{"../x":{"bytes":1,"sha256":""},"a":5}}'),
    ):
        (folder / name).write_text(text)
    with Session.open(folder) as session:
        with pytest.raises(SessionCorrupt):
            session.events()
        with pytest.raises(SessionCorrupt):
            session.journal()
        found = {p.kind for p in verify(session, city, made.start_of).problems}
        assert {"hash", "events", "digest"} <= found


def test_frame_records_out_of_range():
    good = framefile.encode(FrameRecord(0, 4, 0, 0, 9, 1, bytes(32)))
    assert framefile.decode(good, 0).tick == 4
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 0x80
        with pytest.raises(ValueError, match="frame record"):
            framefile.decode(bytes(bad), 0)


def test_json_limits():
    with pytest.raises(ValueError, match="deeply"):
        hostile.parse(b'{"a":' + b"[" * 20 + b"]" * 20 + b"}")
    assert hostile.parse(b'{"a":"[[[[[[[[[[[[[[[[[[[[[[["}')
    for text in (b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1e400}', b'{"a":1,"a":2}', b"[1]"):
        with pytest.raises(ValueError):
            hostile.parse(text)
