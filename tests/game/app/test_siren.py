"""Sirens: who has one, how loud, how high, from where; and that they change nothing but what is
heard."""

from dataclasses import replace

import numpy as np
import pytest

from game.play.app.ears import Ears
from game.play.app.feel import Heard
from game.play.app.preference import AppSettings
from game.play.app.siren import REACH, SIRENS, SOUND, Wail, wails
from game.view.keys import Deed, Mapper, RawInput
from game.view.synth import RATE, SOUNDS
from game.world.entity import BODIES, EntityState
from game.world.state import WorldState

EAST, NORTH = 0.0, np.pi / 2


def world(body: str = "sedan", speed: float = 0.0, *actors: EntityState) -> WorldState:
    return WorldState(0, 1, EntityState(0, body, 0.0, 0.0, EAST, speed), actors)


def ambulance(x: float, y: float = 0.0, heading: float = EAST, speed: float = 10.0) -> EntityState:
    return EntityState(7, "ambulance", x, y, heading, speed)


def only(state: WorldState) -> Wail:
    (wail,) = wails(state, own=True)
    return wail


def test_every_siren_is_a_body_and_a_sound() -> None:
    assert set(SIRENS) <= set(BODIES)
    assert set(SIRENS.values()) <= set(SOUNDS)


def test_a_siren_fades_with_distance_and_a_parked_car_is_silent() -> None:
    loud = [only(world("sedan", 0.0, ambulance(far))).loud for far in (5.0, 50.0, 100.0, 179.0)]
    assert loud == sorted(loud, reverse=True)
    assert loud[-1] > 0.0
    assert wails(world("sedan", 0.0, ambulance(REACH + 1.0)), own=True) == ()
    assert wails(world("sedan", 0.0, ambulance(5.0, speed=0.0)), own=True) == ()
    assert wails(world("sedan", 0.0, EntityState(7, "bus", 5.0, 0.0, EAST, 9.0)), own=True) == ()


@pytest.mark.parametrize(
    ("ear", "source", "rate"),
    [
        (0.0, ambulance(50.0, speed=20.0), SOUND / (SOUND + 20.0)),  # it drives away
        (0.0, ambulance(-50.0, speed=20.0), SOUND / (SOUND - 20.0)),  # it comes from behind
        (15.0, ambulance(50.0, speed=1.0), (SOUND + 15.0) / (SOUND + 1.0)),  # one catches up
        (20.0, ambulance(50.0, speed=20.0), 1.0),  # both alike
        (0.0, ambulance(0.0, 50.0, EAST, 20.0), 1.0),  # it passes
    ],
)
def test_the_pitch_is_doppler_s(ear: float, source: EntityState, rate: float) -> None:
    assert only(world("sedan", ear, source)).rate == pytest.approx(rate)


def test_a_siren_comes_from_its_side() -> None:
    assert only(world("sedan", 0.0, ambulance(0.0, -40.0, NORTH))).side == pytest.approx(1.0)
    assert only(world("sedan", 0.0, ambulance(0.0, 40.0, NORTH))).side == pytest.approx(-1.0)
    assert only(world("sedan", 0.0, ambulance(40.0))).side == pytest.approx(0.0)


def test_the_driver_s_own_siren_is_switched_and_the_nearer_of_two_is_heard() -> None:
    own = world("ambulance")
    assert [wail.sound for wail in wails(own, own=True)] == ["wail"]
    assert wails(own, own=False) == ()
    near, far = ambulance(-20.0), ambulance(90.0)
    state = world("sedan", 0.0, far, near)
    assert only(state) == only(world("sedan", 0.0, near))
    both = replace(state, actors=(far, EntityState(8, "fire_engine", 9.0, 9.0, EAST, 5.0)))
    assert {wail.sound for wail in wails(both, own=True)} == {"wail", "growl"}


def test_the_key_of_the_siren_is_a_command_and_no_part_of_the_controls() -> None:
    mapper, silent = Mapper(), Mapper()
    mapper.feed([RawInput(0, "key", "n", 1.0)])
    assert mapper.commands() == (Deed.SIREN.value,)
    assert mapper.controls(0) == silent.controls(0)


class Voice:
    """Stands for the speaker; remembers how loud each sound is."""

    def __init__(self) -> None:
        self.now: dict[str, float] = {}

    def set(self, name: str, volume: float, rate: float = 1.0, side: float = 0.0) -> None:
        self.now[name] = volume

    def hit(self, volume: float, name: str = "impact") -> None:
        pass

    def step(self) -> None:
        pass


def test_switched_off_means_silent_at_once_and_the_volume_counts(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice, settings = Voice(), AppSettings(volume=50)
    monkeypatch.setattr(Ears, "voice", voice)
    ears = Ears(tmp_path, lambda: settings)  # type: ignore[arg-type]
    ears.drive(world("ambulance"), Heard())
    assert voice.now["wail"] == pytest.approx(0.2)
    assert "siren on (N)" in ears.chip("n").text
    ears.siren = False
    ears.drive(world("ambulance"), Heard())
    assert voice.now["wail"] == 0.0
    assert "siren off (N)" in ears.chip("n").text


@pytest.mark.parametrize(("name", "low", "high"), [("wail", 600, 1400), ("yelp", 650, 1500),
                                                    ("growl", 350, 1150)])  # fmt: skip
def test_a_siren_sweeps_between_its_pitches(name: str, low: float, high: float) -> None:
    sound = SOUNDS[name]()
    rising = np.flatnonzero((sound[:-1] < 0.0) & (sound[1:] >= 0.0))
    apart = RATE / np.diff(rising)
    assert np.percentile(apart, 2) == pytest.approx(low, rel=0.08)
    assert np.percentile(apart, 98) == pytest.approx(high, rel=0.08)
