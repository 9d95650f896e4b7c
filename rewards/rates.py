"""What a drive pays today and why: of each scenario, and of each street by what is new to us there.

Pure: a policy, a city and the cells that somebody has driven in, numbers and words out. The server
says it to everybody; a player without one works it out from the policy that comes along.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import atan2, hypot, pi
from typing import Any

from game.world.city import City, Point
from rewards.policy import Policy

PAIRS_PER_MINUTE = 1800
"""Thirty frames a second."""
CELL_M = 40.0
OCTANTS = 8
STEP_M = 20.0


@dataclass(frozen=True, slots=True)
class ScenarioRate:
    """per_minute, per_minute_new: base units at most, on known and on wholly new ground."""

    id: str
    difficulty_milli: int
    per_minute: int
    per_minute_new: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreetRate:
    """new_milli: share of its places and headings that nobody has driven. pays_milli: against a
    street that everybody knows, in 1/1000."""

    name: str
    new_milli: int
    pays_milli: int
    places: int


def scenario_rate(policy: Policy, scenario: str) -> ScenarioRate:
    """The rate of one scenario under a policy, for a drive of a person with attested frames."""
    rates, bonus = policy.rates, policy.extras.bonus_milli
    difficulty = policy.difficulty.get(scenario, 1000)
    plain = min(rates.cap_per_session,
                PAIRS_PER_MINUTE * rates.per_attested_pair * difficulty // 1000)  # fmt: skip
    fresh = min(rates.cap_per_session, plain * (1000 + bonus) // 1000)
    return ScenarioRate(scenario, difficulty, plain, fresh, _why(policy, scenario, difficulty))


def _why(policy: Policy, scenario: str, difficulty: int) -> tuple[str, ...]:
    rates, extras = policy.rates, policy.extras
    if rates.per_attested_pair == 0:
        return (f"the policy '{policy.name}' pays nothing",)
    said = [f"{rates.per_attested_pair} base units for each attested pair, 30 pairs a second"]
    if difficulty != 1000:
        said.append(f"difficulty x {difficulty / 1000:.2f}")
    if extras.bonus_milli:
        said.append(f"up to {extras.bonus_milli / 10:.0f} % more on new streets and headings")
    said.append(f"{rates.failed_milli / 10:.0f} % where it is not passed")
    said.append(f"{100 - rates.collision_milli / 10:.0f} % less for each of the first 3 collisions")
    if extras.address_milli < 1000:
        said.append(f"{extras.address_milli / 10:.0f} % while the wallet is not proved")
    return tuple(said)


def as_dict(policy: Policy, scenarios: Mapping[str, str]) -> dict[str, Any]:
    """Everything that does not hang on streets. scenarios: id -> title."""
    extras = policy.extras
    return {
        "v": 1,
        "policy": policy.name,
        "version": policy.version,
        "dated": policy.dated,
        "drivers": list(policy.drivers),
        "backends": list(policy.backends),
        "rates": asdict(policy.rates),
        "novelty_bonus_milli": extras.bonus_milli,
        "budget": {"wallet_day": extras.wallet_day, "newcomers_day": extras.newcomers_day,
                   "all_day": extras.all_day},
        "notes": list(policy.notes),
        "scenarios": [
            {"title": title, **asdict(scenario_rate(policy, name))}
            for name, title in sorted(scenarios.items())
        ],
    }  # fmt: skip


def cell_of(x: float, y: float, heading: float) -> str:
    """A square of 40 m and one of eight headings, named as the checks name it."""
    turn = 2.0 * pi / OCTANTS
    octant = int((heading + turn / 2.0) // turn) % OCTANTS
    return f"{int(x // CELL_M)}:{int(y // CELL_M)}:{octant}"


def cells_of_streets(city: City) -> dict[str, frozenset[str]]:
    """Street name -> the cells that one drives through on its lanes."""
    names = {street.id: street.name for street in city.streets}
    found: dict[str, set[str]] = {}
    for lane in city.lanes:
        name = names.get(lane.street, "")
        if name:
            found.setdefault(name, set()).update(_cells(lane.points))
    return {name: frozenset(cells) for name, cells in found.items() if cells}


def _cells(points: tuple[Point, ...]) -> set[str]:
    found: set[str] = set()
    for (ax, ay), (bx, by) in pairwise(points):
        run = hypot(bx - ax, by - ay)
        if run < 1.0e-6:
            continue
        heading = atan2(by - ay, bx - ax)
        for k in range(int(run / STEP_M) + 1):
            f = min(1.0, k * STEP_M / run)
            found.add(cell_of(ax + f * (bx - ax), ay + f * (by - ay), heading))
    return found


def street_rates(
    streets: Mapping[str, Collection[str]], driven: Collection[str], policy: Policy
) -> tuple[StreetRate, ...]:
    """Each street by name. driven: the cells that somebody was paid for."""
    out = []
    for name in sorted(streets):
        cells = streets[name]
        new = 1000 * sum(cell not in driven for cell in cells) // len(cells)
        pays = 1000 + policy.extras.bonus_milli * new // 1000
        out.append(StreetRate(name, new, pays, len(cells)))
    return tuple(out)
