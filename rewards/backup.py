"""Everything that the server cannot make again, into one folder, and back out of it.

Owns the list of parts and their hashes. A restore refuses what does not match and what is newer
than this program; the ledger is then filled up from the sealed verdicts, and the payer settles by
the receipts on the chain whatever was paid after the backup.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rewards.errors import BackupUnsound
from rewards.premises import Premises
from rewards.schema import sqlite_file
from rewards.settings import RewardsSettings

LIST = "backup.json"
DUMP = "ledger.dump"


@dataclass(frozen=True, slots=True)
class Backup:
    """folder: of the backup. files: how many parts. size [byte]."""

    folder: Path
    files: int
    size: int


def back_up(settings: RewardsSettings, target: Path, keys: bool = True) -> Backup:
    """Copy ledger, queue, keys, verdicts and bindings into `target`, which must not exist.

    May run beside workers and payers. keys: with the treasury key and the receipt secret; keep
    such a backup like the key itself. Uploads and videos have backups of their own.
    """
    if target.exists():
        raise BackupUnsound(target, "it exists already")
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    premises = Premises(settings.folder)
    _ledger(settings, part)
    for database in (premises.queue,):
        if database.exists():
            _copy_sqlite(database, part / database.name)
    for name in ("chain.json", "formers.json"):
        if (settings.folder / name).exists():
            shutil.copy2(settings.folder / name, part / name)
    if keys and (settings.folder / "keys").is_dir():
        shutil.copytree(settings.folder / "keys", part / "keys")
    for name in ("verdicts", "bindings", "overruled"):
        if (premises.clean / name).is_dir():
            shutil.copytree(premises.clean / name, part / "clean" / name)
    listed = {str(p.relative_to(part)): _sha256(p) for p in _files(part)}
    size = sum(p.stat().st_size for p in _files(part))
    body = json.dumps({"v": 1, "files": listed}, indent=1, sort_keys=True)
    (part / LIST).write_text(body, encoding="ascii")
    os.replace(part, target)
    return Backup(target, len(listed), size)


def restore(settings: RewardsSettings, source: Path) -> Backup:
    """Put a backup back into an empty place. Raises BackupUnsound."""
    try:
        listed = json.loads((source / LIST).read_text("ascii"))["files"]
    except (OSError, ValueError, KeyError) as error:
        raise BackupUnsound(source, f"it has no sound list of its parts ({error})") from error
    present = {str(p.relative_to(source)) for p in _files(source)} - {LIST}
    if present != set(listed):
        raise BackupUnsound(source, f"{len(present ^ set(listed))} files are missing or strange")
    for name, digest in listed.items():
        if _sha256(source / name) != digest:
            raise BackupUnsound(source, f"{name} is not what was backed up")
    taken = [name for name in listed if (settings.folder / name).exists()]
    if taken:
        raise BackupUnsound(settings.folder, f"{taken[0]} is there; move the old folder aside")
    for name in listed:
        if name == DUMP:
            _pg(["pg_restore", "--dbname", settings.database_url], source / name)
            continue
        place = settings.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, place)
    if (settings.folder / "keys").is_dir():
        (settings.folder / "keys").chmod(0o700)
    return Backup(source, len(listed), sum((source / name).stat().st_size for name in listed))


def _ledger(settings: RewardsSettings, part: Path) -> None:
    file = sqlite_file(settings.ledger_url)
    if file is None:
        _pg(["pg_dump", "--format=custom", "--file", str(part / DUMP), settings.database_url])
    elif file.exists():
        _copy_sqlite(file, part / "ledger.sqlite")


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy while others write."""
    known, fresh = sqlite3.connect(source, timeout=30), sqlite3.connect(target)
    try:
        known.backup(fresh)
    finally:
        fresh.close()
        known.close()


def _pg(command: list[str], file: Path | None = None) -> None:
    words = [*command, str(file)] if file else command
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=3600, check=False)
    except FileNotFoundError as error:
        raise BackupUnsound(Path(command[0]), "it is not installed here") from error
    if done.returncode:
        raise BackupUnsound(Path(command[0]), done.stderr.strip()[-300:])


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
