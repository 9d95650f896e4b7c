"""What a run lost and where: each deduction with its place and tick, as the service or we find it.

Reads a recording and what the server said of it; computes no amount, only shares of one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from game.errors import SessionError
from game.play.app.menus import MOVE
from game.play.screen import why
from game.session.reader import Session
from game.view.screen.model import Button, Note, Row, Screen
from game.world.state import WorldState
from game.world.version import TICK_HZ
from rewards.policy import COUNTED_COLLISIONS, Policy
from scenarios.expect import Outcome
from scenarios.near import called

Address = Callable[[float, float], str]
PRIVATE = ("humanity", "near-duplicate")


@dataclass(frozen=True, slots=True)
class Loss:
    """cost: share of the pay that went, 0 to 1; 0: it cost a medal, or only time.

    by: 'server' where the verdict says it, 'here' where this program does.
    """

    tick: int
    x: float
    y: float
    place: str
    what: str
    cost: float
    by: str = "here"


def losses(
    folder: Path, rules: Policy, server: Mapping[str, Any], address: Address
) -> tuple[Loss, ...]:
    """The deductions of a recorded run, in the order of their ticks. Raises SessionError."""
    with Session.open(folder) as session:
        ticks = session.ticks()
        found = [*_collisions(session, ticks, rules), *_failure(session, ticks, rules)]
        verdict = server.get("verdict")
        if isinstance(verdict, Mapping):
            found += _verdict(verdict, ticks)
    placed = [replace(one, place=address(one.x, one.y)) for one in found]
    return tuple(sorted(placed, key=lambda one: (one.tick, one.by)))


def _at(ticks: Sequence[WorldState], tick: int) -> tuple[int, float, float]:
    """A tick that is recorded, and where the car was at it."""
    held = max(0, min(tick, len(ticks) - 1))
    ego = ticks[held].ego
    return held, ego.x, ego.y


def _collisions(session: Session, ticks: Sequence[WorldState], rules: Policy) -> list[Loss]:
    """Every contact; those after the third cost no more."""
    found, left = [], 1.0
    begun = [each for each in session.events("contact") if type(each.get("tick")) is int]
    for number, each in enumerate(begun):
        tick, x, y = _at(ticks, int(each["tick"]))
        cost = 0.0
        if number < COUNTED_COLLISIONS:
            after = left * rules.rates.collision_milli / 1000.0
            cost, left = left - after, after
        speed = each.get("speed")
        pace = f" at {abs(float(speed)) * 3600 / 1609.344:.0f} mph" if isinstance(
            speed, int | float) else ""  # fmt: skip
        what = f"hit {_struck(ticks[tick], each.get('other'))}{pace}"
        found.append(Loss(tick, x, y, "", what, cost))
    return found


def _struck(state: WorldState, other: Any) -> str:
    if type(other) is not int:
        return "something"
    if other < 0:
        return "a building"
    body = next((actor.body for actor in state.actors if actor.id == other), "something")
    return called(body) if body != "something" else body


def _failure(session: Session, ticks: Sequence[WorldState], rules: Policy) -> list[Loss]:
    """That the scenario was not passed, where it was lost."""
    end = session.end or {}
    outcome = end.get("outcome") or {}
    if outcome.get("success") is not False or not isinstance(outcome.get("reason"), str):
        return []
    tick, x, y = _at(ticks, int(outcome.get("tick") or 0))
    told = Outcome(False, str(outcome["reason"]), tick, 0, None, str(outcome.get("cause", "")))
    cost = 1.0 - rules.rates.failed_milli / 1000.0
    return [Loss(tick, x, y, "", f"not passed: {why(told)}", cost)]


def _verdict(verdict: Mapping[str, Any], ticks: Sequence[WorldState]) -> list[Loss]:
    """What the service's checks found wrong, and what it took off for the pictures."""
    found = []
    for each in verdict.get("findings") or ():
        if not isinstance(each, Mapping) or each.get("passed") is not False:
            continue
        said = int(each["tick"]) if type(each.get("tick")) is int else 0
        tick, x, y = _at(ticks, said)
        reason = str(each.get("reason") or each.get("check"))[:60]
        detail = "" if each.get("check") in PRIVATE else f": {str(each.get('detail', ''))[:120]}"
        found.append(Loss(tick, x, y, "", f"{reason}{detail}", 1.0, "server"))
    measures = verdict.get("measures")
    quality = measures.get("quality_milli") if isinstance(measures, Mapping) else None
    if verdict.get("decision") == "accepted" and type(quality) is int and 0 < quality < 1000:
        tick, x, y = _at(ticks, 0)
        what = f"pictures count for {quality / 10:.0f} %"
        found.append(Loss(tick, x, y, "", what, 1.0 - quality / 1000.0, "server"))
    return found


def of_session(
    folder: Path, rules: Policy, server: Mapping[str, Any], address: Address
) -> tuple[Loss, ...]:
    """The same, and nothing where the recording does not read."""
    try:
        return losses(folder, rules, server, address)
    except (SessionError, ValueError, IndexError):
        return ()


def screen(title: str, found: Sequence[Loss], judged: bool) -> Screen:
    """The list for a person."""
    rows: list[Row] = []
    for number, one in enumerate(found, start=1):
        cost = f"-{100 * one.cost:.0f} % of the pay" if one.cost else "no pay lost"
        when = f"{one.tick / TICK_HZ:.1f} s, tick {one.tick}"
        rows.append(Note(f"{number}  {one.what}", "bad" if one.cost else "warn", True))
        rows.append(Note(f"   {one.place or 'somewhere'}, {when}"))
        rows.append(Note(f"   {cost}, as {_by(one)}", "dim"))
    if not found:
        rows.append(Note("Nothing was lost in this run.", "good"))
    if not judged:
        rows.append(Note(""))
        rows.append(Note("The service has not judged it yet; this is what the program saw.", "dim"))
    rows += [Note(""), Button("map", "Show it on the map"), Button("back", "Back")]
    return Screen(f"Where it was lost: {title}", tuple(rows), foot=MOVE).at("back")


def _by(one: Loss) -> str:
    return "the service found" if one.by == "server" else "this program saw"
