"""The peer beside the game: in a process of its own, or in a thread, behind the same interface.

Nothing here ever blocks the game: commands go through a pipe that is never let run full, readings
come back through shared memory, and a child that is gone or hangs only shows in the gauges.
"""

import asyncio
import contextlib
import dataclasses
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from streaming.bell import Bell, answer
from streaming.gauges import READING_BYTES, Gauges, pack_gauges, unpack_gauges
from streaming.peer_config import PeerConfig
from streaming.ring import FifoRing, LatestRing

if TYPE_CHECKING:
    from streaming.peer import Peer

log = logging.getLogger(__name__)

GAUGES_EVERY_S = 0.2
STOP_S = 15.0  # longer than a goodbye takes
UNREAD = 64  # commands that may wait in the pipe; small enough never to fill it

SWITCH_S = 0.0005  # how long a thread may keep the interpreter from the others

OnExit = Callable[[int | None], None]


class PeerProcess:
    """The peer as a spawned child. start, stop and restart are the owner's; the rest never waits.

    on_exit(exit code) is called once, from a thread, when a child ends without being stopped.
    """

    def __init__(
        self,
        config: PeerConfig,
        source: LatestRing,
        styled: LatestRing,
        encoded: FifoRing,
        on_exit: OnExit | None = None,
    ) -> None:
        self.config = config
        self._rings = (source, styled, encoded)
        self._on_exit = on_exit
        self._process: Any = None
        self._pipe: Connection | None = None
        self._bell: Bell | None = None
        self._gauges = Gauges()
        self._told = self._read = 0
        self._readings: LatestRing | None = None
        self._spoke_at: float | None = None
        self.commands_dropped = 0

    @property
    def pid(self) -> int | None:
        """Of the child, None before start."""
        return self._process.pid if self._process is not None else None

    @property
    def spoke_at(self) -> float | None:
        """When the child was first seen to be up (monotonic seconds), None until then."""
        if self._spoke_at is None:
            self._look()
        return self._spoke_at

    def start(self) -> None:
        """Spawn the child. After a child has died, this starts its successor on the same rings."""
        if self.alive():
            return
        self._close_pipe()
        context = multiprocessing.get_context("spawn")
        theirs, ours = context.Pipe(duplex=False)
        self._bell = Bell()
        readings = LatestRing.create(f"gauges-{secrets.token_hex(4)}", 1, READING_BYTES, 1)
        self._process = context.Process(
            target=run_peer,
            args=(self.config, *self._rings, readings, theirs, self._bell.there),
            name="peer",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        self._bell.hang(self._rings[0])
        self._pipe, self._readings, self._told, self._read = ours, readings, 0, 0
        self._gauges = Gauges()
        if self._on_exit is not None:
            watch = threading.Thread(target=self._wait, args=(self._process, ours), daemon=True)
            watch.start()

    def _wait(self, process: Any, pipe: Connection) -> None:
        process.join()
        if pipe is self._pipe and self._on_exit is not None:
            self._on_exit(process.exitcode)

    def alive(self) -> bool:
        """Whether the child runs."""
        return self._process is not None and self._process.is_alive()

    def set_prompt(
        self, text: str, style: str = "", enhance: bool = False, seed: int = 0, number: int = -1
    ) -> None:
        """Change the prompt; a later child begins with it too. See Peer.set_prompt."""
        number = self.config.number + 1 if number < 0 else number
        self.config = dataclasses.replace(
            self.config, prompt=text, style=style, enhance=enhance, seed=seed, number=number
        )
        self._tell(("prompt", text, style, enhance, seed, number))

    def commit(self, tick: int, chain: bytes) -> None:
        """Hand the running hash of the inputs up to `tick` to the journal."""
        self._tell(("commit", tick, chain))

    def gauges(self) -> Gauges:
        """The newest reading; state 'stalled' when there is no child or it says nothing."""
        self._look()
        if not self.alive():
            return dataclasses.replace(
                self._gauges, state="stalled", connected=False, detail="the peer is not running"
            )
        return self._gauges

    def stop(self, timeout: float = STOP_S) -> Gauges:
        """End the stream in good order, or by force after `timeout` seconds. Leaves no zombie.

        Returns the last reading, which counts what came back while it ended.
        """
        process, self._on_exit = self._process, None
        if process is None:
            return self._gauges
        with contextlib.suppress(OSError, ValueError):
            if self._pipe is not None:
                self._pipe.send(("stop",))
        process.join(timeout)
        if process.is_alive():
            log.warning("peer.killed pid=%s it did not stop in %.1f s", process.pid, timeout)
            process.kill()
        process.join()
        self._look()
        self._close_pipe()
        return self._gauges

    def _close_pipe(self) -> None:
        self._rings[0].bell = None
        if self._bell is not None:
            self._bell.close()
            self._bell = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._readings is not None:
            self._readings.close()
            self._readings = None

    def _look(self) -> None:
        frame = self._readings.get() if self._readings is not None else None
        if frame is not None:
            self._read = frame.tick
            self._spoke_at = self._spoke_at or time.monotonic()
            self._gauges = unpack_gauges(frame.pixels.tobytes())

    def _tell(self, command: tuple[Any, ...]) -> None:
        if self._pipe is None:
            return
        if self._told - self._read >= UNREAD:
            self._look()
        if self._told - self._read >= UNREAD:
            self.commands_dropped += 1
            return
        with contextlib.suppress(OSError):
            self._pipe.send(command)
            self._told += 1


class PeerThread:
    """The peer in a thread of this process, for machines with two cores and for tests."""

    def __init__(
        self,
        config: PeerConfig,
        source: LatestRing,
        styled: LatestRing,
        encoded: FifoRing,
        on_exit: OnExit | None = None,
    ) -> None:
        self.config = config
        self._rings = (source, styled, encoded)
        self._on_exit = on_exit
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._peer: Peer | None = None
        self._ready = threading.Event()
        self._gauges = Gauges()

    def start(self) -> None:
        """Start the thread; it runs once `start` returns."""
        if self.alive():
            return
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="peer", daemon=True)
        self._thread.start()
        self._ready.wait(STOP_S)

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def set_prompt(
        self, text: str, style: str = "", enhance: bool = False, seed: int = 0, number: int = -1
    ) -> None:
        """Change the prompt; a later start begins with it too. See Peer.set_prompt."""
        number = self.config.number + 1 if number < 0 else number
        self.config = dataclasses.replace(
            self.config, prompt=text, style=style, enhance=enhance, seed=seed, number=number
        )
        self._call(lambda peer: peer.set_prompt(text, style, enhance, seed, number))

    def commit(self, tick: int, chain: bytes) -> None:
        """Hand the running hash of the inputs up to `tick` to the journal."""
        self._call(lambda peer: peer.commit(tick, chain))

    def gauges(self) -> Gauges:
        """The newest reading, at most a fifth of a second old."""
        if not self.alive():
            return dataclasses.replace(
                self._gauges, state="stalled", connected=False, detail="the peer is not running"
            )
        return self._gauges

    def stop(self, timeout: float = STOP_S) -> Gauges:
        """End the stream in good order, wait for the thread, return the last reading."""
        self._on_exit = None
        self._call(lambda peer: peer.stop())
        if self._thread is not None:
            self._thread.join(timeout)
        return self._gauges

    def _call(self, what: "Callable[[Peer], None]") -> None:
        loop, peer = self._loop, self._peer
        if loop is not None and peer is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(what, peer)

    def _run(self) -> None:
        code = 1
        try:
            asyncio.run(self._main())
            code = 0
        except Exception:
            log.exception("peer.died")
        finally:
            self._ready.set()
            if self._on_exit is not None:
                self._on_exit(code)

    async def _main(self) -> None:
        from streaming.peer import Peer

        self._loop = asyncio.get_running_loop()
        self._peer = peer = Peer(self.config, *self._rings)
        self._rings[0].bell = lambda: self._call(Peer.ring)
        self._ready.set()
        reading = asyncio.ensure_future(self._read(peer))
        try:
            await peer.run()
        finally:
            reading.cancel()
            self._gauges = peer.gauges()
            self._rings[0].bell = None
            self._peer = None

    async def _read(self, peer: "Peer") -> None:
        while True:
            self._gauges = peer.gauges()
            await asyncio.sleep(GAUGES_EVERY_S)


