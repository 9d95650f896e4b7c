"""Small files that appear whole or not at all, and private ones that only their owner reads."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rewards.errors import KeyRefused


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace `path` by the JSON of `data`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(aside, path)


def make_private(path: Path, content: bytes) -> bool:
    """Create a file of mode 0600, durable when this returns; False when there already is one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)  # never replaces a key that is there
    except FileExistsError:
        return False
    finally:
        os.unlink(aside)
    return True


def read_private(path: Path) -> bytes:
    """Content of a private file. Raises KeyRefused when missing, or readable by others."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeyRefused(path, "no such file", "restore it from its backup") from None
    except OSError as error:
        raise KeyRefused(path, str(error), "let this user alone read it") from error
    if os.name == "posix" and mode & 0o077:
        raise KeyRefused(path, "others may read it", f"run: chmod 600 {path}")
    return content
