"""The ring keeps sinks, overwrites the oldest, and renews sinks as a slow oracle would."""

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.cache import Cache, Slots  # noqa: E402
from streaming.diffusion.wan.params import MODELS, CacheParams, WanParams  # noqa: E402


@pytest.mark.parametrize(
    "params", [CacheParams(6, 3, 1), CacheParams(5, 0, 1), CacheParams(9, 3, 3)], ids=str
)
def test_slots_hold_the_sinks_and_the_newest(params: CacheParams) -> None:
    slots = Slots(params)
    for number in range(200):
        block = range(number * params.block, (number + 1) * params.block)
        places = slots.place(block)
        assert slots.place(block) == places  # every pass over a block writes the same slots
        seen = block[-1] + 1
        rolling = range(max(params.sinks, seen - (params.window - params.sinks)), seen)
        expected = set(range(min(params.sinks, seen))) | set(rolling)
        assert set(slots.held) == expected
        assert len(slots.held) == len(expected)


def test_memory_is_what_the_formula_says() -> None:
    """K and V of 1.3B at 480x832, window 6: 1.73 GB in bfloat16, on no device at all."""
    cache = Cache(MODELS["1.3b"], CacheParams(), (30, 52), 30, device="meta")
    assert cache.bytes == 2 * 30 * 6 * 1560 * 1536 * 2
    assert cache.bytes == pytest.approx(1.73e9, rel=0.01)


SMALL = WanParams(dim=16, ffn_dim=16, heads=2, layers=2)


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a @ b / (a.norm() * b.norm())).item()


def test_sinks_are_renewed_as_an_oracle_would() -> None:
    params = CacheParams(5, 2, 1, renew_below=0.35)
    cache = Cache(SMALL, params, (1, 2), 2, dtype=torch.float32)
    oracle: list[torch.Tensor] = []
    renewed = 0
    for number in range(60):
        base = torch.randn(2, 2, 2, 8, generator=torch.Generator().manual_seed(number // 9))
        fresh = torch.randn(2, 2, 2, 8, generator=torch.Generator().manual_seed(1000 + number))
        k = base + 0.3 * fresh
        look = cache.look({0: [number]})
        for layer in range(2):
            look.attend(layer, k[layer][None], k[layer][None], k[layer][None])
        mean = k[0].mean(0).flatten()
        if len(oracle) < params.sinks:
            oracle.append(mean)
            assert cache.settle(0) is None
            continue
        likes = [cosine(sink, mean) for sink in oracle]
        worst = likes.index(min(likes))
        expected = worst if likes[worst] < params.renew_below else None
        assert cache.settle(0) == expected
        if expected is not None:
            oracle[expected] = mean
            renewed += 1
    assert 2 <= renewed < 30


def test_an_unfilled_sink_is_never_judged() -> None:
    """Zero keys are like nothing; judging them would throw away a sink before it was filled."""
    cache = Cache(SMALL, CacheParams(6, 3, 1, renew_below=0.99), (1, 1), 1, dtype=torch.float32)
    for number in range(3):
        look = cache.look({0: [number]})
        x = torch.randn(1, 1, 2, 8)
        look.attend(0, x, x, x)
        assert cache.settle(0) is None
    assert cache.slots[0].held == [0, 1, 2]


def test_kept_sinks_stay() -> None:
    cache = Cache(SMALL, CacheParams(5, 2, 1, renew_below=-1), (1, 1), 1, dtype=torch.float32)
    for number in range(50):
        x = torch.randn(1, 1, 2, 8)
        cache.look({0: [number]}).attend(0, x, x, x)
        assert cache.settle(0) is None
    assert cache.slots[0].held[:2] == [0, 1]
