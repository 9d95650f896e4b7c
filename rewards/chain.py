"""The chain as the payer sees it: look, sign, submit, ask how it went, and find what was paid.

Owns the connections and the translation of their errors. Decides nothing and stores nothing. A
refused submission is reported as words: only height, status and receipt prove anything, and where
a second endpoint is given, only what both say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from solana.exceptions import SolanaRpcException
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.hash import Hash
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus
from spl.token.constants import TOKEN_PROGRAM_ID

from rewards.errors import EndpointsDisagree, ReceiptUnexplained
from rewards.history import History, words
from rewards.instructions import (
    MEMO_PREFIX,
    Item,
    Token,
    fits,
    payout_message,
    receipt_address,
)
from rewards.model import Receipt
from rewards.signer import ReceiptSecret, Signer

STATUSES, ACCOUNTS = 256, 100  # the most that one call may ask for
_FROZEN, _STATE_AT = 2, 108  # in a token account's data
ABSENT, READY, FROZEN, FOREIGN = "absent", "ready", "frozen", "foreign"


@dataclass(frozen=True, slots=True)
class Funds:
    """What the treasury has: lamports for fees and deposits, base units of the token."""

    lamports: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What the chain says of a signature. final: it cannot change any more. error: '' = none."""

    final: bool
    error: str


@dataclass(frozen=True, slots=True)
class Look:
    """A payout's two accounts at one slot. destination: absent | ready | frozen | foreign."""

    receipt: bool
    destination: str
    slot: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """A blockhash and the last height at which a transaction with it can land."""

    blockhash: Hash
    last_valid_height: int


@dataclass(frozen=True, slots=True)
class Bill:
    """One payout to be signed. digest: of its verdict. opens: it makes the token account."""

    session: str
    wallet: str
    amount: int
    digest: str = ""
    opens: bool = False


