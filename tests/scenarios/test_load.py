"""Mistakes in scenario files come back with file, line, key and what would be right."""

import pickle
from pathlib import Path

import pytest
import yaml

from scenarios.errors import (
    Problem,
    ScenarioError,
    ScenarioInvalid,
    ScenarioUnknown,
    ScenarioUnreadable,
)
from scenarios.load import LIBRARY, MISSIONS, catalogue, library, load, parse
from scenarios.model import digest, json_schema
from scenarios.source import MAX_BYTES, read
from tests.scenarios.example import GOOD


def broken(old: str, new: str) -> tuple[Problem, ...]:
    assert old in GOOD
    with pytest.raises(ScenarioInvalid) as caught:
        parse(GOOD.replace(old, new).encode(), "small.yaml")
    return caught.value.problems


def test_the_good_one_is_good() -> None:
    scenario, source = parse(GOOD.encode())
    assert scenario.id == "small"
    assert scenario.entities == 1
    assert source.lines[("actors", 0, "speed")] == 14


def test_an_unknown_key_names_line_and_nearest_key() -> None:
    problem = broken("    radius: 5", "    radius: 5\n    raduis: 4")[0]
    assert str(problem) == ("20: success.1.raduis: unknown key 'raduis'; did you mean 'radius'?")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("title: Small", "titel: Small", 3, "titel", "did you mean 'title'"),
        ("title: Small\n", "", 1, "title", "missing"),
        ("facing: east", "facing: eats", 5, "place.facing", "'north', 'east', 'south' or 'west'"),
        ("facing: east", "face: east", 5, "place.face", "did you mean 'facing'"),
        (", facing: east", "", 5, "place", "exactly one of 'facing' and 'towards'"),
        ("duration_s: 20", "duration_s: 1e9", 6, "duration_s", "less than or equal to 900"),
        ("duration_s: 20", "duration_s: .nan", 6, "duration_s", "finite"),
        ("duration_s: 20", "duration_s: 20 s", 6, "duration_s", "valid number, not '20 s'"),
        ("speed: 8", "speed: yes", 9, "ego.speed", "SpeedRange"),
        ("{min: 5, max: 7}", "{min: 7, max: 5}", 14, "actors.0.speed", "min must not be greater"),
        ("{min: 5, max: 7}", "{min: 5, mx: 7}", 14, "actors.0.speed.mx", "did you mean 'max'"),
        ("kind: vehicle", "kind: vehicel", 12, "actors.0.kind", "'vehicle', 'pedestrian'"),
        ("kind: vehicle", "kind: vehicle\n    body: child", 13, "actors.0.body", "sedan"),
        (
            "line: [[-30, -1.65], [60, -1.65]]",
            "path: [[0, 0], [1, 1]]",
            13,
            "actors.0.path",
            "4, 7",
        ),
        (
            "line: [[-30, -1.65], [60, -1.65]]",
            "line: [[1, 1], [1, 1]]",
            13,
            "actors.0.line",
            "same",
        ),
        ("    line: [[-30, -1.65], [60, -1.65]]\n", "", 11, "actors.0", "exactly one of 'path'"),
        ("type: reach_position", "type: reach", 17, "success.1", "reach_position"),
        ("schema_version: 1", "schema_version: 2", 1, "schema_version", "must be one of 1"),
        ("id: lead", "id: ego", 11, "actors.0.id", "already the name"),
    ],
)
def test_every_mistake_has_its_place(old: str, new: str, line: int, key: str, words: str) -> None:
    found = {(problem.line, problem.key): problem.what for problem in broken(old, new)}
    assert words in found[line, key]


def test_all_mistakes_are_reported_at_once() -> None:
    text = GOOD.replace("title", "titel").replace("radius", "raduis").replace("vehicle", "car")
    with pytest.raises(ScenarioInvalid) as caught:
        parse(text.encode(), "small.yaml")
    keys = [problem.key for problem in caught.value.problems]
    assert {"titel", "title", "actors.0.kind", "success.1.raduis", "success.1.radius"} <= set(keys)
    assert [p.line for p in caught.value.problems] == sorted(p.line for p in caught.value.problems)
    assert all(row.startswith("small.yaml:") for row in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("after", "words"),
    [("leda", "did you mean 'lead'"), ("lead", "waits for itself")],
)
def test_a_trigger_that_can_never_fire_is_refused(after: str, words: str) -> None:
    problem = broken("    kind: vehicle", f"    kind: vehicle\n    trigger: {{after: {after}}}")[0]
    assert (problem.line, problem.key) == (13, "actors.0.trigger.after")
    assert words in problem.what


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a: [1, 2", "not YAML"),
        (b"a: &x [1]\nb: *x", "anchors and aliases"),
        (b"a: &x [*x]", "anchors and aliases"),
        (b"a: !!python/object/apply:os.system ['true']", "tag"),
        (b"a: 1\nb: 2\na: 3", "'a' stands twice, first on line 1"),
        (b"a: 1\n---\nb: 2", "not YAML"),
        (b"a: 2026-01-01", "put it in quotes"),
        (b"a: " + b"9" * 5000, "cannot be read"),
        (b"[" * 100 + b"]" * 100, "nested deeper"),
        (b"? [a, b]\n: 1", "plain word"),
        (b"a: \xff\xfe", "not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "at most"),
        (b"[" + b"1," * 20_000 + b"]", "more than"),
    ],
)
def test_odd_yaml_is_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(ScenarioUnreadable) as caught:
        parse(data, "odd.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("odd.yaml")


def test_a_file_that_is_a_list_is_invalid_at_its_first_line() -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        parse(b"- 1\n- 2", "list.yaml")
    assert caught.value.problems[0].line == 1


def test_an_unknown_name_names_the_nearest_scenario() -> None:
    with pytest.raises(ScenarioUnknown, match="did you mean 'oncoming-traffic'"):
        load("oncomming-traffic")
    with pytest.raises(ScenarioUnreadable, match="no such file"):
        load(Path("nowhere.yaml"))


def test_errors_exit_with_2_and_survive_a_pipe() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(b"a: [", "odd.yaml")
    assert caught.value.exit_code == 2
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_library_has_both_and_each_is_named_like_its_file() -> None:
    assert {"busy-intersection", "oncoming-traffic"} <= set(library())
    for name in library():
        scenario = load(name)
        assert scenario.id == name
        assert load(LIBRARY / f"{name}.yaml") == scenario


def test_the_digest_is_of_what_is_said_not_of_how() -> None:
    reordered = yaml.safe_dump(yaml.safe_load(GOOD), sort_keys=True)
    same = parse(("# a note\n" + reordered).encode())[0]
    other = parse(GOOD.replace("speed: 8", "speed: 9").encode())[0]
    assert digest(same) == digest(parse(GOOD.encode())[0])
    assert digest(other) != digest(same)


def test_the_schema_knows_the_keys_and_the_short_forms() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert "success" in schema["required"]
    assert {"type": "number"}.items() <= schema["$defs"]["SpeedRange"]["anyOf"][0].items()


@pytest.mark.parametrize("name", catalogue())
def test_the_quick_reader_of_our_own_files_reads_what_the_plain_one_does(name: str) -> None:
    path = next(p for p in (LIBRARY / f"{name}.yaml", MISSIONS / f"{name}.yaml") if p.is_file())
    data = path.read_bytes()
    assert read(data, name, ours=True) == read(data, name)
    assert digest(parse(data, ours=True)[0]) == digest(parse(data)[0])
