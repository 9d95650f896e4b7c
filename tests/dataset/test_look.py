"""The page, the clip, the report and the loader show what was recorded, and name nobody."""

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from game.dataset import boxes, clip, page, quality, video
from game.dataset.errors import DatasetError, FolderTaken
from game.dataset.job import export
from game.session.format import CaptureProfile
from game.session.reader import Session
from game.view.camera import Eye, eye
from game.world.entity import EntityState
from game.world.state import WorldState
from tests.dataset.conftest import GAP, SIDE, TICKS, WALLET, tick_seen
from tests.session import conftest as made


@pytest.fixture
def session(sessions):
    with Session.open(sessions[0]) as found:
        yield found


def test_page_has_both_films_at_the_times_of_their_ticks(session, tmp_path):
    out = tmp_path / "page"
    index = page.write(session, made.CITY, out)
    assert {p.name for p in out.iterdir()} == {
        "index.html", "data.js", "source.mp4", "styled.mp4", page.MARK,
    }  # fmt: skip
    text = (out / "data.js").read_text()
    data = json.loads(text.removeprefix("window.DRIVE=").removesuffix(";\n"))
    for name in ("source.mp4", "styled.mp4"):
        shown = {round(t * 60): tick_seen(p) for t, p in video.frames(out / name)}
        assert all(at == tick for at, tick in shown.items())
        assert sorted(shown) == [frame[0] for frame in data["frames"]]
    assert GAP not in [frame[0] for frame in data["frames"]]
    assert {f[0]: f[1] for f in data["frames"]}[4] == 9
    assert data["path"][10][:3] == [20, *(round(v, 2) for v in _place(session, 20))]
    asked = [session.controls()[tick] for tick in (20, 21)]
    assert data["inputs"][10][0] == 20
    assert data["inputs"][10][2] == pytest.approx(sum(c.throttle for c in asked) / 2000)
    assert [e["kind"] for e in data["events"] if e["kind"] in ("prompt", "outcome")] == [
        "prompt", "outcome",
    ]  # fmt: skip
    html = index.read_text()
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")  # nothing to fetch
    for path in out.iterdir():
        body = path.read_bytes()
        for private in (WALLET, session.manifest.session, str(session.folder.parent)):
            assert private.encode() not in body, path.name
    page.write(session, made.CITY, out)  # replaces its own
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(FolderTaken):
        page.write(session, made.CITY, tmp_path / "mine")


def _place(session, tick):
    ego = session.ticks()[tick].ego
    return ego.x, ego.y


def test_projection_is_the_lens_of_the_capture():
    capture = CaptureProfile(width=640, height=480, fov_degrees=90.0)
    ahead = Eye(0.0, 0.0, 2.0, 0.0, 0.0)
    points = np.array([(10.0, 0.0, 2.0), (10.0, 10.0, 2.0), (10.0, 0.0, 12.0), (10.0, -10.0, -8.0)])
    found = boxes.project(points, ahead, capture)
    assert found[0] == pytest.approx((0.5, 0.5, 10.0))
    assert found[1][:2] == pytest.approx((0.5 - 0.375, 0.5))  # 45 degrees left: 240 of 640 px
    assert found[2][:2] == pytest.approx((0.5, 0.0))  # fov spans the shorter side
    assert found[3][:2] == pytest.approx((0.875, 1.0))
    north = Eye(0.0, 0.0, 2.0, np.pi / 2, 0.0)
    assert boxes.project(np.array([(0.0, 10.0, 2.0)]), north, capture)[0] == pytest.approx(
        (0.5, 0.5, 10.0)
    )


def test_who_stands_behind_a_building_has_no_box():
    ego = EntityState(0, "sedan", -50.0, -3.0, 0.0, 0.0)
    near = EntityState(1, "taxi", -30.0, -3.0, 0.0, 0.0)
    behind = EntityState(2, "taxi", 50.0, 50.0, 0.0, 0.0)  # the block from y = 12 to 40 between
    rear = EntityState(3, "taxi", -80.0, -3.0, 0.0, 0.0)
    state = WorldState(0, 1, ego, (near, behind, rear))
    sight = boxes.Sight(made.CITY, [(ego.x, ego.y)])
    assert not sight.clear(eye(state), behind.x, behind.y)
    capture = CaptureProfile()
    assert {s.id for s in boxes.seen(state, capture)} == {1, 2}
    (found,) = boxes.seen(state, capture, sight)
    left, top, right, bottom = found.box
    assert found.id == 1
    assert left < 0.5 < right
    assert 0.0 < top < bottom < 1.0


