"""What is written reads back: states to the bit, inputs, events, frames byte for byte."""

import av
import numpy as np
import pytest

from game.errors import SessionCorrupt
from game.session.format import Pairing, TrackId
from game.session.ids import is_id, new_id
from game.session.reader import Session
from game.session.replay import replay
from game.session.writer import SessionWriter
from game.world.digest import pack_state

from . import conftest as made


def test_states_controls_inputs_events(record, city):
    folder = record(130)
    with Session.open(folder) as session:
        assert session.manifest == made.manifest_of(session=folder.name)
        states = list(replay(session, city, made.start_of(session.manifest, city)))
        assert len(session.ticks()) == len(states) == 131
        for state, stored in zip(states, session.ticks(), strict=True):
            assert pack_state(state) == pack_state(stored)
        assert session.controls() == tuple(made.driven(t) for t in range(130))
        assert [e.tick_applied for e in session.inputs()] == list(range(1, 131, 10))
        assert session.events("prompt")[0]["prompt"] == "a street in autumn"
        assert [c.tick for c in session.checkpoints()] == [0, 60, 120, 130]
        assert session.end["digest"] == session.checkpoints()[-1].digest.hex()
        assert session.end["outcome"]["success"] is True
        assert session.ticks()[-1].tick == 130
        assert [s.tick for s in session.ticks()[5:8]] == [5, 6, 7]


def test_pairs_and_pictures(record):
    folder = record(120, video=True)
    stream = {tick: data for tick, data, _ in made.vp8(60)}
    with Session.open(folder) as session:
        assert session.tracks() == (0, 1, 2)
        pairs = session.pairs()
        assert [p.tick for p in pairs] == list(range(0, 120, 2))
        assert pairs[3].prompt == "a street in autumn"
        assert pairs[3].pairing == Pairing.EXACT
        assert pairs[2].styled.shown == 9
        assert pairs[3].styled.shown == -1
        for tick, data in stream.items():
            assert session.encoded(TrackId.STYLED, tick) == data
        for tick in (60, 0, 118, 44):  # random access, backwards too
            want = made.picture(tick)[..., 2::-1].astype(int)
            near = session.picture(TrackId.SOURCE, tick).astype(int)
            assert np.abs(near - want).mean() < 3.0
            styled = session.picture(TrackId.STYLED, tick).astype(int)
            assert np.abs(styled - want).mean() < 12.0
        for tick in (0, 60):
            exact = session.picture(TrackId.CHECK, tick)
            assert (exact == made.picture(tick)[..., 2::-1]).all()


def test_any_player_reads_the_segments(record):
    folder = record(60, video=True)
    stream = made.vp8(30)
    with av.open(str(folder / "styled-0000.mkv")) as film:
        track = film.streams.video[0]
        packets = [p for p in film.demux(track) if p.pts is not None]
        assert [bytes(p) for p in packets] == [data for _, data, _ in stream]
        assert [p.pts for p in packets] == [tick for tick, _, _ in stream]
    for name in ("styled", "source", "check"):
        with av.open(str(folder / f"{name}-0000.mkv")) as film:
            frames = [f.to_ndarray(format="rgb24") for f in film.decode(video=0)]
        assert len(frames) == (1 if name == "check" else 30)
        want = made.picture(0)[..., 2::-1].astype(int)
        assert np.abs(frames[0].astype(int) - want).mean() < 12.0


def test_a_missing_frame_is_named(record):
    with (
        Session.open(record(30, video=True)) as session,
        pytest.raises(SessionCorrupt, match="tick 31"),
    ):
        session.picture(TrackId.SOURCE, 31)


def test_ids_sort_by_time():
    ids = [new_id(lambda at=at: at / 1000.0) for at in range(0, 10**13, 10**11)]
    assert ids == sorted(ids)
    assert all(is_id(each) for each in ids)
    assert len({new_id() for _ in range(100)}) == 100
    assert not is_id("I" * 26)
    assert not is_id("8" + "0" * 25)


def test_long_tracks_go_on_in_the_next_segment(record, monkeypatch):
    monkeypatch.setattr("game.session.track.SEGMENT_BYTES", 6_000)
    folder = record(160, video=True)
    with Session.open(folder) as session:
        for track in (TrackId.SOURCE, TrackId.STYLED):
            assert session.frames(track)[-1].segment >= 1
            ticks = [tick for tick, _ in session.pictures(track)]
            assert ticks == list(range(0, 160, 2))
        for tick, data, _ in made.vp8(80):
            assert session.encoded(TrackId.STYLED, tick) == data


def test_a_manifest_that_no_reader_takes_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="payee"):
        SessionWriter.create(tmp_path, made.manifest_of(payee="p" * 99))
    assert not list(tmp_path.iterdir())
