"""A Ray cluster of this machine alone, for as long as a block lasts, and how to join another one.

Starts it in a child of its own with ports that are chosen here, and again where it fails: Ray waits
15 s for each agent that is to find its own port, and a busy machine needs longer just to load one
(ray-project/ray#65983). Nothing but the child and this process knows its token.
"""

import contextlib
import ctypes
import importlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from game.errors import MissingPart

STORE_BYTES = 128 << 20
"""Of the cluster's memory for results: what comes back here are a few numbers a session [byte]."""
UP_S = 180.0
"""It has come up after this time, or not at all [s]."""
_SIGNS_OFF_S, _KNOCK_S = 30.0, 10.0
_PORTS = ("dashboard-agent-listen", "dashboard-agent-grpc", "runtime-env-agent", "metrics-export")
_PATIENT = {
    "RAY_worker_register_timeout_seconds": "300",
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_USAGE_STATS_ENABLED": "0",
}

Child = subprocess.Popen[bytes]


@contextlib.contextmanager
def joined(address: str, cpus: int) -> Iterator[Any]:
    """The module ray, connected; a cluster of this machine alone where `address` is 'local'.

    cpus: of such a cluster. Raises MissingPart where ray is missing or nothing answers.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingPart(
            "a Ray cluster needs the package ray",
            "install the extra: pip install 'scale-diffusion[ray]', or leave --ray out",
        )
    known = sys.modules.get("ray")
    if known is not None and known.is_initialized():
        yield known
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(_known_token(fresh=address == "local"))
        if address == "local":
            address = stack.enter_context(_own(cpus))
        ray = importlib.import_module("ray")
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        except Exception as error:  # Ray raises the bare class where a node does not answer
            raise MissingPart(
                f"no Ray cluster answers at {address} ({error})",
                "start one with: ray start --head, take --ray local for this machine alone, "
                "or leave --ray out for local processes",
            ) from error
        stack.callback(ray.shutdown)
        yield ray


@contextlib.contextmanager
def _known_token(fresh: bool) -> Iterator[None]:
    """Say to Ray that there is a token, in this process and in what it starts, and unsay it.

    A cluster uses the one in the home folder where that is, and refuses who comes without; a
    driver takes no notice of it unless told.
    """
    set_up = {}
    if fresh:
        set_up = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    elif (Path.home() / ".ray" / "auth_token").exists() and "RAY_AUTH_MODE" not in os.environ:
        set_up = {"RAY_AUTH_MODE": "token"}
    before = {name: os.environ.get(name) for name in set_up}
    os.environ.update(set_up)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _own(cpus: int) -> Iterator[str]:
    """Start a cluster, give its address once it takes work, end it."""
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: its sockets lie in it
    child = None
    try:
        until, tries = time.monotonic() + UP_S, 0
        while child is None:
            tries += 1
            child, address = _start(folder, cpus, tries)
            if child is None and time.monotonic() > until:
                raise MissingPart(
                    f"no Ray cluster came up on this machine in {UP_S:.0f} s ({address})",
                    "leave --ray out for local processes, or try when the machine is less busy",
                )
        yield address
    finally:
        if child is not None:
            _end(child)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, cpus: int, number: int) -> tuple[Child | None, str]:
    """A child that runs all of a cluster and its address, or None and its last words."""
    head, *ports = _free_ports(5)
    words = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--port", str(head), "--num-cpus", str(cpus), "--temp-dir", str(folder),
        "--object-store-memory", str(STORE_BYTES), "--include-dashboard", "false",
    ]  # fmt: skip
    for name, port in zip(_PORTS, ports, strict=True):
        words += [f"--{name}-port", str(port)]
    log = folder / f"start-{number}.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            words, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **_PATIENT},
            preexec_fn=_end_with_parent if sys.platform.startswith("linux") else None,
        )  # fmt: skip
    while child.poll() is None:
        said = log.read_text(encoding="utf-8", errors="replace")
        if "Ray runtime started" in said:
            return child, f"{said.partition('Local node IP: ')[2].split()[0]}:{head}"
        time.sleep(0.2)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return None, " ".join(last)[:200]


def _end_with_parent() -> None:
    """In the child: a run that is killed leaves no cluster behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, <linux/prctl.h>


def _end(child: Child) -> None:
    """Its parts end with it."""
    child.terminate()
    try:
        child.wait(_SIGNS_OFF_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT; Ray itself tries for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), _KNOCK_S).close()


def _free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody has."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in taken]
