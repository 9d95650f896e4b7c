"""What is said of a wallet address while it is typed. Pure; the rules are the server's own."""

from dataclasses import dataclass

from rewards.errors import WalletRefused
from rewards.wallet import ALPHABET, LONGEST, SHORTEST, check_wallet

EMPTY = "Leave it empty to play at once: drives are kept and can be claimed later."


@dataclass(frozen=True, slots=True)
class Advice:
    """ok: the address can be paid. text: what to say under the field, in `tone`."""

    ok: bool
    text: str
    tone: str


def advise(text: str) -> Advice:
    """What to say of what has been typed so far."""
    address = text.strip()
    if not address:
        return Advice(True, EMPTY, "dim")
    unfit = next((each for each in address if each not in ALPHABET), "")
    if not unfit and len(address) < SHORTEST:
        more = SHORTEST - len(address)
        return Advice(
            False, f"{len(address)} letters; at least {more} more of {SHORTEST} to {LONGEST}", "dim"
        )
    try:
        check_wallet(address)
    except WalletRefused as refused:
        return Advice(False, refused.why, "bad")
    return Advice(True, f"a Solana address that can be paid ({len(address)} letters)", "good")


def short(address: str) -> str:
    """An address as it is shown where there is little room."""
    return address if len(address) <= 12 else f"{address[:5]}…{address[-5:]}"
