"""Whether there is room: intake stops before a volume is full, so that the ledger still writes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rewards.refusal import UploadRefused


def room(folders: Sequence[Path]) -> int:
    """Free bytes of the fullest volume behind these folders (their nearest parent that exists)."""
    return min(shutil.disk_usage(_existing(folder)).free for folder in folders)


def check_room(folders: Sequence[Path], keep: int, coming: int = 0) -> None:
    """Raises UploadRefused (503) where `coming` bytes would leave less than `keep` free."""
    if folders and room(folders) - coming < keep:
        raise UploadRefused("server.full", "the server is out of room; try again later", 503)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
