"""What a recording covers: streets, blocks, manoeuvres and spots, and the page that shows them."""

import json
import re
from math import cos, pi, sin

import pytest
from click.testing import CliRunner

from game.atlas.load import load as load_city
from game.cli import cli
from game.dataset import coverage, coverage_page, quality
from game.session.reader import Session
from game.world.entity import EntityState
from game.world.state import WorldState
from tests.dataset.conftest import WALLET, record

HZ = 60
CAPTURE = {"weather": "rain", "hour": 22.0}


@pytest.fixture(scope="module")
def city():
    return load_city()


def drive(points):
    """States at 60 Hz through (x, y, heading, speed, collisions) at 10 Hz."""
    return [
        WorldState(tick, 1, EntityState(0, "sedan", *at), collisions=hit)
        for tick, (*at, hit) in enumerate(each for each in points for _ in range(6))
    ]


def told(city, points, near=()):
    return coverage.coverage(drive(points), HZ, city, near, "a-case", CAPTURE)


def through(junction, turn):
    """Ten metres a second over a junction, turned by `turn` in its middle."""
    before = [(junction.x - 40 + i, junction.y, 0.0, 10.0, 0) for i in range(41)]
    after = [
        (junction.x + i * cos(turn), junction.y + i * sin(turn), turn, 10.0, 0) for i in range(40)
    ]
    return before + after


@pytest.mark.parametrize(
    ("turn", "name"),
    [(0.0, "straight on"), (pi / 2, "turn left"), (-pi / 2, "turn right"), (pi, "turn back")],
)
def test_a_turn_is_named_by_how_the_junction_was_left(city, turn, name):
    alone = max(city.junctions, key=lambda j: min(
        abs(j.x - o.x) + abs(j.y - o.y) for o in city.junctions if o.id != j.id))  # fmt: skip
    assert told(city, through(alone, turn))["manoeuvres"] == {name: 1}


def test_stops_braking_reversing_and_contacts_are_counted_once_and_placed(city):
    x, y = 100.0, 100.0
    points = [(x + i * 0.3, y, 0.0, 8.0, 0) for i in range(10)]
    points += [(x + 3, y, 0.0, 8.0 - i * 1.6, 0) for i in range(6)]  # 16 m/s2: one hard braking
    points += [(x + 3, y, 0.0, 0.0, 1)] * 30  # one stop, one contact
    points += [(x + 3, y, 0.0, -1.0, 1)] * 5  # one time backward
    found = told(city, points, near=[12])
    named = {kind: count for kind, cx, cy, count in found["spots"]}
    assert found["manoeuvres"] == {"stop": 1, "hard braking": 1, "reverse": 1}
    assert named == {**found["manoeuvres"], "contact": 1, "near miss": 1}
    assert {(cx, cy) for _, cx, cy, _ in found["spots"]} == {(4, 4)}
    assert found["light"] == {"rain, 22 h": 1}


def test_blocks_add_up_to_the_metres_on_named_streets(city):
    straight = [each for each in city.streets if len(each.points) == 2 and each.name]
    street = max(straight, key=lambda s: abs(s.points[-1][0] - s.points[0][0]))
    (ax, ay), (bx, by) = street.points[0], street.points[-1]
    line = [(ax + (bx - ax) * i / 100, ay + (by - ay) * i / 100, 0.0, 9.0, 0) for i in range(101)]
    found = told(city, line)
    assert sum(found["blocks"].values()) == pytest.approx(found["metres"], rel=0.01)
    assert found["blocks"][str(street.id)] > found["metres"] / 2
    whole = coverage.total([found, found])
    assert whole["blocks"][city.name][str(street.id)][1] == 2
    assert whole["by_street"][street.name] == {"a-case": pytest.approx(2 * found["streets"][
        street.name])}  # fmt: skip


def test_the_page_shows_every_driven_block_and_nobody(city, tmp_path):
    folder = record(tmp_path / "sessions", pack=city.name, pack_digest=city.digest)
    with Session.open(folder) as session:
        found = quality.report(session, city)
    views = tmp_path / "views"
    (views / folder.name).mkdir(parents=True)
    (views / folder.name / "index.html").write_text("x")
    whole = quality.total([found])
    out = coverage_page.write([found], whole, [city], tmp_path / "out" / "q.html", views)
    text = out.read_text(encoding="utf-8")
    assert text.count('<polyline class="d"') == len(found["coverage"]["blocks"]) > 0
    assert f'<a href="../views/{folder.name}/index.html">' in text
    assert not re.search(r"@[A-Z]+@", text)
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
    assert WALLET not in text
    assert str(tmp_path) not in text


@pytest.mark.heavy
def test_the_command_writes_it_for_many_sessions_in_two_processes(city, tmp_path):
    root = tmp_path / "sessions"
    for seed in (7, 8):
        record(root, seed=seed, pack=city.name, pack_digest=city.digest)
    words = ["session", "report", "all", "--root", str(root), "--json"]
    one = CliRunner().invoke(cli, words)
    two = CliRunner().invoke(cli, [*words, "--jobs", "2", "--page"])
    assert one.exit_code == two.exit_code == 0, two.output
    facts = [json.loads(each.stdout.strip().splitlines()[-1]) for each in (one, two)]
    page = facts[1].pop("page")
    assert page == str(tmp_path / "views" / "quality.html")
    assert facts[0] == facts[1]
    assert "Quality of 2 sessions" in (tmp_path / "views" / "quality.html").read_text()
