"""Any backend in a process of its own: what kills it does not take the server with it.

Pictures go there and back through shared memory, everything else through pipes. A child that dies,
or that hangs and is killed for it, raises BackendDied at whoever waits, and is started again.
Owns the child, its memory and its restarts. Paints nothing itself.
"""

import contextlib
import logging
import mmap
import multiprocessing
import os
import queue
import secrets
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from streaming import shm
from streaming.backends.base import Backend, PlayerPainter, StreamBackend
from streaming.backends.table import warmed
from streaming.errors import BackendDied
from streaming.frames import Pixels

log = logging.getLogger(__name__)

LANES = 2  # pictures that are painted at one time
HANGS_S = 8.0  # sooner than the server loses its patience
START_S = 600.0  # weights may be large
AGAIN_S = (0.0, 1.0, 2.0, 5.0, 15.0)
STEADY_S = 30.0  # who lived so long is started again at once
STOP_S = 3.0
SWITCH_S = 0.0005
KIND = b"LANE"

Make = Callable[[], Backend]
Request = tuple[str, tuple[int, ...], int, str, int, str, tuple[int, ...]]
"""Memory, shape of the picture, player, prompt, seed, style, players that have gone."""


class Isolated:
    """The Backend that `make` gives, elsewhere. make: picklable, called in the child."""

    passes = False

    def __init__(self, make: Make, name: str, lanes: int = LANES, hangs_s: float = HANGS_S) -> None:
        self.name, self.model = name, f"{name}/?"
        self._make, self._lanes, self._hangs_s = make, lanes, hangs_s
        self._told = ""
        self._size = (0, 0)
        self._crew: _Crew | None = None
        self._why = "was not started"
        self._keys = count(1)
        self._gone: list[int] = []
        self._closing = threading.Event()
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Of the child; None while there is none."""
        return self._crew.process.pid if self._crew is not None else None

    def warm(self, height: int, width: int) -> None:
        """Start the child and wait until it is warm. Raises what its backend raised."""
        self._size = (height, width)
        self._crew = self._start()
        threading.Thread(target=self._look_after, name=f"keeps-{self.name}", daemon=True).start()

    def painter(self) -> PlayerPainter:
        """For one player; what it remembers lives in the child, and dies with it."""
        key = next(self._keys)
        painter = _Player(self, key)
        weakref.finalize(painter, self._gone.append, key)
        return painter

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """One picture on its own."""
        return self.paint(0, frame, prompt, seed, style)

    def told(self) -> str:
        """What the backend chose, as it said when it was warm."""
        return self._told

    def paint(self, key: int, frame: Pixels, prompt: str, seed: int, style: str) -> Pixels:
        """A picture of player `key`. BackendDied; RuntimeError for what the backend raised."""
        crew = self._crew
        if crew is None:
            raise BackendDied(self.name, f"{self._why}; it is being started again")
        gone = tuple(self._gone.pop() for _ in range(len(self._gone)))
        return crew.paint(frame, (key, prompt, seed, style), gone, self._hangs_s)

    def close(self) -> None:
        """End the child."""
        self._closing.set()
        crew, self._crew, self._why = self._crew, None, "was closed"
        if crew is not None:
            crew.close()

    def _start(self) -> "_Crew":
        crew = _Crew(self.name, self._make, self._size, self._lanes)
        try:
            self.name, self.model, self._told = crew.until_ready()
        except BaseException:
            crew.close()
            raise
        return crew

    def _look_after(self) -> None:
        """Start it again whenever it has died, later and later where it dies at once."""
        tries = 0
        while (crew := self._crew) is not None:
            began = time.monotonic()
            crew.process.join()
            if self._closing.is_set():
                return
            self._why, self._crew = crew.end(), None
            log.error("backend.died name=%s it %s", self.name, self._why)
            crew.close()
            tries = 0 if time.monotonic() - began > STEADY_S else tries + 1
            while self._crew is None:
                if self._closing.wait(AGAIN_S[min(tries, len(AGAIN_S)) - 1] if tries else 0.0):
                    return
                try:
                    self._crew = self._start()
                    self.restarts += 1
                except Exception as error:
                    tries += 1
                    log.error("backend.unrevived name=%s %s", self.name, error)
            if self._closing.is_set():  # closed while it started
                self._crew.close()
                return


class _Player:
    """One player's painter on this side."""

    def __init__(self, owner: Isolated, key: int) -> None:
        self._owner, self._key = owner, key

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """Paint the player's next picture."""
        return self._owner.paint(self._key, frame, prompt, seed, style)