@pytest.mark.parametrize("kind", [".png", ".gif", ".mp4"])
def test_clip_shows_the_moment_and_nobody(session, tmp_path, kind):
    out = tmp_path / f"moment{kind}"
    count = clip.write(session, 0.5, 0.4, out)
    with av.open(str(out)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(pictures) == count == {".png": 1, ".gif": 6, ".mp4": 12}[kind]
    if kind != ".gif":
        assert tick_seen(pictures[0][:, :SIDE]) == tick_seen(pictures[0][:, -SIDE:]) == 30
    data = out.read_bytes()
    for private in (WALLET, session.manifest.session, str(tmp_path), str(session.folder)):
        assert private.encode() not in data
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_clip_refuses_what_is_not_there(session, tmp_path):
    with pytest.raises(DatasetError, match=r"2\.0 s long"):
        clip.write(session, 50.0, 1.0, tmp_path / "x.png")
    with pytest.raises(DatasetError, match="ends in"):
        clip.write(session, 0.0, 1.0, tmp_path / "x.bmp")


def test_lag_is_found_with_its_sign():
    cause = np.sin(np.arange(300) / 7.0) + np.sin(np.arange(300) / 3.1)
    assert quality.lag(cause[5:], cause[:-5], 10)[0] == 5
    assert quality.lag(cause[:-3], cause[3:], 10)[0] == -3
    assert quality.lag(np.zeros(100), cause[:100], 10) == (0, 0.0)


@pytest.mark.parametrize("late", [0, 1, 2])
def test_a_styled_track_that_lies_behind_is_seen(late):
    rng = np.random.default_rng(4)
    scene = rng.random((40, 200)) * 255
    source = [scene[:, i * 3 : i * 3 + 60] for i in range(30)]
    styled = [255 - source[max(0, i - late)] * 0.7 for i in range(30)]
    found = quality.alignment(source, styled, [True] * 30)
    assert found["lag"] == late
    assert found["aligned_share"] == (1.0 if late == 0 else 0.0)


def test_report_of_a_real_recording(session):
    found = quality.report(session, made.CITY)
    assert found["pairs"] == TICKS // 2 - 1
    assert found["duplicates"] == {"source": 0, "styled": 0}
    assert found["longest_run"] == GAP // 2
    assert found["input_to_motion"]["steer_to_turn"]["correlation"] > 0.3
    assert 0 <= found["input_to_motion"]["steer_to_turn"]["ticks"] <= 6
    assert sum(found["ttc"]["counts"]) == TICKS // 6 + 1
    assert found["coverage"]["met"] == {"van": 1}
    assert found["coverage"]["metres"] > 5
    whole = quality.total([found, found])
    assert whole["pairs"] == 2 * found["pairs"]
    assert whole["ttc_counts"] == [2 * n for n in found["ttc"]["counts"]]


def test_windows_give_pictures_with_their_actions_and_states(sessions, tmp_path, options):
    pytest.importorskip("pyarrow")
    from game.dataset.windows import Windows

    out = Path(tmp_path / "set")
    export("lerobot", sessions[:1], out, replace(options, gop=5))
    windows = Windows(out, 4)
    assert len(windows) == sum(n - 3 for n in (31, 28))
    ticks = [*range(0, GAP, 2), *range(GAP + 2, TICKS, 2)]
    starts = [t for part in (ticks[:31], ticks[31:]) for t in part[:-3]]
    with Session.open(sessions[0]) as session:
        for index in (40, 0, 27, 28, 3, 4, 5, len(windows) - 1):  # backwards and over the edge
            found = windows[index]
            first = starts[index]
            want = [first, first + 2, first + 4, first + 6]
            assert [tick_seen(p) for p in found.geometry] == want
            assert [tick_seen(p) for p in found.styled] == want
            assert found.state[2, 0] == pytest.approx(session.ticks()[first + 4].ego.x, abs=1e-4)
            steer = [session.controls()[first + 4 + k].steer / 2000 for k in (0, 1)]
            assert found.action[2, 0] == pytest.approx(sum(steer))
