"""A session through intake, queue and worker: one verdict and one debt, however often it dies."""

import hashlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair

from game.atlas.load import load as load_city
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards import policy, schema, tickets
from rewards.card import write_card
from rewards.checks.case import CannotJudge
from rewards.graph import Step, run_plain
from rewards.inbox import FileEntry, Inbox, State, raw_key
from rewards.ledger import Ledger
from rewards.premises import Premises
from rewards.queue import Queue, QueueSettings
from rewards.sealed import unseal
from rewards.settings import RewardsSettings
from rewards.storage import FolderStore
from rewards.worker import Bench, Worker
from rewards.worker_process import WorkerConfig, run_worker
from tests.rewards.recording import KEYS, make_ticket

pytestmark = pytest.mark.heavy

WALLET = str(Keypair.from_seed(bytes(range(32))).pubkey())
FILES = {"session.json": b"", "inputs.jsonl": b"in", "ticks.bin": b"ticks"}


def finding(passed: bool = True, **evidence: object) -> Step:
    reason = "" if passed else "test.wrong"

    def run(session: Session, given: Evidence) -> Finding:
        return Finding("replay", passed, 1.0, 1.0, reason, evidence=evidence)

    return Step("replay", run)


def attested(count: int) -> Step:
    def run(session: Session, given: Evidence) -> Finding:
        return Finding("journal", True, 1.0, 0.0, evidence={"attested": count, "self": 0})

    return Step("journal", run)


def paid() -> tuple[Step, ...]:
    return (finding(ticks=10, success=True, collisions=0), attested(100))


PAID = paid()
"""For a worker in another process, which finds its checks by name."""


def slow(session: Session, given: Evidence) -> Finding:
    Path(given.scratch.parent.parent / "judging").touch()
    time.sleep(30.0)
    raise AssertionError("should have been killed")


SLOW = (Step("replay", slow),)


@pytest.fixture
def place(tmp_path: Path) -> Iterator["Place"]:
    place = Place(tmp_path)
    yield place
    place.close()


class Place:
    """A server folder with one session in its queue."""

    def __init__(self, folder: Path) -> None:
        self.settings = RewardsSettings(folder=folder, policy="demo")
        premises, url = Premises(folder), self.settings.ledger_url
        city = load_city()
        self.ticket = make_ticket(city, payee=WALLET)
        self.session = str(self.ticket["session"])
        self.now = [1_700_000_000.0]
        self.bench = Bench(
            inbox=Inbox(schema.open_engine(url)),
            ledger=Ledger.open(url),
            queue=Queue(premises.queue, QueueSettings(10.0, 60.0, 3), lambda: self.now[0]),
            raw=FolderStore(premises.raw, b""),
            clean=FolderStore(premises.clean, b""),
            scratch=premises.scratch,
            cities={city.digest: city},
            renderer=None,
            checks=paid(),
            runner=run_plain,
            keys=KEYS,
            sample_secret=b"secret",
            policies=lambda name: policy.load(name),
            retry_s=1.0,
            now=lambda: self.now[0],
        )
        self._upload()

    def _upload(self) -> None:
        manifest = {
            "session": self.session, "format_version": 1, "world_version": 1, "seed": 7,
            "tick_hz": 60, "driver": {"kind": "bot", "name": "test"}, "backend": "filter",
            "capture": {"width": 480, "height": 480, "every_ticks": 2, "fov_degrees": 70.0,
                        "near": 0.3, "far": 500.0, "effects": "full", "version": 1},
        }  # fmt: skip
        bodies = FILES | {"session.json": json.dumps(manifest).encode()}
        self.bench.inbox.open_run(self.ticket, 100)
        entries = [
            FileEntry(name, len(body), hashlib.sha256(body).hexdigest())
            for name, body in bodies.items()
        ]
        self.bench.inbox.announce(self.session, entries)
        for entry in entries:
            key = raw_key(self.session, entry.name)
            self.bench.raw.put(key, iter([bodies[entry.name]]), entry.size, entry.sha256)
        write_card(self.bench.raw, self.ticket, entries)
        self.bench.inbox.queued(self.session)
        self.bench.queue.push(self.session, self.session)

    def worker(self, **changes: object) -> Worker:
        return Worker(replace(self.bench, **changes))  # type: ignore[arg-type]

    def close(self) -> None:
        self.bench.queue.close()
        self.bench.ledger.close()
        self.bench.inbox.engine.dispose()


def test_an_accepted_session_is_owed_once_and_moves_to_the_clean_store(place: Place) -> None:
    assert place.worker().step() == place.session
    payout = place.bench.ledger.payout(place.session)
    assert payout is not None
    assert (payout.wallet, payout.state, payout.amount) == (WALLET, "owed", 100 * 5000)
    assert place.bench.raw.keys(place.session) == []
    kept = place.bench.clean.keys("sessions")
    assert [key.rsplit("/", 1)[1] for key in kept] == sorted(FILES)
    stored = b"".join(place.bench.clean.read(f"verdicts/{place.session}.json")).decode()
    sealed = unseal(stored, [tickets.public_hex(place.bench.judge_key)])
    assert sealed.verdict == place.bench.ledger.verdict(place.session)
    assert place.bench.ledger.sealed(place.session) == stored
    assert place.worker().step() == ""
    assert list(place.bench.scratch.iterdir()) == []


