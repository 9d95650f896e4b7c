"""A backend in a process of its own dies alone: the server goes on, says so and starts it again."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from streaming import shm
from streaming.backends.filter import Filter
from streaming.backends.isolated import Isolated
from streaming.backends.table import make
from streaming.errors import BackendDied, BackendUnknown
from streaming.frames import Pixels
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from streaming.server import ServerConfig
from tests.streaming.rig import Game, ServerThread, rings
from tests.waiting import wait_for

pytestmark = [pytest.mark.flow, pytest.mark.heavy]

PICTURE = np.random.default_rng(1).integers(0, 256, (48, 64, 4), np.uint8)


class Moody:
    """Does what the prompt says; a player's painter counts its pictures into the first pixel."""

    name, model = "moody", "moody/1"

    def __init__(self) -> None:
        self._seen = 0

    def warm(self, height: int, width: int) -> None: ...

    def painter(self) -> "Moody":
        return Moody()

    def told(self) -> str:
        return "as it likes"

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        self._seen += 1
        if prompt == "exit":
            os._exit(3)
        if prompt == "segfault":
            ctypes.string_at(0)
        if prompt == "out of memory":
            raise MemoryError("CUDA out of memory")
        if prompt == "lie":
            return frame[:8]
        if prompt == "hang":
            time.sleep(60)
        out = 255 - frame
        out[0, 0, 0] = self._seen
        return out


@pytest.fixture
def moody() -> Iterator[Isolated]:
    backend = Isolated(Moody, "moody", hangs_s=4.0)
    backend.warm(48, 64)
    yield backend
    pid = backend.pid
    backend.close()
    assert pid is None or not psutil.pid_exists(pid)
    left = list(shm.folder().glob(f"{shm.PREFIX}-{os.getpid()}-lane-*"))
    assert left == []


def revived(backend: Isolated) -> None:
    wait_for(lambda: backend.restarts == 1, what="the child again")
    assert backend.style(PICTURE, "", 0)[1:].tolist() == (255 - PICTURE)[1:].tolist()


def test_it_paints_what_the_backend_itself_paints() -> None:
    backend = Isolated(partial(make, "filter"), "filter")
    backend.warm(48, 64)
    try:
        for picture in (PICTURE, np.ascontiguousarray(PICTURE[:16]), np.tile(PICTURE, (9, 9, 1))):
            painted = backend.painter().style(picture, "neon rain", 1, "noir")
            assert np.array_equal(painted, Filter().style(picture, "neon rain", 1, "noir"))
        assert backend.model == Filter().model
    finally:
        backend.close()


def test_what_hinders_the_backend_from_starting_is_raised_here() -> None:
    with pytest.raises(BackendUnknown):
        Isolated(partial(make, "nobody"), "nobody").warm(48, 64)


def test_each_player_keeps_a_memory_of_its_own(moody: Isolated) -> None:
    one, two = moody.painter(), moody.painter()
    counts = [int(p.style(PICTURE, "", 0)[0, 0, 0]) for p in (one, two, one, one, two)]
    assert counts == [1, 1, 2, 3, 2]


def killed(backend: Isolated) -> None:
    assert backend.pid is not None
    os.kill(backend.pid, signal.SIGKILL)
    backend.style(PICTURE, "", 0)


DEATHS: list[tuple[Callable[[Isolated], object], str]] = [
    (killed, "SIGKILL"),
    (lambda backend: backend.style(PICTURE, "exit", 0), "code 3"),
    (lambda backend: backend.style(PICTURE, "segfault", 0), "SIGSEGV"),
    (lambda backend: backend.style(PICTURE, "hang", 0), "no picture in 4 s"),
]


@pytest.mark.parametrize(("die", "why"), DEATHS, ids=["kill", "exit", "segfault", "hang"])
def test_a_death_is_said_and_it_comes_back(
    moody: Isolated, die: Callable[[Isolated], object], why: str
) -> None:
    with pytest.raises(BackendDied, match=why):
        die(moody)
    revived(moody)


@pytest.mark.parametrize(("prompt", "why"), [("out of memory", "CUDA"), ("lie", "instead of")])
def test_a_mere_failure_kills_nobody(moody: Isolated, prompt: str, why: str) -> None:
    before = moody.pid
    with pytest.raises(RuntimeError, match=why):
        moody.style(PICTURE, prompt, 0)
    assert moody.style(PICTURE, "", 0) is not None
    assert moody.pid == before


def test_a_server_that_is_killed_leaves_no_child(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    code = (
        "from tests.streaming.test_isolated import *\n"
        "if __name__ == '__main__':\n"
        "    backend = Isolated(Moody, 'moody'); backend.warm(48, 64)\n"
        f"    open({str(said)!r}, 'w').write(str(backend.pid)); time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(code)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")], env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    wait_for(lambda: said.exists() and said.read_text(), what="the child")
    child = int(said.read_text())
    parent.kill()
    parent.wait()
    wait_for(lambda: not psutil.pid_exists(child), what="the child's end")
    shm.sweep()


def spawned() -> list[psutil.Process]:
    """Our children, but for the one that looks after shared memory."""
    found = psutil.Process().children()
    return [child for child in found if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.network
def test_a_stream_outlives_its_backend() -> None:
    server = ServerThread(ServerConfig(backend="filter", isolated=True))
    health = server.url.replace("ws:", "http:") + "/health"

    def told() -> dict[str, object]:
        return dict(json.load(urllib.request.urlopen(health)))

    with rings() as made:
        child = PeerThread(PeerConfig(server.url, "s"), made.source, made.styled, made.encoded)
        game = Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 10, what="styled frames")
        (painter,) = spawned()
        painter.kill()
        at = game.tick
        wait_for(lambda: told()["state"] == "passthrough", what="passthrough")
        assert "SIGKILL" in str(told()["why"])
        wait_for(lambda: max(game.styled) > at + 60, what="frames without a backend")
        wait_for(lambda: told()["state"] == "styling", what="the backend again")
        assert told()["backend_restarts"] == 1
        child.stop()
        game.stop()
    server.stop()
    assert spawned() == []
