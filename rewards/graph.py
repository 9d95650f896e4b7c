"""Runs checks in the order of their cost and stops at the first that makes the rest pointless.

Two runners with one interface: LangGraph, which retries what the machine caused and can be drawn,
and a plain loop that gives the same findings. Judges nothing itself.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypedDict

from game.errors import SessionCorrupt
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from game.world.version import WORLD_VERSION
from rewards.model import finding_to_dict
from rewards.tracing import Tracing

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
    findings: tuple[dict[str, Any], ...]  # plain types alone: a checkpoint keeps them


def run_graph(
    steps: Sequence[Step],
    session: Session,
    evidence: Evidence,
    tracing: Tracing | None = None,
) -> tuple[Finding, ...]:
    """The same by LangGraph. Its import takes seconds, so it happens here. tracing: None = off.

    With a path under 'checkpoint' in the evidence's memo, what was found is kept there after each
    check: a judge that comes after a crash goes on with the check that was cut off.
    """
    from langsmith import tracing_context

    traced = tracing_context(enabled=False) if tracing is None else tracing.context()
    with traced, _saver(evidence) as saver:
        graph = build(steps, session, evidence, saver)
        if saver is None:
            final = graph.invoke({"findings": ()})
        else:
            thread = _thread(steps, evidence)
            config = {"configurable": {"thread_id": thread}}
            begun = bool(graph.get_state(config).values)
            final = graph.invoke(None if begun else {"findings": ()}, config)
            saver.delete_thread(thread)
    return tuple(Finding(**found) for found in final["findings"])


def _saver(evidence: Evidence) -> AbstractContextManager[Any]:
    path = evidence.memo.get("checkpoint")
    if path is None:
        return nullcontext()
    try:
        from langgraph.checkpoint.sqlite import SqliteSaver
    except ImportError:
        return nullcontext()
    saver: AbstractContextManager[Any] = SqliteSaver.from_conn_string(str(path))
    return saver


def _thread(steps: Sequence[Step], evidence: Evidence) -> str:
    """Names one judgement: the same session, files, samples and checks."""
    what = [evidence.session, sorted(evidence.files.items()), evidence.sample_ticks]
    body = repr([*what, [step.name for step in steps], WORLD_VERSION]).encode()
    return hashlib.sha256(body).hexdigest()


def build(steps: Sequence[Step], session: Session, evidence: Evidence, saver: Any = None) -> Any:
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
    return graph.compile(checkpointer=saver)


def _node(step: Step, session: Session, evidence: Evidence) -> Callable[[_State], _State]:
    def node(state: _State) -> _State:
        return {"findings": (*state["findings"], finding_to_dict(step(session, evidence)))}

    return node


def _goes_on(state: _State) -> bool:
    return bool(state["findings"][-1]["passed"])
