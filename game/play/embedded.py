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
    """Where the services are. '' means there is none.

    painter: the backend that paints at the stream server of this machine, by its own word; '' where
    another machine paints. chosen: how it will run.
    """

    stream_url: str = ""
    rewards_url: str = ""
    painter: str = ""
    chosen: str = ""


class Embedded:
    """Starts at once, is waited for when needed, revives what dies, ends with the run.

    patient: false brings up what a drive needs, and `finish` the rest once somebody drives.
    guests: the stream server of this machine also paints drives that have no ticket because
    nothing of them is kept; so it does where recording is off.
    """

    def __init__(
        self, settings: Settings, children: Supervisor, guests: bool = False, patient: bool = True
    ) -> None:
        self._settings, self._children, self._patient = settings, children, patient
        self._send_to = ""
        self._guests = guests or not settings.record.enabled
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
            self._children.start(self._api_spec())
            if self._patient:
                self._children.start(self._devnet_spec())
                self._children.start(self._worker_spec())
        self.note()

    @property
    def needed(self) -> tuple[str, ...]:
        """What a drive that is paid needs; all else may come up while somebody drives."""
        return tuple(name for name in ("stream", "rewards") if name in self._children.services)

    def ready(self) -> Backing:
        """Wait until all are up. Raises ServiceFailed, which names the log to read.

        Who is not patient waits for what is `needed` alone, and calls `finish` later.
        """
        services = self._children.services
        stream, painter, chosen = self._settings.stream.url, "", ""
        if self._stream:
            told = services["stream"].ready()
            port, painter, chosen = told.port, told.model.split("/")[0], told.chosen
            self._fix(self._stream_spec(port))
            stream = f"ws://127.0.0.1:{port}/v1/stream"
        rewards = self._settings.rewards.url
        if self._rewards:
            if self._patient:
                services["devnet"].ready()
                self._pay()
            port = int(services["rewards"].ready())
            self._fix(self._api_spec(port))
            if self._patient:
                services["worker"].ready()
            rewards = f"http://127.0.0.1:{port}"
        self._send_to = "" if rewards == "off" else rewards
        if self._patient:
            self.finish()
        self.note()
        return Backing(
            "" if stream == "off" else stream,
            "" if rewards == "off" else rewards,
            painter,
            chosen,
        )

    def finish(self) -> None:
        """Start what is not there yet: who checks, who pays, who uploads."""
        services = self._children.services
        if self._rewards and "devnet" not in services:
            self._children.start(self._devnet_spec())
        if self._send_to and "outbox" not in services:
            # a service on this machine judges at once; a remote one is spared what it would refuse
            checks = "" if self._rewards else "game.play.quality:for_upload"
            config = OutboxConfig(self.outbox, self._send_to, checks=checks, poll_s=0.3)
            spec = ServiceSpec("outbox", "game.outbox.process:run_outbox", config, nice=5)
            self._children.start(spec)
        if self._rewards and "worker" not in services:
            self._children.start(self._worker_spec())
        self._pay()
        self.note()

    def _pay(self) -> None:
        """Start the payer as soon as there is a chain to pay on."""
        services = self._children.services
        if not self._rewards or "payer" in services or "devnet" not in services:
            return
        if not services["devnet"].is_ready():
            return
        if services["devnet"].alive():
            self._children.start(ServiceSpec("payer", "rewards.payer:run_payer", self._money(), 5))

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
        if "worker" in self._children.services:
            self._pay()
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

    def _devnet_spec(self) -> ServiceSpec:
        return ServiceSpec("devnet", "rewards.devnet:run_devnet", self._money())

    def _stream_spec(self, port: int = 0) -> ServiceSpec:
        tickets = (self._ticket_key(),) if self._rewards and not self._guests else ()
        config = {
            "port": port,
            "backend": self._settings.stream.backend,
            "journal": self.folder / "journal",
            "key_file": self._journal_file,
            "ticket_keys": tickets,
            "bitrate": self._settings.stream.bitrate,
        }
        # where the processor is short, the dream gets fewer pictures, not the driver
        return ServiceSpec("stream", "game.play.children:stream", config, nice=5)

    def _api_spec(self, port: int = 0) -> ServiceSpec:
        config = {
            "settings": self._money(port),
            "journal_keys": self._journal_keys(),
            "packs": self._packs(),
            "ours": self._ours(),
        }
        return ServiceSpec("rewards", "game.play.children:rewards", config)

    def _worker_spec(self) -> ServiceSpec:
        config = {
            "settings": self._money(),
            "renderer": RENDERER,
            "journal_keys": self._journal_keys(),
            "packs": self._packs(),
        }
        return ServiceSpec("worker", "game.play.children:worker", config, nice=10)

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
