"""Runs checks in the order of their cost and stops at the first that makes the rest pointless.

Two runners with one interface: LangGraph, which retries what the machine caused and can be drawn,
and a plain loop that gives the same findings. Judges nothing itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from game.errors import SessionCorrupt
from game.session.protocols import Evidence, Finding
from game.session.reader import Session

Run = Callable[[Session, Evidence], Finding]


@dataclass(frozen=True, slots=True)
class Step:
    """One check in its place. stops: when it fails, what comes after is not run."""

    name: str
    run: Run
    stops: bool = False

    def __call__(self, session: Session, evidence: Evidence) -> Finding:
        """The finding. A recording that does not read back is a fault of the recording."""
        try:
            return self.run(session, evidence)
        except SessionCorrupt as error:
            code = f"{self.name}.unreadable"
            return Finding(self.name, False, 0.0, 1.0, code, error.tick, error.why)


Runner = Callable[[Sequence[Step], Session, Evidence], tuple[Finding, ...]]


def run_plain(steps: Sequence[Step], session: Session, evidence: Evidence) -> tuple[Finding, ...]:
    """Findings in order, up to the first failed step that stops. Raises what a check raises."""
    findings: list[Finding] = []
    for step in steps:
        findings.append(step(session, evidence))
        if step.stops and not findings[-1].passed:
            break
    return tuple(findings)


class _State(TypedDict):
    findings: tuple[Finding, ...]


def run_graph(steps: Sequence[Step], session: Session, evidence: Evidence) -> tuple[Finding, ...]:
    """The same by LangGraph. Its import takes seconds, so it happens here. Tracing is off."""
    from langsmith import tracing_context

    with tracing_context(enabled=False):  # an endpoint that does not answer would hang the exit
        final = build(steps, session, evidence).invoke({"findings": ()})
    findings: tuple[Finding, ...] = final["findings"]
    return findings


def build(steps: Sequence[Step], session: Session, evidence: Evidence) -> Any:
    """The compiled graph of `steps`. Its state holds findings alone, never a picture."""
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import RetryPolicy

    graph: Any = StateGraph(_State)
    retry = RetryPolicy(retry_on=(OSError,), max_attempts=2, initial_interval=0.2)
    for step in steps:
        graph.add_node(step.name, _node(step, session, evidence), retry_policy=retry)
    graph.add_edge(START, steps[0].name)
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        target = END if after is None else after.name
        if step.stops:
            graph.add_conditional_edges(step.name, _goes_on, {True: target, False: END})
        else:
            graph.add_edge(step.name, target)
    return graph.compile()


def _node(step: Step, session: Session, evidence: Evidence) -> Callable[[_State], _State]:
    def node(state: _State) -> _State:
        return {"findings": (*state["findings"], step(session, evidence))}

    return node


def _goes_on(state: _State) -> bool:
    return state["findings"][-1].passed