class _Lane:
    """One call at a time into the child: a pipe, and memory for a picture."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self._name = ""
        self._memory: mmap.mmap | None = None

    def room(self, size: int) -> tuple[str, mmap.mmap]:
        """Memory for `size` bytes after the header, and its name."""
        if self._memory is None or len(self._memory) < shm.HEADER_BYTES + size:
            self.close_memory()
            self._name, self._memory = shm.create(f"lane-{secrets.token_hex(4)}", KIND, size)
        return self._name, self._memory

    def close_memory(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            shm.remove(self._name)
            with contextlib.suppress(BufferError):  # somebody still looks at it: freed after that
                memory.close()


class _Crew:
    """One life of the child and the lanes into it."""

    def __init__(self, name: str, make: Make, size: tuple[int, int], lanes: int) -> None:
        self._name = name
        context = multiprocessing.get_context("spawn")
        self._control, control = context.Pipe()
        pipes = [context.Pipe() for _ in range(lanes)]
        theirs = tuple(there for _, there in pipes)
        self.process: Any = context.Process(
            target=run_backend, args=(make, size, control, theirs), name=f"backend-{name}"
        )
        self.process.start()
        for end in (control, *theirs):
            end.close()
        self._lanes = [_Lane(here) for here, _ in pipes]
        self._free: queue.SimpleQueue[_Lane | None] = queue.SimpleQueue()  # None: closed
        for lane in self._lanes:
            self._free.put(lane)

    def until_ready(self) -> tuple[str, str, str]:
        """Name and model of what paints, and what it chose.

        Raises what the backend raised, or BackendDied.
        """
        try:
            if not self._control.poll(START_S):
                raise BackendDied(self._name, f"was not warm in {START_S:.0f} s")
            told = self._control.recv()
        except (EOFError, OSError):
            raise BackendDied(self._name, self.end()) from None
        if isinstance(told, BaseException):
            raise told
        name, model, chosen = told
        return str(name), str(model), str(chosen)

    def paint(
        self,
        frame: Pixels,
        how: tuple[int, str, int, str],
        gone: tuple[int, ...],
        hangs_s: float,
    ) -> Pixels:
        lane = self._free.get()
        if lane is None:
            self._free.put(None)
            raise BackendDied(self._name, self.end())
        try:
            name, memory = lane.room(frame.nbytes)
            inside = np.frombuffer(memory, np.uint8, frame.nbytes, shm.HEADER_BYTES)
            inside = inside.reshape(frame.shape)
            try:
                np.copyto(inside, frame)
                request: Request = (name, frame.shape, *how, gone)
                lane.pipe.send(request)
                if not lane.pipe.poll(hangs_s):
                    self.process.kill()
                    raise BackendDied(self._name, f"gave no picture in {hangs_s:.0f} s")
                if error := lane.pipe.recv():
                    raise RuntimeError(error)
                return inside.copy()
            finally:
                del inside
        except (EOFError, OSError):
            raise BackendDied(self._name, self.end()) from None
        finally:
            self._free.put(lane)

    def end(self) -> str:
        """How the child ended, in words."""
        until = time.monotonic() + STOP_S
        self.process.join(STOP_S)
        # another thread that waits for the child may have its code an instant before it is told
        while (code := self.process.exitcode) is None and time.monotonic() < until:
            time.sleep(0.005)
        if code is None:
            return "stopped answering"
        if code >= 0:
            return f"ended with code {code}"
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")

    def close(self) -> None:
        """End the child, however it is."""
        with contextlib.suppress(OSError):
            self._control.close()
        self.process.join(STOP_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        with contextlib.suppress(queue.Empty):
            for _ in self._lanes:  # a pipe that is closed under a waiting thread may be another's
                self._free.get(timeout=STOP_S)
        self._free.put(None)
        for lane in self._lanes:
            lane.pipe.close()
            lane.close_memory()


def run_backend(make: Make, size: tuple[int, int], control: Any, pipes: Any) -> None:
    """Process entry: warm up, paint what comes through the pipes, end with the server."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides
    sys.setswitchinterval(SWITCH_S)
    try:
        backend = make()
        if isinstance(backend, StreamBackend):
            why = "paints several pictures at a time, which only works --in-process"
            raise BackendDied(backend.name, why)
        backend = warmed(backend, *size)
    except Exception as error:
        control.send(error)
        return
    control.send((backend.name, backend.model, backend.told()))
    painters: dict[int, PlayerPainter] = {}
    for pipe in pipes:
        threading.Thread(target=_serve, args=(backend, painters, pipe), daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        control.recv()
    os._exit(0)  # a picture that is being painted has nobody to go to


def _serve(backend: Backend, painters: dict[int, PlayerPainter], pipe: Connection) -> None:
    name, memory = "", None
    with contextlib.suppress(EOFError, OSError):
        while True:
            request: Request = pipe.recv()
            if request[0] != name or memory is None:
                name, memory = request[0], shm.attach(request[0], KIND)
            for key in request[6]:
                painters.pop(key, None)
            pipe.send(_painted(backend, painters, memory, request))


def _painted(
    backend: Backend, painters: dict[int, PlayerPainter], memory: mmap.mmap, request: Request
) -> str:
    """Paint the picture in the memory over itself; what went wrong, '' mostly."""
    _, shape, key, prompt, seed, style, _ = request
    size = int(np.prod(shape))
    inside = np.frombuffer(memory, np.uint8, size, shm.HEADER_BYTES).reshape(shape)
    try:
        if key and key not in painters:
            painters[key] = backend.painter()
        styled = painters.get(key, backend).style(inside.copy(), prompt, seed, style)
        if styled.shape != shape or styled.dtype != np.uint8:
            return f"painted {styled.shape} instead of {shape}"
        np.copyto(inside, styled)
    except Exception as error:  # whatever a backend raises, the child lives on
        return f"{type(error).__name__}: {error}"[:300] or "failed"
    return ""
