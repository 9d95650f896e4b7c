"""A worker as a process: everything that it judges with, from its settings, and its loop."""

import importlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from game.atlas.load import load as load_city
from rewards import policy, schema, tickets
from rewards.backing import clean_store, open_queue, raw_store
from rewards.errors import KeyRefused
from rewards.graph import Runner, run_graph, run_plain
from rewards.inbox import Inbox
from rewards.ledger import Ledger
from rewards.premises import Premises, load_secret
from rewards.queue import QueueSettings
from rewards.renderers import KeptRenderer
from rewards.secret import Secret
from rewards.settings import RewardsSettings
from rewards.tracing import Tracing
from rewards.worker import Bench, Worker


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
        runner=run_plain if config.plain else _graph(settings),
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


def _graph(settings: RewardsSettings) -> Runner:
    """LangGraph, traced where a key is given. Raises KeyRefused where that cannot be read."""
    if not settings.tracing_key_file:
        return run_graph
    path = settings.folder / settings.tracing_key_file
    try:
        key = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise KeyRefused(path, str(error), "or judge without server.tracing_key_file") from error
    return partial(run_graph, tracing=Tracing(settings.tracing_url, Secret(key)))


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
