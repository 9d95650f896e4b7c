"""How much room recordings take, as rows. Reads; deletes nothing."""

import shutil
from pathlib import Path

from game.settings import PathSettings
from game.view.screen.model import Bar, Note, Row


def rows(paths: PathSettings) -> tuple[Row, ...]:
    """Where things are kept and how full the disk is."""
    used = size_of(paths.sessions)
    disk = shutil.disk_usage(paths.data if paths.data.exists() else Path())
    free = disk.free / 1e9
    tone = "good" if free > 20 else "warn" if free > 5 else "bad"
    count = len(list(paths.sessions.iterdir())) if paths.sessions.is_dir() else 0
    taken = "1 drive takes" if count == 1 else f"{count} drives take"
    return (
        Note(""),
        Note(f"{taken} {used / 1e6:.0f} MB in {paths.sessions}", "dim"),
        Bar("disk", disk.used / disk.total, f"{free:.0f} GB free", tone),
        Note("Drives are deleted one by one in Your drives.", "dim"),
    )


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
