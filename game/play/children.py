"""Entries of the server's processes on this machine, told what to do in plain values.

Their own modules are heavy; they are imported in the child alone, so that the game begins at once
and does not carry a server in its memory.
"""

from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any


def stream(config: Mapping[str, Any], ready: Connection) -> None:
    """The stream server; `config` as ServerConfig takes it."""
    from streaming.server import ServerConfig, run_server

    run_server(ServerConfig(**config), ready)


def rewards(config: Mapping[str, Any], ready: Connection) -> None:
    """The intake; `config` as ApiConfig takes it."""
    from rewards.service import ApiConfig, run_api

    run_api(ApiConfig(**config), ready)


def worker(config: Mapping[str, Any], ready: Connection) -> None:
    """The worker; `config` as WorkerConfig takes it."""
    from rewards.worker_process import WorkerConfig, run_worker

    run_worker(WorkerConfig(**config), ready)
