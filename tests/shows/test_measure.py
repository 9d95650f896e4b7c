"""What is measured is read from a recording by the rules that its names say."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np

from tests.shows.film import Film
from tests.shows.measure import _told, quantiles


def frame(tick: int, t_ms: float, shown: int = -1) -> Any:
    return SimpleNamespace(tick=tick, t_ns=int(t_ms * 1e6), shown=shown)


class Tape:
    """Stands for a recording: a tick every 10 ms, a picture every second one."""

    def inputs(self) -> Any:
        def key(t_ms: float, tick: int, value: float) -> Any:
            return SimpleNamespace(code="c", value=value, t_ns=int(t_ms * 1e6), tick_applied=tick)

        return [key(1005, 3, 1.0), key(1050, 7, 0.0)]

    def ticks(self) -> Any:
        class Ticks:
            def __len__(self) -> int:
                return 100

            def record(self, tick: int) -> Any:
                return SimpleNamespace(t_ns=int((1000 + 10 * tick) * 1e6))

        return Ticks()

    def frames(self, track: int) -> Any:
        late = 30 if track else 0
        return [frame(t, 1001 + 10 * t + late, t + 6) for t in range(0, 20, 2)]


def test_a_key_is_followed_to_the_first_pictures_that_can_show_it() -> None:
    tape: Any = Tape()
    found = _told(tape, [1_000_000_000, 9_000_000_000], [1_060_000_000, 0])
    assert found.applied == (40.0,)  # the state after the step that consumed it
    assert found.captured == (41.0,)
    assert found.seen == (60.0,)
    assert found.styled == (71.0,)
    assert found.shown == (100.0,)


def test_quantiles_of_nothing_are_nothing() -> None:
    assert quantiles(()) == {}
    assert quantiles([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 2.9, "largest": 3.0}


class Blank:
    """Stands for a display that shows nothing."""

    width, height = 64, 48

    def watch(self) -> Any:
        return np.zeros((48, 64, 3), np.uint8)


def test_a_film_ends_at_its_length_and_not_when_its_maker_goes_on(tmp_path: Path) -> None:
    display: Any = Blank()
    with Film(display, tmp_path / "film.mp4", fps=50, most_s=0.3) as film:
        film._thread.join()  # by itself, though nobody has left the film
    with av.open(str(tmp_path / "film.mp4")) as made:
        times = [float(packet.pts * packet.time_base)
                 for packet in made.demux(video=0) if packet.pts is not None]  # fmt: skip
    assert len(times) == film.frames >= 1
    assert max(times) < 0.3
