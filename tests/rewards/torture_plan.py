"""What a torture run means to do and what it met, as files, so that it can go on after a stop."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from solders.keypair import Keypair

from rewards.files import write_json
from tests.fakes.chain import Clock

PLAN, TALLY = "plan.json", "tally.json"


class WorkClock(Clock):
    """Goes on while this process works: on a busy machine blockhashes do not expire for nothing."""

    def __call__(self) -> float:
        return time.process_time() + self.ahead


@dataclass
class Plan:
    """sessions and their fate: name -> wallet; refused: those that the checks will reject."""

    wallets: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    poisoned: dict[str, str] = field(default_factory=dict)  # wallet -> poison
    keys: dict[str, Keypair] = field(default_factory=dict)


@dataclass
class Tally:
    """What happened on the way."""

    worker: Counter[str] = field(default_factory=Counter)
    payer: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    ledgers: int = 0
    expiries: int = 0
    duplicates: int = 0


def keep_plan(folder: Path, plan: Plan) -> None:
    """Write it down, keys and all: they hold nothing but a local devnet's tokens."""
    keys = {name: list(bytes(key)) for name, key in plan.keys.items()}
    write_json(folder / PLAN, vars(plan) | {"refused": sorted(plan.refused), "keys": keys})


def keep_tally(folder: Path, tally: Tally) -> None:
    """Write down how far it is."""
    write_json(folder / TALLY, vars(tally))


def resume(folder: Path) -> tuple[Plan, Tally, bool]:
    """What an earlier run left in the folder, and whether there was one."""
    if not (folder / PLAN).is_file():
        return Plan(), Tally(), False
    known = json.loads((folder / PLAN).read_text())
    keys = {name: Keypair.from_bytes(bytes(key)) for name, key in known.pop("keys").items()}
    plan, tally = Plan(**known | {"refused": set(known["refused"]), "keys": keys}), Tally()
    if (folder / TALLY).is_file():
        for name, value in json.loads((folder / TALLY).read_text()).items():
            setattr(tally, name, Counter(value) if isinstance(value, dict) else value)
    return plan, tally, True


def db_errors() -> tuple[type[Exception], ...]:
    """What a statement meets when the ledger's file vanished under it."""
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    return (SQLAlchemyError, sqlite3.Error)
