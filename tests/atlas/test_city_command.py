"""`city info` and `city build` say what they found and fail in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from game.atlas.load import load

from .city_server import Town, serving
from .conftest import box, crossroads, house, write
from .test_schemas import grid, today

ROOT = Path(__file__).resolve().parents[2]


def city(*args: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    code = f"{prelude}\nimport sys; from game.cli import main; main(['city', *sys.argv[1:]])"
    return subprocess.run(
        [sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_info_prints_one_json_object_last(tmp_path: Path) -> None:
    done = city("info", "--json", "--map", str(tmp_path / "map.svg"))
    told = json.loads(done.stdout.splitlines()[-1])
    found = load()
    assert done.returncode == 0
    assert told["pack"] == "midtown"
    assert told["digest"] == found.digest
    assert told["buildings"] == len(found.footprints)
    assert told["signals"] == sum(one.signal for one in found.junctions)
    west, south, east, north = told["bbox"]
    assert west < -73.9857 < east  # the Empire State Building
    assert south < 40.7484 < north
    assert "ODbL" in told["licences"]["streets.bin"]
    assert (tmp_path / "map.svg").read_text().count('class="house"') == len(found.footprints)


def test_info_on_a_folder_without_a_pack_exits_3_in_one_line(tmp_path: Path) -> None:
    done = city("info", "--pack", str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "no city pack here" in done.stderr


def test_building_without_the_extra_names_it(tmp_path: Path) -> None:
    absent = "import sys; sys.modules['shapely'] = None"
    done = city("build", "--source", str(tmp_path), "--out", str(tmp_path / "x"), prelude=absent)
    assert done.returncode == 3
    assert "scale-diffusion[city]" in done.stderr
    assert not (tmp_path / "x").exists()


def test_build_never_replaces_a_folder_that_is_no_pack(tmp_path: Path) -> None:
    pytest.importorskip("shapely")
    (tmp_path / "thesis.txt").write_text("ten years")
    done = city("build", "--source", str(tmp_path), "--out", str(tmp_path))
    assert done.returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "ten years"


def test_build_reports_what_it_dropped_and_info_reads_it(tmp_path: Path) -> None:
    pytest.importorskip("shapely")
    houses = [house("a", box(100, 100, 130, 130)), house("b", box(9, 9, 30, 30), bin_="4000001")]
    source = write(tmp_path / "source", houses, crossroads())
    out = tmp_path / "pack"
    place = ["--source", str(source), "--out", str(out), "--area", "times-square"]
    done = city("build", *place, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    dropped = [row for row in told["tally"] if row["verb"] == "dropped"]
    assert [(row["what"], row["number"]) for row in dropped] == [("building", 1)]
    assert json.loads(city("info", "--pack", str(out), "--json").stdout)["digest"] == told["digest"]


@pytest.mark.network
def test_build_from_a_server_reports_resumes_and_never_breaks_a_good_pack(tmp_path: Path) -> None:
    pytest.importorskip("shapely")
    houses = [today("a", box(100, 100, 130, 130)), today("b", box(-130, 100, -100, 130))]
    town = Town({"5zhs-2jue": houses, "inkn-q76z": grid()}, trouble=["cut", "", "", "403"])
    out = tmp_path / "pack"
    with serving(town) as base:
        order = ("build", "--source", base, "--out", str(out), "--area", "times-square", "--json")
        done = city(*order)
        assert done.returncode == 4, done.stderr
        assert done.stderr.count("\n") == 1
        assert "inkn-q76z: answers 403" in done.stderr
        assert not out.exists()
        done = city(*order)
        assert done.returncode == 0, done.stderr
        # The footprints were whole already: only their end is asked for once more.
        assert town.offsets("5zhs-2jue") == [0, 0, 2, 2]
        good = json.loads(done.stdout.splitlines()[-1])
        town.tables["5zhs-2jue"] = []
        assert city(*order).returncode == 3
    told = json.loads(city("info", "--pack", str(out), "--json").stdout)
    assert told["digest"] == good["digest"]
    assert told["buildings"] == 2
    assert set(told["sources"]) == {"5zhs-2jue", "inkn-q76z"}
    assert "ODbL" not in told["notice"]
    reasons = {(row["what"], row["reason"]) for row in good["tally"]}
    assert ("shoreline", "the source has none") in reasons


@pytest.mark.parametrize(
    "options",
    [
        ("--bbox", "1,2,3,4"),
        ("--bbox", "x"),
        ("--bbox", "-74,40.7,-73.9,40.8", "--area", "midtown"),
    ],
)
def test_a_box_that_cannot_be_is_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = city("build", "--source", str(tmp_path), "--out", str(tmp_path / "x"), *options)
    assert done.returncode == 2


def test_info_knows_the_bundled_packs_by_name() -> None:
    told = json.loads(city("info", "--pack", "midtown", "--json").stdout)
    assert told["digest"] == load().digest
    assert "ODbL" in told["notice"]
    assert told["bundled"] == ["manhattan", "midtown"]
