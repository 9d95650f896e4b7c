"""What the chain remembers of a treasury's payments. Needs no key and no secret: anyone can ask.

Owns the reading of histories and transactions, and the translation of the client's errors.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed, Finalized
from solana.rpc.core import RPCException
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction_status import TransactionConfirmationStatus

from rewards.errors import ChainRefused, ChainUnreachable
from rewards.instructions import MEMO_PREFIX, Paid, Token, read_transaction
from rewards.model import Receipt

T = TypeVar("T")
PAGE = 1_000  # entries that one call may ask for


class History:
    """Payments of one treasury in one token, as an endpoint tells them. Close it with `close`."""

    def __init__(
        self, url: str, treasury: Pubkey, token: Token, client: AsyncClient | None = None
    ) -> None:
        self.url, self.treasury, self.token = url, treasury, token
        self.client = client or AsyncClient(url, commitment=Finalized, timeout=20)

    async def close(self) -> None:
        await self.client.close()

    async def ask(self, call: Callable[[AsyncClient], Awaitable[T]]) -> T:
        """One call of the client. Raises ChainUnreachable or ChainRefused."""
        return await ask(self.url, self.client, call)

    async def payments(self) -> AsyncIterator[Receipt]:
        """Every finalized payout of this treasury, newest first, found by its memo."""
        async for entry in self.entries(self.token.account_of(self.treasury), Finalized):
            if entry.err is None and MEMO_PREFIX in (entry.memo or ""):
                for receipt, _ in await self._receipts(entry):
                    yield receipt

    async def paid_into(self, account: Pubkey, newest_slot: int) -> bool:
        """We paid into this token account at or before a slot."""
        async for entry in self.entries(account, Finalized):
            if (
                entry.err is None
                and entry.slot <= newest_slot
                and MEMO_PREFIX in (entry.memo or "")
            ):
                read = await self._read(entry.signature)
                if read is not None and read[0].payer == self.treasury:
                    return True
        return False

    async def entries(self, address: Pubkey, commitment: Commitment) -> AsyncIterator[Any]:
        """Transactions that name an address, newest first, page by page."""
        before: Signature | None = None
        while True:
            page = await self._page(address, before, commitment)
            for entry in page:
                yield entry
            if len(page) < PAGE:
                return
            before = page[-1].signature

    async def receipt(self, entry: Any, session: str, made: Pubkey | None) -> Receipt | None:
        """The entry as our payment for a session; None when it is something else.

        made: the receipt account that it must have created; None = any, for those without the
        secret.
        """
        for receipt, account in await self._receipts(entry):
            if receipt.session == session and made in (None, account):
                return receipt
        return None

    async def _receipts(self, entry: Any) -> list[tuple[Receipt, Pubkey]]:
        """Our payments in one transaction of the history, with the receipt account of each."""
        read = await self._read(entry.signature)
        if read is None:
            return []
        paid, paid_s = read
        final = entry.confirmation_status == TransactionConfirmationStatus.Finalized
        ours = (self.treasury, self.token.account_of(self.treasury), self.token.mint)
        return [
            (
                Receipt(
                    p.session, str(entry.signature), str(p.destination), p.amount, final, paid_s,
                    p.digest,
                ),
                p.receipt,
            )
            for p in paid.payments
            if (paid.payer, p.source, p.mint) == ours
        ]  # fmt: skip

    async def _page(
        self, address: Pubkey, before: Signature | None, commitment: Commitment
    ) -> list[Any]:
        reply = await self.ask(
            lambda c: c.get_signatures_for_address(
                address, before=before, limit=PAGE, commitment=commitment
            )
        )
        return list(reply.value)

    async def _read(self, signature: Signature) -> tuple[Paid, int] | None:
        reply = await self.ask(
            lambda c: c.get_transaction(
                signature,
                encoding="base64",
                commitment=Confirmed,
                max_supported_transaction_version=0,
            )
        )
        if reply.value is None:
            return None
        paid = read_transaction(reply.value.transaction.transaction)
        return paid, int(reply.value.block_time or 0)


async def ask(url: str, client: AsyncClient, call: Callable[[AsyncClient], Awaitable[T]]) -> T:
    """One call of a client. Raises ChainUnreachable or ChainRefused."""
    try:
        return await call(client)
    except SolanaRpcException as error:  # it wraps what the transport said
        raise ChainUnreachable(url, type(error.__cause__ or error).__name__) from error
    except RPCException as error:
        raise ChainRefused("answer", words(error)) from error
    except OSError as error:
        raise ChainUnreachable(url, words(error)) from error


def words(error: BaseException) -> str:
    """An error of the client in one line."""
    text = str(error.args[0] if error.args else error)
    return " ".join((text or type(error).__name__).split())[:300]
