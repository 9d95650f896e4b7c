"""The state is a value, the inputs are the session, and every bit of both is in the digest."""

import itertools
from dataclasses import replace

import pytest

from game.world import digest
from game.world.city import City
from game.world.controls import Controls
from game.world.digest import checkpoint, pack_state, unpack_state
from game.world.entity import EntityState
from game.world.golden import COURSES, cast, crash, drive, town, weave
from game.world.state import Contact, WorldState
from game.world.step import begin, step
from game.world.trig import HALF_PI
from game.world.version import DIGEST_TICKS

from .street import OPEN, car, part, run, start

TICKS = 600


def opening(city: City | None = None, seed: int = 1, scenario: str = "golden") -> WorldState:
    ego = EntityState(0, "sedan", 0.0, 2.0, HALF_PI, 6.0)
    return begin(city or town(), cast(), ego, seed, scenario)


def test_the_same_inputs_give_the_same_states() -> None:
    for course in COURSES.values():
        assert list(drive(course, 200)) == list(drive(course, 200))


@pytest.mark.parametrize("tick", [0, 1, 59, 60, 61, 300, 449])
def test_a_drive_resumes_from_the_bytes_of_any_tick(tick: int) -> None:
    states = list(drive(crash, TICKS))
    state = unpack_state(pack_state(states[tick]), cast())
    assert state == states[tick]
    city = town()  # another one: nothing but its contents may matter
    for t in range(tick, TICKS):
        state = step(city, state, crash(t))
    assert state == states[TICKS]
    assert checkpoint(state) == checkpoint(states[TICKS])


def test_stepping_leaves_the_state_as_it_was() -> None:
    state = opening()
    before = pack_state(state)
    step(town(), state, weave(0))
    assert pack_state(state) == before


@pytest.mark.parametrize("tick", [0, 58, 59, 60, 599])
def test_one_changed_input_changes_every_later_digest(tick: int) -> None:
    city, state = town(), opening()
    for t in range(TICKS):
        controls = weave(t)
        if t == tick:
            controls = replace(controls, look_yaw=controls.look_yaw ^ 1)  # moves nothing at all
        state = step(city, state, controls)
    honest = list(drive(weave, TICKS))[-1]
    assert state.ego == honest.ego
    assert state.inputs != honest.inputs
    assert state.digest != honest.digest


def test_digests_chain_once_a_second() -> None:
    states = list(drive(weave, 200))
    changes = [b.tick for a, b in itertools.pairwise(states) if a.digest != b.digest]
    assert changes == [DIGEST_TICKS, 2 * DIGEST_TICKS, 3 * DIGEST_TICKS]


def test_a_checkpoint_of_a_chained_tick_is_the_digest_it_carries() -> None:
    states = list(drive(weave, 61))
    assert checkpoint(states[60]).digest == states[60].digest
    assert checkpoint(states[61]).digest not in (states[60].digest, checkpoint(states[60]).digest)


def test_the_first_digest_names_pack_seed_scenario_cast_and_ego() -> None:
    plain = opening()
    other_pack = replace(town(), digest="11" * 32)
    faster = replace(cast()[0], profile=((0, 9.0), (240, 3.0 + 1e-15)))
    ego = EntityState(0, "sedan", 0.0, 2.0, HALF_PI, 6.0)
    others = [
        opening(seed=2),
        opening(other_pack),
        opening(scenario="silver"),
        begin(town(), (faster, *cast()[1:]), ego, 1, "golden"),
        begin(town(), cast(), ego._replace(speed=6.000000000000001), 1, "golden"),
    ]
    assert len({s.digest for s in [plain, *others]}) == 1 + len(others)


def test_the_first_digest_names_the_world_version(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = opening().digest
    monkeypatch.setattr(digest, "WORLD_VERSION", 999)
    assert opening().digest != plain


@pytest.mark.parametrize(
    "change",
    [
        {"collisions": 7},
        {"visited": (4,)},
        {"contacts": (Contact(-3, 5, 1.0),)},
        {"progress": ((1, 1e-300),)},
        {"actors": ()},
        {"ego": car(x=5e-324)},
        {"seed": 2},
    ],
)
def test_every_field_of_a_state_is_in_its_digest(change: dict[str, object]) -> None:
    state = start(part(1), ego=car())
    assert digest.seal(replace(state, **change)) != digest.seal(state)


def test_controls_consumed_are_in_the_state() -> None:
    controls = Controls(steer=3, throttle=5, look_yaw=-12, camera=1)
    assert run(start(), 1, controls)[-1].controls == controls


@pytest.mark.parametrize(
    "wrong",
    [
        Controls(steer=1001),
        Controls(throttle=-1),
        Controls(brake=1001),
        Controls(gear=2),
        Controls(flags=4),
        Controls(look_yaw=1801),
        Controls(look_pitch=-601),
        Controls(camera=2),
    ],
)
def test_controls_out_of_range_are_refused(wrong: Controls) -> None:
    with pytest.raises(ValueError, match="out of range"):
        step(OPEN, start(), wrong)


def test_controls_that_are_no_integers_are_refused() -> None:
    with pytest.raises(ValueError, match="integers"):
        step(OPEN, start(), Controls(throttle=0.5))  # type: ignore[arg-type]


def test_bytes_that_are_no_state_are_refused() -> None:
    data = pack_state(start(part(1)))
    for wrong in (b"", data[:-1], data + b"\0", data[:50]):
        with pytest.raises(ValueError, match="takes"):
            unpack_state(wrong, ())


def test_a_body_of_a_later_build_is_refused() -> None:
    data = bytearray(pack_state(start()))
    at = len(data) - digest._ENTITY.size + 4
    data[at : at + 2] = b"\xff\xff"
    with pytest.raises(ValueError, match="unknown"):
        unpack_state(bytes(data), ())


@pytest.mark.parametrize(
    ("ego", "seed", "words"),
    [
        (EntityState(1, "sedan", 0.0, 0.0, 0.0, 0.0), 1, "ego needs"),
        (EntityState(0, "pedestrian", 0.0, 0.0, 0.0, 0.0), 1, "ego needs"),
        (EntityState(0, "sedan", 0.0, 0.0, 0.0, 0.0), -1, "seed"),
        (EntityState(0, "sedan", 0.0, 0.0, 0.0, 0.0), 1 << 64, "seed"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(ego: EntityState, seed: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        begin(OPEN, (), ego, seed, "")
