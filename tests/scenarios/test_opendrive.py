"""Exported streets: where the city's lanes are, joined without gaps; the ASAM checker agrees."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from game.atlas.notice import ODBL
from game.world.city import City
from scenarios.opendrive import network, save
from tests.scenarios.standards import asam_check

GRID_M = 0.02
"""A pack keeps its lanes in whole centimetres."""
CENTRE = (-431.68, -776.32)


@pytest.fixture(scope="module")
def streets(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("roads") / "streets.xodr"
    save(network(city, CENTRE, "streets", terms=f"Some pack\n\n{ODBL}"), path)
    return path


def figures(element: ET.Element, *names: str) -> list[float]:
    return [float(element.get(name, "nan")) for name in names]


def sampled(geometry: ET.Element) -> NDArray[np.float64]:
    """Points of one geometry, by the formulae of the standard."""
    x, y, h, length = figures(geometry, "x", "y", "hdg", "length")
    p = np.linspace(0.0, 1.0, 33)
    shape = geometry[0]
    if shape.tag == "paramPoly3":
        u = np.polyval(figures(shape, "dU", "cU", "bU", "aU"), p)
        v = np.polyval(figures(shape, "dV", "cV", "bV", "aV"), p)
    elif shape.tag == "arc":
        (bend,) = figures(shape, "curvature")
        u, v = np.sin(bend * length * p) / bend, (1.0 - np.cos(bend * length * p)) / bend
    else:
        u, v = length * p, np.zeros_like(p)
    return np.stack([x + u * np.cos(h) - v * np.sin(h), y + u * np.sin(h) + v * np.cos(h)], axis=1)


def test_turns_lead_from_the_end_of_a_lane_to_the_start_of_another(
    streets: Path, city: City
) -> None:
    ends = shapely.MultiPoint([lane.points[-1] for lane in city.lanes])
    starts = shapely.MultiPoint([lane.points[0] for lane in city.lanes])
    turns = ET.parse(streets).getroot().findall(".//road[@name='']")
    assert len(turns) > 50
    for road in turns:
        (geometry,) = road.findall(".//geometry")
        points = sampled(geometry)
        assert shapely.distance(ends, shapely.Point(points[0])) < GRID_M
        assert shapely.distance(starts, shapely.Point(points[-1])) < GRID_M
        long = np.hypot(*np.diff(points, axis=0).T).sum()
        assert float(geometry.get("length", "nan")) == pytest.approx(long, rel=2e-3)


def test_reference_lines_are_whole_and_keep_to_the_middle_of_the_street(
    streets: Path, city: City
) -> None:
    for road in ET.parse(streets).getroot().findall(".//road[@junction='-1']"):
        parts = [sampled(geometry) for geometry in road.findall(".//geometry")]
        for before, after in pairwise(parts):
            assert np.hypot(*(before[-1] - after[0])) < 1e-6
        middle = shapely.LineString(city.streets[int(road.get("id", ""))].points)
        points = shapely.points(np.concatenate(parts))
        assert shapely.distance(middle, points).max() < 0.5


def test_every_way_through_a_junction_has_one_connection(streets: Path) -> None:
    root = ET.parse(streets).getroot()
    ways = [one.get("connectingRoad") for one in root.findall(".//connection")]
    assert sorted(map(str, ways)) == sorted(
        str(road.get("id")) for road in root.findall("road") if road.get("junction") != "-1"
    )
    assert len(ways) == len(set(ways))
    for connection in root.findall(".//connection"):
        assert connection.get("incomingRoad") != connection.get("connectingRoad")


def test_asam_finds_nothing_in_the_streets(streets: Path) -> None:
    statuses, skipped, issues = asam_check(streets)
    assert issues == []
    assert statuses == {"completed": 22, "skipped": 1}
    # a rule that the standard knows from 1.8 on; there 1.7's rule on connections would be skipped
    assert [">=1.8.0" in why for why in skipped] == [True]


def test_asam_would_find_a_gap(streets: Path, tmp_path: Path) -> None:
    tree = ET.parse(streets)
    turn = tree.getroot().find(".//road[@name='']//geometry")
    assert turn is not None
    turn.set("x", str(float(turn.get("x", "nan")) + 0.5))
    tree.write(tmp_path / "gap.xodr")
    assert asam_check(tmp_path / "gap.xodr")[2]


def test_the_terms_of_the_streets_go_with_them(streets: Path) -> None:
    said = ET.parse(streets).getroot().findall("header/userData[@code='licence']")
    assert "Open Database License (ODbL) 1.0" in said[0].get("value", "")
    assert "OpenStreetMap" in said[0].get("value", "")