def run_peer(
    config: PeerConfig,
    source: LatestRing,
    styled: LatestRing,
    encoded: FifoRing,
    readings: LatestRing,
    pipe: Any,
    bell: Any = None,
) -> None:
    """Process entry: a peer driven through `pipe`; it ends when the pipe, or its parent, does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    if config.nice and sys.platform != "win32":
        os.nice(config.nice)
    sys.setswitchinterval(SWITCH_S)
    with source, styled, encoded, readings:
        asyncio.run(_drive(config, (source, styled, encoded), readings, pipe, bell))


async def _drive(
    config: PeerConfig,
    rings: tuple[LatestRing, LatestRing, FifoRing],
    readings: LatestRing,
    pipe: Connection,
    bell: socket.socket | None,
) -> None:
    from streaming.peer import Peer  # heavy: the game itself does without it

    loop = asyncio.get_running_loop()
    peer = Peer(config, *rings)
    if bell is not None:
        answer(loop, bell, peer.ring)
    read = 0

    def take(command: tuple[Any, ...]) -> None:
        nonlocal read
        name, *values = command
        read += 1
        if name == "prompt":
            peer.set_prompt(*values)
        elif name == "commit":
            peer.commit(*values)
        elif name == "stop":
            peer.stop()

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError, RuntimeError):
            while True:
                loop.call_soon_threadsafe(take, pipe.recv())
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(peer.stop)  # the parent is gone

    def show() -> None:
        data = np.frombuffer(pack_gauges(peer.gauges()), np.uint8)
        readings.put(read, time.monotonic_ns(), data.reshape(readings.shape))

    async def report() -> None:
        while True:
            show()
            await asyncio.sleep(GAUGES_EVERY_S)

    threading.Thread(target=listen, name="commands", daemon=True).start()
    reporting = asyncio.ensure_future(report())
    try:
        await peer.run()
    finally:
        reporting.cancel()
        show()
