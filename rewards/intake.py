"""The parts behind the intake's addresses, and what it knows of one session.

Owns no address. Knows no renderer, no check and no key that can pay.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict

from game.world.city import City
from rewards import tickets, wanted
from rewards.backing import Stores
from rewards.desk import Desk
from rewards.erase import KEPT, KEPT_JUDGED, Eraser
from rewards.inbox import Inbox, State
from rewards.ledger import Ledger
from rewards.model import payout_to_dict, verdict_to_dict
from rewards.queue import Work
from rewards.refusal import UploadRefused
from rewards.storage import Store
from rewards.wanted import Wants

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """ticket_life: until when a session may be handed in. upload_life: of one signed address.

    hourly: tickets for one payee in an hour. seeded: policies under which the driver may
    choose the seed himself.
    """

    ticket_life_s: int = 24 * 3600
    upload_life_s: int = 900
    hourly: int = 240
    seeded: tuple[str, ...] = tickets.SEEDED


@dataclass(frozen=True, slots=True)
class Known:
    """What tickets may name. scenarios: id -> digest. packs: digests. ours: nobody's wallets.

    city: the pack of a digest, read when it is first asked for; None: streets are not told here.
    """

    scenarios: Mapping[str, str]
    packs: tuple[str, ...]
    worlds: tuple[int, ...]
    policies: tuple[str, ...]
    journal_keys: tuple[str, ...]
    ours: tuple[str, ...] = ()
    city: Callable[[str], City] | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """The parts behind the addresses."""

    known: Known
    key: Ed25519PrivateKey
    inbox: Inbox
    store: Stores
    queue: Work
    ledger: Ledger
    limits: IntakeLimits = IntakeLimits()
    now: Callable[[], float] = time.time
    desk: Desk | None = None
    events: bool = False  # the raw store tells the queue by itself

    @property
    def eraser(self) -> Eraser:
        """Takes recordings back out of the stores."""
        return Eraser(self.inbox, self.store, self.clean)

    @property
    def wants(self) -> Wants:
        """Which source videos are asked for."""
        return Wants(self.inbox.engine)

    @property
    def clean(self) -> Store | None:
        """Where accepted sessions lie, where this intake may see it."""
        return None if self.desk is None else self.desk.clean

    def source_of(self, session: str, why: str) -> dict[str, Any] | None:
        """What a client is asked for: names of files, and why."""
        names = sorted(wanted.listed(session, self.store, self.clean))
        return {"files": names, "why": why} if names else None

    @property
    def ticket_keys(self) -> tuple[str, ...]:
        """Public keys that our tickets are signed with."""
        return (tickets.public_hex(self.key),)


class Asked(BaseModel):
    """What a request holds: no field more, no type bent."""

    model_config = ConfigDict(extra="forbid", strict=True)


def describe(intake: Intake, session: str) -> dict[str, Any]:
    """State, verdict and payout of a session. Raises Refused."""
    state = state_of(intake, session)
    if state is None:
        raise UploadRefused("session.unknown", "no ticket was given out for it", 404)
    verdict, payout = intake.ledger.verdict(session), intake.ledger.payout(session)
    gone, want = intake.eraser.known(session), intake.wants.of(session)
    asked = want is not None and want.state == wanted.ASKED and gone is None
    return {
        "session": session,
        "state": str(state),
        "verdict": None if verdict is None else verdict_to_dict(verdict),
        "payout": None if payout is None else payout_to_dict(payout),
        "erased": None if gone is None else asdict(gone),
        "wanted": intake.source_of(session, want.why) if want is not None and asked else None,
    }


def erase(intake: Intake, session: str, proof: str) -> dict[str, Any]:
    """Remove the files of a session; says what went and what stays. Raises Refused."""
    state = state_of(intake, session)
    if state is None:
        raise UploadRefused("session.unknown", "no ticket was given out for it", 404)
    eraser = intake.eraser
    eraser.check(session, proof, intake.ticket_keys)
    gone = eraser.erase(session, state, int(intake.now()))
    judged = intake.ledger.verdict(session) is not None
    intake.ledger.unlist(session)
    log.info("session.erased session=%s files=%d bytes=%d", session, gone.files, gone.bytes)
    return {
        "session": session,
        "state": str(state),
        "erased": asdict(gone),
        "kept": [*KEPT, *(KEPT_JUDGED if judged else ())],
    }


def state_of(intake: Intake, session: str) -> State | None:
    """How far a session has come; None where no ticket was given out for it."""
    verdict = intake.ledger.verdict(session)
    return intake.inbox.state(session) if verdict is None else State(verdict.decision)
