"""The command line: shapes of its JSON, its exit codes, its pictures."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from game.cli.scenario import command
from tests.scenarios.example import GOOD


def call(*args: str) -> Result:
    return CliRunner().invoke(command, args)


def last_line(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def test_list_names_what_the_design_asks_for() -> None:
    rows = last_line(call("list", "--json"))
    assert {"oncoming-traffic", "busy-intersection"} <= {row["id"] for row in rows}
    for row in rows:
        assert list(row) == ["id", "title", "place", "entities", "duration_s", "stops"]
        assert row["entities"] > 0 or row["stops"] > 1


def test_run_prints_runs_and_exits_with_1_when_one_fails() -> None:
    passed = call("run", "oncoming-traffic", "--json")
    assert passed.exit_code == 0
    row = last_line(passed)["runs"][0]
    assert {"scenario", "seed", "driver", "success", "reason", "collisions"} <= set(row)
    assert {"min_ttc_s", "ticks", "digest"} <= set(row)
    failed = call(
        "run", "oncoming-traffic", "--driver", "full-throttle", "--seeds", "3:5", "--json"
    )
    assert failed.exit_code == 1
    assert [run["seed"] for run in last_line(failed)["runs"]] == [3, 4]
    assert last_line(failed)["summary"]["failed"] == 2


@pytest.mark.parametrize("seeds", ["5:5", "x", "-1:3", "0:99999999999", "1:2:3"])
def test_a_wrong_range_of_seeds_is_a_usage_error(seeds: str) -> None:
    assert call("run", "oncoming-traffic", f"--seeds={seeds}").exit_code == 2


def test_check_reports_file_line_and_key(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    lost = tmp_path / "lost.yaml"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("radius", "raduis"))
    lost.write_text(GOOD.replace("7th Avenue", "77th Avenue"))
    assert call("check", str(good)).exit_code == 0
    result = call("check", str(good), str(bad), str(lost), "--json")
    assert result.exit_code == 2
    files = last_line(result)["files"]
    assert files[str(good)] == []
    said = f"{bad}:19: success.1.raduis: unknown key 'raduis'; did you mean 'radius'?"
    assert said in files[str(bad)]
    assert files[str(lost)][0].startswith(f"{lost}:5: place.at: ")


def test_show_draws_every_actor_by_name(tmp_path: Path) -> None:
    out = tmp_path / "busy.svg"
    result = call("show", "busy-intersection", "--out", str(out), "--json")
    assert result.exit_code == 0
    shown = last_line(result)
    assert shown["picture"] == str(out)
    texts = {node.text for node in ElementTree.parse(out).iter("{http://www.w3.org/2000/svg}text")}
    assert {"jaywalker (wave 3)", "opposite-taxi", "7th Avenue", "reach"} <= texts
    assert [path.name for path in tmp_path.iterdir()] == ["busy.svg"]


def test_show_writes_a_png_of_streets_and_houses(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    out = tmp_path / "oncoming.png"
    assert call("show", "oncoming-traffic", "--out", str(out), "--driver", "bot").exit_code == 0
    with image.open(out) as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 20)}
    assert {(0xC9, 0xCC, 0xD1), (0xA8, 0x92, 0x7A), (0x82, 0x50, 0xDF)} <= colours


def test_the_schema_is_json() -> None:
    assert json.loads(call("schema").stdout)["title"] == "Scale Diffusion scenario"


def test_the_published_schema_is_the_one_that_the_program_prints() -> None:
    published = Path(__file__).parents[2] / "docs" / "scenario.schema.json"
    assert published.read_text(encoding="utf-8") == call("schema").stdout
