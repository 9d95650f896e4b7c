"""What an accepted session is worth: a versioned data file and one pure function of the verdict.

Owns the formula. Knows no clock, no ledger and no other session: what it needs is in the verdict.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
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
class Policy:
    """One version of the rules. `clusters`: chains on which its payouts may be sent at all."""

    name: str
    version: int
    dated: str
    clusters: tuple[str, ...]
    drivers: tuple[str, ...]
    backends: tuple[str, ...]
    skips: tuple[str, ...]
    notes: tuple[str, ...]
    rates: Rates

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
    _exactly(data, wanted, origin, "")
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
        **lists,
    )


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

    amount = min(cap, pairs x rate x difficulty x quality x outcome x collisions), shares in 1/1000.
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
    return min(product, rates.cap_per_session * divisor) // divisor


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
