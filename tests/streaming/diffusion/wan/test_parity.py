"""The ring gives what the whole clip under its mask gives; each control shows that a slip shows."""

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.cache import Cache, Look, Whole, causal_mask  # noqa: E402
from streaming.diffusion.wan.params import CacheParams  # noqa: E402
from streaming.diffusion.wan.rope import angles  # noqa: E402
from streaming.diffusion.wan.transformer import Prompt, WanModel  # noqa: E402

GRID, TOKENS, FRAMES = (4, 6), 24, 12
CASES = [
    CacheParams(window=64, sinks=0, block=1, renew_below=-1),
    CacheParams(window=64, sinks=0, block=3, renew_below=-1),
    CacheParams(window=6, sinks=3, block=1, renew_below=-1),
    CacheParams(window=5, sinks=2, block=1, renew_below=-1),
    CacheParams(window=8, sinks=2, block=3, renew_below=-1),
]


def clip(frames: int = FRAMES) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(1, 16, frames, 2 * GRID[0], 2 * GRID[1], generator=generator)
    return x, torch.rand(1, frames, generator=generator) * 1000


@torch.no_grad()
def whole(model: WanModel, prompt: Prompt, params: CacheParams, start: int = 0) -> torch.Tensor:
    x, t = clip()
    turn = angles(range(start, start + FRAMES), *GRID, model.params.head_dim, torch.device("cpu"))
    return model(x, t, prompt, Whole(turn, causal_mask(FRAMES, TOKENS, params)))


@torch.no_grad()
def cached(
    model: WanModel, prompt: Prompt, params: CacheParams, start: int = 0, dtype=torch.float32
) -> torch.Tensor:
    x, t = clip()
    cache = Cache(model.params, params, GRID, model.params.layers, dtype=dtype)
    out = [
        model(x[:, :, i:j], t[:, i:j], prompt, cache.look({0: range(start + i, start + j)}))
        for i, j in ((i, i + params.block) for i in range(0, FRAMES, params.block))
    ]
    return torch.cat(out, 2)


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """Largest difference, relative to the spread of b."""
    return ((a - b).abs().max() / b.std()).item()


@pytest.mark.parametrize("params", CASES, ids=str)
def test_ring_equals_masked_whole(model: WanModel, prompt: Prompt, params: CacheParams) -> None:
    assert apart(cached(model, prompt, params), whole(model, prompt, params)) < 1e-5


def test_control_one_sink_more_shows(model: WanModel, prompt: Prompt) -> None:
    mine = cached(model, prompt, CacheParams(6, 2, 1, -1))
    assert apart(mine, whole(model, prompt, CacheParams(6, 3, 1, -1))) > 1e-3


def test_control_wrong_timestep_shows(model: WanModel, prompt: Prompt) -> None:
    x, t = clip()
    params = CASES[0]
    turn = angles(range(FRAMES), *GRID, model.params.head_dim, torch.device("cpu"))
    with torch.no_grad():
        late = model(x, t.roll(1, 1), prompt, Whole(turn, causal_mask(FRAMES, TOKENS, params)))
    assert apart(cached(model, prompt, params), late) > 1e-3


def test_endless_positions_equal_a_stream_from_zero(model: WanModel, prompt: Prompt) -> None:
    """Past latent 1,024 (frame 4,096), where a table of positions would end, and far beyond."""
    params = CacheParams(6, 3, 1, -1)
    here = whole(model, prompt, params)
    for start in (1_020, 4_096, 10_000_000):
        assert apart(cached(model, prompt, params, start), here) < 2e-5
        assert apart(whole(model, prompt, params, start), here) < 2e-5


def test_control_reset_positions_without_turning_keys_shows(
    model: WanModel, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbering anew only what comes next leaves older keys in the future: that must show."""
    params = CacheParams(6, 3, 1, -1)
    straight = cached(model, prompt, params)
    init = Look.__init__

    def reset(self: Look, cache: Cache, blocks: dict) -> None:
        init(self, cache, blocks)
        newest = next(iter(blocks.values()))[0]
        if newest >= 8:
            times = [t - 5 if t >= 8 else t for t in cache.slots[0].times()]
            mine = self._angles([newest - 5])
            self.turns = [(mine, self._angles(times))]

    monkeypatch.setattr(Look, "__init__", reset)
    assert apart(cached(model, prompt, params), straight) > 1e-3


def test_relative_positions_stay_within_the_window(model: WanModel, prompt: Prompt) -> None:
    params = CacheParams(6, 3, 1, -1, "relative")
    cache = Cache(model.params, params, GRID, 1, dtype=torch.float32)
    for latent in range(1_000):
        cache.slots[0].place([latent])
    assert sorted(cache.slots[0].times()) == [0, 1, 2, 3, 4, 5]
    assert cache.slots[0].times()[cache.slots[0].place([999])[0]] == 5


def test_relative_equals_absolute_until_the_window_is_full(model: WanModel, prompt: Prompt) -> None:
    absolute = cached(model, prompt, CacheParams(6, 3, 1, -1))
    relative = cached(model, prompt, CacheParams(6, 3, 1, -1, "relative"))
    assert apart(relative[:, :, :6], absolute[:, :, :6]) < 1e-5
    assert apart(relative[:, :, 7:], absolute[:, :, 7:]) > 1e-3


def test_bfloat16_memory_stays_near(model: WanModel, prompt: Prompt) -> None:
    params = CacheParams(6, 3, 1, -1)
    near = cached(model, prompt, params, dtype=torch.bfloat16)
    assert 0 < apart(near, whole(model, prompt, params)) < 5e-2


def test_diffusers_agrees_when_nothing_is_masked(model: WanModel, prompt: Prompt) -> None:
    """Another implementation's forward with the same weights, under its own names."""
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    from streaming.diffusion.wan.weights import original
    from tests.streaming.diffusion.wan.conftest import SMALL, small_text

    theirs = diffusers.WanTransformer3DModel(
        num_attention_heads=SMALL.heads,
        attention_head_dim=SMALL.head_dim,
        text_dim=SMALL.text_dim,
        freq_dim=SMALL.freq_dim,
        ffn_dim=SMALL.ffn_dim,
        num_layers=SMALL.layers,
    ).eval()
    mine = WanModel(SMALL).eval()
    mine.load_state_dict(original(theirs.state_dict()))
    x, _ = clip()
    turn = angles(range(FRAMES), *GRID, SMALL.head_dim, torch.device("cpu"))
    with torch.no_grad():
        ours = mine(x, torch.full((1, FRAMES), 417.0), mine.prompt(small_text()), Whole(turn))
        other = theirs(x, torch.tensor([417]), small_text(), return_dict=False)[0]
    assert apart(ours, other) < 1e-5
