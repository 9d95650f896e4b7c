"""Payouts as Solana instructions, and back: what a transaction of the chain says was paid.

Pure functions of their arguments. Order of a transaction: compute limit, compute price, then for
each of up to three payouts receipt, [token account,] transfer, memo. The token account is opened
only when `opens` says so: were it opened each time, a wallet could close it again and again and
keep the deposit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import CreateAccountWithSeedParams, create_account_with_seed
from solders.transaction import VersionedTransaction
from spl.memo.constants import MEMO_PROGRAM_ID
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import (
    create_idempotent_associated_token_account,
    get_associated_token_address,
    initialize_mint2,
    mint_to_checked,
    transfer_checked,
)
from spl.token.models import InitializeMint2Params, MintToCheckedParams, TransferCheckedParams

MEMO_PREFIX = "drive/1 "
COMPUTE_UNITS = 60_000  # of one payout; measured at most 31,100, a wallet's address varies it
BATCH = 3  # payouts of one transaction, each with its receipt; two where accounts are opened
LARGEST = 1_232  # bytes of a transaction
MEMO_DIGEST = 32  # hex digits of the verdict's SHA-256 that a memo carries
RECEIPT_LAMPORTS = 890_880  # rent exemption of an empty account
MINT_LAMPORTS = 1_461_600  # rent exemption of a mint
MINT_SEED = "drive/mint/1"
_TRANSFER_CHECKED = 12
_CREATE_WITH_SEED = 3


@dataclass(frozen=True, slots=True)
class Token:
    """What is paid in. decimals of the mint; amounts are always base units."""

    mint: Pubkey
    decimals: int

    def account_of(self, wallet: Pubkey) -> Pubkey:
        """The wallet's associated token account."""
        return get_associated_token_address(wallet, self.mint, TOKEN_PROGRAM_ID)


@dataclass(frozen=True, slots=True)
class Item:
    """One payout of a transaction. seed: of its receipt. digest: of its verdict, hex, '' = none.

    opens: the wallet has no token account yet and this payout makes it.
    """

    session: str
    seed: str
    wallet: Pubkey
    amount: int
    digest: str = ""
    opens: bool = False

    @property
    def memo(self) -> str:
        return f"{MEMO_PREFIX}{self.session} {short_digest(self.digest)}".rstrip()


def short_digest(digest: str) -> str:
    """As much of a SHA-256 in hex as a memo carries: 128 bits."""
    return digest[:MEMO_DIGEST]


@dataclass(frozen=True, slots=True)
class Payment:
    """One payout inside a transaction: its receipt, transfer and memo stand in this order."""

    session: str
    digest: str
    receipt: Pubkey
    source: Pubkey
    mint: Pubkey
    destination: Pubkey
    amount: int


@dataclass(frozen=True, slots=True)
class Paid:
    """What one of our transactions did, read from its bytes alone."""

    payer: Pubkey
    receipts: tuple[Pubkey, ...]
    memos: tuple[str, ...]
    transfers: tuple[tuple[Pubkey, Pubkey, Pubkey, int], ...]  # source, mint, destination, amount
    payments: tuple[Payment, ...] = ()


def receipt_address(treasury: Pubkey, seed: str) -> Pubkey:
    return Pubkey.create_with_seed(treasury, seed, SYSTEM)


_LENGTHS: dict[tuple[bytes, tuple[tuple[int, int, int, bool, int], ...]], int] = {}


def payout_message(
    treasury: Pubkey, token: Token, items: Sequence[Item], blockhash: Hash, *, price: int
) -> MessageV0:
    """The message of one to three payouts, signed by the treasury alone.

    price: micro-lamports a compute unit. All of it happens or none: one receipt that exists
    already refuses the whole transaction.
    """
    instructions = [
        set_compute_unit_limit(COMPUTE_UNITS * len(items)),
        set_compute_unit_price(price),
    ]
    for item in items:
        instructions += _payout(treasury, token, item)
    return MessageV0.try_compile(treasury, instructions, [], blockhash)


