"""Takes sessions from the queue, judges them, and stores verdict and debt.

    queue -> files to scratch -> checks -> sealed verdict -> clean store -> ledger (verdict + owed)
          -> files to the clean store -> done

May be killed at any moment. The clean store's verdict is the one that stands, whoever comes later:
a session that has one is only written down and put away, never judged again, also after the ledger
is lost. Holds no key that can pay. Refuses to guess: what it cannot judge goes back to the queue.
"""

import contextlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.errors import SessionCorrupt
from game.session.format import Manifest, TrackId
from game.session.protocols import Evidence, Finding, RendererFactory
from game.session.reader import Session
from game.world.city import City
from rewards import frozen, neighbours, policy, tickets, wanted
from rewards.card import CARD, Card, read_card
from rewards.checks.case import CannotJudge
from rewards.errors import LedgerLost
from rewards.evidence import pictures
from rewards.graph import Runner, Step
from rewards.inbox import Inbox, raw_key
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.prints import Print, near_duplicate
from rewards.queue import Message, Work
from rewards.refusal import UploadRefused
from rewards.sample import sample_ticks
from rewards.sealed import Sealed, seal, unseal
from rewards.storage import Store
from rewards.utc import utc_day
from rewards.verdict import decide, frozen_into

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a worker judges with."""

    inbox: Inbox
    ledger: Ledger
    queue: Work
    raw: Store
    clean: Store
    scratch: Path
    cities: Mapping[str, City]
    renderer: RendererFactory | None
    checks: tuple[Step, ...]
    runner: Runner
    keys: Mapping[str, tuple[str, ...]]
    sample_secret: bytes
    policies: Callable[[str], policy.Policy]
    cluster: str = "local"
    retry_s: float = 5.0
    now: Callable[[], float] = time.time
    judge_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    at: Callable[[str], None] = lambda point: None  # names each point a crash could fall on


class Worker:
    """One judge. `step` does at most one session; the loop around it is the process's."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def step(self) -> str:
        """Do the next session. Returns its id, '' where nothing waits."""
        bench = self._bench
        message = bench.queue.receive()
        if message is None:
            return ""
        bench.at("received")
        try:
            with _heartbeat(bench.queue, message):
                self.judge(message.name)
        except LedgerLost as error:  # nothing can be written any more: start again
            bench.queue.give_back(message, str(error), bench.retry_s)
            raise
        except Exception as error:  # could not judge: never a verdict, always another try
            log.warning(
                "session.unjudged session=%s receives=%d why=%r",
                message.name,
                message.receives,
                error,
                exc_info=not isinstance(error, CannotJudge),
            )
            bench.queue.give_back(message, f"{type(error).__name__}: {error}", bench.retry_s)
        else:
            bench.at("done")
            bench.queue.delete(message)
        return message.name

    def judge(self, session: str) -> Verdict:
        """Verdict of one session, stored with what it owes and put away. May be repeated."""
        bench = self._bench
        sealed = self._stands(session)
        if sealed is None:
            sealed = self._fresh(session)
            bench.at("judged")
            body = sealed.text.encode()
            _put(bench.clean, verdict_key(session), iter([body]), len(body), _sha256(body))
            bench.at("sealed")
            sealed = self._stands(session) or sealed  # another judge may have been first
        verdict = sealed.verdict
        bench.ledger.record(
            verdict, sealed.amount, verdict.decided_s, sealed.text, sealed.due_s, sealed.review
        )
        bench.at("recorded")
        self._want_source(verdict, sealed.review)
        failed = [finding.reason for finding in verdict.findings if not finding.passed]
        log.info(
            "session.judged session=%s decision=%s reasons=%s",
            session,
            verdict.decision,
            ",".join(failed),
        )
        self._put_away(verdict)
        return verdict

    def _stands(self, session: str) -> Sealed | None:
        """The verdict that the clean store holds already. Raises VerdictInvalid on a forged one."""
        bench = self._bench
        try:
            text = b"".join(bench.clean.read(verdict_key(session))).decode()
        except FileNotFoundError:
            return None
        judges = (tickets.public_hex(bench.judge_key), *bench.keys.get("verdict", ()))
        return unseal(text, judges, session)

    def _fresh(self, session: str) -> Sealed:
        bench = self._bench
        card = read_card(bench.raw, session)
        if card is None:
            raise CannotJudge(f"{session} is not in the raw store")
        bench.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=bench.scratch) as scratch:
            folder = Path(scratch) / session
            announced = self._fetch(card, folder)
            bench.at("fetched")
            manifest, findings = self._look(folder, announced, card.ticket)
        return self._weigh(card, manifest, findings)

    def _weigh(
        self, card: Card, manifest: Manifest | None, findings: tuple[Finding, ...]
    ) -> Sealed:
        """Verdict, amount and hold, with what they depend on of others fixed first."""
        bench, ticket = self._bench, card.ticket
        rules, now_s = bench.policies(str(ticket["policy"])), int(bench.now())
        findings = (*findings, *self._across_wallets(card, findings, rules))
        verdict = decide(manifest, findings, rules, ticket, bench.cluster, now_s, card.tier)
        if not verdict.accepted:
            return seal(bench.judge_key, verdict, 0)
        day = utc_day(now_s)

        def with_(snapshot: frozen.Snapshot) -> Verdict:
            told = frozen_into(verdict, {**snapshot.measures(), "day": day})
            return frozen_into(told, {"newcomer": policy.is_newcomer(told, rules)})

        def worth(snapshot: frozen.Snapshot) -> tuple[int, bool]:
            told = with_(snapshot)
            return policy.amount(told, rules), policy.is_newcomer(told, rules)

        payee = verdict.payee or verdict.claim
        driven: Mapping[str, int] = next(
            (f.evidence.get("cells", {}) for f in findings if f.check == "replay"), {}
        )
        told = with_(frozen.freeze(bench.ledger, card.session, payee, day, driven, worth))
        hold = policy.hold_s(told, rules)
        drawn = policy.drawn_for_review(bench.sample_secret, told, rules)
        review = "review: drawn for a person's look" if drawn else ""
        due_s = now_s + hold if hold else 0
        return seal(bench.judge_key, told, policy.amount(told, rules), due_s, review)

    def _want_source(self, verdict: Verdict, review: str) -> None:
        """Ask for the source video where somebody will look at it, unless it came by itself."""
        bench = self._bench
        rules = bench.policies(verdict.policy)
        research = verdict.accepted and policy.drawn_for_research(
            bench.sample_secret, verdict, rules
        )
        if not (review or research):
            return
        if not any(wanted.SOURCE.fullmatch(e.name) for e in bench.inbox.files(verdict.session)):
            why = wanted.REVIEW if review else wanted.RESEARCH
            wanted.Wants(bench.inbox.engine).ask(verdict.session, why, int(bench.now()))

    def _across_wallets(
        self, card: Card, findings: tuple[Finding, ...], rules: policy.Policy
    ) -> tuple[Finding, ...]:
        """The near-duplicate check, where the policy wants it and the replay gave a print."""
        replayed = next((f for f in findings if f.check == "replay" and f.passed), None)
        if replayed is None or "near-duplicate" in rules.skips or "print" not in replayed.evidence:
            return ()
        ticket = card.ticket
        payee = str(ticket["payee"] or ticket["claim"])
        mine = Print.from_hex(str(replayed.evidence["print"]))
        others = neighbours.keep(
            self._bench.ledger, card.session, payee, str(ticket["scenario"]), mine
        )
        return (near_duplicate(mine, others),)

    def _fetch(self, card: Card, folder: Path) -> dict[str, str]:
        """The session's files into `folder`; name -> SHA-256 as announced."""
        folder.mkdir()
        announced: dict[str, str] = {}
        for entry in card.files:
            with (folder / entry.name).open("wb") as file:
                for chunk in self._bench.raw.read(raw_key(card.session, entry.name)):
                    file.write(chunk)
            announced[entry.name] = entry.sha256
        return announced

    def _look(
        self, folder: Path, announced: Mapping[str, str], ticket: Mapping[str, Any]
    ) -> tuple[Manifest | None, tuple[Finding, ...]]:
        bench = self._bench
        try:
            session = Session.open(folder)
        except SessionCorrupt as error:
            return None, (_unreadable(error),)
        with session:
            try:
                evidence = self._evidence(session, announced, ticket)
            except SessionCorrupt as error:
                return session.manifest, (_unreadable(error),)
            evidence.memo["checkpoint"] = bench.scratch.parent / "checkpoints.sqlite"
            findings = bench.runner(bench.checks, session, evidence)
            for name, data in pictures(findings, evidence).items():
                key = f"pictures/{evidence.session}/{name}"
                _put(bench.clean, key, iter([data]), len(data), _sha256(data))
            return session.manifest, findings

    def _evidence(
        self, session: Session, announced: Mapping[str, str], ticket: Mapping[str, Any]
    ) -> Evidence:
        bench = self._bench
        city = bench.cities.get(str(ticket["pack_digest"]))
        if city is None:
            raise CannotJudge("this worker does not have the city pack of the ticket")
        source = [frame.tick for frame in session.frames(TrackId.SOURCE)]
        lossless = [frame.tick for frame in session.frames(TrackId.CHECK)]
        name = str(ticket["session"])
        return Evidence(
            city=city,
            renderer=bench.renderer,
            sample_ticks=sample_ticks(bench.sample_secret, name, source, lossless),
            keys=bench.keys,
            scratch=session.folder.parent,
            policy=str(ticket["policy"]),
            session=name,
            files=announced,
        )

    def _put_away(self, verdict: Verdict) -> None:
        """Accepted files to the clean store; only then raw ones go, the card that lists them
        last."""
        bench, session = self._bench, verdict.session
        card = read_card(bench.raw, session) if verdict.accepted else None
        if card is None:
            return
        for entry in card.files:
            raw, kept = raw_key(session, entry.name), f"sessions/{session}/{entry.name}"
            if bench.clean.size(kept) != entry.size:
                chunks = bench.raw.read(raw)
                _put(bench.clean, kept, chunks, entry.size, entry.sha256)
            bench.at("copied")
        for entry in card.files:
            bench.raw.delete(raw_key(session, entry.name))
            bench.at("deleted")
        bench.raw.delete(raw_key(session, CARD))


def _unreadable(error: SessionCorrupt) -> Finding:
    code = "integrity.unreadable"
    return Finding("integrity", False, 0.0, 1.0, code, error.tick, error.why)


def verdict_key(session: str) -> str:
    """Where a session's sealed verdict lies in the clean store."""
    return f"verdicts/{session}.json"


def _put(store: Store, key: str, chunks: Iterator[bytes], size: int, sha256: str) -> None:
    try:
        store.put(key, chunks, size, sha256)
    except UploadRefused as refused:
        if refused.reason != "object.exists":
            raise


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _heartbeat(queue: Work, message: Message) -> Iterator[None]:
    """Keeps the message ours while the block runs, up to the queue's deadline."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(queue.settings.visibility_s / 3.0):
            if not queue.heartbeat(message):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
