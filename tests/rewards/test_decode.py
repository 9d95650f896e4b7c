"""Video that nobody vouches for: the child answers, or dies alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from game.session import framefile
from game.session.format import FRAMES, TrackId
from game.session.pictures import Pictures
from game.session.track import LOSSLESS, NEAR_LOSSLESS, Encoding, SourceTrack, segment_path
from rewards.checks.decode import (
    DecodeLimits,
    DecoderFailed,
    Order,
    decode,
    luma_print,
    plane_print,
    studio_luma,
)

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


def decoded(folder: Path, encoding: Encoding) -> tuple[Any, np.ndarray]:
    track = SourceTrack(folder, SIDE, SIDE, encoding)
    pictures = Pictures(folder, TrackId.SOURCE, [track.put(picture(0), 0, 0)])
    track.close()
    ((_, frame),) = pictures.frames()
    return frame, pictures.rgb(frame)


def test_the_print_of_a_luma_plane_is_that_of_its_colours(tmp_path: Path) -> None:
    frame, rgb = decoded(tmp_path, NEAR_LOSSLESS)
    plane = studio_luma(frame)
    assert plane is not None
    apart = plane_print(plane).astype(int) - luma_print(rgb)
    assert np.abs(apart).max() <= 1
    assert luma_print(rgb).std() > 10  # else there was nothing to tell apart


@pytest.mark.parametrize("change", [{"color_range": 2}, {"colorspace": 1}])
def test_a_plane_in_another_range_or_matrix_is_not_taken_for_studio_luma(
    tmp_path: Path, change: dict[str, int]
) -> None:
    frame, _ = decoded(tmp_path, NEAR_LOSSLESS)
    for name, value in change.items():
        setattr(frame, name, value)
    assert studio_luma(frame) is None


def test_a_picture_in_rgb_has_no_luma_plane(tmp_path: Path) -> None:
    assert studio_luma(decoded(tmp_path, LOSSLESS)[0]) is None


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
