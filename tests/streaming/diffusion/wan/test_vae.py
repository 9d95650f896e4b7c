"""A chunk at a time is the whole clip; frames, latents and ticks are accounted for."""

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.cache import Cache  # noqa: E402
from streaming.diffusion.wan.errors import BadOption  # noqa: E402
from streaming.diffusion.wan.paint import Batched, Sampler, Sequential  # noqa: E402
from streaming.diffusion.wan.params import CacheParams, SampleParams  # noqa: E402
from streaming.diffusion.wan.stream import Stream, fade  # noqa: E402
from streaming.diffusion.wan.tiny_vae import TinyAutoencoder  # noqa: E402
from streaming.diffusion.wan.vae import WanAutoencoder, chunks, standard  # noqa: E402
from tests.streaming.diffusion.wan.conftest import SMALL, small_text  # noqa: E402


def clip(frames: int) -> torch.Tensor:
    return torch.rand(3, frames, 16, 24, generator=torch.Generator().manual_seed(2)) * 2 - 1


@pytest.fixture(scope="module")
def wan_vae() -> WanAutoencoder:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    torch.manual_seed(0)
    made = diffusers.AutoencoderKLWan(base_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
    return WanAutoencoder(made.eval())


@pytest.fixture(scope="module")
def tiny() -> TinyAutoencoder:
    torch.manual_seed(0)
    return TinyAutoencoder().eval()


def test_the_tiny_autoencoder_has_the_public_size(tiny: TinyAutoencoder) -> None:
    sizes = [sum(p.numel() for p in part.parameters()) for part in (tiny.encoder, tiny.decoder)]
    assert sizes == [1_470_928, 9_844_611]


@pytest.mark.parametrize("name", ["wan_vae", "tiny"])
def test_chunks_equal_the_whole(name: str, request: pytest.FixtureRequest) -> None:
    vae, x = request.getfixturevalue(name), clip(13)
    vae.reset()
    whole = vae.encode(x)
    frames = vae.decode(whole)
    assert (whole.shape[1], frames.shape) == (4, x.shape)
    vae.reset()
    latents = [vae.encode(x[:, a:b]) for a, b in ((0, 1), (1, 9), (9, 13))]
    assert (torch.cat(latents, 1) - whole).abs().max() < 1e-5
    back = [vae.decode(whole[:, a:b]) for a, b in ((0, 1), (1, 3), (3, 4))]
    assert [part.shape[1] for part in back] == [1, 8, 4]
    assert (torch.cat(back, 1) - frames).abs().max() < 1e-5


@pytest.mark.parametrize("name", ["wan_vae", "tiny"])
def test_control_a_forgotten_past_shows(name: str, request: pytest.FixtureRequest) -> None:
    vae, x = request.getfixturevalue(name), clip(9)
    vae.reset()
    whole = vae.encode(x)
    vae.reset()
    vae.encode(x[:, :1])
    skipped = vae.encode(x[:, 5:9])
    assert (skipped[:, -1] - whole[:, -1]).abs().max() > 2e-5


def test_the_library_itself_agrees(wan_vae: WanAutoencoder) -> None:
    x = clip(9)
    with torch.no_grad():
        latents = wan_vae.vae.encode(x[None]).latent_dist.mode()
        frames = wan_vae.vae.decode(latents).sample[0]
    wan_vae.reset()
    assert (wan_vae.encode(x) - latents[0]).abs().max() < 1e-6
    assert (wan_vae.decode(latents[0]) - frames).abs().max() < 1e-6


@pytest.mark.parametrize(("frames", "first", "counts"), [(1, True, [1]), (9, True, [1, 4, 4]),
                                                         (8, False, [4, 4])])  # fmt: skip
def test_frames_of_latents(frames: int, first: bool, counts: list[int]) -> None:
    assert chunks(frames, first) == counts


@pytest.mark.parametrize(("frames", "first"), [(4, True), (0, True), (5, False)])
def test_frames_that_fill_no_latent_are_refused(frames: int, first: bool) -> None:
    with pytest.raises(BadOption, match="4n"):
        chunks(frames, first)


def test_leaning_there_and_back() -> None:
    latents = torch.randn(16, 2, 3, 3)
    assert torch.allclose(standard(standard(latents), back=True), latents, atol=1e-5)
    assert not torch.allclose(standard(latents), latents, atol=0.1)


def stream_of(model, prompt, vae, kind, block: int = 1, steps: tuple[int, ...] = (700, 500)):
    memory, sample = CacheParams(6, 2, block), SampleParams(steps)
    rows = len(steps) if kind is Batched else 1
    cache = Cache(SMALL, memory, (1, 1), SMALL.layers, rows, torch.float32)
    vae.reset()
    return Stream(vae, kind(model, cache, Sampler(sample, 1), prompt), memory, sample)


@pytest.mark.parametrize(("kind", "block"), [(Sequential, 1), (Batched, 1), (Sequential, 2)])
@pytest.mark.parametrize("count", [1, 17, 22])
def test_every_frame_comes_back_once_with_its_tick(
    model, prompt, tiny: TinyAutoencoder, kind, block: int, count: int
) -> None:
    stream = stream_of(model, prompt, tiny, kind, block)
    ticks = [2 * i + 7 for i in range(count)]
    out = [one for tick in ticks for one in stream.push(tick, clip(1)[:, 0, :16, :16])]
    assert stream.under_way == count - len(out)
    out += stream.flush()
    assert [one.tick for one in out] == ticks
    assert all(one.frame.shape == (3, 16, 16) for one in out)
    assert stream.under_way == 0


def test_first_picture_needs_one_frame(model, prompt, tiny: TinyAutoencoder) -> None:
    stream = stream_of(model, prompt, tiny, Sequential)
    assert [one.tick for one in stream.push(3, clip(1)[:, 0, :16, :16])] == [3]
    assert stream.wanted == 4


def test_a_new_prompt_fades_in_and_stays(model, prompt, tiny: TinyAutoencoder) -> None:
    stream = stream_of(model, prompt, tiny, Sequential)
    before, after = small_text(), small_text() + 1
    with torch.no_grad():
        steps = fade(model.prompt, before, after, 3)
        wholly = model.prompt(after)
    assert torch.allclose(steps[-1].keys[0], wholly.keys[0])
    assert not torch.allclose(steps[0].keys[0], wholly.keys[0])
    stream.say(steps)
    for i in range(20):
        stream.push(i, clip(1)[:, 0, :16, :16])
    assert stream.painter.prompt is steps[-1]
