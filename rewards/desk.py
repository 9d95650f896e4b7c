"""What the intake knows of people: proved wallets, claims, quotas, appeals, and room on its disks.

Holds the parts together for the routes; owns no table of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rewards import space, tickets, wanted
from rewards.claim import KEY, bind_proof, check_claim
from rewards.facts import Facts, read_facts
from rewards.inbox import Inbox
from rewards.ledger import Ledger
from rewards.metrics import render, samples
from rewards.model import Payout
from rewards.queue import Work
from rewards.quota import Quota, Rate
from rewards.refusal import UploadRefused
from rewards.settings import RewardsSettings
from rewards.signin import Challenge, SignIn
from rewards.storage import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """ours: reads the addresses that are nobody's wallet. keep_free [byte]: intake stops below."""

    settings: RewardsSettings
    ledger: Ledger
    queue: Work
    clean: Store
    key: Ed25519PrivateKey
    signin: SignIn
    quota: Quota
    now: Callable[[], float]

    def ours(self) -> tuple[str, ...]:
        facts = self.facts()
        return () if facts is None else (facts.mint, facts.treasury)

    def facts(self) -> Facts | None:
        return read_facts(self.settings)

    def take(self, db: sa.Connection, payee: str, address: str, device: str, now_s: float) -> None:
        """One run ticket off everybody's quota, in a write transaction. Raises TicketRefused."""
        rates = self.settings
        asked = {"payee": (payee, Rate(rates.tickets_at_once, rates.tickets_per_hour))}
        if address and not _is_loopback(address):
            asked["address"] = (address, Rate(rates.tickets_at_once * 4, rates.address_per_hour))
        if device:
            asked["device"] = (device, Rate(rates.tickets_at_once, rates.tickets_per_hour))
        self.quota.take_in(db, asked, now_s)

    def check_room(self, coming: int) -> None:
        """Raises UploadRefused (503) before a volume fills."""
        space.check_room([self.settings.folder], self.settings.keep_free, coming)

    def begin_claim(self, claim: str, address: str) -> Challenge:
        """The text that the wallet signs to take over the sessions of a claim id."""
        purpose = f"Pay the sessions of claim {claim} to this wallet."
        return self.signin.begin(address, self.now(), self.ours(), purpose)

    def finish_claim(
        self, claim: str, nonce: str, wallet_signature: str, claim_signature: str
    ) -> tuple[str, tuple[Payout, ...]]:
        """Bind a claim to the wallet that signed. Raises UploadRefused; once only.

        claim_signature: hex, of the same text, with the claim's key; '' for a bearer code.
        wallet_signature: '' where the claim is a key: its holder alone says who is paid, and the
        wallet named in the text counts as typed in.
        """
        text = self.signin.text(nonce)
        if f"claim {claim} " not in text:
            raise UploadRefused("claim.foreign", "the signed text names another claim", 403)
        check_claim(claim, text, claim_signature)
        if KEY.fullmatch(claim) and not wallet_signature:
            wallet, _ = self.signin.take(nonce, self.now())
        else:
            wallet = self.signin.finish(nonce, wallet_signature, self.now())
        return wallet, self.bind_claim(claim, wallet)

    def bind_claim(self, claim: str, wallet: str) -> tuple[Payout, ...]:
        """Give a claim its wallet, whose right to it the caller has checked. Once only: raises
        UploadRefused claim.bound where it has another one; the same one again changes nothing.
        """
        now_s = int(self.now())
        proof = bind_proof(self.key, claim, wallet, now_s)
        key, body = f"bindings/{claim}.json", proof.encode()
        bound = self.ledger.binding(claim)
        if bound is not None and bound[0] != wallet:
            raise UploadRefused("claim.bound", "this claim has its wallet already", 409)
        if self.clean.size(key) is None:  # before the ledger: the binding outlives it
            self.clean.put(key, iter([body]), len(body), _sha256(body))
        return self.ledger.bind(claim, wallet, now_s, proof)

    def want_source(self, session: str, why: str = wanted.APPEAL) -> None:
        """Ask the player's machine for the source video, unless it came by itself."""
        engine = self.signin.engine
        if not any(wanted.SOURCE.fullmatch(e.name) for e in Inbox(engine).files(session)):
            wanted.Wants(engine).ask(session, why, int(self.now()))

    def metrics(self) -> str:
        """The text of /metrics."""
        free = space.room([self.settings.folder])
        found = samples(
            self.ledger, self.queue, self.settings.daily_budget, self.settings.payer_path, free,
            self.now(),
        )  # fmt: skip
        return render(found)


def open_desk(
    settings: RewardsSettings, engine: sa.Engine, ledger: Ledger, queue: Work, clean: Store,
    key: Ed25519PrivateKey, now: Callable[[], float] | None = None,
) -> Desk:  # fmt: skip
    """The desk of one intake, with its tables."""
    import time

    return Desk(
        settings, ledger, queue, clean, key, SignIn(engine, settings.domain), Quota(engine),
        now or time.time,
    )  # fmt: skip


def judges(settings: RewardsSettings, verdict_key: Path) -> tuple[str, ...]:
    """Public keys whose verdicts count here."""
    if settings.verdict_keys or not verdict_key.exists():
        return settings.verdict_keys
    return (tickets.public_hex(tickets.load_key(verdict_key)),)


def _is_loopback(address: str) -> bool:
    return address in ("127.0.0.1", "::1", "localhost", "testclient")


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def as_dict(challenge: Challenge) -> dict[str, Any]:
    return {"nonce": challenge.nonce, "text": challenge.text}
