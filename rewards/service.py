"""The intake as a process: builds its parts from settings and serves them on one port."""

import socket
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn

from game.atlas.load import load as load_city
from game.world.version import WORLD_VERSION
from rewards import policy, schema, tickets
from rewards.api import Intake, IntakeLimits, Known, make_app
from rewards.inbox import Inbox
from rewards.ledger import Ledger
from rewards.premises import Premises, load_secret
from rewards.queue import Queue
from rewards.settings import RewardsSettings
from rewards.storage import FolderStore
from scenarios.load import library
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
    packs = config.packs or (None,)
    known = Known(
        scenarios={name: digest(load_scenario(name)) for name in library()},
        packs=tuple(load_city(pack).digest for pack in packs),
        worlds=(WORLD_VERSION,),
        policies=(policy.load(settings.policy).name,),
        journal_keys=config.journal_keys,
        ours=config.ours,
    )
    return Intake(
        known=known,
        key=tickets.load_key(premises.ticket_key),
        inbox=Inbox(schema.open_engine(settings.ledger_url)),
        store=FolderStore(premises.raw, load_secret(premises.upload_secret)),
        queue=Queue(premises.queue),
        ledger=Ledger.open(settings.ledger_url),
        limits=config.limits,
    )


def run_api(config: ApiConfig, ready: Connection) -> None:
    """Process entry: sends the port when connections are taken; returns after SIGTERM."""
    app = make_app(open_intake(config), config.public_url)
    listener = socket.create_server((config.settings.host, config.settings.port), backlog=128)
    ready.send(listener.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, limit_concurrency=256, timeout_keep_alive=15
        )
    )
    server.run(sockets=[listener])