class Chain:
    """One treasury, one token, one endpoint and a witness to it. Close it with `close`.

    formers: treasuries before this one, whose receipts count as well.
    witness: a second endpoint of the same chain; a payment counts as final, or as dead, only
    when both say so. Every call raises ChainUnreachable when one of them does not answer.
    """

    def __init__(
        self,
        history: History,
        signer: Signer,
        secret: ReceiptSecret,
        price: int = 1_000,
        witness: History | None = None,
        formers: Sequence[tuple[Pubkey, Token]] = (),
    ) -> None:
        self.url, self.token, self.treasury = history.url, history.token, signer.address
        self._past, self._signer, self._secret, self._price = history, signer, secret, price
        self._witness, self._formers = witness, tuple(formers)
        self._ask = self._past.ask

    async def close(self) -> None:
        for each in self._told():
            await each.close()

    def _told(self) -> tuple[History, ...]:
        return (self._past,) if self._witness is None else (self._past, self._witness)

    # --- before signing -----------------------------------------------------------------------

    async def funds(self) -> Funds:
        lamports = await self._ask(lambda c: c.get_balance(self.treasury))
        account = self.token.account_of(self.treasury)
        tokens = await self._ask(lambda c: c.get_token_account_balance(account))
        return Funds(int(lamports.value), int(tokens.value.amount))

    async def look(self, payouts: Sequence[tuple[str, str]]) -> list[Look]:
        """Receipt and destination of (session, wallet) pairs, each pair read at one slot."""
        found: list[Look] = []
        each = 2 + len(self._formers)
        for start in range(0, len(payouts), ACCOUNTS // each):
            part = payouts[start : start + ACCOUNTS // each]
            keys = [key for session, wallet in part for key in self._accounts(session, wallet)]
            reply = await self._read_accounts(keys)
            slot, accounts = int(reply.context.slot), reply.value
            for index, (_, wallet) in enumerate(part):
                destination, *receipts = accounts[each * index : each * (index + 1)]
                state = self._destination(destination, Pubkey.from_string(wallet))
                paid = any(receipt is not None for receipt in receipts)
                found.append(Look(paid, state, slot))
        return found

    async def was_opened(self, wallet: str, slot: int) -> bool:
        """We paid into this wallet's token account by `slot`: if it is gone, it was closed."""
        return await self._past.paid_into(self.token.account_of(Pubkey.from_string(wallet)), slot)

    async def freshness(self) -> Freshness:
        reply = await self._ask(lambda c: c.get_latest_blockhash(Confirmed))
        return Freshness(reply.value.blockhash, int(reply.value.last_valid_block_height))

    def sign(self, bills: Sequence[Bill], fresh: Freshness) -> tuple[str, bytes]:
        """Signature and bytes of one transaction that pays all of them. Nothing leaves here."""
        items = [self._item(bill) for bill in bills]
        message = payout_message(
            self.treasury, self.token, items, fresh.blockhash, price=self._price
        )
        signed = sign_message(message, self._signer)
        return str(signed.signatures[0]), bytes(signed)

    def fits(self, bills: Sequence[Bill]) -> bool:
        """They go into one transaction."""
        return fits(self.treasury, self.token, [self._item(bill) for bill in bills])

    def _item(self, bill: Bill) -> Item:
        seed, wallet = self._secret.seed(bill.session), Pubkey.from_string(bill.wallet)
        return Item(bill.session, seed, wallet, bill.amount, bill.digest, bill.opens)

    # --- after signing ------------------------------------------------------------------------

    async def submit(self, raw: bytes) -> str:
        """Send bytes, again or for the first time. '' or what the node said; proves nothing."""
        options = TxOpts(skip_confirmation=True, preflight_commitment=Confirmed)
        try:
            await self._past.client.send_raw_transaction(raw, options)
        except (RPCException, SolanaRpcException) as error:
            return words(error)
        return ""

    async def height(self) -> int:
        """Finalized block height, of the endpoint that lags. Read it before the status that it
        makes conclusive."""
        found = [await each.ask(lambda c: c.get_block_height(Finalized)) for each in self._told()]
        return min(int(reply.value) for reply in found)

    async def fates(self, signatures: Sequence[str]) -> list[Fate | None]:
        """What became of each signature; None = nobody knows it."""
        told = [await self._fates(each, signatures) for each in self._told()]
        return [_agreed(said) for said in zip(*told, strict=True)]

    async def _fates(self, past: History, signatures: Sequence[str]) -> list[Fate | None]:
        found: list[Fate | None] = []
        for start in range(0, len(signatures), STATUSES):
            part = [Signature.from_string(s) for s in signatures[start : start + STATUSES]]
            reply = await _read_statuses(past, part)
            found += [None if status is None else _fate(status) for status in reply.value]
        return found

    async def payment(self, session: str) -> Receipt | None:
        """The payment that made this session's receipt; None while there is no receipt.

        Raises ReceiptUnexplained when the receipt is there and no payment of ours made it, and
        EndpointsDisagree when only one endpoint tells of it.
        """
        told = [await self._payment(each, session) for each in self._told()]
        first, last = told[0], told[-1]
        if first is None or last is None:
            if first is not last:
                raise EndpointsDisagree(session, "one endpoint knows a payment, the other none")
            return None
        if first.signature != last.signature:
            raise EndpointsDisagree(session, "the endpoints name two different payments")
        return replace(first, final=first.final and last.final)

    async def _payment(self, past: History, session: str) -> Receipt | None:
        """The payment as one endpoint tells it, by this treasury or one before it."""
        before = (History(past.url, who, token, past.client) for who, token in self._formers)
        for each in (past, *before):
            receipt = await self._made_by(each, session)
            if receipt is not None:
                return receipt
        return None

    async def _made_by(self, past: History, session: str) -> Receipt | None:
        address = receipt_address(past.treasury, self._secret.seed(session))
        reply = await past.ask(lambda c: c.get_account_info(address))
        async for entry in past.entries(address, Confirmed):
            if entry.err is None and MEMO_PREFIX + session in (entry.memo or ""):
                receipt = await past.receipt(entry, session, address)
                if receipt is not None:
                    return receipt
        if reply.value is None:
            return None
        why = "it exists, but none of our payments made it (prefunded, or history is missing)"
        raise ReceiptUnexplained(session, str(address), why)

    def account_of(self, wallet: str) -> str:
        """The wallet's token account, base58."""
        return str(self.token.account_of(Pubkey.from_string(wallet)))

    # --- inside -------------------------------------------------------------------------------

    async def _read_accounts(self, keys: list[Pubkey]) -> Any:
        return await self._ask(lambda c: c.get_multiple_accounts(keys))

    def _accounts(self, session: str, wallet: str) -> tuple[Pubkey, ...]:
        """The wallet's token account, then the receipt under each treasury."""
        treasuries = (self.treasury, *(who for who, _ in self._formers))
        seed = self._secret.seed(session)
        receipts = (receipt_address(who, seed) for who in treasuries)
        return self.token.account_of(Pubkey.from_string(wallet)), *receipts

    def _destination(self, account: Any, wallet: Pubkey) -> str:
        if account is None:
            return ABSENT
        data = bytes(account.data)
        if account.owner != TOKEN_PROGRAM_ID or len(data) < 165:
            # lamports alone, sent ahead by anyone, do not hinder opening the account
            return ABSENT if not data else FOREIGN
        if data[:32] != bytes(self.token.mint) or data[32:64] != bytes(wallet):
            return FOREIGN
        return FROZEN if data[_STATE_AT] == _FROZEN else READY


def sign_message(message: Any, signer: Signer) -> VersionedTransaction:
    """A transaction with the signer's one signature."""
    signature = signer.sign(bytes(to_bytes_versioned(message)))
    return VersionedTransaction.populate(message, [signature])


async def _read_statuses(past: History, part: list[Signature]) -> Any:
    return await past.ask(lambda c: c.get_signature_statuses(part, search_transaction_history=True))


def _agreed(said: Sequence[Fate | None]) -> Fate | None:
    """What all endpoints say of one signature; where they differ nothing is final."""
    if all(fate == said[0] for fate in said):
        return said[0]
    return Fate(False, "")


def _fate(status: Any) -> Fate:
    final = status.confirmation_status == TransactionConfirmationStatus.Finalized
    return Fate(final, "" if status.err is None else str(status.err))
