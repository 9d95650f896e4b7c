"""Proof that a wallet is the player's: a text to sign, good once and for five minutes.

Owns the table of open challenges and of wallets that signed. Sees no key; the signature alone
travels. Follows the usual sign-in wording, so that wallets show it as such.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from solders.pubkey import Pubkey
from solders.signature import Signature

from rewards.refusal import UploadRefused
from rewards.schema import make_tables
from rewards.wallet import check_wallet

LIFE_S = 300
metadata = sa.MetaData()
challenges = sa.Table(
    "challenge",
    metadata,
    sa.Column("nonce", sa.String(64), primary_key=True),
    sa.Column("wallet", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("ends_s", sa.BigInteger, nullable=False),
)
proved = sa.Table(
    "proved",
    metadata,
    sa.Column("wallet", sa.String(64), primary_key=True),
    sa.Column("signed_s", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """nonce: names it. text: to be signed as it stands, UTF-8."""

    nonce: str
    text: str


class SignIn:
    """The wallets' desk. domain: what the player sees that he signs for."""

    def __init__(self, engine: sa.Engine, domain: str) -> None:
        self.engine, self.domain = engine, domain
        self._writer = engine.execution_options(writes=True)
        make_tables(metadata, engine)

    def begin(
        self, address: str, now_s: float, ours: Collection[str] = (), what: str = ""
    ) -> Challenge:
        """A fresh challenge. Raises WalletRefused."""
        wallet, nonce = check_wallet(address, ours), secrets.token_hex(16)
        issued = datetime.fromtimestamp(int(now_s), UTC).isoformat().replace("+00:00", "Z")
        ends = datetime.fromtimestamp(int(now_s) + LIFE_S, UTC).isoformat().replace("+00:00", "Z")
        purpose = what or "Link this wallet to your drive rewards."
        text = (
            f"{self.domain} wants you to sign in with your Solana account:\n{wallet}\n\n"
            f"{purpose} This is not a transaction.\n\n"
            f"Version: 1\nNonce: {nonce}\nIssued At: {issued}\nExpiration Time: {ends}"
        )
        with self._writer.begin() as db:
            db.execute(sa.delete(challenges).where(challenges.c.ends_s < int(now_s)))
            db.execute(
                sa.insert(challenges).values(
                    nonce=nonce, wallet=wallet, text=text, ends_s=int(now_s) + LIFE_S
                )
            )
        return Challenge(nonce, text)

    def text(self, nonce: str) -> str:
        """The text of an open challenge, '' where there is none."""
        with self.engine.connect() as db:
            query = sa.select(challenges.c.text).where(challenges.c.nonce == nonce)
            return str(db.scalar(query) or "")

    def take(self, nonce: str, now_s: float) -> tuple[str, str]:
        """Wallet and text of an open challenge, which can be answered no second time.

        Raises UploadRefused: signin.unknown, signin.expired.
        """
        of = challenges.c.nonce == nonce
        with self._writer.begin() as db:
            row = db.execute(sa.select(challenges).where(of)).mappings().first()
            taken = db.execute(sa.delete(challenges).where(of)).rowcount
        if row is None or not taken:
            raise UploadRefused("signin.unknown", "no such challenge, or it was answered", 403)
        if now_s >= row["ends_s"]:
            raise UploadRefused(
                "signin.expired", "the challenge has run out; ask for a new one", 403
            )
        return str(row["wallet"]), str(row["text"])

    def finish(self, nonce: str, signature: str, now_s: float) -> str:
        """The wallet that signed. A nonce is taken away before it is looked at.

        signature: base58. Raises UploadRefused: signin.unknown, signin.expired, signin.signature.
        """
        wallet, text = self.take(nonce, now_s)
        try:
            good = Signature.from_string(signature).verify(
                Pubkey.from_string(wallet), text.encode()
            )
        except ValueError:
            good = False
        if not good:
            raise UploadRefused("signin.signature", "not signed by that wallet", 403)
        self._note(wallet, int(now_s))
        return wallet

    def is_proved(self, wallet: str) -> bool:
        """This wallet has signed a challenge of ours at some time."""
        with self.engine.connect() as db:
            query = sa.select(proved.c.wallet).where(proved.c.wallet == wallet)
            return db.scalar(query) is not None

    def _note(self, wallet: str, now_s: int) -> None:
        with self._writer.begin() as db:
            db.execute(sa.delete(proved).where(proved.c.wallet == wallet))
            db.execute(sa.insert(proved).values(wallet=wallet, signed_s=now_s))
