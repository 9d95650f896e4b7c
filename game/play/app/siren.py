"""Sirens as they reach the driver's ear: how loud, how shifted in pitch, from which side.

Pure, from states alone and for the ears alone: no car makes room for a siren, none is recorded.
A siren sounds while its car moves; the driver's own one also where it is switched on.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from game.world.entity import EntityState
from game.world.state import WorldState

SIRENS: Mapping[str, str] = {"ambulance": "wail", "police": "yelp", "fire_engine": "growl"}
"""Which sound a body's siren makes; bodies that are not named have none."""
REACH = 180.0
"""A siren is heard so far [m]."""
SOUND = 343.0
"""Speed of sound in air of 20 degrees Celsius [m/s]."""
_LOUD, _OWN = 0.7, 0.4  # beside it, and from one's own cabin
_NEAR = 30.0  # so far away it is half as loud [m]
_MOVES = 0.5  # faster than this a car moves [m/s]


@dataclass(frozen=True, slots=True)
class Wail:
    """One sound of `synth`: loudness 0 to 1, play rate, and its side, -1 left to 1 right."""

    sound: str
    loud: float
    rate: float = 1.0
    side: float = 0.0


def has_siren(body: str) -> bool:
    """Whether a car of this body has one."""
    return body in SIRENS


def wails(state: WorldState, own: bool) -> tuple[Wail, ...]:
    """What is heard of sirens: of each sound the loudest. own: the driver's is switched on."""
    ego = state.ego
    found: dict[str, Wail] = {}
    if own and ego.body in SIRENS:
        found[SIRENS[ego.body]] = Wail(SIRENS[ego.body], _OWN)
    for actor in state.actors:
        if actor.body not in SIRENS or abs(actor.speed) <= _MOVES:
            continue
        wail = heard(ego, actor)
        if wail.loud > found.get(wail.sound, Wail("", 0.0)).loud:
            found[wail.sound] = wail
    return tuple(found[sound] for sound in sorted(found))


def heard(ear: EntityState, source: EntityState) -> Wail:
    """A siren at `source` as it is heard at `ear`. The pitch is Doppler's, of both movements:
    (c + ear towards source) / (c - source towards ear)."""
    dx, dy = source.x - ear.x, source.y - ear.y
    far = math.hypot(dx, dy)
    loud = _LOUD * _NEAR / (_NEAR + far) * max(0.0, 1.0 - far / REACH)
    if far < 1.0:
        return Wail(SIRENS[source.body], loud)
    there = math.atan2(dy, dx)
    towards = ear.speed * math.cos(ear.heading - there)
    nearer = -source.speed * math.cos(source.heading - there)
    rate = (SOUND + towards) / (SOUND - nearer)
    return Wail(SIRENS[source.body], loud, rate, -math.sin(there - ear.heading))
