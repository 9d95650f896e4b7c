"""The bench's arithmetic against published figures, and one real row on the processor."""

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan import flops  # noqa: E402
from streaming.diffusion.wan.bench import Case, measure  # noqa: E402
from streaming.diffusion.wan.errors import BadOption  # noqa: E402
from streaming.diffusion.wan.params import MODELS, CacheParams  # noqa: E402


@pytest.mark.parametrize(("model", "height", "width", "tera"), [
    ("1.3b", 480, 832, 6.74), ("1.3b", 512, 512, 3.82), ("14b", 480, 832, 49.9),
    ("14b", 512, 512, 30.1),
])  # fmt: skip
def test_a_pass_costs_what_was_counted(model: str, height: int, width: int, tera: float) -> None:
    cost = flops.pass_flops(MODELS[model], CacheParams(), height, width)
    assert cost / 1e12 == pytest.approx(tera, rel=0.01)


def test_peaks_by_card() -> None:
    assert flops.peak_of("NVIDIA H100 80GB HBM3") == 989.4e12
    assert flops.peak_of("cpu") is None


@pytest.mark.parametrize("mode", ["sequential", "batched"])
def test_a_row_on_the_processor(mode) -> None:
    row = measure(Case("nano", 64, 48, 2, "tiny", mode), "cpu", chunks=2)
    assert row.fps == pytest.approx(1e3 / row.ms_per_frame)
    assert row.encode_ms + row.transformer_ms + row.decode_ms <= 1.2 * 4 * row.ms_per_frame
    assert row.peak_share is None


def test_sizes_that_no_token_fits_are_refused() -> None:
    with pytest.raises(BadOption, match="multiples of 16"):
        Case("nano", 60, 48)
    with pytest.raises(BadOption, match="nano"):
        Case("huge")
