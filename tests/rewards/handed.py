"""A session as the intake leaves it in the raw store, with no more in it than a worker opens."""

import hashlib
import json
from dataclasses import fields, replace
from typing import Any

from game.session.ids import new_id
from rewards import tickets
from rewards.card import write_card
from rewards.inbox import FileEntry, raw_key
from tests.rewards.recording import TICKET_KEY


def ticket_for(wallet: str, known: dict[str, Any]) -> dict[str, Any]:
    """A fresh ticket on the terms of a known one."""
    terms = tickets.Terms(**{each.name: known[each.name] for each in fields(tickets.Terms)})
    mine = replace(terms, payee=wallet, claim="")
    return tickets.issue(TICKET_KEY, mine, new_id(), 1_700_000_000, 86_400)


def hand_in(raw: Any, ticket: dict[str, Any], seed: int = 0) -> str:
    """Put it there; returns its id. seed: what its manifest says, for checks that look at it."""
    manifest = {
        "session": ticket["session"], "format_version": 1, "world_version": 1, "seed": seed,
        "tick_hz": 60, "driver": {"kind": "bot", "name": "t"}, "backend": "filter",
        "capture": {"width": 480, "height": 480, "every_ticks": 2, "fov_degrees": 70.0,
                    "near": 0.3, "far": 500.0, "effects": "full", "version": 1},
    }  # fmt: skip
    entries = []
    for name, body in (("session.json", json.dumps(manifest).encode()), ("ticks.bin", b"t")):
        digest = hashlib.sha256(body).hexdigest()
        entries.append(FileEntry(name, len(body), digest))
        raw.put(raw_key(ticket["session"], name), iter([body]), len(body), digest)
    write_card(raw, ticket, entries)
    return str(ticket["session"])
