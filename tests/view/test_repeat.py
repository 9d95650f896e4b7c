"""Sixty frames of a drive have the same bytes each time they are drawn: again, and elsewhere."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from game.atlas.load import load
from game.session.format import CaptureProfile
from game.view.renderer import SceneRenderer
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState
from tests.bench.tour import tour
from tests.view.boxes import box_city

pytestmark = [pytest.mark.render, pytest.mark.heavy]
FRAMES, SIDE = 60, 200
CHANNELS = ("colour", "class", "instance", "depth", "normal")
_CHILD = """
from tests.view.test_repeat import drive, hashes
from game.atlas.load import load
print(*hashes(load(), drive(load())))
"""


def drive(city: City) -> list[WorldState]:
    """A drive with company, at night in the rain: everything that blends is there."""
    found = []
    for state in tour(city, FRAMES, "W 46 St & 7 Av", "W 52 St & 8 Av"):
        ego = state.ego
        others = tuple(
            ego._replace(id=i, body=body, x=ego.x + 4.0 * i, y=ego.y + 2.0 * i)
            for i, body in enumerate(("taxi", "bus", "pedestrian", "bicycle"), 1)
        )
        found.append(WorldState(state.tick, 1, ego, others))
    return found


def hashes(city: City, states: list[WorldState]) -> list[str]:
    """SHA-256 of all planes of each frame, from a renderer of its own."""
    renderer = SceneRenderer(city, CaptureProfile(hour=21.0, weather="rain"))
    try:
        found = []
        for state in states:
            drawn = renderer.render(state, CHANNELS, SIDE, SIDE)
            planes = b"".join(np.ascontiguousarray(drawn[name]).tobytes() for name in CHANNELS)
            found.append(hashlib.sha256(planes).hexdigest())
        return found
    finally:
        renderer.close()


def test_sixty_frames_drawn_again_in_another_process_have_the_same_hashes() -> None:
    city = load()
    states = drive(city)
    first = hashes(city, states)
    assert len(set(first)) == FRAMES
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == first


def test_other_renderers_opened_and_closed_meanwhile_change_nothing() -> None:
    city = box_city()
    state = WorldState(30, 1, EntityState(0, "sedan", -70.0, -5.0, 0.0, 4.0))
    one = SceneRenderer(city, CaptureProfile())
    first = one.render(state, CHANNELS, SIDE, SIDE)
    for hour, weather in ((22.0, "rain"), (9.0, "fog"), (18.0, "clear")) * 2:
        other = SceneRenderer(city, CaptureProfile(hour=hour, weather=weather))
        other.render(state, ["colour", "class"], SIDE, SIDE)
        other.close()
        again = one.render(state, CHANNELS, SIDE, SIDE)
        assert all(np.array_equal(first[name], again[name]) for name in CHANNELS)
    one.close()
