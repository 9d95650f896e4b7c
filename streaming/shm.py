"""Files of shared memory: made whole by one owner, mapped by its children, swept when it is dead.

Owns naming, preallocation against free space and the sweep. Uses no resource tracker, so a
child's end never takes the memory away from the others.
"""

import contextlib
import mmap
import os
import re
import shutil
import struct
import tempfile
from pathlib import Path

import psutil

from streaming.errors import RingMissing, RingNoSpace

PREFIX = "scale-diffusion"
HEADER_BYTES = 256
# magic, kind, version, owner's process id, owner's start time; at the head of every file
_HEAD = struct.Struct("<8s4sIqq")
_MAGIC, _VERSION = b"SDRING\0\0", 1
_PROC = Path("/proc")
_NAME = re.compile(rf"^{PREFIX}-(\d+)-[\w.-]+$")


def folder() -> Path:
    """Where shared memory lives on this machine: memory-backed where there is such a place."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and os.access(shm, os.W_OK) else Path(tempfile.gettempdir())


def ring_name(label: str) -> str:
    """The full name of this process's ring `label`; a full name is returned as it is."""
    name = label if _NAME.match(label) else f"{PREFIX}-{os.getpid()}-{label}"
    if not _NAME.match(name):
        raise ValueError(f"ring label {label!r}: use letters, digits, dots and dashes")
    return name


def start_time(pid: int) -> int:
    """A number that tells two processes of the same id apart; -1 when there is none now."""
    if (_PROC / "self" / "stat").exists():
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = (_PROC / str(pid) / "stat").read_bytes()
            fields = stat[stat.rindex(b")") + 2 :].split()
            return -1 if fields[0] in (b"Z", b"X") else int(fields[19])
        return -1
    try:
        process = psutil.Process(pid)
        dead = process.status() == psutil.STATUS_ZOMBIE
        return -1 if dead else int(process.create_time() * 100)
    except psutil.Error:
        return -1


def create(name: str, kind: bytes, size: int) -> tuple[str, mmap.mmap]:
    """Make the file `name` of `size` zero bytes after the header, owned by this process.

    Every byte is reserved first, so a later write can never end in SIGBUS; without room
    RingNoSpace is raised and nothing is left. An older file of the name is replaced.
    """
    name = ring_name(name)
    path = folder() / name
    whole = path.with_name(f"{name}.part")
    total = HEADER_BYTES + size
    fd = os.open(whole, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        _reserve(fd, path, total)
        memory = mmap.mmap(fd, total)
        pid = os.getpid()
        memory[: _HEAD.size] = _HEAD.pack(_MAGIC, kind, _VERSION, pid, start_time(pid))
    except BaseException:
        os.close(fd)
        whole.unlink(missing_ok=True)
        raise
    os.close(fd)
    os.replace(whole, path)
    return name, memory


def _reserve(fd: int, path: Path, total: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < total:
        raise RingNoSpace(path, total, free)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, total)
            return
        block = bytes(1 << 20)
        for start in range(0, total, len(block)):
            os.write(fd, block[: total - start])
    except OSError as error:
        raise RingNoSpace(path, total, shutil.disk_usage(path.parent).free) from error


def attach(name: str, kind: bytes) -> mmap.mmap:
    """Map a ring that another process made. RingMissing when it is gone or of another kind."""
    path = folder() / ring_name(name)
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise RingMissing(name, "is gone") from error
    try:
        memory = mmap.mmap(fd, 0)
    except (OSError, ValueError) as error:
        raise RingMissing(name, "cannot be mapped") from error
    finally:
        os.close(fd)
    if len(memory) < HEADER_BYTES or _HEAD.unpack_from(memory)[:3] != (_MAGIC, kind, _VERSION):
        memory.close()
        raise RingMissing(name, "was made by another version")
    return memory


def remove(name: str) -> None:
    """Take the file away; those who mapped it keep their view until they close it."""
    with contextlib.suppress(OSError):
        (folder() / ring_name(name)).unlink()


def sweep() -> tuple[str, ...]:
    """Remove the files of dead owners and return their names. Living owners' files stay."""
    gone = []
    for path in sorted(folder().glob(f"{PREFIX}-*")):
        match = _NAME.match(path.name)
        if match is None or _owner_lives(path, int(match.group(1))):
            continue
        with contextlib.suppress(OSError):
            path.unlink()
            gone.append(path.name)
    return tuple(gone)


def _owner_lives(path: Path, pid: int) -> bool:
    now = start_time(pid)
    if now == -1:
        return False
    try:
        with path.open("rb") as file:
            magic, _, _, owner, then = _HEAD.unpack(file.read(_HEAD.size))
    except (OSError, struct.error):
        return True  # half made, by a process that lives
    return bool(magic != _MAGIC or (owner == pid and then == now))
