"""A Solana bank for one machine: LiteSVM executes, SQLite remembers, slots come from a clock.

Owns accounts, history, blockhashes and the slot. The slot follows the monotonic clock, so that a
changed wall clock neither freezes nor repeats it. Speaks no network; `rewards.devnet` does.
"""

import json
import os
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.account import Account
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from rewards.errors import DevnetBusy

FINAL_SLOTS, CONFIRMED_SLOTS = 32, 2
BLOCKHASH_SLOTS = 150
RESTART_SLOTS = 1_000  # a restart jumps this far, so that no earlier blockhash is valid
REMEMBER_SLOTS = RESTART_SLOTS // 4  # the slot on disk is never older than this
COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111"
SYSTEM = Pubkey.from_string("11111111111111111111111111111111")

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts
    (address TEXT PRIMARY KEY, lamports INTEGER, owner TEXT, data BLOB);
CREATE TABLE IF NOT EXISTS transactions
    (signature TEXT PRIMARY KEY, slot INTEGER, wall_s INTEGER, raw BLOB, meta TEXT);
CREATE TABLE IF NOT EXISTS mentions
    (n INTEGER PRIMARY KEY, address TEXT, signature TEXT);
CREATE INDEX IF NOT EXISTS mentions_address ON mentions (address, n);
"""


class Refusal(Exception):
    """A transaction that does not get in. error: as a node words it; None = not even decoded."""

    def __init__(self, error: Any, logs: Sequence[str] = (), units: int = 0) -> None:
        super().__init__(error, tuple(logs), units)
        self.error, self.logs, self.units = error, list(logs), units


@dataclass(frozen=True, slots=True)
class Landed:
    """One transaction of the history. raw is empty for an airdrop."""

    signature: str
    slot: int
    wall_s: int
    raw: bytes
    meta: dict[str, Any]


class Bank:
    """Callers hold `lock` around any group of calls that must see one state.

    path: the SQLite file, made when missing, held exclusively. slot_ms: length of a slot.
    blockhash_slots: how long a blockhash lives.
    patience_s: how long to wait for another process that is just ending.
    Raises DevnetBusy when another process has it.
    """

    def __init__(
        self,
        path: Path,
        slot_ms: int = 400,
        blockhash_slots: int = BLOCKHASH_SLOTS,
        now: Callable[[], float] = time.monotonic,
        patience_s: float = 5.0,
    ) -> None:
        self.lock = threading.RLock()
        self.blockhash_slots, self._slot_ms, self._now = blockhash_slots, slot_ms, now
        self._db = _open(path, patience_s)
        self._svm = LiteSVM().with_blockhash_check(False).with_transaction_history(0)
        self._svm = self._svm.with_lamports(10**18)
        for address, lamports, owner, data in self._db.execute("SELECT * FROM accounts"):
            account = Account(lamports, data, Pubkey.from_string(owner))
            self._svm.set_account(Pubkey.from_string(address), account)
        self.genesis = self.fact("genesis") or self.remember("genesis", str(_random_hash()))
        self._first = self.slot = int(self.fact("slot") or 0) + RESTART_SLOTS
        self._started = now()
        self._heights: dict[str, int] = {}
        self._turn()

    def close(self) -> None:
        with self.lock:
            self.remember("slot", str(self.slot))
            self._db.close()

    # --- time ---------------------------------------------------------------------------------

    def advance(self) -> None:
        """Let the slot catch up with the clock."""
        slot = self._first + int((self._now() - self._started) * 1000 / self._slot_ms)
        if slot > self.slot:
            self.slot = slot
            self._turn()

    def _turn(self) -> None:
        self._svm.warp_to_slot(self.slot)
        clock = self._svm.get_clock()
        clock.unix_timestamp = int(time.time())
        self._svm.set_clock(clock)
        self.blockhash = str(_random_hash())  # LiteSVM's own repeat in every process
        self._heights[self.blockhash] = self.slot
        oldest = self.slot - self.blockhash_slots
        self._heights = {name: h for name, h in self._heights.items() if h >= oldest}
        if self.slot - int(self.fact("slot") or 0) >= REMEMBER_SLOTS:
            self.remember("slot", str(self.slot))

    def last_valid_height(self, blockhash: str) -> int | None:
        """The last height at which a transaction with this blockhash can land; None when over."""
        made = self._heights.get(blockhash)
        return None if made is None else made + self.blockhash_slots

    # --- writing ------------------------------------------------------------------------------

    def submit(self, raw: bytes, skip_preflight: bool) -> str:
        """Execute a transaction at once and return its signature. Raises Refusal.

        A known signature is returned again and nothing happens. With `skip_preflight` a failing
        instruction lands as a failed transaction and costs its fee; else it never gets in.
        """
        transaction = _decode(raw)
        signature, message = str(transaction.signatures[0]), transaction.message
        if self.landed(signature) is not None:
            return signature
        if str(message.recent_blockhash) not in self._heights:
            raise Refusal("BlockhashNotFound")
        if not skip_preflight:
            self._refuse_failing(self._svm.simulate_transaction(transaction))
        keys = message.account_keys
        before = self._snapshot(keys)
        done = self._svm.send_transaction(transaction)
        error = None
        if isinstance(done, FailedTransactionMetadata):
            error, logs = error_json(done.err()), done.meta()
            if not isinstance(error, dict):
                raise Refusal(error, logs.logs(), logs.compute_units_consumed())
            done = logs
        meta = _meta(error, fee(message), before, self._snapshot(keys), done)
        self._store(signature, raw, keys, meta)
        return signature

    def simulate(self, raw: bytes) -> tuple[Any, list[str], int]:
        """Error (None = fine), logs and compute units of a transaction that is not executed."""
        done = self._svm.simulate_transaction(_decode(raw))
        failed = isinstance(done, FailedTransactionMetadata)
        meta = done.meta()
        error = error_json(done.err()) if failed else None
        return error, meta.logs(), meta.compute_units_consumed()

    def airdrop(self, address: Pubkey, lamports: int) -> str:
        """Lamports out of nothing, recorded in the history so that confirming them works."""
        self._svm.airdrop(address, lamports)
        signature = str(Signature(os.urandom(64)))
        self._store(signature, b"", [address], {"err": None, "status": {"Ok": None}, "fee": 0})
        return signature

    @staticmethod
    def _refuse_failing(done: Any) -> None:
        if isinstance(done, FailedTransactionMetadata):
            meta = done.meta()
            raise Refusal(error_json(done.err()), meta.logs(), meta.compute_units_consumed())

    def _store(
        self, signature: str, raw: bytes, keys: Iterable[Pubkey], meta: dict[str, Any]
    ) -> None:
        row = (signature, self.slot, int(time.time()), raw, json.dumps(meta))
        with self._db:  # accounts, history and slot in one commit
            self._db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?)", row)
            for key in keys:
                self._db.execute(
                    "INSERT INTO mentions (address, signature) VALUES (?, ?)", (str(key), signature)
                )
                self._keep(key)
            self._set_fact("slot", str(self.slot))

    def _keep(self, key: Pubkey) -> None:
        account = self._svm.get_account(key)
        if account is None or account.lamports == 0:
            self._db.execute("DELETE FROM accounts WHERE address = ?", (str(key),))
        elif not account.executable:
            row = (str(key), account.lamports, str(account.owner), bytes(account.data))
            self._db.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", row)

    # --- reading ------------------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> str:
        with self._db:
            self._set_fact(name, value)
        return value

    def _set_fact(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def account(self, address: str) -> Account | None:
        account = self._svm.get_account(Pubkey.from_string(address))
        return None if account is None or account.lamports == 0 else account

    def rent(self, size: int) -> int:
        return int(self._svm.minimum_balance_for_rent_exemption(size))

    def landed(self, signature: str) -> Landed | None:
        query = "SELECT * FROM transactions WHERE signature = ?"
        row = self._db.execute(query, (signature,)).fetchone()
        return None if row is None else _landed(row)

    def mentions(
        self, address: str, before: str, until: str, limit: int, newest_slot: int
    ) -> list[Landed]:
        """Transactions that name an address, newest first; before/until: signatures, '' = open."""
        query = (
            "SELECT t.* FROM mentions m JOIN transactions t USING (signature) WHERE m.address = ?"
            " AND t.slot <= ?"
            " AND m.n < ifnull((SELECT n FROM mentions WHERE address = ? AND signature = ?), 1e18)"
            " AND m.n > ifnull((SELECT n FROM mentions WHERE address = ? AND signature = ?), -1)"
            " ORDER BY m.n DESC LIMIT ?"
        )
        values = (address, newest_slot, address, before, address, until, limit)
        rows = self._db.execute(query, values).fetchall()
        return [_landed(row) for row in rows]

    def token(self, account: Account | None) -> dict[str, Any] | None:
        """Holdings of a token account in a node's words; None when it is something else."""
        if account is None or len(account.data) < 165:
            return None
        mint = self._svm.get_account(Pubkey(account.data[:32]))
        if mint is None or mint.owner != account.owner or len(mint.data) < 82:
            return None
        (amount,) = struct.unpack_from("<Q", account.data, 64)
        decimals = int(mint.data[44])
        whole, rest = divmod(amount, 10**decimals)
        shown = f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(amount)
        return {
            "mint": str(Pubkey(account.data[:32])),
            "owner": str(Pubkey(account.data[32:64])),
            "programId": str(account.owner),
            "uiTokenAmount": {
                "amount": str(amount),
                "decimals": decimals,
                "uiAmount": amount / 10**decimals,
                "uiAmountString": shown,
            },
        }

    def _snapshot(self, keys: Sequence[Pubkey]) -> tuple[list[int], list[dict[str, Any]]]:
        found = [self._svm.get_account(key) for key in keys]
        held = [(index, self.token(account)) for index, account in enumerate(found)]
        return (
            [0 if account is None else account.lamports for account in found],
            [{"accountIndex": index, **token} for index, token in held if token is not None],
        )


