"""A new treasury key: what the old one holds moves over, and its receipts go on counting.

Receipts belong to the treasury that made them, so each former treasury stays on a list that the
payer looks through before it signs. May be cut off anywhere and run again.
"""

import asyncio
import json
from dataclasses import asdict, dataclass, replace

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, transfer_checked
from spl.token.models import TransferCheckedParams

from rewards.chain import Chain, sign_message
from rewards.errors import ChainRefused, SetUpIncomplete
from rewards.facts import Facts
from rewards.files import write_json
from rewards.instructions import Token
from rewards.ledger import Ledger
from rewards.model import OPEN
from rewards.settings import RewardsSettings
from rewards.signer import FileSigner, Signer
from rewards.treasury import open_chain

FEE = 10_000  # lamports that stay with the old key for the last transaction
WAIT_TURNS = 600


@dataclass(frozen=True, slots=True)
class Former:
    """A treasury that paid before. All base58."""

    treasury: str
    mint: str
    decimals: int

    @property
    def token(self) -> Token:
        return Token(Pubkey.from_string(self.mint), self.decimals)


def formers(settings: RewardsSettings) -> tuple[Former, ...]:
    """Former treasuries, oldest first."""
    try:
        listed = json.loads(settings.formers_path.read_text("utf-8"))["formers"]
    except FileNotFoundError:
        return ()
    return tuple(Former(**each) for each in listed)


async def rotate(settings: RewardsSettings) -> Facts:
    """Make a new key, move everything to it, restamp the ledger. Raises SetUpIncomplete.

    Needs the stop file and nothing under way. The old key stays beside the new one.
    """
    if not settings.stop_path.exists():
        raise SetUpIncomplete("the payer may be signing", f"run first: touch {settings.stop_path}")
    chain, facts = await open_chain(settings)
    ledger = Ledger.open(settings.ledger_url)
    try:
        if ledger.payouts(*OPEN):
            raise SetUpIncomplete("payouts are under way", "let the payer settle them first")
        fresh = FileSigner.create(settings.key_path.with_suffix(".next"))
        known = formers(settings)
        if all(each.treasury != facts.treasury for each in known):
            old = Former(facts.treasury, facts.mint, facts.decimals)
            listed = [asdict(each) for each in (*known, old)]
            write_json(settings.formers_path, {"formers": listed})
        await _move(chain, FileSigner.load(settings.key_path), fresh, facts)
        ledger.restamp(facts.stamp, replace(facts.stamp, treasury=str(fresh.address)))
        settings.key_path.rename(settings.key_path.with_suffix(f".{facts.treasury[:8]}"))
        settings.key_path.with_suffix(".next").rename(settings.key_path)
    finally:
        await chain.close()
        ledger.close()
    again, now = await open_chain(settings)
    await again.close()
    return now


async def _move(chain: Chain, old: Signer, fresh: Signer, facts: Facts) -> None:
    """All tokens and lamports in one transaction, awaited until it is final."""
    funds = await chain.funds()
    if funds.tokens == 0 and funds.lamports <= FEE:
        return  # cut off after this step, the last time
    token, fee = chain.token, await chain.freshness()
    steps = [
        create_idempotent_associated_token_account(
            old.address, fresh.address, token.mint, TOKEN_PROGRAM_ID
        ),
        transfer_checked(
            TransferCheckedParams(
                program_id=TOKEN_PROGRAM_ID, source=token.account_of(old.address),
                mint=token.mint, dest=token.account_of(fresh.address), owner=old.address,
                amount=funds.tokens, decimals=facts.decimals,
            )
        ),
        transfer(
            TransferParams(
                from_pubkey=old.address, to_pubkey=fresh.address,
                lamports=max(0, funds.lamports - FEE - 2_039_280 - 890_880),
            )
        ),
    ]  # fmt: skip
    message = MessageV0.try_compile(old.address, steps, [], fee.blockhash)
    signed = sign_message(message, old)
    for _ in range(WAIT_TURNS):
        said = await chain.submit(bytes(signed))
        (fate,) = await chain.fates([str(signed.signatures[0])])
        if fate is not None and fate.final:
            if fate.error:
                raise ChainRefused("move the treasury", fate.error)
            return
        if fate is None and await chain.height() > fee.last_valid_height:
            raise ChainRefused("move the treasury", said or "it expired; run it again")
        await asyncio.sleep(0.1)
    raise ChainRefused("move the treasury", "it is not final yet; run it again")
