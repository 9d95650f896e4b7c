"""A pack reads back as it was written, or is refused in one line."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from game.atlas.load import bundled, load
from game.atlas.pack import FILES, compress, decompress, pack_columns, unpack_columns
from game.errors import PackError

CENTIMETRES = st.integers(-(2**29), 2**29)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundled(), tmp_path / "pack"))


def refused(folder: Path, why: str) -> None:
    with pytest.raises(PackError, match=why) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert "scale-diffusion city build" in str(caught.value)


@given(st.lists(CENTIMETRES), st.lists(st.text()))
def test_columns_read_back_as_written(numbers: list[int], names: list[str]) -> None:
    raw = decompress(compress(pack_columns({"x": numbers, "none": []}, {"name": names})))
    assert unpack_columns(raw) == ({"x": numbers, "none": []}, {"name": names})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.1, 0.5, 0.999])
def test_one_flipped_bit_is_refused(copy: Path, name: str, place: float) -> None:
    data = bytearray((copy / name).read_bytes())
    data[int(place * len(data))] ^= 4
    (copy / name).write_bytes(data)
    refused(copy, "damaged")


def test_a_changed_figure_that_unpacks_is_refused(copy: Path) -> None:
    raw = bytearray(decompress((copy / "streets.bin").read_bytes()))
    raw[-1] ^= 1
    (copy / "streets.bin").write_bytes(compress(bytes(raw)))
    refused(copy, "damaged .digest")


def test_another_compression_of_the_same_figures_is_the_same_pack(copy: Path) -> None:
    import zlib

    for name in FILES:
        raw = decompress((copy / name).read_bytes())
        (copy / name).write_bytes(zlib.compress(raw, 1))
    assert load(copy).digest == load().digest


@pytest.mark.parametrize(
    ("key", "value"), [("name", "x"), ("latitude", 40.0), ("bounds_cm", [0, 0, 1, 1])]
)
def test_a_changed_header_is_refused(copy: Path, key: str, value: object) -> None:
    header = json.loads((copy / "pack.json").read_text())
    (copy / "pack.json").write_text(json.dumps({**header, key: value}))
    refused(copy, "damaged .digest")


def test_another_version_is_named(copy: Path) -> None:
    header = json.loads((copy / "pack.json").read_text())
    (copy / "pack.json").write_text(json.dumps({**header, "version": 99}))
    refused(copy, "pack version 99, this build reads 1")


@pytest.mark.parametrize("name", [*FILES, "pack.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    refused(copy, f"{name} is missing")


@pytest.mark.parametrize("name", [*FILES, "pack.json"])
def test_a_file_cut_short_is_refused(copy: Path, name: str) -> None:
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: len(data) // 2])
    refused(copy, "damaged|does not read")


def test_the_bundled_pack_is_small() -> None:
    assert sum(path.stat().st_size for path in bundled().iterdir()) <= 3_000_000
