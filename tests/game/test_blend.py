"""What is on the screen when the stream falters: the game at once, the dream when it is steady."""

import numpy as np

from game.play.blend import FADE_TICKS, OPACITY_STEPS, STALE_TICKS, Blend, mixed
from game.play.fault import fault
from streaming.errors import ServerUnreachable
from streaming.gauges import Gauges


def streamed(blend: Blend, first: int, last: int, every: int = 2) -> None:
    for tick in range(first, last + 1):
        if tick % every == 0:
            blend.came(tick)
        blend.share(tick)


def test_before_any_frame_the_game_is_shown() -> None:
    assert Blend().share(500) == 0.0


def test_the_first_frame_is_shown_as_it_comes() -> None:
    blend = Blend()
    blend.came(8)
    assert blend.share(8) == 1.0


def test_half_a_second_without_a_frame_shows_the_game_at_once() -> None:
    blend = Blend()
    streamed(blend, 0, 60)
    assert blend.share(60 + STALE_TICKS) == 1.0
    assert blend.share(60 + STALE_TICKS + 1) == 0.0
    assert blend.faulted


def test_one_late_frame_after_a_fault_does_not_flash() -> None:
    blend = Blend()
    streamed(blend, 0, 60)
    blend.share(120)
    blend.came(121)
    assert [blend.share(t) for t in range(121, 150)] == [0.0] * 29


def test_a_steady_stream_fades_in_without_a_jump() -> None:
    blend = Blend()
    streamed(blend, 0, 60)
    blend.share(120)
    shares = []
    for tick in range(121, 180):
        if tick % 2 == 0:
            blend.came(tick)
        shares.append(blend.share(tick))
    steps = np.diff(shares)
    assert shares[-1] == 1.0
    assert steps.min() >= 0.0
    assert steps.max() <= 1.0 / FADE_TICKS + 1e-9


def test_peek_and_opacity_are_the_players() -> None:
    blend = Blend()
    streamed(blend, 0, 20)
    blend.peek = True
    assert blend.share(20) == 0.0
    blend.peek = False
    blend.dim(-1)
    assert blend.share(20) == (OPACITY_STEPS - 1) / OPACITY_STEPS
    for _ in range(20):
        blend.dim(-1)
    assert blend.share(20) > 0.0


def test_the_ends_of_a_mix_are_the_pictures_themselves() -> None:
    drawn, styled = np.full((4, 4, 4), 10, np.uint8), np.full((4, 4, 4), 210, np.uint8)
    assert mixed(drawn, styled, 0.0) is drawn
    assert mixed(drawn, styled, 1.0) is styled
    assert int(mixed(drawn, styled, 0.5)[0, 0, 0]) == 110


def test_each_fault_is_one_line_that_names_its_cause() -> None:
    refused = Gauges(state="refused", detail="diffusion server ws://x refused: 401; check key")
    assert "401" in fault(refused, True, True)
    assert "check key" not in fault(refused, True, True)
    queued = Gauges(state="queued", queue_position=3)
    assert "place 3" in fault(queued, True, False)
    broken = Gauges(state="reconnecting", reconnects=1, detail="server: closed\nthe connection")
    line = fault(broken, True, True)
    assert "again" in line
    assert "\n" not in line
    nobody = str(
        ServerUnreachable("ws://10.0.0.1:80/v1/stream", "Connect call failed ('10.0.0.1', 80)")
    )
    line = fault(Gauges(state="reconnecting", detail=nobody), True, True)
    assert line == "the stream broke off, connecting again (nobody answers there); drive on"
    assert fault(Gauges(state="streaming", connected=True), False, False) == ""
    assert "back" in fault(Gauges(state="streaming", connected=True), False, True)
