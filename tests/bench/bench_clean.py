"""What the checks make of single frames of the embedded network, at every size that it runs at.

Twelve places by six styles, three neighbouring frames each, no codec: clean; a taxi ahead that the
painter was not shown; and one that it was shown and the geometry does not have.
BENCH_MODEL names another folder of graphs than the bundled one.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from math import cos, sin
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from game.atlas.load import load
from game.dataset.dream import bgra
from game.dataset.pairs.places import clips, plan
from game.session.format import CaptureProfile
from game.view.labels import entity_instance
from game.view.renderer import SceneRenderer
from game.world.entity import EntityState
from game.world.state import WorldState
from rewards.checks import thresholds
from rewards.checks.structure import SKY, agree
from rewards.checks.things import Things, things
from streaming.backends.tiny import Choice, Tiny
from streaming.backends.tiny_files import SIZES, read_card

VIEWS, SIDE, SEED = 12, 480, 77
_TAXI, _AHEAD, _ASIDE, _LEAST = 9_000, 4.0, 3.2, 4_500
Plane = NDArray[Any]
Drawn = tuple[Plane, Plane, Plane]
View = tuple[list[Drawn], list[Drawn]]


def views() -> list[View]:
    """Of each place, three frames as they are, and with a taxi ahead: colour, class, instance."""
    city = load()
    renderer = SceneRenderer(city, CaptureProfile())
    found: list[View] = []
    for planned in plan(city, SEED, 4 * VIEWS):
        if len(found) == VIEWS:
            break
        clip = next(clips(city, replace(planned, hood=False), 1, 3), None)
        if clip is None:
            continue
        own = [_drawn(renderer, state) for state in clip.states]
        for aside in (_ASIDE, -_ASIDE):
            put = [_drawn(renderer, _with_taxi(state, aside)) for state in clip.states]
            if int((put[-1][2] == entity_instance(_TAXI)).sum()) >= _LEAST:
                found.append((own, put))
                break
    renderer.close()
    return found


def _drawn(renderer: SceneRenderer, state: WorldState) -> Drawn:
    made = renderer.render(state, ("colour", "class", "instance"), SIDE, SIDE)
    return np.array(made["colour"]), np.array(made["class"]), np.array(made["instance"])


def _with_taxi(state: WorldState, aside: float) -> WorldState:
    """A taxi half a length ahead of the ego, so far to its right [m]."""
    ego = state.ego
    c, s = cos(ego.heading), sin(ego.heading)
    x, y = ego.x + _AHEAD * c + aside * s, ego.y + _AHEAD * s - aside * c
    taxi = EntityState(_TAXI, "taxi", x, y, ego.heading, ego.speed)
    return replace(state, actors=(*state.actors, taxi))


def _painted(tiny: Tiny, style: str, frames: list[Drawn]) -> Plane:
    """The last of the frames as a stream would have painted it, RGB."""
    painter = tiny.painter()
    for colour, _, _ in frames:
        shown = painter.style(bgra(colour), "", 0, style)
    return np.ascontiguousarray(shown[..., 2::-1])


def judged(styled: Plane, drawn: Drawn) -> tuple[list[str], Things]:
    """Which limits a single frame exceeds, by name; and what was seen of things."""
    colour, classes, instances = drawn
    limits = thresholds.STRUCTURE["tiny"]
    edges = agree(colour, styled, classes == SKY)
    seen = things(colour, styled, classes, instances)
    asked = {
        "recall": edges.recall >= limits.recall,
        "precision": edges.precision >= limits.precision,
        "tiles": edges.bad <= limits.bad_tiles,
        "vehicle": seen.vehicle >= thresholds.VEHICLE["tiny"],
        "stranger": seen.stranger <= thresholds.STRANGER["tiny"],
        "small": seen.small <= thresholds.STRANGER_SMALL["tiny"],
    }
    return [name for name, kept in asked.items() if not kept], seen


def _row(name: str, value: float, of: int) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": f"of {of}", "ratio": value / of}


def _of_size(tiny: Tiny, found: list[View], size: int) -> Iterator[dict[str, Any]]:
    tiny.choice = Choice(size, 1)
    clean = missed = noticed = 0
    for number, (own, put) in enumerate(found):
        for style in tiny.card.styles:
            plain, with_taxi = _painted(tiny, style, own), _painted(tiny, style, put)
            odd, seen = judged(plain, own[-1])
            clean += not odd
            if odd:
                sys.stderr.write(f"{size} px, view {number}, {style}: {', '.join(odd)} {seen}\n")
            missed += "vehicle" in judged(plain, put[-1])[0]
            noticed += bool({"stranger", "small"} & set(judged(with_taxi, own[-1])[0]))
    count = len(found) * len(tiny.card.styles)
    title = f"tiny at {size} px, single frames"
    yield _row(f"{title}: clean, within every limit", clean, count)
    yield _row(f"{title}: a taxi taken out, missed", missed, count)
    yield _row(f"{title}: a taxi put in, noticed", noticed, count)


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    named = os.environ.get("BENCH_MODEL")
    tiny = Tiny(read_card(Path(named) if named else None), budget_ms=1e9)
    found = views()
    return [row for size in sorted(SIZES) for row in _of_size(tiny, found, size)]
