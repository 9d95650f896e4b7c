"""An intake behind a real server on loopback, for as long as a test wants it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from rewards.api import make_app
from rewards.intake import Intake


@contextlib.contextmanager
def listening(intake: Intake, **options: Any) -> Iterator[str]:
    """The address that `intake` answers at; it is shut, with what it holds open, in the end.

    options: of uvicorn, on top of a quiet server's.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    quiet: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off"}
    serving = uvicorn.Server(uvicorn.Config(make_app(intake), **quiet | options))
    thread = threading.Thread(target=serving.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        serving.should_exit = True
        thread.join(120)
        listener.close()
        intake.queue.close()
        intake.ledger.close()
        intake.inbox.engine.dispose()
