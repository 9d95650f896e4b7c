"""Visitors of an event: one-use codes that stand for a claim, given out by enrolled devices.

A device registers the hash of a code, never the code; whoever shows the code may name the wallet
of its claim once, and fetch the clip of the drive until the code ends. Owns devices, codes, their
quotas and the clips. A claim's payouts are the ledger's.
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rewards.claim import KEY
from rewards.desk import Desk
from rewards.facts import Facts
from rewards.quota import Rate
from rewards.refusal import TicketRefused, UploadRefused
from rewards.schema import make_tables
from rewards.tickets import canonical
from rewards.wallet import check_wallet

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
"""130 bits in Crockford's letters; the first carries three of them."""
HASH = re.compile(r"[0-9a-f]{64}")
LONGEST_S = 60 * 86400
CLIP_MOST = 24 << 20
CLOCK_S = 600
"""A device's clock may be so far off."""
LOOKS = Rate(120, 900)
"""How often one network may show codes, right or wrong; a hall of visitors may share one."""
WRONG = Rate(20, 40)
"""How many wrong ones; after those no code is heard from it until one has come back."""
_SWEEP = 20

metadata = sa.MetaData()
devices = sa.Table(
    "kiosk_device",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("daily", sa.Integer, nullable=False),
    sa.Column("enrolled_s", sa.BigInteger, nullable=False),
    sa.Column("revoked_s", sa.BigInteger, nullable=False, default=0),
)
codes = sa.Table(
    "kiosk_code",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("claim", sa.String(64), nullable=False, unique=True),
    sa.Column("session", sa.String(26), nullable=False),
    sa.Column("taken_s", sa.BigInteger, nullable=False),
    sa.Column("ends_s", sa.BigInteger, nullable=False),
    sa.Column("wallet", sa.String(64), nullable=False, default=""),
    sa.Column("clip", sa.String(64), nullable=False, default=""),
    sa.Index("kiosk_code_device", "device", "taken_s"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One enrolled kiosk. daily: codes it may register in 24 hours."""

    key: str
    name: str
    daily: int
    enrolled_s: int
    revoked_s: int


def code_hash(code: str) -> str:
    """What is stored of a code. Letters that look alike are one, dashes and blanks nothing."""
    plain = re.sub(r"[\s-]", "", code).upper().translate(str.maketrans("OIL", "011"))
    return hashlib.sha256(plain.encode()).hexdigest()


def network_of(caller: str) -> str:
    """Who counts as one: an address, or the 64 bits that one line of IPv6 has to itself."""
    try:
        found = ipaddress.ip_address(caller)
    except ValueError:
        return caller or "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


class Enrolled:
    """The devices of one intake. Refusals are UploadRefused or TicketRefused."""

    def __init__(self, engine: sa.Engine, now: Callable[[], float]) -> None:
        self._engine, self._now = engine, now
        self._writer = engine.execution_options(writes=True)
        make_tables(metadata, engine)

    def enrol(self, key: str, name: str, daily: int) -> Device:
        """Let a device register codes, or change its quota."""
        if not KEY.fullmatch(key) or not name.strip() or not 0 < daily <= 100_000:
            raise UploadRefused("device.bad", "give a public key in hex, a name and a quota", 422)
        made = Device(key, name.strip()[:64], daily, int(self._now()), 0)
        with self._writer.begin() as db:
            db.execute(sa.delete(devices).where(devices.c.key == key))
            db.execute(sa.insert(devices).values(**asdict(made)))
        return made

    def revoke(self, key: str) -> None:
        """No further code from this device; codes it gave out stay good."""
        with self._writer.begin() as db:
            of = devices.c.key == key
            change = sa.update(devices).where(of).values(revoked_s=int(self._now()))
            if not db.execute(change).rowcount:
                raise UploadRefused("device.unknown", "no such device is enrolled", 404)

    def all(self) -> tuple[Device, ...]:
        """All that were ever enrolled, by name."""
        with self._engine.connect() as db:
            rows = db.execute(sa.select(devices).order_by(devices.c.name)).mappings()
            return tuple(Device(**row) for row in rows)

    def one(self, key: str) -> Device:
        """An enrolled device that was not revoked."""
        with self._engine.connect() as db:
            row = db.execute(sa.select(devices).where(devices.c.key == key)).mappings().first()
        if row is None or row["revoked_s"]:
            raise TicketRefused("device.unknown", "this device is not enrolled here", 403)
        return Device(**row)


class Kiosks:
    """The codes of one intake. Every refusal is a TicketRefused or UploadRefused."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._engine = desk.signin.engine
        self._writer = self._engine.execution_options(writes=True)
        self.enrolled = Enrolled(self._engine, desk.now)

    def register(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take in a code that a device has signed; the same one again changes nothing.

        body: v, device, code (hash), claim, session, made_s, ends_s, sig.
        """
        device, now_s = self._signed(body), int(self._desk.now())
        code, claim, session = str(body["code"]), str(body["claim"]), str(body["session"])
        made_s, ends_s = int(body["made_s"]), int(body["ends_s"])
        if not HASH.fullmatch(code) or not KEY.fullmatch(claim):
            raise TicketRefused("code.shape", "a code is sent as its hash, a claim as its key", 422)
        if made_s > now_s + CLOCK_S or not now_s < ends_s <= made_s + LONGEST_S:
            raise TicketRefused("code.time", "made in the future, over, or good for too long", 422)
        self._sweep(now_s)
        with self._writer.begin() as db:
            known = db.execute(sa.select(codes).where(codes.c.hash == code)).mappings().first()
            if known is not None:
                if (known["device"], known["claim"]) != (device.key, claim):
                    raise TicketRefused("code.taken", "this code is another's", 409)
                return {"code": code, "ends_s": known["ends_s"]}
            day = sa.and_(codes.c.device == device.key, codes.c.taken_s > now_s - 86400)
            if (db.scalar(sa.select(sa.func.count()).where(day)) or 0) >= device.daily:
                why = f"{device.name} has given out its {device.daily} codes of the day"
                raise TicketRefused("quota.device", why, 429)
            if db.scalar(sa.select(codes.c.hash).where(codes.c.claim == claim)) is not None:
                raise TicketRefused("claim.taken", "this claim has its code already", 409)
            row = {"hash": code, "device": device.key, "claim": claim, "session": session}
            db.execute(sa.insert(codes).values(**row, taken_s=now_s, ends_s=ends_s))
        return {"code": code, "ends_s": ends_s}

    def expect_clip(self, code: str) -> None:
        """Raises TicketRefused where nobody waits for this clip: before its body is read."""
        self.enrolled.one(str(self._row(code)["device"]))

    def take_clip(self, code: str, signature: str, data: bytes) -> dict[str, Any]:
        """Keep the clip of a code, signed by the device that registered it."""
        row = self._row(code)
        if not data or len(data) > CLIP_MOST or data[4:8] != b"ftyp":
            raise UploadRefused("clip.shape", f"an MP4 file of at most {CLIP_MOST} bytes", 413)
        digest = hashlib.sha256(data).hexdigest()
        text = canonical({"v": 1, "code": code, "clip": digest})
        if not _is_signed(str(row["device"]), text, signature):
            raise TicketRefused("clip.signature", "not signed by the device of this code", 403)
        self.enrolled.one(str(row["device"]))
        if row["clip"] not in ("", digest):
            raise UploadRefused("clip.taken", "this code has its clip already", 409)
        self._desk.check_room(len(data))
        if self._desk.clean.size(_clip_key(code)) is None:
            self._desk.clean.put(_clip_key(code), iter([data]), len(data), digest)
        with self._writer.begin() as db:
            db.execute(sa.update(codes).where(codes.c.hash == code).values(clip=digest))
        return {"code": code, "clip": digest}

    def look(self, code: str, caller: str) -> dict[str, Any]:
        """What a code stands for: where the drive is, whether there is a clip, when it ends."""
        row = self._shown(code, caller)
        session = str(row["session"])
        payout, verdict = self._desk.ledger.payout(session), self._desk.ledger.verdict(session)
        state = "waiting" if verdict is None else verdict.decision
        return {
            "session": session,
            "state": payout.state if payout is not None else state,
            "amount": payout.amount if payout is not None else None,
            "wallet": str(row["wallet"]),
            "clip": bool(row["clip"]),
            "ends_s": int(row["ends_s"]),
        }

    def claim(self, code: str, address: str, caller: str) -> dict[str, Any]:
        """Give the code's claim its wallet. Once: afterwards only the same wallet is heard."""
        row = self._shown(code, caller)
        wallet = self.payable(address)
        free = sa.and_(codes.c.hash == row["hash"], codes.c.wallet.in_(("", wallet)))
        with self._writer.begin() as db:  # taken first: a crash leaves it to the same wallet
            taken = db.execute(sa.update(codes).where(free).values(wallet=wallet)).rowcount
        if not taken:
            raise TicketRefused("code.used", "this code has been used", 409)
        owed = self._desk.bind_claim(str(row["claim"]), wallet)
        return {"wallet": wallet, "owed": len(owed)}

    def clip(self, code: str, caller: str) -> bytes:
        """The clip of a code."""
        row = self._shown(code, caller)
        if not row["clip"]:
            raise UploadRefused("clip.none", "there is no clip, or not yet", 404)
        return b"".join(self._desk.clean.read(_clip_key(str(row["hash"]))))

    def payable(self, address: str) -> str:
        """The address where a drive can be paid to it. Raises WalletRefused."""
        return check_wallet(address, self._desk.ours())

    def facts(self) -> Facts | None:
        """Where it is paid."""
        return self._desk.facts()

    def _shown(self, code: str, caller: str) -> Mapping[str, Any]:
        """The row of a code that somebody shows. Counted as a wrong one before it is looked up."""
        who, quota = network_of(caller), self._desk.quota
        try:
            quota.take({"code": (who, LOOKS), "wrong": (who, WRONG)}, self._desk.now())
        except TicketRefused as slow:
            what = "wrong codes" if slow.reason == "quota.wrong" else "codes"
            why = f"too many {what} were shown from this address; try again in some minutes"
            raise TicketRefused(slow.reason, why, slow.status) from slow
        row = self._row(code_hash(code))
        quota.give("wrong", who, WRONG, self._desk.now())
        return row

    def _row(self, hashed: str) -> Mapping[str, Any]:
        with self._engine.connect() as db:
            row = db.execute(sa.select(codes).where(codes.c.hash == hashed)).mappings().first()
        if row is None or int(row["ends_s"]) <= self._desk.now():
            why = "no such code; it has ended, or the kiosk has not told us yet: try again later"
            raise TicketRefused("code.unknown", why, 404)
        return dict(row)

    def _signed(self, body: Mapping[str, Any]) -> Device:
        text = canonical({key: value for key, value in body.items() if key != "sig"})
        if body.get("v") != 1 or not _is_signed(str(body["device"]), text, str(body["sig"])):
            raise TicketRefused("device.signature", "not signed by the device it names", 403)
        return self.enrolled.one(str(body["device"]))

    def _sweep(self, now_s: int) -> None:
        """Forget some of the codes that have ended, and their clips."""
        over = sa.select(codes.c.hash, codes.c.clip).where(codes.c.ends_s <= now_s).limit(_SWEEP)
        with self._engine.connect() as db:
            found = db.execute(over).all()
        for hashed, clip in found:
            if clip:
                self._desk.clean.delete(_clip_key(hashed))
            with self._writer.begin() as db:
                db.execute(sa.delete(codes).where(codes.c.hash == hashed))


def _clip_key(hashed: str) -> str:
    return f"souvenirs/{hashed}.mp4"


def _is_signed(key: str, text: bytes, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), text
        )
    except (ValueError, InvalidSignature):
        return False
    return True
