"""Pieces of the city are made when the eye comes near: the same ones, whatever the way there."""

from collections.abc import Sequence

import numpy as np
import pytest

from game.atlas.load import load
from game.view import buildings, houses, land
from game.view.camera import Eye
from game.view.frontage import Frontage
from game.view.renderer import SceneRenderer
from game.view.resident import AROUND, Resident, Turn
from tests.view.boxes import PROFILE, state_at
from tests.view.test_look import PLAIN, tower_city


class Path:
    """Stands in for a node."""

    def __init__(self) -> None:
        self.stashed, self.gone = True, False

    def stash(self) -> None:
        self.stashed = True

    def unstash(self) -> None:
        assert not self.gone
        self.stashed = False

    def removeNode(self) -> None:
        self.gone = True


def row_of_pieces(count: int, kept: int) -> tuple[Resident, list[int]]:
    made: list[int] = []

    def make(rows: Sequence[int]) -> dict[int, list[Path]]:
        made.extend(rows)
        return {row: [Path()] for row in rows}

    low = np.column_stack([np.arange(count) * 100.0, np.zeros(count)])
    return Resident(low, low + 100.0, make, kept), made


def test_in_one_frame_one_of_all_makes_a_piece_ahead_of_need() -> None:
    turn, reach, counts = Turn(), 300.0, []
    pieces, made = zip(*(row_of_pieces(60, 60) for _ in range(3)), strict=True)
    for each in pieces:
        each.turn = turn
    for x in (50.0, 141.0, 142.0, 143.0, 144.0):
        turn.taken = False
        for each in pieces:
            away = each.away(Eye(x, 50.0, 1.5, 0.0, 0.0))
            each.ready(np.flatnonzero(away < reach), away, reach)
        counts.append([len(rows) for rows in made])
    first = counts[0][0]
    assert first > 1
    assert counts[0] == [first] * 3  # what is in sight waits for nobody
    assert [sum(count) - 3 * first for count in counts] == [0, 1, 2, 3, 3]
    assert counts[-1] == [first + 1] * 3


def test_all_about_is_made_after_a_jump_and_one_at_a_time_on_the_way() -> None:
    pieces, made = row_of_pieces(60, 60)
    reach = 300.0
    away = pieces.away(Eye(50.0, 50.0, 1.5, 0.0, 0.0))
    pieces.ready(np.flatnonzero(away < reach), away, reach)
    assert made == np.flatnonzero(away < reach + AROUND).tolist()
    for x in (90.0, 130.0, 140.0):
        before = len(made)
        away = pieces.away(Eye(x, 50.0, 1.5, 0.0, 0.0))
        pieces.ready(np.flatnonzero(away < reach), away, reach)
        assert len(made) - before <= 1
    away = pieces.away(Eye(4000.0, 50.0, 1.5, 0.0, 0.0))
    pieces.ready(np.flatnonzero(away < reach), away, reach)
    assert set(np.flatnonzero(away < reach + AROUND).tolist()) <= pieces.nodes.keys()


def test_exactly_what_is_wanted_is_shown_and_the_farthest_goes_first() -> None:
    pieces, _ = row_of_pieces(20, 5)
    pieces.make(range(8))
    away = pieces.away(Eye(50.0, 50.0, 1.5, 0.0, 0.0))
    pieces.show(np.array([0, 2]), away)
    assert [row for row, (path,) in pieces.nodes.items() if not path.stashed] == [0, 2]
    assert 7 not in pieces.nodes
    for _ in range(5):
        pieces.show(np.array([1]), away)
    assert sorted(pieces.nodes) == [0, 1, 2, 3, 4]
    assert [row for row, (path,) in pieces.nodes.items() if not path.stashed] == [1]


def test_a_cell_made_alone_is_the_cell_made_with_its_neighbours() -> None:
    city = load()
    middle = np.array([f.rings[0][0] for f in city.footprints])
    near = np.flatnonzero((np.abs(middle - np.median(middle, 0)) < 130.0).all(1)).tolist()
    some = [city.footprints[i] for i in near]
    together = {cell.key: cell for cell in buildings.cells(some, Frontage(city.streets))}
    assert len(together) > 5
    owned = houses.Houses(city, ())
    for row, key in enumerate(owned._keys.tolist()):
        inside = {i for i in owned._own[row].tolist() if i in set(near)}
        if key not in together or len(inside) < len(owned._own[row]):
            continue
        own = [city.footprints[i] for i in sorted(inside)]
        (alone,) = buildings.cells(own, owned._frontage([row]))
        for name in ("walls", "shops", "tops"):
            for mine, theirs in zip(
                getattr(alone, name), getattr(together[key], name), strict=True
            ):
                assert np.array_equal(mine, theirs), (key, name)


@pytest.mark.render
def test_what_was_let_go_and_made_again_looks_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(houses, "_KEPT", 1)
    monkeypatch.setattr(land, "_KEPT", 1)
    renderer = SceneRenderer(tower_city(), PROFILE)
    first = renderer.render(state_at(-70.0), PLAIN, 200, 160)
    for pieces in (renderer._scene.houses.resident, renderer._scene.land.resident):
        count = len(pieces.nodes)
        for _ in range(count):
            pieces.show(np.zeros(0, np.int64), pieces.away(Eye(0.0, 0.0, 1.5, 0.0, 0.0)))
        assert len(pieces.nodes) == 1 < count
    again = renderer.render(state_at(-70.0), PLAIN, 200, 160)
    renderer.close()
    for channel in PLAIN:
        assert np.array_equal(first[channel], again[channel])