def fee(message: Any) -> int:
    """Lamports that a message costs: signatures, and the compute price at its limit."""
    limit, price = 200_000 * len(message.instructions), 0
    for instruction in message.instructions:
        if str(message.account_keys[instruction.program_id_index]) == COMPUTE_BUDGET:
            data = bytes(instruction.data)
            if data[0] == 2:
                (limit,) = struct.unpack_from("<I", data, 1)
            elif data[0] == 3:
                (price,) = struct.unpack_from("<Q", data, 1)
    return 5_000 * int(message.header.num_required_signatures) + -(-limit * price // 10**6)


def error_json(error: Any) -> Any:
    """A solders transaction error, as the JSON that a node sends."""
    kind = type(error).__name__
    if kind == "TransactionErrorInstructionError":
        code = getattr(error.err, "code", None)
        inner = str(error.err).rpartition(".")[2] if code is None else {"Custom": code}
        return {"InstructionError": [error.index, inner]}
    if kind == "TransactionErrorInsufficientFundsForRent":
        return {"InsufficientFundsForRent": {"account_index": error.account_index}}
    return str(error).rpartition(".")[2]


def _meta(error: Any, paid: int, before: Any, after: Any, done: Any) -> dict[str, Any]:
    return {
        "err": error,
        "status": {"Ok": None} if error is None else {"Err": error},
        "fee": paid,
        "preBalances": before[0],
        "postBalances": after[0],
        "preTokenBalances": before[1],
        "postTokenBalances": after[1],
        "logMessages": done.logs(),
        "innerInstructions": [],
        "rewards": [],
        "loadedAddresses": {"writable": [], "readonly": []},
        "computeUnitsConsumed": done.compute_units_consumed(),
    }


def _landed(row: tuple[str, int, int, bytes, str]) -> Landed:
    return Landed(row[0], row[1], row[2], row[3], json.loads(row[4]))


def _decode(raw: bytes) -> VersionedTransaction:
    try:
        return VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise Refusal(None, (f"failed to deserialize transaction: {error}",)) from error


def _random_hash() -> Hash:
    return Hash(os.urandom(32))


def _open(path: Path, patience_s: float) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=patience_s, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(_TABLES)
    except sqlite3.OperationalError as error:
        db.close()
        raise DevnetBusy(path, str(error)) from error
    return db
