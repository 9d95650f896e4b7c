"""Every row once, whatever the server does; and what was read already is not read again."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from game.atlas.socrata import Client, Query
from game.errors import SourceUnreachable

from .city_server import Feature, Town, serving

pytestmark = pytest.mark.network
ROOT = Path(__file__).resolve().parents[2]


def rows(number: int) -> list[Feature]:
    return [{"type": "Feature", "properties": {"objectid": str(at)}, "geometry": None}
            for at in range(number)]  # fmt: skip


def asked(town: Town, cache: Path, page: int = 10) -> tuple[list[Feature], list[float], str]:
    """All rows from `town`, the waits on the way, the checksum."""
    waits: list[float] = []
    with serving(town) as base:
        client = Client(waits.append)
        try:
            found = client.rows(Query(base, "abcd", rows=page), cache)
        finally:
            client.close()
    return found.features, waits, found.digest


def test_all_pages_are_read_in_the_servers_order(tmp_path: Path) -> None:
    town = Town({"abcd": rows(35)})
    found, waits, _ = asked(town, tmp_path)
    assert found == rows(35)
    assert town.offsets("abcd") == [0, 10, 20, 30, 35]
    assert {query["$order"] for _, query in town.asked} == {":id"}
    assert waits == []


def test_a_server_with_smaller_pages_than_asked_loses_no_row(tmp_path: Path) -> None:
    found, _, _ = asked(Town({"abcd": rows(35)}, most=7, counts=False), tmp_path)
    assert found == rows(35)


@pytest.mark.parametrize("trouble", ["429", "500", "503", "cut", "cut, no length", "nonsense"])
def test_a_page_that_fails_is_asked_for_again(tmp_path: Path, trouble: str) -> None:
    town = Town({"abcd": rows(25)}, trouble=["", trouble, trouble])
    found, waits, digest = asked(town, tmp_path)
    assert found == rows(25)
    assert digest == asked(Town({"abcd": rows(25)}), tmp_path / "smooth")[2]
    assert town.offsets("abcd") == [0, 10, 10, 10, 20, 25]
    assert len(waits) == 2


def test_waits_double_and_a_server_that_names_a_time_is_obeyed(tmp_path: Path) -> None:
    _, waits, _ = asked(Town({"abcd": rows(5)}, trouble=["500", "500", "500", "429"]), tmp_path)
    for turn, wait in enumerate(waits[:3]):
        assert 0.5 * 2**turn <= wait <= 0.75 * 2**turn
    assert waits[3] == 7.0


def test_a_server_that_never_recovers_or_refuses_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="answers 500, 7 times") as caught:
        asked(Town({"abcd": rows(5)}, trouble=["500"] * 100), tmp_path)
    assert caught.value.exit_code == 4
    with pytest.raises(SourceUnreachable, match=r"answers 403 .*trouble 403"):
        asked(Town({"abcd": rows(5)}, trouble=["403"]), tmp_path)


def test_rows_that_come_twice_are_taken_once(tmp_path: Path) -> None:
    town = Town({"abcd": rows(30) + rows(4)}, counts=False)
    found, _, digest = asked(town, tmp_path)
    assert found == rows(30)
    assert digest == asked(Town({"abcd": rows(30)}), tmp_path / "once")[2]


def test_rows_that_are_lost_between_pages_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="28 different rows of 30"):
        asked(Town({"abcd": rows(30)}, repeat=2), tmp_path)
    assert asked(Town({"abcd": rows(30)}), tmp_path)[0] == rows(30)


def test_a_break_costs_only_the_page_it_came_in(tmp_path: Path) -> None:
    town = Town({"abcd": rows(45)}, trouble=["", "", "403"])
    with serving(town) as base:
        query, client = Query(base, "abcd", rows=10), Client(lambda _: None)
        with pytest.raises(SourceUnreachable):
            client.rows(query, tmp_path)
        assert client.rows(query, tmp_path).features == rows(45)
        assert town.offsets("abcd") == [0, 10, 20, 20, 30, 40, 45]
        # A finished download of unchanged data asks for nothing but its end.
        assert client.rows(query, tmp_path).features == rows(45)
        assert town.offsets("abcd")[7:] == [45]
        client.close()


def test_pages_of_another_edition_are_not_mixed_in(tmp_path: Path) -> None:
    town = Town({"abcd": rows(45)}, trouble=["", "", "403"])
    with serving(town) as base:
        query, client = Query(base, "abcd", rows=10), Client(lambda _: None)
        with pytest.raises(SourceUnreachable):
            client.rows(query, tmp_path)
        town.edition, town.tables["abcd"] = "2", rows(60)[15:]
        assert client.rows(query, tmp_path).features == rows(60)[15:]
        client.close()


def test_a_kept_page_that_was_damaged_is_read_again(tmp_path: Path) -> None:
    town = Town({"abcd": rows(25)})
    with serving(town) as base:
        query, client = Query(base, "abcd", rows=10), Client(lambda _: None)
        client.rows(query, tmp_path)
        page = tmp_path / query.key / "page-00001.json.gz"
        page.write_bytes(gzip.compress(json.dumps(rows(10)).encode()))
        assert client.rows(query, tmp_path).features == rows(25)
        assert town.offsets("abcd")[4:] == [10, 20, 25]
        client.close()


def test_a_download_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    town = Town({"abcd": rows(60)})
    # The child stops for ever once it has told of 30 rows, and is killed there.
    code = (
        "import sys, threading; from pathlib import Path; "
        "from game.atlas.socrata import Client, Query\n"
        "def heard(name, done, total):\n"
        "    print(done, total, flush=True)\n"
        "    done >= 30 and threading.Event().wait()\n"
        "Client().rows(Query(sys.argv[1], 'abcd', rows=10), Path(sys.argv[2]), heard)"
    )
    with serving(town) as base:
        child = subprocess.Popen(
            [sys.executable, "-c", code, base, str(tmp_path)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        told = [next(child.stdout).strip() for _ in range(4)]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert told == ["0 60", "10 60", "20 60", "30 60"]
        client = Client(lambda _: None)
        assert client.rows(Query(base, "abcd", rows=10), tmp_path).features == rows(60)
        client.close()
    assert town.offsets("abcd") == [0, 10, 20, 30, 40, 50, 60]
