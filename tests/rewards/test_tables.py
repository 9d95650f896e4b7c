"""Several processes of a new server make its tables at the same moment."""

import multiprocessing
from pathlib import Path

from rewards import inbox, schema


def make(url: str) -> None:
    """What every process of the server does first."""
    engine = schema.open_engine(url)
    schema.make_tables(schema.metadata, engine)
    schema.make_tables(inbox.metadata, engine)
    engine.dispose()


def test_starting_at_once_makes_the_tables_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    starters = [context.Process(target=make, args=(url,)) for _ in range(6)]
    for each in starters:
        each.start()
    for each in starters:
        each.join(60)
    assert [each.exitcode for each in starters] == [0] * 6
