"""Video that nobody vouches for: the child answers, or dies alone."""

from pathlib import Path

import numpy as np
import pytest

from game.session import framefile
from game.session.format import FRAMES, TrackId
from game.session.track import LOSSLESS, SourceTrack, segment_path
from rewards.checks.decode import DecodeLimits, DecoderFailed, Order, decode, luma_print

SIDE = 64


def picture(tick: int) -> np.ndarray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    bgra = np.dstack([rows * 2, columns * 3, (rows + tick) % 256, np.full_like(rows, 255)])
    return np.ascontiguousarray(bgra.astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    track = SourceTrack(tmp_path, SIDE, SIDE, LOSSLESS)
    records = [track.put(picture(tick), tick, tick) for tick in range(0, 40, 2)]
    track.close()
    table = framefile.header() + b"".join(framefile.encode(record) for record in records)
    (tmp_path / FRAMES).write_bytes(table)
    return tmp_path


def order(folder: Path, **limits: int) -> Order:
    bounds = DecodeLimits(**limits)  # type: ignore[arg-type]
    wanted = {int(TrackId.SOURCE): (4, 10)}
    return Order(folder, folder / "out", wanted, (TrackId.SOURCE,), bounds)


def test_pictures_and_prints_come_back_from_the_child(folder: Path) -> None:
    got = decode(order(folder))
    assert got.problems == ()
    assert sorted(got.pictures) == [(0, 4), (0, 10)]
    assert (got.pictures[0, 10] == picture(10)[..., 2::-1]).all()
    assert sorted(got.prints) == [(0, tick) for tick in range(0, 40, 2)]
    assert (got.prints[0, 4] == luma_print(picture(4)[..., 2::-1])).all()


def test_a_play_list_that_calls_itself_a_video_opens_nothing(folder: Path) -> None:
    path = segment_path(folder, TrackId.SOURCE, 0)
    path.rename(folder / "sibling.mkv")
    path.write_text("ffconcat version 1.0\nfile sibling.mkv\n")
    got = decode(order(folder))
    assert got.pictures == {}
    assert [problem[0] for problem in got.problems] == [TrackId.SOURCE]


@pytest.mark.parametrize("limits", [{"file_bytes": 1000}, {"memory": 64 << 20}])
def test_a_child_without_room_says_so_and_the_judge_lives(
    folder: Path, limits: dict[str, int]
) -> None:
    with pytest.raises(DecoderFailed, match="will be tried again"):
        decode(order(folder, **limits))


def test_a_video_that_takes_too_long_is_a_problem_of_the_recording(folder: Path) -> None:
    got = decode(order(folder, cpu_s=0))
    assert "to decode" in got.problems[0][2]


def test_a_print_is_the_mean_luma_of_each_cell_in_studio_range() -> None:
    white = np.full((48, 32, 3), 255, np.uint8)
    white[:24] = 0
    cells = luma_print(white).reshape(16, 16)
    assert (cells[:8] == 16).all()
    assert (cells[8:] == 235).all()
