"""What one visitor leaves behind while they are here: a folder of their own, and nothing else.

Owns the folder, its one way out (a sealed recording that the visitor agreed to) and the wipe. After
`wipe` no file of the visit is left, and whatever a crash left is found by `wipe_all`.
"""

import logging
import os
import secrets
import shutil
from pathlib import Path

from game.session.ids import is_id

log = logging.getLogger(__name__)
VISITS, HAND_IN = "visits", "handin"


class Unwiped(OSError):
    """Something of a visitor could not be deleted; the kiosk must not go on."""


class Visit:
    """One visitor's folder under `root`/visits, with a name that says nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.folder = root / VISITS / secrets.token_hex(16)
        self.folder.mkdir(parents=True, mode=0o700)

    def hand_in(self, session: Path) -> Path:
        """Move a sealed recording to where uploads are taken from; returns its new folder.

        Raises ValueError for what is no recording of this visit.
        """
        if not is_id(session.name) or not session.resolve().is_relative_to(self.folder.resolve()):
            raise ValueError(f"{session} is no recording of this visit")
        target = self._root / HAND_IN / session.name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(session, target)
        return target

    def wipe(self) -> None:
        """Delete everything. Raises Unwiped when anything is left."""
        _delete(self.folder)


def wipe_all(root: Path) -> int:
    """Delete every visit under `root`, whoever left it; returns how many. Raises Unwiped."""
    found = sorted((root / VISITS).glob("*"))
    for folder in found:
        _delete(folder)
    if found:
        log.warning("kiosk.wiped left_by_a_crash=%d", len(found))
    return len(found)


def _delete(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.unlink(missing_ok=True)
    if os.path.lexists(folder):
        raise Unwiped(f"{folder} cannot be deleted; look at its owner and at the disk")
