"""Rules of the queue: nothing is lost, nothing is handed to two at once, nothing stays for ever."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.queue import Queue, QueueSettings


class Clock:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def make(tmp_path: Path, **changes: float) -> tuple[Queue, Clock]:
    clock = Clock()
    rules = QueueSettings(**{"visibility_s": 10.0, "deadline_s": 35.0, "receives": 3} | changes)
    return Queue(tmp_path / "queue.sqlite", rules, clock), clock


def test_a_message_in_work_is_invisible_until_its_time_runs_out(tmp_path: Path) -> None:
    queue, clock = make(tmp_path)
    queue.push("a", "body")
    first = queue.receive()
    assert first is not None
    assert queue.receive() is None
    clock.s += 10.0
    again = queue.receive()
    assert again is not None
    assert (again.name, again.receives) == ("a", 2)
    assert not queue.delete(first), "the first holder lost it"
    assert queue.delete(again)
    assert queue.depth() == 0


def test_heartbeats_keep_a_message_but_not_past_the_deadline(tmp_path: Path) -> None:
    queue, clock = make(tmp_path)
    queue.push("a", "body")
    message = queue.receive()
    assert message is not None
    beats, other = 0, None
    while queue.heartbeat(message) and beats < 100:
        beats += 1
        clock.s += 5.0
        other = queue.receive()
        if other is not None:
            break
    assert clock.s - 1000.0 == 35.0
    assert other is not None, "at the deadline it is for others"
    assert not queue.heartbeat(message)


def test_a_message_that_nobody_finishes_goes_dead_and_can_be_redriven(tmp_path: Path) -> None:
    queue, clock = make(tmp_path)
    queue.push("a", "body")
    for _ in range(3):
        assert queue.receive() is not None
        clock.s += 10.0
    assert queue.receive() is None
    assert [name for name, _ in queue.dead()] == ["a"]
    assert queue.redrive() == 1
    fresh = queue.receive()
    assert fresh is not None
    assert fresh.receives == 1


def test_given_back_messages_keep_their_last_reason(tmp_path: Path) -> None:
    queue, _ = make(tmp_path, receives=1)
    queue.push("a", "body")
    message = queue.receive()
    assert message is not None
    assert queue.give_back(message, "the renderer is missing")
    assert queue.dead() == [("a", "the renderer is missing")]


def test_the_same_name_is_queued_once(tmp_path: Path) -> None:
    queue, _ = make(tmp_path)
    assert queue.push("a", "1")
    assert not queue.push("a", "2")
    assert queue.depth() == 1


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(["push", "receive", "delete", "wait", "beat", "back"]), max_size=40)
)
def test_every_message_is_waiting_held_deleted_or_dead(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    queue, clock = make(tmp_path_factory.mktemp("queue"))
    pushed = deleted = 0
    held: dict[str, object] = {}
    latest = None
    for act in acts:
        if act == "push":
            pushed += queue.push(f"m{pushed}", "body")
        elif act == "receive" and (message := queue.receive()):
            assert message.name not in held or clock.s >= float(str(held[message.name]))
            held[message.name] = clock.s + 10.0
            latest = message
        elif act == "delete" and latest is not None:
            deleted += queue.delete(latest)
        elif act == "beat" and latest is not None and queue.heartbeat(latest):
            held[latest.name] = clock.s  # at the earliest: bounded by the deadline
        elif act == "back" and latest is not None and queue.give_back(latest, "later"):
            held.pop(latest.name, None)
        elif act == "wait":
            clock.s += 4.0
        assert queue.depth() + len(queue.dead()) + deleted == pushed
    queue.close()
