"""What an accepted session is worth: a versioned data file and one pure function of the verdict.

Owns the formula. Knows no clock, no ledger and no other session: what it needs is in the verdict.
"""

import hashlib
import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rewards.errors import PolicyInvalid, VerdictInvalid
from rewards.model import Verdict

BUNDLED = Path(__file__).with_name("policies")
COUNTED_COLLISIONS = 3


@dataclass(frozen=True, slots=True)
class Rates:
    """Table [amount] of a policy file: base units per pair by grade, shares in 1/1000, a cap."""

    per_attested_pair: int
    per_witnessed_pair: int
    per_self_pair: int
    failed_milli: int
    collision_milli: int
    cap_per_session: int


@dataclass(frozen=True, slots=True)
class Extras:
    """What a newer policy file may add, each in a table of its own; left out it changes nothing.

    [budget], base units of one UTC day, 0 = none: wallet_day, newcomers_day (all of them together),
    all_day. [trust]: a payee is a newcomer for its first newcomer_sessions; the first session is
    held for hold_s, less with each that follows, not at all after trusted_sessions. address_milli:
    share paid while the wallet was only typed in, not proved. human_milli: humanity below this
    doubles the hold. [novelty] bonus_milli: added for a drive on streets and headings that nobody
    had driven. [review] share_milli: of the sessions that a person looks at before they are paid;
    source_milli: of the accepted ones whose source video is asked for, for research.
    """

    wallet_day: int = 0
    newcomers_day: int = 0
    all_day: int = 0
    newcomer_sessions: int = 0
    hold_s: int = 0
    trusted_sessions: int = 0
    address_milli: int = 1000
    human_milli: int = 0
    bonus_milli: int = 0
    share_milli: int = 0
    source_milli: int = 0


