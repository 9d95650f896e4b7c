"""Takes sessions from the queue, judges them, and stores verdict and debt.

    queue -> files to scratch -> checks -> sealed verdict -> clean store -> ledger (verdict + owed)
          -> files to the clean store -> done

May be killed at any moment. The clean store's verdict is the one that stands, whoever comes later:
a session that has one is only written down and put away, never judged again, also after the ledger
is lost. Holds no key that can pay. Refuses to guess: what it cannot judge goes back to the queue.
"""

import contextlib
import importlib
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.atlas.load import load as load_city
from game.errors import SessionCorrupt
from game.session.format import CaptureProfile, Manifest, TrackId
from game.session.protocols import Evidence, Finding, Renderer, RendererFactory
from game.session.reader import Session
from game.world.city import City
from rewards import frozen, neighbours, policy, schema, tickets
from rewards.backing import clean_store, open_queue, raw_store
from rewards.card import CARD, Card, read_card
from rewards.checks.case import CannotJudge
from rewards.errors import LedgerLost
from rewards.evidence import pictures
from rewards.graph import Runner, Step, run_graph, run_plain
from rewards.inbox import Inbox, raw_key
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.premises import Premises, load_secret
from rewards.queue import Message, QueueSettings, Work
from rewards.refusal import UploadRefused
from rewards.sample import sample_ticks
from rewards.sealed import Sealed, seal, unseal
from rewards.settings import RewardsSettings
from rewards.storage import Store
from rewards.utc import utc_day
from rewards.verdict import decide, frozen_into

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """renderer, checks: 'module:name', resolved in the worker; renderer '' = none here.

    journal_keys: enrolled stream servers (hex). packs: city packs, () = the one shipped.
    cluster: of the chain that pays. plain: without LangGraph. idle: pause when nothing waits [s].
    retry: pause before a session that could not be judged comes again [s].
    """

    settings: RewardsSettings
    renderer: str = "game.view.renderer:make_renderer"
    checks: str = "rewards.checks.table:CHECKS"
    journal_keys: tuple[str, ...] = ()
    packs: tuple[Path, ...] = ()
    cluster: str = "local"
    plain: bool = False
    idle_s: float = 0.25
    retry_s: float = 5.0
    queue: QueueSettings = field(default_factory=QueueSettings)


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

    def _across_wallets(
        self, card: Card, findings: tuple[Finding, ...], rules: policy.Policy
    ) -> tuple[Finding, ...]:
        """The near-duplicate check, where the policy wants it and the replay gave a print."""
        replayed = next((f for f in findings if f.check == "replay" and f.passed), None)
        if replayed is None or "near-duplicate" in rules.skips or "print" not in replayed.evidence:
            return ()
        ticket = card.ticket
        payee = str(ticket["payee"] or ticket["claim"])
        mine = neighbours.Print.from_hex(str(replayed.evidence["print"]))
        others = neighbours.keep(
            self._bench.ledger, card.session, payee, str(ticket["scenario"]), mine
        )
        return (neighbours.near_duplicate(mine, others),)

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


class KeptRenderer:
    """A renderer factory that keeps its last renderer, since opening one takes seconds."""

    def __init__(self, factory: RendererFactory) -> None:
        self._factory = factory
        self._kept: tuple[str, CaptureProfile, Renderer] | None = None

    def __call__(self, city: City, profile: CaptureProfile) -> Renderer:
        if self._kept is None or self._kept[:2] != (city.digest, profile):
            self.close()
            self._kept = (city.digest, profile, self._factory(city, profile))
        return _Borrowed(self._kept[2])

    def close(self) -> None:
        """Give the renderer back."""
        if self._kept is not None:
            self._kept[2].close()
            self._kept = None


class _Borrowed:
    """The kept renderer, whose close does nothing."""

    def __init__(self, renderer: Renderer) -> None:
        self.family, self.render, self.eye = renderer.family, renderer.render, renderer.eye

    def close(self) -> None:
        """Stays open for the next session."""


def resolve(name: str) -> Any:
    """The object that 'module:name' names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def open_bench(config: WorkerConfig) -> Bench:
    """Everything a worker needs, from its settings."""
    settings, premises = config.settings, Premises(config.settings.folder)
    cities = [load_city(pack) for pack in (config.packs or (None,))]
    ticket_key = tickets.public_hex(tickets.load_key(premises.ticket_key))
    _sweep(premises.scratch)
    return Bench(
        inbox=Inbox(schema.open_engine(settings.ledger_url)),
        ledger=Ledger.open(settings.ledger_url),
        queue=open_queue(settings, config.queue),
        raw=raw_store(settings),
        clean=clean_store(settings),
        scratch=premises.scratch,
        cities={city.digest: city for city in cities},
        renderer=KeptRenderer(resolve(config.renderer)) if config.renderer else None,
        checks=resolve(config.checks),
        runner=run_plain if config.plain else run_graph,
        keys={
            "ticket": (ticket_key,),
            "journal": config.journal_keys,
            "verdict": settings.verdict_keys,
        },
        sample_secret=load_secret(premises.sample_secret),
        judge_key=tickets.load_key(premises.verdict_key),
        policies=_policies(settings.policy),
        cluster=config.cluster,
        retry_s=config.retry_s,
    )


def _policies(configured: str) -> Callable[[str], policy.Policy]:
    """Policies by the name in a ticket of ours; the configured one may come from a file."""
    own = policy.load(configured)
    return lambda name: own if name == own.name else policy.load(name)


def _sweep(scratch: Path) -> None:
    """Remove what workers left that are no more."""
    for folder in scratch.glob("*-*") if scratch.is_dir() else ():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def run_worker(config: WorkerConfig, ready: Connection) -> None:
    """Process entry: says ready, then judges until it is ended."""
    worker = Worker(open_bench(config))
    if not config.plain:
        import langgraph.graph  # noqa: F401  now, so that the first session does not wait for it
    ready.send("ready")
    while True:
        if not worker.step():
            time.sleep(config.idle_s)
