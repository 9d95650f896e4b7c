"""Reads a file of arrays that came with the program or that a start before this one kept."""

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

_DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)


def read(path: Path) -> dict[str, NDArray[Any]] | None:
    """Every array by name; None where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as data:
            return dict(data)
    except _DAMAGED:
        return None
