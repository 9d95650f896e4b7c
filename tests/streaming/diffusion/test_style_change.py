"""The bundled network: a change of style arrives within a second and moves no structure."""

import numpy as np
import pytest

from streaming.backends.tiny import Choice, Painter, Tiny

SIDE = 240
Pixels = np.ndarray


def street() -> Pixels:
    """BGRA: grey road under a wall with windows, a blue car on it, sky beside the wall."""
    picture = np.full((SIDE, SIDE, 4), 90, np.uint8)
    picture[:110] = (70, 90, 150, 255)
    picture[:100, 170:] = (230, 190, 140, 255)
    for y in range(10, 90, 20):
        for x in range(10, 160, 24):
            picture[y : y + 10, x : x + 12, :3] = (80, 70, 60)
    picture[120:180, 60:130, :3] = (170, 90, 40)
    picture[126:142, 70:120, :3] = (50, 40, 30)
    return picture


def outlines(picture: Pixels) -> Pixels:
    """Strength of the luma's slopes."""
    luma = picture[..., :3].astype(np.float32).mean(axis=2)
    down, across = np.gradient(luma)
    return np.hypot(down, across)


def likeness(one: Pixels, other: Pixels) -> float:
    a, b = outlines(one), outlines(other)
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.fixture(scope="module")
def painter() -> Painter:
    tiny = Tiny(budget_ms=1e9)
    tiny.choice = Choice(256, 1)
    return tiny.painter()


def test_a_style_arrives_within_a_second_without_a_jump(painter: Painter) -> None:
    source = street()
    for _ in range(6):
        day = painter.style(source, "", 0, "day")
    frames = [painter.style(source, "", 0, "night") for _ in range(30)]  # one second
    settled = [painter.style(source, "", 0, "night") for _ in range(6)][-1]
    apart = np.abs(day.astype(int) - settled).mean()
    assert apart > 15, "the two styles differ"
    assert np.abs(frames[-1].astype(int) - settled).mean() < 0.1 * apart
    shown = [day, *frames]
    steps = [np.abs(a.astype(int) - b).mean() for a, b in zip(shown[1:], shown[:-1], strict=True)]
    assert max(steps) < 0.35 * apart, "it turns, it does not cut"
    alike = [likeness(source, frame) for frame in shown]
    assert min(alike) > 0.4, alike
    assert min(alike) > 0.8 * min(alike[0], likeness(source, settled)), alike
