"""A soak's tally: every part is killed as often as was asked, it goes on where it stopped, and it
says so when a part is slow or memory grows.
"""

from collections import Counter
from pathlib import Path

import pytest

from game.kiosk.tally import LIMIT_S, PARTS, Report, begun, stored


def test_each_part_is_killed_as_often_and_then_all_are_left_alone() -> None:
    plan = begun(500, 20, 1).plan
    assert Counter(name for _, name in plan) == dict.fromkeys(PARTS, 20)
    assert [at for at, _ in plan] == sorted(at for at, _ in plan)
    assert plan[-1][0] <= 300  # two fifths of the visitors see no kill


def test_a_soak_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    file = tmp_path / "soak.json"
    tally = stored(file, 500, 20, 1)
    tally.report.visitors = 44
    tally.report.back_s["booth"].append(1.5)
    tally.plan.pop(0)
    tally.hashes, tally.claims = ["ab"], {"claim": "session"}
    tally.save(file)
    again = stored(file, 500, 20, 1)
    assert (again.report, again.plan) == (tally.report, tally.plan)
    assert (again.hashes, again.claims) == (["ab"], {"claim": "session"})
    with pytest.raises(ValueError, match="other visitors"):
        stored(file, 400, 20, 1)


def test_a_report_is_good_only_when_all_of_it_is() -> None:
    assert Report(memory_mb={"booth": [[300.0] * 100]}).ok
    assert not Report(back_s={"booth": [LIMIT_S + 0.1]}).ok
    assert not Report(traces=["a file"]).ok
    assert not Report(missed={"peer": 1}).ok
    grown = [300.0 + n for n in range(200)]
    assert not Report(memory_mb={"booth": [[300.0] * 20, grown]}).ok


def test_memory_is_compared_within_the_longest_life_of_a_process() -> None:
    lives = [[900.0] * 12, [100.0] * 40]  # another process is another life, not growth
    assert Report(memory_mb={"courier": lives}).growth == {"courier": 1.0}
    assert Report(memory_mb={"courier": [[1.0, 9.0]]}).growth == {}
