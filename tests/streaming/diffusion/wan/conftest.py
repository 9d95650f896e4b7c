"""A small random model, and clips for it. Tests are in float32 on the processor."""

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.params import WanParams  # noqa: E402
from streaming.diffusion.wan.transformer import Prompt, WanModel  # noqa: E402

SMALL = WanParams(dim=64, ffn_dim=128, heads=2, layers=4, text_dim=32, text_tokens=8, freq_dim=32)


def small_model(first: int = 0, last: int | None = None) -> WanModel:
    """Random weights that every process draws alike, blocks cut out of the same whole."""
    generator = torch.Generator().manual_seed(7)
    whole = WanModel(SMALL)
    for name, value in whole.named_parameters():
        drawn = torch.randn(value.shape, generator=generator)
        around = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        value.data = drawn * 0.15 if value.dim() > 1 else around + drawn * 0.05
    part = WanModel(SMALL, first, last)
    part.load_state_dict({k: v for k, v in whole.state_dict().items() if k in part.state_dict()})
    return part.eval()


def small_text() -> torch.Tensor:
    return torch.randn(1, 8, 32, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="session")
def model() -> WanModel:
    return small_model()


@pytest.fixture(scope="session")
def prompt(model: WanModel) -> Prompt:
    with torch.no_grad():
        return model.prompt(small_text())
