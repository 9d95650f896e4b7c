"""Which text is the address of a player's wallet. Refuses everything that could swallow a payment.

An address carries no checksum: half of all one-letter typos are addresses too. Passing these
rules makes a payment possible; only a signature from the wallet proves that it is the player's.
"""

from collections.abc import Collection

from solders import sysvar
from solders.pubkey import Pubkey

from rewards.errors import WalletRefused

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LONGEST = 44
SHORTEST = 32

DENIED: dict[str, str] = {
    "11111111111111111111111111111111": "the System program",
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA": "the SPL Token program",
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb": "the Token-2022 program",
    "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL": "the Associated Token Account program",
    "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr": "the Memo program",
    "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo": "the first Memo program",
    "Stake11111111111111111111111111111111111111": "the Stake program",
    "Config1111111111111111111111111111111111111": "the Config program",
    "NativeLoader1111111111111111111111111111111": "the native loader",
    "So11111111111111111111111111111111111111112": "the wrapped SOL mint",
    str(sysvar.CLOCK): "a system variable",
    str(sysvar.RENT): "a system variable",
    str(sysvar.RECENT_BLOCKHASHES): "a system variable",
    str(sysvar.SLOT_HASHES): "a system variable",
    str(sysvar.REWARDS): "a system variable",
}
"""Well-known addresses that lie on the curve, so that only a list can refuse them."""


def check_wallet(text: str, ours: Collection[str] = ()) -> str:
    """The address in `text`, without the blanks around it. Raises WalletRefused with a reason.

    ours: addresses of this service (mint, treasury, fee payer) that are nobody's wallet.
    """
    address = text.strip()
    if not address:
        raise WalletRefused(address, "wallet.empty", "no address was given")
    for position, letter in enumerate(address):
        if letter not in ALPHABET:
            raise WalletRefused(
                address,
                "wallet.base58",
                f"{letter!r} at place {position + 1} is not used in Solana addresses"
                " (nor are 0, O, I and l)",
            )
    if not SHORTEST <= len(address) <= LONGEST:
        raise WalletRefused(
            address,
            "wallet.length",
            f"{len(address)} characters; a Solana address has {SHORTEST} to {LONGEST},"
            " something was cut off or added",
        )
    return _check_key(address, ours)


def _check_key(address: str, ours: Collection[str]) -> str:
    try:
        key = Pubkey.from_string(address)
    except ValueError as error:
        raise WalletRefused(
            address, "wallet.length", "these letters do not make 32 bytes"
        ) from error
    if not key.is_on_curve():
        raise WalletRefused(
            address,
            "wallet.curve",
            "nobody can sign for this address (a typing error, or an address that belongs to"
            " a program); use the address of an ordinary wallet",
        )
    if address in DENIED:
        raise WalletRefused(
            address, "wallet.denied", f"this is {DENIED[address]}, not a player's wallet"
        )
    if address in ours:
        raise WalletRefused(
            address, "wallet.ours", "this address belongs to the rewards service itself"
        )
    return address
