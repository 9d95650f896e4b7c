"""COCO, Rerun, clips for world models, and work over many sessions in processes or on Ray."""

import io
import json
import re
import subprocess
import sys
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from game.atlas.load import load as load_city
from game.dataset.job import export
from game.dataset.pool import Workers
from game.session.reader import Session
from game.session.writer import SessionWriter
from game.world.step import step
from scenarios.load import load
from scenarios.model import digest
from scenarios.spawn import stage
from tests.dataset import conftest as small
from tests.dataset.conftest import SIDE, TICKS, WALLET
from tests.session import conftest as made


@pytest.fixture(scope="module")
def in_town(tmp_path_factory):
    """A drive through the real city with films, as annotations need it."""
    city, scenario = load_city(), load("oncoming-traffic")
    state = stage(scenario, city, 5).state
    manifest = made.manifest_of(
        pack=city.name, pack_digest=city.digest, scenario=scenario.id, payee=WALLET,
        scenario_digest=digest(scenario), seed=5,
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path_factory.mktemp("town"), manifest)
    writer.tick(state)
    for tick in range(TICKS):
        state = step(city, state, made.driven(tick))
        writer.tick(state)
    small._film(writer.folder)
    writer.finish()
    return writer.folder


@pytest.mark.render
@pytest.mark.heavy
def test_coco_boxes_lie_on_their_pictures(in_town, options, tmp_path):
    out = tmp_path / "set"
    export("coco", [in_town], out, replace(options, fps=4.0, size=(320, 320)))
    for track in ("source", "styled"):
        found = json.loads((out / "annotations" / f"{track}_train.json").read_text())
        names = {each["id"]: each["file_name"] for each in found["images"]}
        assert len(names) == 8
        assert sorted(p.name for p in (out / track / "train").iterdir()) == sorted(names.values())
        assert found["annotations"], "somebody is to be seen"
        assert [a["id"] for a in found["annotations"]] == list(
            range(1, len(found["annotations"]) + 1)
        )
        for each in found["annotations"]:
            left, top, wide, high = each["bbox"]
            assert 0 <= left < left + wide <= 320
            assert 0 <= top < top + high <= 320
            assert 0 < each["area"] <= wide * high
            assert each["image_id"] in names
            assert found["categories"][each["category_id"] - 1]["id"] == each["category_id"]
        assert WALLET not in json.dumps(found)
        assert in_town.name not in json.dumps(found)


def test_rerun_recordings_verify(in_town, options, tmp_path):
    pytest.importorskip("rerun")
    out = tmp_path / "set"
    result = export("rerun", [in_town], out, options)
    (path,) = (out / "train").glob("*.rrd")
    assert result.frames == TICKS // 2 - 1
    data = path.read_bytes()
    assert data[:4] == b"RRF2"
    for private in (WALLET, in_town.name, str(in_town.parent)):
        assert private.encode() not in data


def _rerun(*words):
    """Rerun's own command line, which has no Python reader beside it; returns what it printed."""
    found = subprocess.run(
        [sys.executable, "-m", "rerun", "rrd", *map(str, words)], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return found.stdout + found.stderr


@pytest.mark.heavy
def test_rerun_itself_reads_every_value_back(in_town, options, tmp_path):
    pytest.importorskip("rerun")
    out = tmp_path / "set"
    export("rerun", [in_town], out, options)
    (path,) = (out / "train").glob("*.rrd")
    assert "1 file verified without error" in _rerun("verify", path)
    said = _rerun("print", "-vvv", "--entity", "/ego/speed_km_h", path)
    read = {int(t): float(v) for t, v in re.findall(r"┆ (\d+) +┆ \[([-+.e0-9]+)\]", said)}
    with Session.open(in_town) as session:
        states, pairs = session.ticks(), session.pairs()
        assert len(read) > TICKS // 10
        for tick, speed in read.items():
            assert speed == pytest.approx(states[tick].ego.speed * 3.6, abs=1e-9)
    for track in ("source", "styled"):
        said = _rerun("print", "--entity", f"/camera/{track}", path)
        rows = re.findall(r"with (\d+) rows .* data columns: \[VideoStream:sample", said)
        assert sum(map(int, rows)) == sum(p.confidence >= 0.9 for p in pairs), said
    broken = tmp_path / "broken.rrd"
    broken.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(AssertionError):
        _rerun("verify", broken)


def test_clips_of_81_frames_at_16_a_second(tmp_path, options, monkeypatch):
    monkeypatch.setattr(small, "TICKS", 420)
    folder = small.record(tmp_path / "s")
    out = tmp_path / "set"
    result = export("webdataset", [folder], out, replace(options, fps=16.0, frames=81, shortest=81))
    assert (result.episodes, result.frames) == (1, 81)
    with tarfile.open(out / "train-000000.tar") as tar:
        files = {m.name.split(".", 1)[1]: tar.extractfile(m).read() for m in tar}
    actions, ticks = (np.load(io.BytesIO(files[n])) for n in ("actions.npy", "ticks.npy"))
    facts = json.loads(files["json"])
    assert actions.shape == (81, 9)
    assert len(facts["actions"]) == 9
    assert ticks.shape == (82,)
    assert "mean of steer" in facts["aggregation"]
    wanted = ticks[0] + np.arange(82) * 60 / 16
    assert np.abs(ticks - wanted).max() <= 1, "each frame is the pair nearest to its time"
    controls = np.array([made.driven(t).throttle for t in range(420)])
    for k in (0, 40, 80):
        assert actions[k, 1] == pytest.approx(controls[ticks[k] : ticks[k + 1]].mean() / 1000)
    (tmp_path / "f.mp4").write_bytes(files["styled.mp4"])
    from game.dataset.video import frames

    shown = [small.tick_seen(p) for _, p in frames(tmp_path / "f.mp4")]
    assert shown == ticks[:-1].tolist()
    assert SIDE == 96


@pytest.mark.heavy
def test_two_processes_make_the_same_data_set(sessions, options, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    export("parquet", sessions, one, options)
    export("parquet", sessions, two, options, workers=Workers(2))
    assert (one / "SHA256SUMS").read_text() == (two / "SHA256SUMS").read_text()
