"""What the program remembers of its player: starts, consent, wallets, best drives, streets seen.

One small file in the data folder, whole at any moment; one that does not read is set aside.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from game.session.append import write_json

log = logging.getLogger(__name__)
FILE = "app.json"
_WALLETS = 6
_LARGEST = 1 << 22


@dataclass(frozen=True, slots=True)
class Best:
    """The best drive of a scenario on this machine. seconds: it took; medal: '' for none."""

    seconds: float
    medal: str
    session: str
    seed: int
    when: str


@dataclass(frozen=True, slots=True)
class Memory:
    """consent: version of the text that was agreed to, 'no' for a refusal, '' never asked.

    streets: metres driven in each, by name. best: by scenario; daily: by date and scenario.
    """

    starts: int = 0
    consent: str = ""
    wallets: tuple[str, ...] = ()
    best: Mapping[str, Best] = field(default_factory=dict)
    daily: Mapping[str, Best] = field(default_factory=dict)
    streets: Mapping[str, float] = field(default_factory=dict)
    drives: int = 0
    passed: int = 0

    def wallet_used(self, address: str) -> "Memory":
        """The address first among those that are remembered."""
        others = tuple(each for each in self.wallets if each != address)
        return replace(self, wallets=(address, *others)[:_WALLETS])

    def wallet_forgotten(self, address: str) -> "Memory":
        """Without that address."""
        return replace(self, wallets=tuple(each for each in self.wallets if each != address))


def recall(data: Path) -> Memory:
    """What is remembered in a data folder; nothing where there is no file that reads."""
    path = data / FILE
    if not path.is_file():
        return Memory()
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("app.forgot file=%s why=%s", path, error)
        path.replace(path.with_suffix(".unreadable"))
        return Memory()


def keep(data: Path, memory: Memory) -> None:
    """Write it down."""
    data.mkdir(parents=True, exist_ok=True)
    write_json(data / FILE, asdict(memory))


def _read(found: dict[str, Any]) -> Memory:
    known = {each.name for each in fields(Memory)}
    values = {key: value for key, value in found.items() if key in known}
    for name in ("best", "daily"):
        values[name] = {str(k): Best(**v) for k, v in values.get(name, {}).items()}
    values["wallets"] = tuple(str(each) for each in values.get("wallets", ()))
    values["streets"] = {str(k): float(v) for k, v in values.get("streets", {}).items()}
    for name in ("starts", "drives", "passed"):
        values[name] = int(values.get(name, 0))
    return Memory(**values)