_TABLES = {
    "budget": ("wallet_day", "newcomers_day", "all_day"),
    "trust": (
        "newcomer_sessions", "hold_s", "trusted_sessions", "address_milli", "human_milli"
    ),
    "novelty": ("bonus_milli",),
    "review": ("share_milli", "source_milli"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules. `clusters`: chains on which its payouts may be sent at all.

    difficulty: scenario -> 1/1000, 1000 where it is not named.
    """

    name: str
    version: int
    dated: str
    clusters: tuple[str, ...]
    drivers: tuple[str, ...]
    backends: tuple[str, ...]
    skips: tuple[str, ...]
    notes: tuple[str, ...]
    rates: Rates
    extras: Extras = Extras()
    difficulty: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def says(self) -> tuple[str, ...]:
        """What a verdict under this policy must state: its notes, and each check it skipped."""
        return (*self.notes, *(f"{self.name} policy: skipped check {name}" for name in self.skips))


def bundled() -> tuple[str, ...]:
    """Names of the policies that come with the program."""
    return tuple(sorted(path.stem for path in BUNDLED.glob("*.toml")))


def load(name_or_path: str) -> Policy:
    """Read a bundled policy by name, or a file by path. Raises PolicyInvalid."""
    path = (
        Path(name_or_path) if name_or_path.endswith(".toml") else BUNDLED / f"{name_or_path}.toml"
    )
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(bundled())
        raise PolicyInvalid(name_or_path, f"no such policy; bundled are {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PolicyInvalid(name_or_path, str(error)) from error
    return parse(data, name_or_path)


def parse(data: Mapping[str, Any], origin: str) -> Policy:
    """Check every key and type of a policy file. Raises PolicyInvalid."""
    wanted = {"name": str, "version": int, "dated": str, "amount": dict} | dict.fromkeys(
        ("clusters", "drivers", "backends", "skips", "notes"), list
    )
    optional = {name: data[name] for name in (*_TABLES, "difficulty") if name in data}
    _exactly({k: v for k, v in data.items() if k not in optional}, wanted, origin, "")
    for key in ("clusters", "drivers", "backends", "skips", "notes"):
        if not all(isinstance(item, str) for item in data[key]):
            raise PolicyInvalid(origin, f"{key} is a list of words")
    rates = data["amount"]
    _exactly(rates, {f.name: int for f in fields(Rates)}, origin, "amount.")
    if any(value < 0 for value in rates.values()):
        raise PolicyInvalid(origin, "an amount is never negative")
    if rates["failed_milli"] > 1000 or rates["collision_milli"] > 1000:
        raise PolicyInvalid(origin, "a share in 1/1000 is at most 1000")
    lists = {key: tuple(data[key]) for key in ("clusters", "drivers", "backends", "skips", "notes")}
    return Policy(
        name=data["name"],
        version=data["version"],
        dated=data["dated"],
        rates=Rates(**rates),
        extras=_extras(optional, origin),
        difficulty=MappingProxyType(_counts(optional.get("difficulty", {}), origin, "difficulty.")),
        **lists,
    )


def _extras(tables: Mapping[str, Any], origin: str) -> Extras:
    found: dict[str, int] = {}
    for table, names in _TABLES.items():
        given = _counts(tables.get(table, {}), origin, f"{table}.")
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise PolicyInvalid(origin, f"unknown key {table}.{unknown[0]}")
        found |= given
    return Extras(**found)


def _counts(table: Any, origin: str, prefix: str) -> dict[str, int]:
    if not isinstance(table, dict):
        raise PolicyInvalid(origin, f"{prefix[:-1]} is a table")
    for key, value in table.items():
        if type(value) is not int or value < 0:
            raise PolicyInvalid(origin, f"{prefix}{key} is a whole number, at least 0")
    return dict(table)


def _exactly(data: Mapping[str, Any], wanted: Mapping[str, type], origin: str, prefix: str) -> None:
    unknown, missing = sorted(set(data) - set(wanted)), sorted(set(wanted) - set(data))
    if unknown or missing:
        what = f"unknown key {unknown[0]}" if unknown else f"missing key {missing[0]}"
        raise PolicyInvalid(origin, what.replace("key ", f"key {prefix}"))
    for key, kind in wanted.items():
        if type(data[key]) is not kind:
            raise PolicyInvalid(origin, f"{prefix}{key} is {data[key]!r}, not {kind.__name__}")


def amount(verdict: Verdict, policy: Policy) -> int:
    """Base units owed for `verdict` under `policy`: exact integers, one floor division, last.

    amount = min(cap, what the day's budgets leave,
                 pairs x rate x difficulty x quality x outcome x collisions x novelty x tier)
    with shares in 1/1000; budgets, novelty and tier by the numbers frozen into the verdict.
    0 for a rejected session, for a driver or backend that the policy does not pay.
    Raises VerdictInvalid when the verdict is of another policy or lacks a measure.
    """
    if (verdict.policy, verdict.policy_version) != (policy.name, policy.version):
        raise VerdictInvalid(
            verdict.session,
            f"judged under {verdict.policy} {verdict.policy_version}, "
            f"not under {policy.name} {policy.version}",
        )
    if not verdict.accepted:
        return 0
    if _word(verdict, "driver") not in policy.drivers:
        return 0
    if _word(verdict, "backend") not in policy.backends:
        return 0
    rates = policy.rates
    product = (
        _count(verdict, "pairs_attested") * rates.per_attested_pair
        + _count(verdict, "pairs_witnessed") * rates.per_witnessed_pair
        + _count(verdict, "pairs_self") * rates.per_self_pair
    )
    product *= _count(verdict, "difficulty_milli") * _count(verdict, "quality_milli")
    product *= 1000 if verdict.measures.get("success") is True else rates.failed_milli
    divisor = 1000 * 1000 * 1000
    for _ in range(min(_count(verdict, "collisions"), COUNTED_COLLISIONS)):
        product *= rates.collision_milli
        divisor *= 1000
    extras = policy.extras
    product *= 1_000_000 + extras.bonus_milli * _perhaps(verdict, "novelty_milli")
    divisor *= 1_000_000
    if verdict.measures.get("tier") == "address":
        product *= extras.address_milli
        divisor *= 1000
    most = [rates.cap_per_session, *_left(verdict, extras)]
    return max(0, min(product // divisor, *most))


def is_newcomer(verdict: Verdict, policy: Policy) -> bool:
    """The payee has had fewer sessions than the policy calls known."""
    return _perhaps(verdict, "wallet_sessions") < policy.extras.newcomer_sessions


def hold_s(verdict: Verdict, policy: Policy) -> int:
    """How long after the verdict the payout waits [s]: shrinks with every accepted session."""
    extras, known = policy.extras, _perhaps(verdict, "wallet_sessions")
    if extras.hold_s == 0 or extras.trusted_sessions == 0:
        return 0
    share = max(0, extras.trusted_sessions - known)
    hold = extras.hold_s * share // extras.trusted_sessions
    doubtful = _perhaps(verdict, "humanity_milli", 1000) < extras.human_milli
    typed = verdict.measures.get("tier") == "address"
    return hold * (2 if doubtful else 1) * (2 if typed else 1)


def drawn_for_review(secret: bytes, verdict: Verdict, policy: Policy) -> bool:
    """A person looks at this one first; drawn with the server's secret, the same every time."""
    digest = hmac.new(secret, f"review {verdict.session}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < policy.extras.share_milli


def drawn_for_research(secret: bytes, verdict: Verdict, policy: Policy) -> bool:
    """The source video of this one is asked for; drawn likewise."""
    digest = hmac.new(secret, f"source {verdict.session}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < policy.extras.source_milli


def _left(verdict: Verdict, extras: Extras) -> list[int]:
    """What each budget of the day leaves to this session."""
    found = []
    if extras.wallet_day:
        found.append(extras.wallet_day - _perhaps(verdict, "wallet_today"))
    if extras.all_day:
        found.append(extras.all_day - _perhaps(verdict, "all_today"))
    if extras.newcomers_day and _perhaps(verdict, "wallet_sessions") < extras.newcomer_sessions:
        found.append(extras.newcomers_day - _perhaps(verdict, "new_today"))
    return found


def _perhaps(verdict: Verdict, name: str, default: int = 0) -> int:
    """A count that verdicts of older layouts lack."""
    return _count(verdict, name) if name in verdict.measures else default


def _count(verdict: Verdict, name: str) -> int:
    value = verdict.measures.get(name)
    if type(value) is not int or value < 0:
        raise VerdictInvalid(verdict.session, f"measure {name} is {value!r}, not a count")
    return value


def _word(verdict: Verdict, name: str) -> str:
    value = verdict.measures.get(name)
    if not isinstance(value, str):
        raise VerdictInvalid(verdict.session, f"measure {name} is {value!r}, not a word")
    return value
