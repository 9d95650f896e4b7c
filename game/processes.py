"""The processes beside the game: one way to start them, watch them and end them with their parent.

Every child is a fresh interpreter (spawn), writes its own log, reports once when it is ready, and
ends when the process that started it is gone, however that ended.

    process   starts when                        ends                      talks by
    devnet    rewards are served here            last                      HTTP
    rewards   rewards are served here            after the last upload     HTTP
    worker    rewards are served here            after the last verdict    queue file, ledger file
    payer     rewards are served here            after the last payout     ledger file, HTTP
    stream    frames are styled here             after the last drive      WebSocket, WebRTC
    peer      a session is driven (streaming)    with the session          rings, pipe
    recorder  a session is recorded              with the session          rings, disk
    outbox    sessions are uploaded              after the last upload     disk, HTTP
"""

import contextlib
import importlib
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from game.errors import AlreadyRunning, GameError

_READY_S = 240.0
"""Only a hang takes so long, on however slow a machine; a child that dies is told at once."""
_STOP_S = 5.0


class ServiceFailed(GameError):
    """A process beside the game did not come up; its log says why."""

    def __init__(self, name: str, log: Path, why: str) -> None:
        super().__init__(name, log, why)
        self.name, self.log, self.why = name, log, why

    def __str__(self) -> str:
        return f"the {self.name} process did not start ({self.why}); see {self.log}"


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What to run: `target` is 'module:function', called with (config, ready pipe)."""

    name: str
    target: str
    config: object
    nice: int = 0


class Service:
    """One child process. Start it from the main thread: the kernel ties its life to that thread."""

    def __init__(self, spec: ServiceSpec, logs: Path) -> None:
        self.spec = spec
        self.log = logs / f"{spec.name}.log"
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self.info: Any = None

    @property
    def pid(self) -> int:
        """Process id, 0 before the start."""
        return (self._process.pid or 0) if self._process else 0

    def start(self) -> None:
        """Spawn and return at once; `ready` waits."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (self.spec, theirs, str(self.log), os.getpid())
        self._process = context.Process(target=_enter, args=arguments, name=self.spec.name)
        self._process.start()
        theirs.close()

    def ready(self, timeout_s: float = _READY_S) -> Any:
        """What the child reported when it came up (a port, an address). Raises ServiceFailed."""
        if self.info is not None:
            return self.info
        if self._pipe is None or not self._pipe.poll(timeout_s):
            raise ServiceFailed(self.spec.name, self.log, f"not ready after {timeout_s:.0f} s")
        try:
            self.info = self._pipe.recv()
        except EOFError:
            raise ServiceFailed(self.spec.name, self.log, "it ended at once") from None
        return self.info

    def tell(self, message: object) -> None:
        """Say something to a child that listens at its pipe; `ready` waits for its answer.

        Raises OSError when it is gone.
        """
        if self._pipe is None:
            raise BrokenPipeError(f"{self.spec.name} was never started")
        self.info = None
        self._pipe.send(message)

    def is_ready(self) -> bool:
        """Whether `ready` would answer at once, with a report or because it ended."""
        if self.info is not None:
            return True
        return self._pipe is not None and (self._pipe.poll(0) or not self.alive())

    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.is_alive()

    def stop(self) -> None:
        """Ask it to end, then make it; never leaves a zombie."""
        if self._process is None:
            return
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None
        if self._pipe is not None:
            self._pipe.close()


class Supervisor:
    """The children of one run, ended in reverse order of their start."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.services: dict[str, Service] = {}

    def start(self, spec: ServiceSpec, name: str = "") -> Service:
        """Start one more child under its name, or another one."""
        service = Service(spec, self._logs)
        service.start()
        self.services[name or spec.name] = service
        return service

    def stand_in(self, spare: str, spec: ServiceSpec) -> bool:
        """Let the child that waits as `spare` take over the work of `spec`, whose own child is
        dead: it is told the config. False where none waits.
        """
        waiting = self.services.get(spare)
        if waiting is None or not waiting.alive() or waiting.info is None:
            if waiting is None or not waiting.alive() or not waiting.is_ready():
                return False
            waiting.ready(0)
        try:
            waiting.tell(spec.config)
        except OSError:
            return False
        if (old := self.services.pop(spec.name, None)) is not None:
            old.stop()
        waiting.spec = spec
        self.services[spec.name] = self.services.pop(spare)
        return True

    def revive(self) -> list[str]:
        """Start again whatever has died and return the names."""
        dead = [name for name, service in self.services.items() if not service.alive()]
        for name in dead:
            old = self.services[name]
            old.stop()
            old.info = None
            old.start()
        return dead

    def stop(self) -> None:
        """End all children."""
        for service in reversed(list(self.services.values())):
            service.stop()
        self.services.clear()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _enter(spec: ServiceSpec, ready: Connection, log: str, parent: int) -> None:
    """First function of every child: log to a file, die with the parent, then do the work."""
    stream = open(log, "a", buffering=1, encoding="utf-8", errors="replace")  # noqa: SIM115
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s"
    )
    for chatty in ("aioice", "aiortc", "httpx", "httpx2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    die_with_parent(parent)
    if spec.nice and hasattr(os, "nice"):
        os.nice(spec.nice)
    module, _, function = spec.target.partition(":")
    getattr(importlib.import_module(module), function)(spec.config, ready)


def die_with_parent(parent: int) -> None:
    """End this process when `parent` is gone: at once on Linux, within a second elsewhere."""
    if sys.platform.startswith("linux"):
        import ctypes

        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, <linux/prctl.h>
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while True:
        if os.getppid() != parent:
            os._exit(0)
        time.sleep(0.5)


@contextlib.contextmanager
def only_instance(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of a data folder. Raises AlreadyRunning with the name of the holder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "running.lock"
    with open(path, "a+", encoding="utf-8") as file:
        if not _try_lock(file):
            file.seek(0)
            holder = _holder(file.read())
            raise AlreadyRunning(path, holder[0], holder[1])
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "what": what}))
        file.flush()
        yield
        file.seek(0)
        file.truncate()


def _holder(text: str) -> tuple[int, str]:
    try:
        data = json.loads(text)
        return int(data["pid"]), str(data["what"])
    except (ValueError, KeyError, TypeError):
        return 0, "unknown"


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
