"""Keys, the tokens they mint, and what a token does not open."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streaming.access import Access, MintRefused

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ACCESS = Access(("sk-one", "sk-two", ""), SIGNER)
NOW = 1_800_000_000.0


def test_a_key_opens_and_a_guess_does_not() -> None:
    assert ACCESS.admit("sk-one", "", "", NOW) is not None
    assert ACCESS.admit("sk-three", "", "", NOW) is None
    assert ACCESS.admit("", "", "", NOW) is None
    assert Access((), SIGNER).admit("", "", "", NOW) is not None


def test_a_token_opens_for_a_minute_what_it_names() -> None:
    asked = {"allowedModels": ["tiny"], "allowedOrigins": ["https://play.example.org"]}
    asked["constraints"] = {"realtime": {"maxSessionDuration": 300}}
    made = ACCESS.mint(asked, "t1", NOW)
    assert made["expiresAt"] == NOW + 60
    for token in (made["token"], made["apiKey"]):
        entry = ACCESS.admit(token, "tiny", "https://play.example.org", NOW + 59)
        assert entry is not None
        assert (entry.who, entry.longest_s) == ("token-t1", 300)
        assert ACCESS.admit(token, "tiny", "https://play.example.org", NOW + 60) is None
        assert ACCESS.admit(token, "wan", "https://play.example.org", NOW) is None
        assert ACCESS.admit(token, "tiny", "https://evil.example.org", NOW) is None


def test_a_forged_token_opens_nothing() -> None:
    stranger = Access(("k",), Ed25519PrivateKey.generate())
    assert ACCESS.admit(stranger.mint({}, "t", NOW)["token"], "", "", NOW) is None
    token = ACCESS.mint({}, "t", NOW)["token"]
    head, claims, signature = token.split(".")
    for bad in (f"{head}.{claims}x.{signature}", f"{head}..{signature}", "..", "a.b.c", "é.é.é"):
        assert ACCESS.admit(bad, "", "", NOW) is None
    assert not ACCESS.is_key(token)  # a token mints no tokens


@pytest.mark.parametrize(
    "asked",
    [
        {"expiresIn": 0},
        {"expiresIn": 3601},
        {"expiresIn": True},
        {"expiresIn": "60"},
        {"allowedModels": "tiny"},
        {"allowedModels": ["x"] * 21},
        {"allowedOrigins": [1]},
        {"constraints": {"realtime": {"maxSessionDuration": -1}}},
    ],
)
def test_senseless_wishes_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(MintRefused):
        ACCESS.mint(asked, "t", NOW)
