"""The small form of the torture: workers and payers die at every step and pay each session once."""

from pathlib import Path

import pytest

from tests.rewards.torture import WRONG, torture

pytestmark = [pytest.mark.network, pytest.mark.heavy]


def test_every_accepted_session_is_paid_once_and_no_other(tmp_path: Path) -> None:
    rows = torture(tmp_path, sessions=20, seed=3, loss=0.1)
    assert {name: rows[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
    assert rows["worker deaths"] > 10
    assert rows["payer deaths"] > 3
    assert rows["paid once"] >= 5  # the others are rejected or parked, as the plan has it


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_sessions(tmp_path: Path) -> None:
    rows = torture(tmp_path, sessions=1000, seed=1)
    assert {name: rows[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
    assert rows["ledger deleted"] > 0
