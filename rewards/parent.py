"""A child process ends when its parent does, however the parent ended."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import wait


def exit_with_parent(on_end: Callable[[], None] | None = None) -> None:
    """Watch the parent on a thread; when it is gone run `on_end` and leave. No parent: no watch."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        try:
            if on_end is not None:
                on_end()
        finally:
            os._exit(0)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
