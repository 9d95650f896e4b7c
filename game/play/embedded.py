"""The server side on this machine: stream server and rewards service as children of the game.

Owns their configuration and the order in which they come up. Each is the same process that an
operator starts by its own command.
"""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from game.errors import MissingPart
from game.outbox.outbox import OutboxConfig
from game.processes import ServiceSpec, Supervisor
from game.session.append import write_json
from game.settings import Settings
from rewards.settings import RewardsSettings

RENDERER = "game.view.renderer:make_renderer"
"""What the worker draws with, by name: it is resolved in the worker's own process."""


@dataclass(frozen=True, slots=True)
class Backing:
    """Where the services are. '' means there is none. chosen: how the stream's model will run."""

    stream_url: str = ""
    rewards_url: str = ""
    chosen: str = ""


class Embedded:
    """Starts at once, is waited for when needed, revives what dies, ends with the run."""

    def __init__(self, settings: Settings, children: Supervisor) -> None:
        self._settings, self._children = settings, children
        self._others: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._stream = settings.stream.url == ""
        self._rewards = settings.rewards.url == ""
        self.folder = settings.paths.data / "server"

    def begin(self) -> None:
        """Spawn everything and return; the services come up while the city is loaded."""
        if self._rewards:
            need_server_extra()
        if self._stream:
            self._children.start(self._stream_spec())
        if self._rewards:
            self._children.start(ServiceSpec("devnet", "rewards.devnet:run_devnet", self._money()))
            self._children.start(self._api_spec())
            self._children.start(self._worker_spec())
        self.note()

    def ready(self) -> Backing:
        """Wait until all are up. Raises ServiceFailed, which names the log to read."""
        services = self._children.services
        stream, chosen = self._settings.stream.url, ""
        if self._stream:
            told = services["stream"].ready()
            port, chosen = told.port, f"{told.model.split('/')[0]} {told.chosen}".strip()
            self._fix(self._stream_spec(port))
            stream = f"ws://127.0.0.1:{port}/v1/stream"
        rewards = self._settings.rewards.url
        if self._rewards:
            services["devnet"].ready()
            self._children.start(ServiceSpec("payer", "rewards.payer:run_payer", self._money(), 5))
            port = int(services["rewards"].ready())
            self._fix(self._api_spec(port))
            services["worker"].ready()
            rewards = f"http://127.0.0.1:{port}"
        if rewards != "off":
            # a service on this machine judges at once; a remote one is spared what it would refuse
            checks = "" if self._rewards else "game.play.quality:for_upload"
            config = OutboxConfig(self.outbox, rewards, checks=checks, poll_s=0.3)
            spec = ServiceSpec("outbox", "game.outbox.process:run_outbox", config, nice=5)
            self._children.start(spec)
        self.note()
        return Backing(
            "" if stream == "off" else stream, "" if rewards == "off" else rewards, chosen
        )

    @property
    def outbox(self) -> Path:
        """Where sessions wait to be handed in."""
        return self._settings.paths.data / "outbox"

    def note(self, **others: int) -> None:
        """Keep `processes.json` true: who runs under which process id, for operators' tools."""
        self._others |= others
        pids = {name: service.pid for name, service in self._children.services.items()}
        if (pids := pids | self._others) != self._noted:
            self._noted = pids
            write_json(self._settings.paths.data / "processes.json", pids)

    def revive(self) -> list[str]:
        """Start again what has died, under the same address. Returns the names."""
        revived = self._children.revive()
        if revived:
            self.note()
        return revived

    def _fix(self, spec: ServiceSpec) -> None:
        """Keep an address once it is known, so that a revived service is found where it was."""
        self._children.services[spec.name].spec = spec

    def _money(self, port: int = 0) -> RewardsSettings:
        return RewardsSettings(
            folder=self.folder,
            port=port,
            policy=self._settings.rewards.policy,
            slot_ms=self._settings.rewards.slot_ms,
            poll_s=0.2,
        )

    def _stream_spec(self, port: int = 0) -> ServiceSpec:
        from streaming.server import ServerConfig

        tickets = (self._ticket_key(),) if self._rewards else ()
        config = ServerConfig(
            port=port,
            backend=self._settings.stream.backend,
            journal=self.folder / "journal",
            key_file=self._journal_file,
            ticket_keys=tickets,
            bitrate=self._settings.stream.bitrate,
        )
        return ServiceSpec("stream", "streaming.server:run_server", config)

    def _api_spec(self, port: int = 0) -> ServiceSpec:
        from rewards.service import ApiConfig

        config = ApiConfig(self._money(port), self._journal_keys(), self._packs(), self._ours())
        return ServiceSpec("rewards", "rewards.service:run_api", config)

    def _worker_spec(self) -> ServiceSpec:
        from rewards.worker import WorkerConfig

        config = WorkerConfig(
            settings=self._money(),
            renderer=RENDERER,
            journal_keys=self._journal_keys(),
            packs=self._packs(),
        )
        return ServiceSpec("worker", "rewards.worker:run_worker", config, nice=10)

    @property
    def _journal_file(self) -> Path:
        return self.folder / "keys" / "journal.key"

    def _journal_keys(self) -> tuple[str, ...]:
        """The stream server of this machine is the one that this rewards service enrols."""
        if not self._stream:
            return ()
        from streaming.seal import load_key, public_hex

        return (public_hex(load_key(self._journal_file)),)

    def _ticket_key(self) -> str:
        from rewards.premises import Premises
        from rewards.tickets import load_key, public_hex

        return public_hex(load_key(Premises(self.folder).ticket_key))

    def _packs(self) -> tuple[Path, ...]:
        pack = self._settings.paths.pack
        return () if pack == Path() else (pack,)

    def _ours(self) -> tuple[str, ...]:
        """Addresses of the service itself that no player may name, once the chain is set up."""
        path = RewardsSettings(folder=self.folder).facts_path
        if not path.is_file():
            return ()
        facts = json.loads(path.read_text(encoding="utf-8"))
        return tuple(str(facts[name]) for name in ("mint", "treasury") if name in facts)


def need_server_extra() -> None:
    """Raise MissingPart where the rewards service cannot run for want of its packages."""
    wanted = ("fastapi", "uvicorn", "sqlalchemy", "langgraph", "cv2", "solana")
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingPart(
            f"the rewards service needs {', '.join(missing)}",
            "pip install '.[server]', or drive without it: --set rewards.url=off",
        )
