"""The meshes that come with the program are those that would be made."""

from pathlib import Path

import numpy as np
import pytest

from game.view import stock
from game.view.mesh import Mesh, box


def test_the_file_holds_every_mesh_as_it_would_be_made() -> None:
    kept, makers = stock.read(stock.path()), stock.makers()
    assert list(kept) == list(makers), "run `python -m game.view.stock`"
    for name, make in makers.items():
        (vertices, indices), (own, order) = kept[name], make()
        assert np.array_equal(indices, order), f"{name}: run `python -m game.view.stock`"
        for field in ("facing", "paint", "label"):
            assert np.array_equal(vertices[field], own[field]), name
        for field in ("place", "span"):  # sines differ by a bit from machine to machine
            assert np.allclose(vertices[field], own[field], atol=1e-5), name


def test_what_is_kept_is_not_made_and_what_is_not_is() -> None:
    def unasked() -> Mesh:
        raise AssertionError("made although it was kept")

    assert len(stock.mesh("taxi 0 0", unasked)[0]) > 100
    other = box((0, 0, 0), (1, 1, 1), (1, 2, 3, 4))
    assert stock.mesh("a kind that nobody kept", lambda: other) is other


def test_a_file_comes_back_as_it_was_written_also_with_an_empty_mesh(tmp_path: Path) -> None:
    cube = box((0, 0, 0), (1, 2, 3), (9, 8, 7, 6), kind=3)
    none = cube[0][:0], cube[1][:0]
    stock.write(tmp_path / "a.npz", {"cube": cube, "none": none, "again": cube})
    found = stock.read(tmp_path / "a.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]
    assert list(found) == ["cube", "none", "again"]
    assert len(found["none"][0]) == len(found["none"][1]) == 0
    for name in ("cube", "again"):
        assert found[name][0].tobytes() == cube[0].tobytes()
        assert np.array_equal(found[name][1], cube[1])


@pytest.mark.parametrize("cut", [0, 40, 2000])
def test_a_damaged_file_is_as_none(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "a.npz"
    file.write_bytes(stock.path().read_bytes()[:cut])
    assert stock.read(file) == {}
    assert stock.read(tmp_path / "missing.npz") == {}


def test_a_file_with_a_wrong_byte_anywhere_is_read_right_or_not_at_all(tmp_path: Path) -> None:
    whole, file = stock.path().read_bytes(), tmp_path / "a.npz"
    names = set(stock.read(stock.path()))
    for at in range(0, len(whole), 1009):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert set(stock.read(file)) in (set(), names)
