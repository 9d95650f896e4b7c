"""Many cases: shards, processes, bundles, result files, JUnit, other people's drivers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from game.cli.scenario import command
from game.world.city import City
from scenarios.batch import Case, Orders, bundle_of, cases_of, drive_case, factory_of
from scenarios.errors import BundleUnreadable, DriverGone, DriverUnknown
from scenarios.load import load
from scenarios.report import totals
from scenarios.run import RunResult, run
from scenarios.wheel import Wheel
from tests.scenarios.steady import THROTTLE

CLIENT = Path(__file__).with_name("steady.py")
STEADY = "tests.scenarios.steady:Steady"


def call(*args: str) -> Result:
    return CliRunner().invoke(command, args)


def last_line(result: Result) -> Any:
    return json.loads(result.stdout.splitlines()[-1])


def test_shards_are_all_cases_and_each_once() -> None:
    every = cases_of(("a", "b"), range(7), "bot")
    shards = [case for i in (1, 2, 3) for case in cases_of(("a", "b"), range(7), "bot", (i, 3))]
    assert len(every) == 14
    assert sorted(map(repr, shards)) == sorted(map(repr, every))
    assert {len(cases_of(("a", "b"), range(7), "bot", (i, 3))) for i in (1, 2, 3)} == {4, 5}


@pytest.mark.parametrize("shard", ["0/2", "3/2", "x", "1/0", "1"])
def test_a_wrong_shard_is_a_usage_error(shard: str) -> None:
    assert call("run", "road-debris", "--shard", shard).exit_code == 2


@pytest.mark.heavy
def test_two_processes_give_the_bits_of_one() -> None:
    args = ("run", "road-debris", "--seeds", "0:4", "--driver", "idle", "--json")
    one, two = call(*args), call(*args, "--jobs", "2")
    assert last_line(one)["runs"] == last_line(two)["runs"]
    assert [row["seed"] for row in last_line(two)["runs"]] == [0, 1, 2, 3]
    assert (one.exit_code, two.exit_code) == (1, 1)


def test_a_failed_case_leaves_a_bundle_that_drives_it_again(tmp_path: Path) -> None:
    failed = call(
        "run", "construction-zone", "--seeds", "3", "--driver", "full-throttle", "--json",
        "--bundles", str(tmp_path / "b"), "--junit", str(tmp_path / "j.xml"),
        "--out", str(tmp_path / "r.json"),
    )  # fmt: skip
    (row,) = last_line(failed)["runs"]
    again = call("run", "--driver", "replay", row["bundle"], "--json")
    assert again.exit_code == 0
    assert last_line(again)["same"] is True
    assert last_line(again)["runs"][0]["digest"] == row["digest"]
    suite = ElementTree.parse(tmp_path / "j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "collision: barrier-head"
    assert row["bundle"] in str(failure.text)
    assert json.loads((tmp_path / "r.json").read_text())["runs"][0]["digest"] == row["digest"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "construction-zone-3-full-throttle.json", "j.xml", "r.json",
    ]  # fmt: skip


def test_a_changed_bundle_is_another_drive_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    call("run", "road-debris", "--driver", "idle", "--bundles", str(tmp_path))
    bundle = json.loads((tmp_path / "road-debris-0-idle.json").read_text())
    changed = {**bundle, "controls": [[5, 1, 0, 0, 1, 0, 0, 0, 0], *bundle["controls"]]}
    file.write_text(json.dumps(changed))
    again = call("run", "--driver", "replay", str(file), "--json")
    assert again.exit_code == 1
    assert "digest" in last_line(again)["differs"]
    for key, value in (("pack", "0" * 64), ("world_version", 999), ("bundle", 7)):
        file.write_text(json.dumps({**bundle, key: value}))
        refused = call("run", "--driver", "replay", str(file)).exception
        assert isinstance(refused, BundleUnreadable)
        assert "it is no bundle" in str(refused) or key in str(refused)
    for text in ("", "[]", '{"bundle": 1}', json.dumps({**bundle, "controls": [[1, 5000]]})):
        file.write_text(text)
        assert isinstance(call("run", "--driver", "replay", str(file)).exception, BundleUnreadable)


def test_a_bundle_holds_the_whole_scenario_not_its_name(city: City) -> None:
    scenario = load("road-debris")
    result = run(scenario, city, 0, factory_of("idle"))
    assert bundle_of(scenario, city, result, [])["scenario"]["id"] == "road-debris"


def results(path: Path, *rows: tuple[int, bool, str]) -> str:
    runs = [
        {"scenario": "a", "seed": seed, "driver": "bot", "success": ok, "min_ttc_s": 1.0 + seed,
         "reason": "ok" if ok else "collision", "cause": cause, "digest": f"{seed}{cause}"}
        for seed, ok, cause in rows
    ]  # fmt: skip
    path.write_text(json.dumps({"runs": runs}))
    return str(path)


def test_compare_finds_what_got_worse_and_what_got_better(tmp_path: Path) -> None:
    before = results(tmp_path / "a", (0, True, ""), (1, False, "x"), (2, False, "x"), (3, True, ""))
    after = results(tmp_path / "b", (0, False, "y"), (1, True, ""), (2, False, "y"), (4, True, ""))
    worse = call("compare", before, after, "--json")
    found = last_line(worse)
    assert worse.exit_code == 1
    assert [(row["seed"], row["after"]) for row in found["regressed"]] == [(0, "collision: y")]
    assert [row["seed"] for row in found["mended"]] == [1]
    assert [row["seed"] for row in found["fails_otherwise"]] == [2]
    assert (found["compared"], found["only_before"], found["only_after"]) == (3, 1, 1)
    assert found["groups"][0]["passed"] == pytest.approx([1 / 3, 1 / 3])
    assert call("compare", before, before, "--json").exit_code == 0
    assert call("compare", before, after).exit_code == 1
    (tmp_path / "c").write_text("{}")
    assert "no results" in str(call("compare", before, str(tmp_path / "c")).exception)


def test_anybodys_class_takes_the_wheel(city: City) -> None:
    done = drive_case(Case("road-debris", 1, STEADY), city, Orders(), factory_of(STEADY))
    assert done.result.driver == STEADY
    assert done.result.cause == "crate"


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("bott", "no driver 'bott'"),
        ("tests.scenarios.steady:Nobody", "Nobody"),
        ("no.such.package:Class", "no"),
        ("tests.scenarios.steady:THROTTLE", "cannot be called"),
    ],
)
def test_an_unknown_driver_is_said_before_anything_is_driven(driver: str, said: str) -> None:
    refused = call("run", "road-debris", "--driver", driver)
    assert isinstance(refused.exception, DriverUnknown)
    assert said in str(refused.exception)


def test_a_class_that_gives_no_controls_is_named(city: City) -> None:
    wrong = factory_of("tests.scenarios.steady:Wrong")
    with pytest.raises(DriverUnknown, match="gave 'left', no valid Controls"):
        run(load("road-debris"), city, 0, wrong)


def on_socket(city: City, answer: dict[str, object], cases: int) -> tuple[list[Any], str]:
    wheel = Wheel(wait_s=20.0)
    command_line = [sys.executable, str(CLIENT), str(wheel.port), json.dumps(answer)]
    driven: list[Any] = []
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, text=True) as client:
        try:
            for seed in range(cases):
                driven.append(run(load("road-debris"), city, seed, wheel.take))
        finally:
            wheel.close()
        said = client.stdout.read() if client.stdout is not None else ""
    return driven, said


@pytest.mark.network
def test_a_program_in_another_process_drives_over_the_socket(city: City) -> None:
    driven, said = on_socket(city, {"throttle": THROTTLE}, 2)
    own = [run(load("road-debris"), city, seed, factory_of(STEADY)) for seed in range(2)]
    assert [run.digest for run in driven] == [run.digest for run in own]
    heard = json.loads(said)
    assert (heard["hello"], heard["begin"], heard["bye"]) == (1, 2, 1)
    assert heard["state"] == sum(run.ticks for run in driven)


@pytest.mark.network
def test_a_held_answer_is_asked_for_less_often(city: City) -> None:
    driven, said = on_socket(city, {"throttle": THROTTLE, "hold": 30}, 1)
    assert driven[0].digest == run(load("road-debris"), city, 0, factory_of(STEADY)).digest
    assert json.loads(said)["state"] == (driven[0].ticks + 29) // 30


@pytest.mark.network
@pytest.mark.parametrize("answer", [{"steer": 1001}, {"throttle": 0.5}, {"gear": True}])
def test_an_answer_out_of_range_ends_the_run_and_is_quoted(
    answer: dict[str, object], city: City
) -> None:
    with pytest.raises(DriverGone, match="must be an integer from"):
        on_socket(city, answer, 1)


@pytest.mark.network
def test_nobody_on_the_socket_is_an_error_in_time(city: City) -> None:
    wheel = Wheel(wait_s=0.2)
    with pytest.raises(DriverGone, match="nobody connected"):
        run(load("road-debris"), city, 0, wheel.take)
    wheel.close()


def test_several_drivers_make_a_case_each_and_one_line_each() -> None:
    cases = cases_of(("a", "b"), range(2), "idle,bot")
    assert [(c.scenario, c.seed, c.driver) for c in cases[:4]] == [
        ("a", 0, "idle"), ("a", 1, "idle"), ("a", 0, "bot"), ("a", 1, "bot"),
    ]  # fmt: skip
    assert len(cases) == 8


def test_totals_say_whose_fault_the_failures_are() -> None:
    def result(name: str, seed: int, cause: str, hazard: bool) -> RunResult:
        reason = "collision" if cause else "ok"
        return RunResult(
            name, seed, "idle", not cause, reason, cause, 0, 1.0, 60, str(seed), hazard
        )

    runs = [result("a", 0, "lorry", True), result("a", 1, "building", False)]
    runs += [result("a", 2, "", False), result("b", 3, "", False)]
    first, second, every = totals(runs, 60)
    assert first[:7] == ("a", "idle", "3", "33.3%", "50% of 2", "1.00", "3")
    assert first[7] == "collision: building 1, collision: lorry 1"
    assert (second[3], second[4], every[0], every[2], every[3]) == (
        "100.0%",
        "-",
        "all",
        "4",
        "50.0%",
    )
