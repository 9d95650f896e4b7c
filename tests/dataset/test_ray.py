"""Work over many sessions on a real Ray cluster of this machine: the same result, and resume."""

import importlib.util
import os
from functools import partial

import pytest

from game.dataset import cluster
from game.dataset.job import export
from game.dataset.pool import Workers, run
from game.errors import MissingPart

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray"),
]
RAY = Workers(ray=True, address="local")


def _who(more: int, number: int) -> tuple[int, int]:
    return more + number, os.getpid()


def test_a_cluster_that_is_not_there_is_one_clear_line():
    with pytest.raises(MissingPart, match="no Ray cluster answers at"):
        list(run(partial(_who, 0), range(2), Workers(ray=True, address="127.0.0.1:1")))


@pytest.fixture(scope="module")
def two_workers():
    """A cluster for all tests: it takes the better part of a minute to come up."""
    with cluster.joined("local", 2) as ray:
        yield ray


def test_an_export_that_was_cut_short_goes_on_at_its_session(
    two_workers, sessions, options, tmp_path
):
    one, two = tmp_path / "one", tmp_path / "two"
    export("parquet", sessions, one, options)

    def cut(name: str, done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export("parquet", sessions[:1], two, options, cut, RAY)
    assert not two.exists()
    result = export("parquet", sessions, two, options, workers=RAY)
    assert result.reused == 1
    assert (one / "SHA256SUMS").read_text() == (two / "SHA256SUMS").read_text()


def test_the_work_is_done_in_other_processes(two_workers):
    found = dict(run(partial(_who, 0), range(20), RAY))
    assert sorted(found) == list(range(20))
    assert os.getpid() not in found.values()
