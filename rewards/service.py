"""The intake as a process: builds its parts from settings and serves them on one port."""

import socket
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn

from game.atlas.load import load as load_city
from game.world.version import WORLD_VERSION
from rewards import policy, schema, tickets
from rewards.api import make_app
from rewards.backing import clean_store, open_queue, raw_store
from rewards.desk import open_desk
from rewards.inbox import Inbox
from rewards.intake import Intake, IntakeLimits, Known
from rewards.ledger import Ledger
from rewards.patience import PatientProtocol
from rewards.premises import Premises
from rewards.run_tickets import DAILY, OFFLINE
from rewards.settings import RewardsSettings
from scenarios.load import catalogue
from scenarios.load import load as load_scenario
from scenarios.model import digest


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """journal_keys: enrolled stream servers (hex). packs: city packs, () = the one shipped.

    ours: addresses of this service (mint, treasury) that no player may give.
    public_url: what clients reach this by; '' = as they called it.
    """

    settings: RewardsSettings
    journal_keys: tuple[str, ...] = ()
    packs: tuple[Path, ...] = ()
    ours: tuple[str, ...] = ()
    public_url: str = ""
    limits: IntakeLimits = field(default_factory=IntakeLimits)


def open_intake(config: ApiConfig) -> Intake:
    """Everything behind the addresses, made on first use in the settings' folder."""
    settings, premises = config.settings, Premises(config.settings.folder)
    packs = {load_city(pack).digest: pack for pack in config.packs or (None,)}
    known = Known(
        scenarios={name: digest(load_scenario(name)) for name in catalogue()},
        packs=tuple(packs),
        city=cache(lambda digest: load_city(packs[digest])),
        worlds=(WORLD_VERSION,),
        policies=(policy.load(settings.policy).name, OFFLINE, DAILY),
        journal_keys=config.journal_keys,
        ours=config.ours,
    )
    engine, key = schema.open_engine(settings.ledger_url), tickets.load_key(premises.ticket_key)
    ledger, queue = Ledger.open(settings.ledger_url), open_queue(settings)
    clean = clean_store(settings)
    desk = open_desk(settings, engine, ledger, queue, clean, key)
    return Intake(
        known=known,
        key=key,
        inbox=Inbox(engine),
        store=raw_store(settings),
        events=settings.events,
        queue=queue,
        ledger=ledger,
        limits=config.limits,
        desk=desk,
    )


def run_api(config: ApiConfig, ready: Connection) -> None:
    """Process entry: sends the port when connections are taken; returns after SIGTERM."""
    app = make_app(open_intake(config), config.public_url)
    listener = socket.create_server((config.settings.host, config.settings.port), backlog=128)
    ready.send(listener.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            limit_concurrency=256,
            timeout_keep_alive=15,
            http=PatientProtocol,
        )
    )
    server.run(sockets=[listener])
