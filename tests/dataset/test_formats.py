"""WebDataset, parquet and MCAP read back by their own libraries, with the right pictures."""

import base64
import io
import json
import tarfile
from dataclasses import replace

import av
import numpy as np
import pytest

from game.dataset import drive, video, webdataset
from game.dataset.job import export
from game.session.reader import Session
from tests.dataset.conftest import GAP, SIDE, TICKS, tick_seen

CLIP = 12


@pytest.fixture(scope="module")
def shards(sessions, tmp_path_factory):
    from game.dataset.job import Options

    out = tmp_path_factory.mktemp("web") / "set"
    wanted = Options(fps=16.0, frames=CLIP, shortest=CLIP, salt=b"s" * 32)
    result = export("webdataset", sessions, out, wanted)
    assert result.frames == result.episodes * CLIP
    return out


def samples(path):
    """Files by key, as any tar reader finds them."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            assert (member.uname, member.mtime) == ("", 0)
            key, _, suffix = member.name.partition(".")
            found.setdefault(key, {})[suffix] = tar.extractfile(member).read()
    return found


def test_clips_have_one_length_and_the_pictures_of_their_ticks(shards, tmp_path):
    assert sorted(p.name for p in shards.glob("*.tar")) == ["test-000000.tar", "train-000000.tar"]
    for name in ("train", "test"):
        clips = samples(shards / f"{name}-000000.tar")
        assert clips
        for files in clips.values():
            assert set(files) == set(webdataset.SUFFIXES)
            ticks = np.load(io.BytesIO(files["ticks.npy"]))
            facts = json.loads(files["json"])
            assert np.load(io.BytesIO(files["actions.npy"])).shape == (CLIP, len(facts["actions"]))
            assert np.abs(ticks - ticks[0] - np.arange(CLIP + 1) * 60 / 16).max() <= 1.0
            for suffix in ("source.mp4", "styled.mp4"):
                path = tmp_path / suffix
                path.write_bytes(files[suffix])
                seen = [tick_seen(picture) for _, picture in video.frames(path)]
                assert seen == ticks[:-1].tolist()
            assert files["prompt.txt"] == b"a street in autumn"


def test_the_webdataset_library_reads_them(shards):
    webdataset_library = pytest.importorskip("webdataset")
    url = f"file:{shards / 'train-000000.tar'}"
    found = list(webdataset_library.WebDataset(url, shardshuffle=False).decode())
    assert {"source.mp4", "actions.npy", "json"} <= set(found[0])
    assert found[0]["actions.npy"].shape[0] == CLIP


def test_actions_are_the_mean_over_their_interval(sessions):
    with Session.open(sessions[0]) as session:
        source, controls = drive.Drive(session), session.controls()
        act, buttons, look = source.action(5, 12)
        assert act[0] == pytest.approx(np.mean([c.steer for c in controls[5:12]]) / 1000)
        assert act[1] == pytest.approx(np.mean([c.throttle for c in controls[5:12]]) / 1000)
        assert buttons.tolist() == [1, 0, 0, 0]
        assert look.tolist() == [0.0, 0.0]


def test_runs_end_where_a_pair_is_missing(sessions):
    with Session.open(sessions[0]) as session:
        source = drive.Drive(session)
        whole = [run.ticks for run in source.runs(30.0)]
        assert whole[0] == tuple(range(0, GAP + 1, 2))  # the last tick only closes the action
        assert whole[1] == tuple(range(GAP + 2, TICKS + 1, 2))
        assert sum(len(t) - 1 for t in whole) == len(source.pairs)
        for fps in (10.0, 16.0, 20.0):
            for run in source.runs(fps):
                assert set(run.ticks[:-1]) <= set(source.pairs)
                assert list(run.ticks) == sorted(set(run.ticks))
        clips = [run.ticks for run in source.runs(30.0, length=10)]
        assert clips[:2] == [tuple(range(0, 21, 2)), tuple(range(20, 41, 2))]
        assert {len(ticks) for ticks in clips} == {11}


def test_parquet_holds_every_tick(sessions, tmp_path, options):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "set"
    export("parquet", sessions, out, options)
    table = parquet.read_table(out / "ticks")  # hive folders
    assert table.num_rows == 3 * (TICKS + 1)
    assert set(table["split"].to_pylist()) == {"train", "test"}
    with Session.open(sessions[0]) as session:
        states = list(session.ticks())
    first = parquet.read_table(out / "ticks", filters=[("x_m", "<", 500.0)]).to_pylist()
    rows = [row for row in first if row["session"] == first[0]["session"]]
    assert [row["tick"] for row in rows] == list(range(TICKS + 1))
    assert [row["x_m"] for row in rows][:20] == [s.ego.x for s in states][:20]
    assert rows[-1]["steer"] is None
    kinds = set(parquet.read_table(out / "events")["kind"].to_pylist())
    assert kinds == {"prompt", "shown", "outcome"}
    frames = parquet.read_table(out / "frames").to_pylist()
    assert {f["track"] for f in frames} == {"source", "check", "styled"}


def test_mcap_has_a_summary_and_the_pictures_of_its_ticks(sessions, tmp_path, options):
    pytest.importorskip("mcap")
    from mcap.reader import make_reader

    out = tmp_path / "set"
    export("mcap", sessions[:1], out, replace(options, gop=5))
    (path,) = (out / "train").glob("*.mcap")
    with path.open("rb") as stream:
        reader = make_reader(stream)
        summary = reader.get_summary()
        topics = {channel.topic for channel in summary.channels.values()}
        assert topics == {"/source", "/styled", "/ego", "/agents", "/controls", "/input", "/events"}
        counts = {
            summary.channels[key].topic: count
            for key, count in summary.statistics.channel_message_counts.items()
        }
        assert counts["/ego"] == TICKS + 1
        assert counts["/controls"] == TICKS
        assert counts["/source"] == counts["/styled"] == TICKS // 2 - 1
        assert counts["/input"] == 12
        decoder = av.CodecContext.create("h264", "r")
        for _, _, message in reader.iter_messages(topics=["/styled"]):
            body = json.loads(message.data)
            (frame,) = decoder.decode(av.Packet(base64.b64decode(body["data"])))
            tick = round(message.log_time * 60 / 1e9)
            assert tick_seen(frame.to_ndarray(format="rgb24")) == tick
            assert frame.width == SIDE
