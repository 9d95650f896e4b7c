"""What is heard and felt, state by state, and the sounds themselves."""

import io
import wave
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from game.play.app.feel import Feel, Heard
from game.play.app.rumble import Rumble
from game.view.synth import ENGINE_HZ, RATE, SOUNDS, engine, wav
from game.world.controls import HORN, Controls
from game.world.entity import EntityState
from game.world.state import Contact, WorldState


def at(tick: int, speed: float, heading: float = 0.0, **more: object) -> WorldState:
    ego = EntityState(0, "sedan", 0.0, 0.0, heading, speed)
    return replace(WorldState(tick=tick, seed=1, ego=ego), **more)  # type: ignore[arg-type]


def test_the_engine_turns_faster_within_a_gear_and_drops_when_it_changes_up() -> None:
    feel, rates = Feel(), []
    for number in range(60):
        heard, _ = feel.step(at(2 * number, number * 0.15))
        rates.append(heard.rate)
    change = next(n for n in range(2, 60) if rates[n] < rates[n - 1] - 0.2)
    assert change * 0.15 == pytest.approx(6.0, abs=0.2)
    assert all(a <= b for a, b in pairwise(rates[2:change]))


def test_the_horn_is_heard_while_it_is_pressed() -> None:
    feel = Feel()
    feel.step(at(0, 0.0))
    assert feel.step(at(2, 0.0, controls=Controls(flags=HORN)))[0].horn > 0.0
    assert feel.step(at(4, 0.0))[0].horn == 0.0


def test_a_collision_is_felt_once_and_dies_away() -> None:
    feel = Feel()
    feel.step(at(10, 8.0))
    contact = (Contact(3, 12, 8.0),)
    heard, _ = feel.step(at(12, 8.0, contacts=contact))
    assert heard.blow > 0.7
    assert feel.step(at(14, 8.0, contacts=contact))[0].blow == 0.0
    turns = [abs(feel.step(at(16 + 2 * n, 8.0, contacts=contact))[1].turn) for n in range(60)]
    assert max(turns[:8]) > 0.15
    assert max(turns[40:]) < 0.02


def test_weight_moves_back_under_power_and_forward_under_the_brakes() -> None:
    def settled(push: float) -> float:
        feel, moved = Feel(), 0.0
        for n in range(120):
            moved = feel.step(at(2 * n, max(0.0, 10.0 + push * n / 30.0)))[1].y
            if 10.0 + push * n / 30.0 <= 3.0:
                break
        return moved

    assert settled(2.0) < -0.001
    assert settled(-4.0) > 0.002


def test_a_pause_or_a_jump_in_time_is_no_blow() -> None:
    feel = Feel()
    feel.step(at(0, 20.0))
    heard, sway = feel.step(at(600, 0.0))
    assert (heard.tyres, heard.blow, sway.x, sway.turn) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_are_loud_enough_never_too_loud_and_loop_without_a_click(name: str) -> None:
    sound = SOUNDS[name]()
    assert 0.5 < float(np.abs(sound).max()) <= 0.95
    if name != "impact":
        steps = np.abs(np.diff(sound))
        assert abs(sound[0] - sound[-1]) <= steps.max() + 1e-9
    with wave.open(io.BytesIO(wav(sound))) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        assert file.getnframes() == len(sound)


def test_the_engine_s_strongest_tone_is_its_ignition() -> None:
    spectrum = np.abs(np.fft.rfft(engine()))
    hertz = np.fft.rfftfreq(RATE, 1.0 / RATE)
    assert hertz[int(spectrum.argmax())] == pytest.approx(ENGINE_HZ)


def test_a_pad_is_struck_in_a_collision_and_stands_still_in_a_break() -> None:
    told: list[tuple[float, float]] = []
    rumble = Rumble(lambda strong, weak: told.append((strong, weak)))
    for heard in (Heard(), Heard(blow=1.0), Heard(), Heard(tyres=0.8), *[Heard()] * 30):
        rumble.step(heard, True)
    assert told[0] == (1.0, 0.0)
    strong = [each for each, _ in told]
    assert strong == sorted(strong, reverse=True)
    assert any(weak > 0.2 for _, weak in told)
    assert told[-1] == (0.0, 0.0)
    rumble.step(Heard(blow=1.0), True)
    rumble.rest()
    assert told[-1] == (0.0, 0.0)
    count = len(told)
    rumble.step(Heard(blow=1.0), False)
    rumble.rest()
    assert len(told) == count
