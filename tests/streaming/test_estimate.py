"""Pairs of a server that hides its delay: right while things move, unsure where they do not."""

import dataclasses

import numpy as np
import pytest

from streaming.estimate import Estimator, edges
from streaming.foreign import Foreign
from streaming.frames import Frame
from tests.streaming.hidden import Driven, drive, guesses

SIDE = 195


@pytest.fixture(scope="module")
def moving() -> Driven:
    return drive("highway-cut-in", 110, SIDE)


@pytest.mark.render
@pytest.mark.heavy
@pytest.mark.parametrize("look", ["noir", "foreign"])
def test_at_motion_a_pair_is_at_most_one_frame_off(moving: Driven, look: str) -> None:
    found = [guess for guess in guesses(moving, look) if guess.speed > 1.0]
    assert len(found) > 50
    assert np.mean([guess.error <= 1 for guess in found]) >= 0.95


@pytest.mark.render
@pytest.mark.heavy
def test_a_jump_of_the_delay_is_followed(moving: Driven) -> None:
    found = guesses(moving, "neon", jump=(1.5, 0.25), settle_s=2.4)
    assert np.mean([guess.error <= 1 for guess in found]) >= 0.95


@pytest.mark.render
@pytest.mark.heavy
def test_where_nothing_moves_it_does_not_claim_to_know(moving: Driven) -> None:
    still = dataclasses.replace(moving, pictures=[moving.pictures[0]] * len(moving.pictures))
    found = guesses(still, "neon")
    assert max(guess.confidence for guess in found) < 0.5


def noise(seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 255, (33, 33), np.uint8)
    return cells.repeat(4, 0).repeat(4, 1)


def test_edges_do_not_see_a_negative() -> None:
    picture = noise(1)
    assert np.allclose(edges(picture), edges(255 - picture), atol=0.02)


def test_a_picture_before_any_was_sent_has_no_pair() -> None:
    assert Estimator().returned(1.0, noise(1)) is None


def test_frames_that_were_not_looked_at_are_paired_by_the_delay_and_say_so() -> None:
    import av

    class Decoded:
        """As much of a decoded frame as is looked at."""

        width = height = 132

        def __init__(self, pts: int, luma: np.ndarray) -> None:
            frame = av.VideoFrame(132, 132, "yuv420p")
            rows = np.zeros((132, frame.planes[0].line_size), np.uint8)
            rows[:, :132] = luma
            frame.planes[0].update(rows.tobytes())
            self.planes, self.pts = frame.planes, pts

    foreign, done = Foreign(30), []
    for i in range(40):
        now = i * 33_333_333
        picture = np.dstack([noise(i)] * 4)
        foreign.sent(Frame(2 * i, picture, now), now)
        if i >= 6:
            foreign.encoded(i, b"x", "vp8", now)
            if i % 2 == 0:
                done += foreign.decoded(Decoded(i, noise(i - 6)), now)[1]
    late = done[20:]
    assert {match.tick - 2 * (held.timestamp - 6) for held, match in late} == {0}
    looked = [match.confidence for held, match in late if held.timestamp % 2 == 0]
    passed = [match.confidence for held, match in late if held.timestamp % 2 == 1]
    assert min(looked) > 0.9
    assert max(passed) <= 0.5
