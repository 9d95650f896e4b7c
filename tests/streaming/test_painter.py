"""A backend that fails, lies or hangs costs the look of pictures, never the pictures."""

import numpy as np
import pytest

from streaming.frames import Pixels
from streaming.painter import HUNG_S, TRY_AGAIN_S, Painter

PICTURE = np.zeros((16, 16, 4), np.uint8)


class Moody:
    """A backend that does what `mood` says."""

    name, model = "moody", "moody/1"

    def __init__(self) -> None:
        self.mood = "well"
        self.calls = 0

    def warm(self, height: int, width: int) -> None: ...

    def told(self) -> str:
        return ""

    def painter(self) -> "Moody":
        return self

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        self.calls += 1
        if self.mood == "out of memory":
            raise MemoryError("CUDA out of memory")
        if self.mood == "lies":
            return np.zeros((8, 8, 4), np.uint8)
        return frame + 1


@pytest.mark.parametrize("mood", ["out of memory", "lies"])
def test_a_failure_is_said_once_and_so_is_the_recovery(mood: str) -> None:
    clock, backend = [0.0], Moody()
    said: list[str] = []
    painter = Painter(backend, lambda: clock[0])
    painter.listen(said.append)

    def paint() -> Pixels | None:
        return painter.paint(painter.for_player(), PICTURE, "", 0, "")

    assert paint() is not None
    backend.mood = mood
    assert [paint() for _ in range(5)] == [None] * 5
    assert backend.calls == 2  # it is left alone for a while
    assert len(said) == 1
    assert "pass unstyled" in said[0]
    assert painter.down
    backend.mood = "well"
    clock[0] += TRY_AGAIN_S
    assert paint() is not None
    assert said[1:] == ["backend is back, pictures are styled again"]
    assert not painter.down
    assert (painter.painted, painter.passed) == (2, 5)


def test_a_hung_call_gives_its_turn_back() -> None:
    painter = Painter(Moody(), lambda: 0.0, at_once=1)
    painter._turn.acquire()  # a call that never comes back
    painter.hung()
    assert f"{HUNG_S:.0f} s" in painter.down
    painter._down_until = 0.0
    assert painter.paint(painter.for_player(), PICTURE, "", 0, "") is not None


def test_each_player_has_a_painter_of_its_own() -> None:
    class Minded(Moody):
        def painter(self) -> Moody:
            return Moody()

    painter = Painter(Minded())
    assert painter.for_player() is not painter.for_player()