def test_a_rejected_session_keeps_its_reasons_and_pays_nothing(place: Place) -> None:
    place.worker(checks=(finding(False),)).step()
    verdict = place.bench.ledger.verdict(place.session)
    assert verdict is not None
    assert (verdict.decision, verdict.findings[0].reason) == ("rejected", "test.wrong")
    assert place.bench.ledger.payout(place.session) is None
    assert place.bench.clean.keys("sessions") == []
    assert place.bench.clean.keys("verdicts") == [f"verdicts/{place.session}.json"]


def test_a_session_that_cannot_be_opened_is_rejected(place: Place) -> None:
    key = raw_key(place.session, "session.json")
    place.bench.raw.delete(key)
    place.bench.raw.put(key, iter([b"{"]), 1, hashlib.sha256(b"{").hexdigest())
    place.worker().step()
    verdict = place.bench.ledger.verdict(place.session)
    assert verdict is not None
    assert verdict.findings[0].reason == "integrity.unreadable"


def test_a_check_that_cannot_judge_sends_the_session_back_and_then_to_the_dead(
    place: Place,
) -> None:
    def unable(session: Session, given: Evidence) -> Finding:
        raise CannotJudge("no renderer here")

    worker = place.worker(checks=(Step("geometry", unable),))
    for _ in range(3):
        assert worker.step() == place.session
        place.now[0] += 1.0
    assert worker.step() == ""
    assert place.bench.ledger.verdict(place.session) is None
    assert place.bench.inbox.state(place.session) == State.QUEUED
    ((name, why),) = place.bench.queue.dead()
    assert (name, why) == (place.session, "CannotJudge: cannot judge: no renderer here")
    place.bench.queue.redrive()
    place.worker().step()
    assert place.bench.ledger.payout(place.session) is not None


class Dies(BaseException):
    """Like a kill: nothing of ours catches it."""


POINTS = ("fetched", "judged", "recorded", "copied", "verdict", "deleted")


@pytest.mark.parametrize("point", POINTS)
def test_wherever_a_worker_dies_the_next_one_ends_with_one_verdict_and_one_debt(
    place: Place, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die_after(owner: object, name: str, times: int = 1) -> None:
        real: Callable[..., object] = getattr(owner, name)
        left = [times]

        def then_die(*args: object, **kwargs: object) -> object:
            value = real(*args, **kwargs)
            left[0] -= 1
            if left[0] == 0:
                raise Dies
            return value

        monkeypatch.setattr(owner, name, then_die)

    where = {
        "fetched": (Worker, "_fetch", 1),
        "judged": (Worker, "_look", 1),
        "recorded": (Ledger, "record", 1),
        "copied": (FolderStore, "put", 3),
        "verdict": (FolderStore, "put", 1),
        "deleted": (FolderStore, "delete", 2),
    }
    die_after(*where[point])
    with pytest.raises(Dies):
        place.worker().step()
    monkeypatch.undo()
    assert place.worker().step() == "", "still invisible"
    place.now[0] += 10.0
    assert place.worker().step() == place.session
    assert place.bench.ledger.totals()["accepted"] == 1
    assert [p.session for p in place.bench.ledger.payouts()] == [place.session]
    assert len(place.bench.clean.keys("sessions")) == len(FILES)
    assert place.bench.raw.keys(place.session) == []


def test_two_deliveries_at_once_leave_one_verdict(place: Place) -> None:
    place.worker().judge(place.session)
    other = place.worker(checks=(finding(False),)).judge(place.session)
    assert other.accepted, "the first verdict stands"
    assert len(place.bench.ledger.payouts()) == 1


@pytest.mark.flow
def test_a_killed_worker_process_leaves_its_session_to_the_next(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.bench.queue.close()
    config = WorkerConfig(
        place.settings,
        renderer="",
        checks="tests.rewards.test_worker:SLOW",
        plain=True,
        idle_s=0.05,
        queue=QueueSettings(1.0, 60.0, 3),
    )
    context = multiprocessing.get_context("spawn")
    try:
        for checks in ("SLOW", "PAID"):
            ours, theirs = context.Pipe(duplex=False)
            this = replace(config, checks=f"tests.rewards.test_worker:{checks}")
            process = context.Process(target=run_worker, args=(this, theirs), daemon=True)
            process.start()
            assert ours.poll(120)
            assert ours.recv() == "ready"

            def done(checks: str = checks) -> bool:
                if checks == "SLOW":
                    return (tmp_path / "judging").exists()
                return place.bench.ledger.payout(place.session) is not None

            ends = time.monotonic() + 60
            while not done() and time.monotonic() < ends:
                time.sleep(0.05)
            assert done()
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join(120)
        assert len(place.bench.ledger.payouts()) == 1
        left = [
            p for p in place.bench.scratch.iterdir() if int(p.name.split("-")[0]) != process.pid
        ]
        assert left == [], "the second worker swept what the first one left"
    finally:
        place.bench.ledger.close()
        place.bench.inbox.engine.dispose()