def _payout(treasury: Pubkey, token: Token, item: Item) -> list[Instruction]:
    receipt = create_account_with_seed(
        CreateAccountWithSeedParams(
            from_pubkey=treasury,
            to_pubkey=receipt_address(treasury, item.seed),
            base=treasury,
            seed=item.seed,
            lamports=RECEIPT_LAMPORTS,
            space=0,
            owner=SYSTEM,
        )
    )
    opening = create_idempotent_associated_token_account(
        treasury, item.wallet, token.mint, TOKEN_PROGRAM_ID
    )
    moving = transfer_checked(
        TransferCheckedParams(
            program_id=TOKEN_PROGRAM_ID,
            source=token.account_of(treasury),
            mint=token.mint,
            dest=token.account_of(item.wallet),
            owner=treasury,
            amount=item.amount,
            decimals=token.decimals,
        )
    )
    memo = Instruction(MEMO_PROGRAM_ID, item.memo.encode(), [])
    return [receipt, *([opening] if item.opens else []), moving, memo]


def fits(treasury: Pubkey, token: Token, items: Sequence[Item]) -> bool:
    """These payouts go into one transaction."""
    if len(items) > BATCH:
        return False
    wallets = [bytes(item.wallet) for item in items]
    # a message's length follows from these alone
    shape = tuple(
        (len(item.session), len(item.seed), len(item.digest), item.opens, wallets.index(wallet))
        for item, wallet in zip(items, wallets, strict=True)
    )
    known = (bytes(token.mint), shape)
    if known not in _LENGTHS:
        message = payout_message(treasury, token, items, Hash.default(), price=1)
        _LENGTHS[known] = 1 + 64 + len(to_bytes_versioned(message))
    return _LENGTHS[known] <= LARGEST


def mint_address(treasury: Pubkey) -> Pubkey:
    """Where the local mint of a treasury lies: follows from the treasury, so it is made once."""
    return Pubkey.create_with_seed(treasury, MINT_SEED, TOKEN_PROGRAM_ID)


def mint_message(treasury: Pubkey, decimals: int, supply: int, blockhash: Hash) -> MessageV0:
    """Make the local mint and its whole supply in one transaction, so that it happens once."""
    mint = mint_address(treasury)
    token = Token(mint, decimals)
    instructions = [
        create_account_with_seed(
            CreateAccountWithSeedParams(
                from_pubkey=treasury,
                to_pubkey=mint,
                base=treasury,
                seed=MINT_SEED,
                lamports=MINT_LAMPORTS,
                space=MINT_LEN,
                owner=TOKEN_PROGRAM_ID,
            )
        ),
        initialize_mint2(
            InitializeMint2Params(
                decimals=decimals,
                program_id=TOKEN_PROGRAM_ID,
                mint=mint,
                mint_authority=treasury,
                freeze_authority=treasury,
            )
        ),
        create_idempotent_associated_token_account(treasury, treasury, mint, TOKEN_PROGRAM_ID),
        mint_to_checked(
            MintToCheckedParams(
                program_id=TOKEN_PROGRAM_ID,
                mint=mint,
                dest=token.account_of(treasury),
                mint_authority=treasury,
                amount=supply,
                decimals=decimals,
            )
        ),
    ]
    return MessageV0.try_compile(treasury, instructions, [], blockhash)


def read_transaction(transaction: VersionedTransaction) -> Paid:
    """Payer, receipts made, memos, token transfers and payments that a transaction asked for."""
    message = transaction.message
    keys = message.account_keys
    memos: list[str] = []
    receipts: list[Pubkey] = []
    transfers: list[tuple[Pubkey, Pubkey, Pubkey, int]] = []
    payments: list[Payment] = []
    for instruction in message.instructions:
        program, data = keys[instruction.program_id_index], bytes(instruction.data)
        named = [keys[i] if i < len(keys) else None for i in bytes(instruction.accounts)]
        if program == MEMO_PROGRAM_ID:
            memos.append(data.decode("utf-8", "replace"))
            if len(receipts) == len(transfers) == len(payments) + 1:
                payments += _payment(memos[-1], receipts[-1], transfers[-1])
        elif program == SYSTEM and int.from_bytes(data[:4], "little") == _CREATE_WITH_SEED:
            receipts.append(named[1])
        elif program == TOKEN_PROGRAM_ID and data[:1] == bytes([_TRANSFER_CHECKED]):
            amount = int.from_bytes(data[1:9], "little")
            transfers.append((named[0], named[1], named[2], amount))
    return Paid(keys[0], tuple(receipts), tuple(memos), tuple(transfers), tuple(payments))


def _payment(
    memo: str, receipt: Pubkey, moved: tuple[Pubkey, Pubkey, Pubkey, int]
) -> list[Payment]:
    if not memo.startswith(MEMO_PREFIX):
        return []
    session, _, digest = memo.removeprefix(MEMO_PREFIX).partition(" ")
    return [Payment(session, digest, receipt, *moved)]
