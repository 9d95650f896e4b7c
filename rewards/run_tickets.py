"""Run tickets: what may be driven here, by whom, and with which seed."""

import secrets
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from game.session.ids import is_id, new_id
from rewards import tickets
from rewards.intake import Asked, Intake, Known
from rewards.refusal import TicketRefused
from rewards.wallet import check_wallet
from scenarios.daily import day_seed, today
from scenarios.free import free_named

OFFLINE = "offline"
DAILY = "daily"
"""The policy of drives with the seed of the day, on which nothing is earned."""


class RunRequest(Asked):
    """What a player asks before a drive. wallet: an address; claim: an id of the player's own.

    seed_from: `stream` takes the seed with the first frame where a stream server of ours may
    release it; `ticket` is for who streams elsewhere or not at all, and for older clients.
    """

    wallet: str = Field("", max_length=128)
    claim: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    scenario: str = Field(max_length=128)
    seed: int | None = Field(None, ge=0, lt=2**31)
    seed_from: str = Field("ticket", pattern="^(ticket|stream)$")
    driver: str = Field(pattern="^(human|bot|agent)$")
    policy: str = Field(max_length=32)
    world_version: int
    pack_digest: str = Field(max_length=64)
    device: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_-]*$")
    session: str = Field("", max_length=26)


def give_run_ticket(intake: Intake, ask: RunRequest, caller: str = "") -> dict[str, Any]:
    """A signed one-use ticket. Raises Refused or WalletRefused.

    caller: the address that asks. A session that was driven without us names itself; it is taken
    under the policy `offline`, which pays nothing.
    """
    known = intake.known
    if bool(ask.wallet.strip()) == bool(ask.claim):
        raise TicketRefused("payee.one", "give a wallet or a claim id, one of them", 422)
    payee = check_wallet(ask.wallet, known.ours) if ask.wallet.strip() else ""
    free = free_named(ask.scenario)
    wanted = known.scenarios.get(ask.scenario) if free is None else free.digest
    if wanted is None:
        raise TicketRefused("scenario.unknown", f"known: {', '.join(sorted(known.scenarios))}", 422)
    if ask.policy not in known.policies:
        raise TicketRefused("policy.unknown", f"offered here: {', '.join(known.policies)}", 422)
    if ask.world_version not in known.worlds:
        raise TicketRefused("world.unknown", "update the game; this server cannot replay it", 409)
    if ask.pack_digest not in known.packs:
        raise TicketRefused("pack.unknown", "this server does not have that city pack", 409)
    if ask.policy == DAILY and ask.seed != day_seed(today(intake.now())):
        raise TicketRefused("seed.day", "under this policy the seed is that of the UTC day", 422)
    if ask.seed is not None and ask.policy not in (*intake.limits.seeded, DAILY):
        raise TicketRefused("seed.chosen", "under this policy the server draws the seed", 422)
    terms = tickets.Terms(
        scenario=ask.scenario,
        scenario_digest=wanted,
        seed=_seed(known, ask),
        world_version=ask.world_version,
        pack_digest=ask.pack_digest,
        policy=ask.policy,
        driver=ask.driver,
        payee=payee,
        claim=ask.claim,
    )
    if ask.session and (again := _offline(intake, ask, payee)) is not None:
        return again
    now, desk = intake.now(), intake.desk
    session = ask.session or new_id(intake.now)
    ticket = tickets.issue(intake.key, terms, session, now, intake.limits.ticket_life_s)

    def quota(db: sa.Connection) -> None:
        if desk is not None:
            desk.take(db, payee or ask.claim, caller, ask.device, now)

    intake.inbox.open_run(ticket, intake.limits.hourly, quota)
    return ticket


def _seed(known: Known, ask: RunRequest) -> int:
    """The driver's wish, or one of ours; LATE_SEED where the stream server is to release it."""
    if ask.seed is not None:
        return ask.seed
    if ask.seed_from == "stream" and known.journal_keys and ask.policy != OFFLINE:
        return tickets.LATE_SEED
    return secrets.randbelow(2**31)


def _offline(intake: Intake, ask: RunRequest, payee: str) -> dict[str, Any] | None:
    """The ticket that a session driven before it has already, None for its first one.

    Raises TicketRefused where its id may not be taken.
    """
    if ask.policy != OFFLINE or not is_id(ask.session):
        why = f"only a session under the policy '{OFFLINE}' names itself"
        raise TicketRefused("session.chosen", why, 422)
    if (known := intake.inbox.ticket(ask.session)) is not None:
        if known["payee"] == payee and known["claim"] == ask.claim:
            return known
        raise TicketRefused("ticket.foreign", "this session was handed in by somebody else")
    if intake.ledger.verdict(ask.session) is not None:
        raise TicketRefused("ticket.used", "the session was judged already", 409)
    return None
