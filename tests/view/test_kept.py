"""Furniture is laid out once for a pack; what is read back is what was laid out."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from game.atlas.load import bundled_names, load
from game.view import kept, mouths, scenery
from game.view.furniture import Pieces
from game.view.room import Room
from tests.view.boxes import box_city

DIGEST = "77b3587d292b4214"
"""Of what LAYOUT 1 lays out: where it moves, count LAYOUT up, or old files are read back."""


def laid_out() -> Pieces:
    city = box_city()
    return scenery.lay_out(city, mouths.halves(city), Room(city))


@pytest.fixture(autouse=True)
def small_cities_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_LEAST", 0)


def never() -> Pieces:
    raise AssertionError("laid out although it was kept")


def same(a: Pieces, b: Pieces) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in kept._COLUMNS)


def test_the_second_time_is_read_back(tmp_path: Path) -> None:
    city, made = box_city(), laid_out()
    assert len(made) > 0
    assert same(kept.pieces(city, lambda: made, tmp_path), made)
    assert same(kept.pieces(city, never, tmp_path), made)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]


def test_another_pack_and_another_layout_are_laid_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, made = box_city(), laid_out()
    kept.pieces(city, lambda: made, tmp_path)
    with pytest.raises(AssertionError):
        kept.pieces(replace(city, digest="11" * 32), never, tmp_path)
    monkeypatch.setattr(kept, "LAYOUT", kept.LAYOUT + 1)
    with pytest.raises(AssertionError):
        kept.pieces(city, never, tmp_path)


@pytest.mark.parametrize("damage", ["cut", "empty", "shape"])
def test_a_damaged_file_is_laid_out_anew(tmp_path: Path, damage: str) -> None:
    city, made = box_city(), laid_out()
    kept.pieces(city, lambda: made, tmp_path)
    (path,) = tmp_path.iterdir()
    if damage == "shape":
        columns = {name: getattr(made, name) for name in kept._COLUMNS}
        with path.open("wb") as file:
            np.savez(file, **{**columns, "heading": made.heading[:-1]})
    else:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"")
    assert same(kept.pieces(city, lambda: made, tmp_path), made)
    assert same(kept.pieces(city, never, tmp_path), made)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    made = laid_out()
    (tmp_path / "file").write_text("")
    assert same(kept.pieces(box_city(), lambda: made, tmp_path / "file" / "below"), made)


def test_what_is_laid_out_is_what_its_number_stands_for() -> None:
    made, found = laid_out(), sha256(str(kept.LAYOUT).encode())
    for name in kept._COLUMNS:
        column = np.asarray(getattr(made, name), np.float64)
        found.update(np.rint(column * 1000.0).astype("<i8").tobytes())
    assert found.hexdigest()[:16] == DIGEST


@pytest.mark.heavy
@pytest.mark.parametrize("name", bundled_names())
def test_a_bundled_pack_comes_with_the_furniture_that_is_laid_out_for_it(name: str) -> None:
    city = load(Path(name))
    there = kept._read(kept.bundled() / f"{kept._key(city)}.npz")
    assert there is not None
    if name != "midtown":  # the island takes seconds
        assert len(there) > 6 * len(city.footprints)
        return
    made = scenery.lay_out(city, mouths.halves(city), Room(city))
    assert len(made) == len(there)
    for column in kept._COLUMNS:  # to the last bit on one kind of processor
        assert np.allclose(getattr(made, column), getattr(there, column), rtol=0.0, atol=1e-6)


def test_other_bundled_files_go_when_the_packs_are_laid_out_again(tmp_path: Path) -> None:
    city, made = box_city(), laid_out()
    old = tmp_path / "old.npz"
    old.write_bytes(b"of another layout")
    (written,) = kept.bundle([city], lambda _: made, tmp_path)
    assert list(tmp_path.iterdir()) == [written]
    assert same(kept.pieces(city, never, tmp_path), made)
