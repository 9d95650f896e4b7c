"""The server's signed journal as the player keeps it. Stores lines unjudged; checks are others'."""

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)


class ClientJournal:
    """The server's signed lines as the player keeps them; path None counts but keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self.next_n = 0
        self._file = path.open("a+b") if path is not None else None
        if self._file is None:
            return
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._file.truncate(len(whole))
        lines = whole.splitlines()
        if lines:
            self.next_n = int(json.loads(lines[-1])["n"]) + 1

    def append(self, line: str) -> None:
        """Keep a block that is new. One that is no block is dropped with a word in the log."""
        try:
            n = json.loads(line)["n"]
        except (ValueError, TypeError, KeyError, RecursionError):
            n = None
        if type(n) is not int or "\n" in line or not line.isascii():
            log.warning("peer.journal dropped a line that is no block")
            return
        if n < self.next_n and n != 0:
            return
        self.next_n = n + 1
        if self._file is not None:
            self._file.write(line.encode("ascii") + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
