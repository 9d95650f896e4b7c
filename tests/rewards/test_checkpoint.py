"""A judge that dies between two checks: the next one goes on with the check that was cut off."""

from pathlib import Path
from typing import Any

import pytest

from game.session.protocols import Evidence, Finding
from rewards.graph import Step, run_graph

pytest.importorskip("langgraph.checkpoint.sqlite", reason="langgraph-checkpoint-sqlite is missing")
pytestmark = pytest.mark.heavy


class Dies(BaseException):
    """Like a kill."""


def test_finished_checks_are_not_run_again(tmp_path: Path) -> None:
    ran: list[str] = []
    deadly = [True]

    def check(name: str) -> Step:
        def run(session: Any, evidence: Evidence) -> Finding:
            ran.append(name)
            if name == "second" and deadly[0]:
                raise Dies
            return Finding(name, True, 0.5, 0.25, evidence={"cells": {"1:2:3": 4}})

        return Step(name, run, stops=name == "first")

    def judge() -> tuple[Finding, ...]:
        evidence = Evidence(None, None, (1, 2), {}, tmp_path, session="s")  # type: ignore[arg-type]
        evidence.memo["checkpoint"] = tmp_path / "checkpoints.sqlite"
        return run_graph(steps, None, evidence)  # type: ignore[arg-type]

    steps = [check("first"), check("second"), check("third")]
    with pytest.raises(Dies):
        judge()
    deadly[0] = False
    found = judge()
    assert ran == ["first", "second", "second", "third"]
    assert [f.check for f in found] == ["first", "second", "third"]
    assert found[0] == Finding("first", True, 0.5, 0.25, evidence={"cells": {"1:2:3": 4}})
    judge()
    assert ran[4:] == ["first", "second", "third"], "a finished judgement leaves nothing behind"
