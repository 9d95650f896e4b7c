"""The outbox as a process: steps the queue until it is told to end or its parent is gone."""

import logging
import signal
import threading
from typing import Any

from game.outbox.outbox import Outbox, OutboxConfig

log = logging.getLogger(__name__)

PAUSED = "paused"
"""While a file of this name lies in the queue's folder, nothing is sent."""


def run_outbox(config: OutboxConfig, ready: Any = None) -> None:
    """Body of the process. ready: a pipe end that is sent one word once the queue is open.

    A file PAUSED in the queue's folder stops it between two stages for as long as it lies there.
    Ends at SIGTERM between two stages; an upload that is cut off goes on at the next start.
    """
    ending = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: ending.set())
    outbox = Outbox(config)
    if ready is not None:
        ready.send({"folder": str(config.folder)})
    while not ending.is_set():
        ending.wait(max(0.02, step_unless_paused(outbox)))
    outbox.close()


def step_unless_paused(outbox: Outbox) -> float:
    """One step of the queue, none while the player has paused it; seconds until the next."""
    return 0.5 if (outbox.config.folder / PAUSED).exists() else outbox.step()
