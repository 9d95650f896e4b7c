"""The server's signed journal as the player keeps it. Stores lines unjudged; checks are others'."""

import json
import logging
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)


class ClientJournal:
    """The server's signed lines as the player keeps them; path None counts but keeps nothing.

    Lines that come before the recording's folder is there wait for it.
    """

    def __init__(self, path: Path | None) -> None:
        self.next_n = 0
        self._path = path
        self._file: BinaryIO | None = None
        self._waiting: list[bytes] = []
        self._open()

    def _open(self) -> None:
        if self._path is None or not self._path.parent.is_dir():
            return
        self._file = self._path.open("a+b")
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
        if self._path is not None:
            self._waiting.append(line.encode("ascii") + b"\n")
            self._write()
        self.next_n = n + 1

    def _write(self) -> None:
        if self._file is None:
            self._open()
        if self._file is not None:
            self._file.write(b"".join(self._waiting))
            self._file.flush()
            self._waiting = []

    def close(self) -> None:
        """Close the file."""
        if self._waiting:
            self._write()
        if self._file is not None:
            self._file.close()
