"""What the booth leaves for the courier, and what staff asks of the booth: small files, whole or
not at all.

A slip is one recorded drive on its way: the hash of its code, never the code. Orders survive a
restart of whoever reads them.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from game.session.append import write_json

SLIPS, ORDERS, STATUS = "slips", "orders.json", "status.json"


@dataclass(frozen=True, slots=True)
class Slip:
    """session: its id. code: hash. claim: public key, hex. clip: none, wanted or sent.

    registered: the service knows the code. tries, due_s: of whatever failed last.
    """

    session: str
    code: str
    claim: str
    made_s: int
    ends_s: int
    clip: str = "wanted"
    registered: bool = False
    tries: int = 0
    due_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """What staff wants. closed: no visitors. sent_off: grows by one with each 'next visitor'."""

    closed: bool = False
    sent_off: int = 0


class Spool:
    """The files under the kiosk's folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / SLIPS).mkdir(parents=True, exist_ok=True)

    def add(self, slip: Slip) -> None:
        """Store a slip, or its next state."""
        write_json(self.root / SLIPS / f"{slip.session}.json", asdict(slip))

    def slips(self) -> Iterator[Slip]:
        """All slips that read back, oldest first."""
        for path in sorted((self.root / SLIPS).glob("*.json")):
            told = _read(path)
            try:
                yield Slip(**told)
            except TypeError:
                path.rename(path.with_suffix(".broken"))

    def drop(self, slip: Slip) -> None:
        """Forget a slip."""
        (self.root / SLIPS / f"{slip.session}.json").unlink(missing_ok=True)

    def orders(self) -> Orders:
        """What staff wants now."""
        told = _read(self.root / ORDERS)
        return Orders(bool(told.get("closed", False)), int(told.get("sent_off", 0)))

    def order(self, orders: Orders) -> None:
        """Store what staff wants."""
        write_json(self.root / ORDERS, asdict(orders))

    def tell(self, name: str, told: Mapping[str, Any]) -> None:
        """Say how a part is; it also proves that the part is not stuck.

        Never waits for the disk: a busy one would hold up the picture, and a part that is killed
        while it waits dies only when the disk has answered.
        """
        path = self.root / f"{name}-{STATUS}"
        beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        beside.write_text(json.dumps(told), encoding="utf-8")
        os.replace(beside, path)

    def told(self, name: str) -> dict[str, Any]:
        """What a part said last."""
        return _read(self.root / f"{name}-{STATUS}")

    def silent_s(self, name: str, now_s: float) -> float:
        """How long a part has said nothing [s]; 0 where it never spoke."""
        try:
            return max(0.0, now_s - (self.root / f"{name}-{STATUS}").stat().st_mtime)
        except OSError:
            return 0.0

    def hush(self, name: str) -> None:
        """Forget what a part said, before it is started again."""
        (self.root / f"{name}-{STATUS}").unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
