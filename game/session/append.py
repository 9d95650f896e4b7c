"""Append-only files that hold whole records or nothing, and files that appear whole.

Owns the one-write-per-record rule and the repair of a short write. Never buffers.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Write = Callable[[int, bytes], int]
_BLOCK = 1 << 20


class Full(OSError):
    """The disk took only a part of a record; the part has been cut off again."""


class AppendFile:
    """One append-only file. Each `put` is one write to the system, safe from any kill."""

    def __init__(self, path: Path, write: Write = os.write, fresh: bool = True) -> None:
        """Opens `path`, which must not exist when `fresh`. Raises OSError."""
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._fd = os.open(path, flags | (os.O_EXCL if fresh else 0), 0o644)
        self._write = write
        self.size = os.fstat(self._fd).st_size
        _lock(self._fd)

    def put(self, record: bytes) -> None:
        """Append one record. Raises OSError (Full after a short write) and leaves no part of it."""
        written = self._write(self._fd, record)
        if written != len(record):
            os.ftruncate(self._fd, self.size)
            raise Full(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.size += written

    def sync(self) -> None:
        """Ask the system to bring everything so far to the disk (survives a power cut)."""
        getattr(os, "fdatasync", os.fsync)(self._fd)

    def close(self) -> None:
        """Sync and close; further calls do nothing."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


def _lock(fd: int) -> None:
    """Mark the file as being written; the system forgets it with the process."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be replaced there anyway
        return
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_being_written(path: Path) -> bool:
    """True where a living process holds `path` open as an AppendFile."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def write_whole(path: Path, data: bytes) -> None:
    """Make `path` appear with all of `data` or not at all, also through a power cut."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o644)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        beside.unlink(missing_ok=True)  # a full disk has no room for halves
        raise
    os.replace(beside, path)
    sync_folder(path.parent)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """`write_whole` of an object in readable JSON."""
    write_whole(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False).encode())


def sync_folder(folder: Path) -> None:
    """Bring names made in `folder` to the disk, where the system can."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
