"""The model that comes with the program: its files are its card's, and its cache costs nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.card import bundled, read_card  # noqa: E402
from streaming.diffusion.wan.judge import judge  # noqa: E402
from streaming.diffusion.wan.rig import Rig  # noqa: E402


def street() -> np.ndarray:
    """Two frames of blocks that move, (2, 96, 96, 3)."""
    y, x = np.mgrid[0:96, 0:96]
    frames = [
        np.stack([40 + (x + 6 * at) // 16 % 2 * 90, 60 + y, 150 - x // 2], -1) for at in range(2)
    ]
    return np.stack(frames).clip(0, 255).astype(np.uint8)


def test_with_and_without_its_cache_the_bundled_model_paints_the_same() -> None:
    torch.set_num_threads(1)
    rig = Rig(read_card(bundled()), "cpu")
    clip = SimpleNamespace(source=street, target=street, style="night")
    found = judge(rig, (clip,), 9, lambda _: None)
    assert found["recomputed"].apart <= 1
    assert abs(found["recomputed"].psnr - found["stream"].psnr) < 0.01
    assert found["no memory"].apart > 4


def test_its_card_says_what_it_may_be_used_for() -> None:
    card = read_card(bundled())
    assert (card.model, card.licence) == ("nano", "Apache-2.0")
    assert card.notice
    assert set(card.sums) == {card.transformer, card.autoencoder_file, card.text}
    assert sum(path.stat().st_size for path in bundled().iterdir()) < 5_000_000
