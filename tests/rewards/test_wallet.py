"""Which texts are wallets. The addresses are public programs and keys derived from fixed seeds."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from rewards.errors import WalletRefused
from rewards.wallet import DENIED, check_wallet

GOOD = str(Keypair.from_seed(bytes(range(32))).pubkey())
PROGRAM_DERIVED = str(
    Pubkey.find_program_address([b"vault"], Pubkey.from_string("Stake" + "1" * 38))[0]
)


def test_blanks_around_an_address_are_taken_off() -> None:
    assert check_wallet(f"  {GOOD}\n") == GOOD


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "wallet.empty"),
        ("   ", "wallet.empty"),
        (GOOD[:-1] + "0", "wallet.base58"),
        (GOOD[:10] + " " + GOOD[10:], "wallet.base58"),
        (GOOD[:20], "wallet.length"),
        (GOOD + GOOD, "wallet.length"),
        ("z" * 44, "wallet.length"),
        (PROGRAM_DERIVED, "wallet.curve"),
    ],
)
def test_what_is_not_a_wallet_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(WalletRefused) as caught:
        check_wallet(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("address", sorted(DENIED))
def test_well_known_programs_are_denied_though_they_lie_on_the_curve(address: str) -> None:
    assert Pubkey.from_string(address).is_on_curve()
    with pytest.raises(WalletRefused) as caught:
        check_wallet(address)
    assert caught.value.reason == "wallet.denied"


def test_the_service_does_not_pay_itself() -> None:
    with pytest.raises(WalletRefused) as caught:
        check_wallet(GOOD, (GOOD,))
    assert caught.value.reason == "wallet.ours"
