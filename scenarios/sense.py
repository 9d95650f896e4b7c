"""What types alone cannot refuse: names used twice, triggers that wait for nothing, wrong bodies.

Pure: a scenario in, (location, what is wrong) pairs out.
"""

import difflib
from collections.abc import Iterable, Iterator

from game.world.entity import BODIES, Kind
from scenarios.goals import Stop, SurviveDuration, TimeOut
from scenarios.model import MAX_ACTORS, Actor, Member, Scenario, Start

Location = tuple[str | int, ...]
Mistake = tuple[Location, str]


def contradictions(scenario: Scenario) -> Iterator[Mistake]:
    """Every mistake in a scenario that is well-formed by itself."""
    yield from _names(scenario)
    yield from _triggers(scenario)
    yield from _ego(scenario)
    for at, member in _members(scenario):
        yield from _body(at, member)
        yield from _profile(at, member)
    if scenario.entities > MAX_ACTORS:
        yield ("waves",), f"{scenario.entities} entities; at most {MAX_ACTORS} are possible"
    known = sorted(member.id for _, member in _members(scenario))
    for i, name in enumerate(scenario.hazards):
        if name not in known:
            yield ("hazards", i), f"no actor '{name}'{_meant(name, known)}"
    for i, condition in enumerate(scenario.success):
        if isinstance(condition, SurviveDuration) and condition.seconds > scenario.duration_s:
            yield (
                ("success", i, "seconds"),
                f"{condition.seconds:g} s can never pass within duration_s {scenario.duration_s:g}",
            )
    yield from _stops(scenario)
    for i, failure in enumerate(scenario.failure):
        if isinstance(failure, TimeOut) and failure.seconds > scenario.duration_s:
            yield (
                ("failure", i, "seconds"),
                f"later than duration_s {scenario.duration_s:g}, which ends the drive anyway",
            )


def _stops(scenario: Scenario) -> Iterator[Mistake]:
    """Deadlines that can never hold: behind the time limit, or before an earlier stop's."""
    last = 0.0
    for i, wanted in enumerate(scenario.success):
        if not isinstance(wanted, Stop) or wanted.by_s is None:
            continue
        at = ("success", i, "by_s")
        if wanted.by_s > scenario.duration_s:
            yield at, f"later than duration_s {scenario.duration_s:g}, which ends the drive anyway"
        if wanted.by_s < last + wanted.stand_s:
            yield at, f"stops come in their order, and one before it has until {last:g} s"
        last = wanted.by_s


def _members(scenario: Scenario) -> Iterator[tuple[Location, Member]]:
    for i, actor in enumerate(scenario.actors):
        yield ("actors", i), actor
    for w, wave in enumerate(scenario.waves):
        for i, member in enumerate(wave.actors):
            yield ("waves", w, "actors", i), member


def _names(scenario: Scenario) -> Iterator[Mistake]:
    seen: set[str] = {"ego"}
    named = [(at, member.id) for at, member in _members(scenario)]
    named += [(("waves", w), wave.id) for w, wave in enumerate(scenario.waves)]
    for at, name in named:
        if name in seen:
            yield (*at, "id"), f"'{name}' is already the name of another actor or wave"
        seen.add(name)


def _triggers(scenario: Scenario) -> Iterator[Mistake]:
    starts: list[tuple[Location, str, Start]] = [
        ((*at, "trigger"), actor.id, actor.trigger)
        for at, actor in _members(scenario)
        if isinstance(actor, Actor)
    ]
    starts += [(("waves", w, "trigger"), v.id, v.trigger) for w, v in enumerate(scenario.waves)]
    waits_for = {name: start.after for _, name, start in starts if start.after is not None}
    wave_of = {member.id: wave.id for wave in scenario.waves for member in wave.actors}
    known = {member.id for _, member in _members(scenario)} | {v.id for v in scenario.waves}
    actors = {actor.id for actor in scenario.actors}
    for at, name, start in starts:
        if start.after is not None and start.after not in known:
            yield (*at, "after"), f"no actor or wave '{start.after}'{_meant(start.after, known)}"
        beside = start.near.of if start.near is not None else None
        if beside is not None and beside not in wave_of and beside not in actors:
            yield (*at, "near", "of"), f"no actor '{beside}'{_meant(beside, known)}"
        if (
            start.after is not None
            and start.after in known
            and _waits_for_itself(name, waits_for, wave_of)
        ):
            yield (*at, "after"), f"'{name}' waits for itself and would never set off"


def _meant(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.0)
    return f"; did you mean '{near[0]}'?" if near else ""


def _waits_for_itself(name: str, waits_for: dict[str, str], wave_of: dict[str, str]) -> bool:
    current = waits_for.get(name)
    for _ in range(len(waits_for) + 1):
        if current is None:
            return False
        current = wave_of.get(current, current)
        if current == name:
            return True
        current = waits_for.get(current)
    return False


def _ego(scenario: Scenario) -> Iterator[Mistake]:
    yield from _known_body(("ego",), scenario.ego.body, "vehicle")


def _body(at: Location, member: Member) -> Iterator[Mistake]:
    for body in member.bodies:
        yield from _known_body(at, body, member.kind)


def _known_body(at: Location, body: str, kind: str) -> Iterator[Mistake]:
    fitting = sorted(name for name, b in BODIES.items() if b.kind == Kind[kind.upper()])
    if body not in fitting:
        yield (*at, "body"), f"no {kind} has the body '{body}'; there are: {', '.join(fitting)}"


def _profile(at: Location, member: Member) -> Iterator[Mistake]:
    moves = any(knot.speed.max > 0.0 for knot in member.speed)
    if moves == (member.stands is not None):
        what = "what stands has no speed" if moves else "it never moves; give it a speed, or stands"
        yield (*at, "speed"), what
    last = -1.0
    for i, knot in enumerate(member.speed):
        earliest, latest = knot.span
        if i == 0 and latest != 0.0:
            yield (*at, "speed", i, "at_s"), "the first knot must be at 0 s"
        if earliest <= last:
            yield (*at, "speed", i, "at_s"), "knots must come in the order of their times"
        last = latest
