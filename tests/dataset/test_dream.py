"""A session painted anew: one more styled track, exact, once, and sound whatever kills the run."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the diffusion extra is not installed")

from game.dataset import dream as module
from game.dataset.dream import NOTE, WORK, Wish, dream, shots
from game.dataset.errors import LicenceClash, TrackMissing
from game.dataset.job import Options, export
from game.errors import SessionCorrupt
from game.session.format import Pairing, TrackId
from game.session.reader import Session
from game.session.seal import described
from tests.dataset.conftest import record, tick_seen


class Negative:
    """A painter that turns pictures to their negative, and may die."""

    def __init__(
        self, digest: str = "ab" * 32, dies_at: int = -1, licence: str = "Apache-2.0"
    ) -> None:
        card = SimpleNamespace(model="nano", licence=licence, notice="(c) its makers")
        self.rig = SimpleNamespace(digest=digest, card=card)
        self.dies_at, self.films = dies_at, 0

    def paint(self, film: Iterator[Any], seed: int) -> Iterator[tuple[int, Any]]:
        self.films += 1
        for number, shot in enumerate(film):
            if number == self.dies_at:
                raise KeyboardInterrupt
            out = shot.pixels.copy()
            out[:64, :, :3] = 255 - out[:64, :, :3]
            yield shot.tick, out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return record(tmp_path)


def sound(folder: Path) -> bool:
    with Session.open(folder) as session:
        listed = (session.end or {})["files"]
    return all(described(folder / name) == claim for name, claim in listed.items())


def test_the_track_is_exact_and_the_others_stay(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.glob("*.mkv")}
    done = dream(folder, Wish(style="night", seed=4), paint=Negative())
    assert (done.track, done.before) == (TrackId.STYLED + 1, False)
    with Session.open(folder) as session:
        pairs = session.pairs(done.track)
        assert [p.tick for p in pairs] == [r.tick for r in session.frames(TrackId.SOURCE)]
        assert {p.pairing for p in pairs} == {Pairing.EXACT}
        assert {(p.style, p.styled.seed) for p in pairs} == {("night", 4)}
        for tick, rgb in session.pictures(done.track):
            assert tick_seen(rgb) == tick
        source, made = (session.picture(t, 20)[:60] for t in (TrackId.SOURCE, done.track))
        assert np.abs(255 - source.astype(int) - made).mean() < 8
        assert session.end is not None
        assert session.end["frames"]["styled2"] == len(pairs)
    assert all((folder / name).read_bytes() == data for name, data in before.items())
    assert sound(folder)
    assert not (folder / NOTE).exists()


def test_the_same_film_is_made_once_and_another_beside_it(folder: Path) -> None:
    painter = Negative()
    first = dream(folder, Wish(style="night"), paint=painter)
    again = dream(folder, Wish(style="night"), paint=painter)
    assert (again.track, again.frames, again.before) == (first.track, first.frames, True)
    assert painter.films == 1
    other = dream(folder, Wish(style="rain"), paint=painter)
    assert other.track == first.track + 1
    with Session.open(folder) as session:
        assert {p.style for p in session.pairs(other.track)} == {"rain"}


@pytest.mark.parametrize("step", ["painting", "moved", "noted"])
def test_a_run_that_is_killed_leaves_nothing_behind(
    folder: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "moved":
            patch.setattr(module, "AppendFile", dies)
        elif step == "noted":
            patch.setattr(module, "_sealed_again", dies)
        with pytest.raises(KeyboardInterrupt):
            dream(folder, Wish(), paint=Negative(dies_at=7 if step == "painting" else -1))
    assert (folder / NOTE).exists()
    done = dream(folder, Wish(), paint=Negative())
    assert done.before == (step == "noted")
    assert done.track == TrackId.STYLED + 1
    assert sound(folder)
    assert not (folder / NOTE).exists()
    assert not (folder / WORK).exists()
    with Session.open(folder) as session:
        assert len(session.pairs(done.track)) == done.frames == len(session.frames(0))


def test_its_own_words_are_taken_where_none_are_given(folder: Path) -> None:
    with Session.open(folder) as session:
        assert {(s.prompt, s.style) for s in shots(session, Wish())} == {
            ("a street in autumn", "film")
        }
        assert {s.style for s in shots(session, Wish(style="noir"))} == {"noir"}


def test_an_unsealed_session_is_refused(folder: Path) -> None:
    (folder / "end.json").unlink()
    with pytest.raises(SessionCorrupt, match="not sealed"):
        dream(folder, Wish(), paint=Negative())


def test_an_export_of_the_track_carries_its_models_terms(folder: Path, options: Options) -> None:
    """The drive's own track stays under the drive's terms."""
    dream(folder, Wish(), paint=Negative(licence="CC-BY-NC-4.0"))
    own = export("coco", [folder], folder.parent / "own", replace(options, fps=2.0))
    assert own.licence == "CC-BY-4.0"
    out = folder.parent / "out"
    made = export("coco", [folder], out, replace(options, fps=2.0, track=TrackId.STYLED + 1))
    assert made.licence == "CC-BY-NC-4.0"
    card = (out / "README.md").read_text()
    assert (
        "| styled | CC-BY-NC-4.0 | painted after the drive; (c) its makers (backend wan/nano"
        in card
    )
    assert "| source | CC-BY-4.0 |" in card
    row = json.loads((out / "provenance.json").read_text())["sessions"][0]
    assert row["backend"].startswith("wan/nano/")


def test_a_track_without_terms_or_that_is_not_there_is_refused(
    folder: Path, options: Options
) -> None:
    with pytest.raises(TrackMissing, match=r"no track styled2 \(it has styled\)"):
        export("coco", [folder], folder.parent / "a", replace(options, track=TrackId.STYLED + 1))
    dream(folder, Wish(), paint=Negative(licence="ask us"))
    with pytest.raises(LicenceClash, match=r"styled track \(backend wan/nano"):
        export("coco", [folder], folder.parent / "a", replace(options, track=TrackId.STYLED + 1))
    assert not (folder.parent / "a").exists()
