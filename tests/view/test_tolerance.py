"""What two renderers may differ in: measured right, told by channel, and small."""

from pathlib import Path

import numpy as np
import pytest

from game.view.tolerance import Apart, Views, away, compare, read, save


def views(**more: np.ndarray) -> Views:
    flat = {
        "colour": np.full((4, 5, 3), 90, np.uint8),
        "class": np.zeros((4, 5), np.uint8),
        "instance": np.zeros((4, 5), np.uint32),
        "depth": np.full((4, 5), 20.0, np.float32),
        "normal": np.tile(np.array([0, 0, 1], np.float32), (4, 5, 1)),
        "flow": np.zeros((4, 5, 2), np.float32),
    }
    return {"a view": {**flat, **more}}


def test_one_pixel_in_twenty_that_differs_is_five_percent_of_its_channel_alone() -> None:
    kinds = np.zeros((4, 5), np.uint8)
    kinds[2, 3] = 7
    rows = {row.channel: row for row in compare(views(), views(**{"class": kinds}))}
    assert rows["class"].share == rows["class"].worst == 0.05
    assert all(row.share == 0.0 for name, row in rows.items() if name != "class")


def test_each_channel_is_measured_in_its_own_unit() -> None:
    turned = np.tile(np.array([0, 1, 0], np.float32), (4, 5, 1))
    one = views()["a view"]
    assert away("normal", one, {"normal": turned}).max() == pytest.approx(np.pi / 2)
    farther = {"depth": np.full((4, 5), 22.0, np.float32)}
    assert away("depth", one, farther).max() == pytest.approx(0.1)
    moved = np.zeros((4, 5, 2), np.float32)
    moved[0, 0], moved[1, 1] = (3.0, 4.0), (np.nan, np.nan)
    flow = away("flow", one, {"flow": moved})
    assert flow[0, 0] == pytest.approx(5.0)
    assert flow[1, 1] == 5.0  # known to one of them only: as far as the picture is wide
    brighter = {"colour": np.array(one["colour"]) + np.array([0, 9, 2], np.uint8)}
    assert away("colour", one, brighter).max() == 9.0


@pytest.mark.parametrize(("worst", "allowed"), [(0.0, 1e-4), (0.002, 0.04), (0.0011, 0.02)])
def test_the_tolerance_is_the_worst_view_sixteen_times_rounded_up(
    worst: float, allowed: float
) -> None:
    assert Apart("class", "", 0.5, 0, 0, 0, 0, worst).tolerance == pytest.approx(allowed)


def test_views_read_back_as_kept_and_other_files_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "v.npz", "some renderer", views())
    family, kept = read(tmp_path / "v.npz")
    assert family == "some renderer"
    assert all(row.largest == 0.0 for row in compare(views(), kept))
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    with pytest.raises(ValueError, match="no views"):
        read(tmp_path / "other.npz")


def test_views_of_two_editions_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different views"):
        compare(views(), {"another view": views()["a view"]})
    smaller = {"depth": np.zeros((2, 2), np.float32)}
    with pytest.raises(ValueError, match="one size"):
        away("depth", views()["a view"], smaller)
