"""Leaderboards: the best accepted drive of each payee, by what the replay said and nothing else.

A row is written in the transaction that records the verdict, from the replay finding in it: no
request can put a time there. Drives without a ticket were not committed live and are not listed.
Owns the table of results, the names that wallets chose to show, and who is first.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.world.version import TICK_HZ
from rewards.ledger import Ledger
from rewards.refusal import UploadRefused
from rewards.result import NO_TTC
from rewards.schema import bindings, names, results
from rewards.signin import Challenge, SignIn
from rewards.utc import utc_day

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.-]{1,18})[A-Za-z0-9]")
MOST = 100
"""Rows of a board."""
READ = 4000
"""Drives that are looked at for them, the best first: several may be of one payee."""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """rank: equal times and distances share one. closest_s: seconds from a collision at the
    closest, None where nobody was on a collision course. name: the one that its wallet signed for
    where it is chosen, else a pseudonym that only this server can connect with a wallet."""

    rank: int
    name: str
    chosen: bool
    seconds: float
    closest_s: float | None
    collisions: int
    day: str


class Boards:
    """Reads the results. key: of the service; pseudonyms are made with it."""

    def __init__(self, ledger: Ledger, signin: SignIn, key: Ed25519PrivateKey) -> None:
        self._ledger, self._signin = ledger, signin
        self._secret = hashlib.sha256(b"boards " + key.private_bytes_raw()).digest()

    def counts(self) -> dict[str, int]:
        """Scenario -> drives of people that count."""
        query = (
            sa.select(results.c.scenario, sa.func.count())
            .where(results.c.driver == "human")
            .group_by(results.c.scenario)
        )
        with self._ledger.reading() as db:
            return {str(name): int(count) for name, count in db.execute(query)}

    def board(
        self, scenario: str, day: str = "", driver: str = "human", session: str = ""
    ) -> tuple[tuple[BoardRow, ...], BoardRow | None, int]:
        """The best of each payee, the row of whoever drove `session`, and how many payees.

        day: of the daily drive, '' for all drives. Who is equal in time and distance shares a rank,
        and stands in the order of the verdicts.
        """
        found = self._read(scenario, day, driver)
        wallets, shown = self._people()
        mine = self._owner(session, wallets)
        best: dict[str, sa.RowMapping] = {}
        for row in found:
            best.setdefault(wallets.get(row["who"], row["who"]), row)
        rows: list[tuple[str, BoardRow]] = []
        last: tuple[int, int] | None = None
        for place, (who, row) in enumerate(best.items(), start=1):
            key = (int(row["tick"]), int(row["closest_ms"]))
            rank = rows[-1][1].rank if key == last else place
            last = key
            closest = None if key[1] == NO_TTC else key[1] / 1000.0
            name = shown.get(who, "")
            one = BoardRow(rank, name or self.pseudonym(who), bool(name), key[0] / TICK_HZ, closest,
                           int(row["collisions"]), utc_day(int(row["decided_s"])))  # fmt: skip
            rows.append((who, one))
        yours = next((row for who, row in rows if mine and who == mine), None)
        return tuple(row for _, row in rows[:MOST]), yours, len(rows)

    def pseudonym(self, who: str) -> str:
        """The same for a wallet for ever, and no way back from it."""
        digest = hmac.new(self._secret, who.encode(), hashlib.sha256).digest()
        return f"driver {base64.b32encode(digest[:5]).decode()}"

    def begin_name(self, wallet: str, name: str, now_s: float, ours: Sequence[str]) -> Challenge:
        """The text that a wallet signs to show a name on the boards; '' takes it back.

        Raises UploadRefused name.shape, name.taken.
        """
        self._check(wallet, name)
        return self._signin.begin(wallet, now_s, tuple(ours), name_text(name))

    def finish_name(self, nonce: str, name: str, signature: str, now_s: float) -> str:
        """Set the name that was signed for; returns the wallet. Raises UploadRefused."""
        if name_text(name) not in self._signin.text(nonce):
            raise UploadRefused("name.foreign", "the signed text says another name", 403)
        wallet = self._signin.finish(nonce, signature, now_s)
        self._check(wallet, name)
        with self._ledger.writing() as db:
            db.execute(sa.delete(names).where(names.c.wallet == wallet))
            if name:
                row = {"wallet": wallet, "name": name, "folded": folded(name), "set_s": int(now_s)}
                db.execute(sa.insert(names).values(**row))
        return wallet

    def _check(self, wallet: str, name: str) -> None:
        if not name:
            return
        if not NAME.fullmatch(name):
            why = "3 to 20 letters, digits, spaces and _ . - between them"
            raise UploadRefused("name.shape", why, 422)
        query = sa.select(names.c.wallet).where(names.c.folded == folded(name))
        with self._ledger.reading() as db:
            owner = db.scalar(query)
        if owner is not None and owner != wallet:
            raise UploadRefused("name.taken", "somebody else shows this name", 409)

    def _read(self, scenario: str, day: str, driver: str) -> list[sa.RowMapping]:
        query = sa.select(results).where(results.c.scenario == scenario, results.c.driver == driver)
        if day:
            query = query.where(results.c.day == day)
        order = (results.c.tick, results.c.closest_ms.desc(), results.c.decided_s,
                 results.c.session)  # fmt: skip
        with self._ledger.reading() as db:
            return list(db.execute(query.order_by(*order).limit(READ)).mappings())

    def _people(self) -> tuple[dict[str, str], dict[str, str]]:
        """Wallet of each claim that has one, and the name of each wallet that shows one."""
        with self._ledger.reading() as db:
            bound = {str(c): str(w) for c, w in db.execute(
                sa.select(bindings.c.claim, bindings.c.wallet))}  # fmt: skip
            shown = {str(w): str(n) for w, n in db.execute(sa.select(names.c.wallet, names.c.name))}
        return bound, shown

    def _owner(self, session: str, wallets: dict[str, str]) -> str:
        if not session:
            return ""
        with self._ledger.reading() as db:
            query = sa.select(results.c.who).where(results.c.session == session)
            who = str(db.scalar(query) or "")
        return wallets.get(who, who)


def name_text(name: str) -> str:
    """What a wallet signs, in words."""
    if not name:
        return "Show no name for this wallet on the leaderboards."
    return f"Show the drives of this wallet as '{name}' on the leaderboards."


def folded(name: str) -> str:
    """Names that look alike are one."""
    plain = re.sub(r"[ _.-]+", "", name.casefold())
    return plain.translate(str.maketrans("0135", "oles"))
