"""The outbox as a process: steps the queue until it is told to end or its parent is gone."""

import logging
import signal
import threading
from typing import Any

from game.outbox.outbox import Outbox, OutboxConfig

log = logging.getLogger(__name__)


def run_outbox(config: OutboxConfig, ready: Any = None) -> None:
    """Body of the process. ready: a pipe end that is sent one word once the queue is open.

    Ends at SIGTERM between two stages; an upload that is cut off goes on at the next start.
    """
    ending = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: ending.set())
    outbox = Outbox(config)
    if ready is not None:
        ready.send({"folder": str(config.folder)})
    while not ending.is_set():
        wait = outbox.step()
        ending.wait(max(0.02, wait))
    outbox.close()
