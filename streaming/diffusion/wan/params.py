"""Sizes and schedules of the Wan models as data: what a checkpoint is and how it streams."""

from dataclasses import dataclass
from typing import Literal

from streaming.diffusion.wan.errors import BadOption

PATCH = (1, 2, 2)  # latent frames, rows and columns a token covers
FRAMES_PER_LATENT = 4  # after the first frame, which is a latent of its own
PIXELS_PER_LATENT = 8


@dataclass(frozen=True, slots=True)
class WanParams:
    """A transformer's shape. dim: width; ffn_dim: of the feed-forward; text_*: UMT5's output.

    Figures of the public checkpoints: their own config files (Wan 2.1, Apache-2.0).
    """

    dim: int
    ffn_dim: int
    heads: int
    layers: int
    channels: int = 16
    text_dim: int = 4096
    text_tokens: int = 512
    freq_dim: int = 256
    eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        """Width of one head; time, rows and columns share it in the rotary embedding."""
        return self.dim // self.heads


MODELS = {
    "1.3b": WanParams(dim=1536, ffn_dim=8960, heads=12, layers=30),
    "14b": WanParams(dim=5120, ffn_dim=13824, heads=40, layers=40),
    "nano": WanParams(
        dim=128, ffn_dim=384, heads=4, layers=6, text_dim=64, text_tokens=16, freq_dim=64
    ),
}


@dataclass(frozen=True, slots=True)
class CacheParams:
    """What a stream remembers, counted in latent frames.

    window: all of it, sinks included. sinks: the first ones, kept. block: latents denoised
    together. renew_below: a sink is replaced by the newest latent when their likeness (cosine of
    mean keys and values) falls below this; -1 keeps sinks for ever. positions: `absolute` counts
    on for ever, `relative` numbers what is remembered from 0, which keeps every distance within
    what a model saw in training.
    """

    window: int = 6
    sinks: int = 3
    block: int = 1
    renew_below: float = 0.2
    positions: Literal["absolute", "relative"] = "absolute"

    def __post_init__(self) -> None:
        if self.block < 1 or self.sinks < 0 or self.window < self.sinks + self.block:
            raise BadOption(
                f"a window of {self.window} latents cannot hold {self.sinks} sinks and a block of"
                f" {self.block}; make the window at least {self.sinks + max(self.block, 1)}"
            )


@dataclass(frozen=True, slots=True)
class SampleParams:
    """How a chunk is painted over.

    timesteps: one for each step, largest first; the first is replaced by what the noise scale
    gives. noise: scale of the first chunk, in 0..1. shift: of the sigma table. normalise: whether
    the encoder's latents are brought to zero mean and unit spread (a property of the checkpoint).
    clean_pass: one more pass at timestep 0, so that later chunks remember clean latents.
    """

    timesteps: tuple[int, ...] = (700, 500)
    noise: float = 0.8
    shift: float = 8.0
    normalise: bool = False
    clean_pass: bool = False

    def __post_init__(self) -> None:
        falling = all(a > b for a, b in zip(self.timesteps, self.timesteps[1:], strict=False))
        if not self.timesteps or not falling or not 0 < self.timesteps[-1] <= 1000:
            raise BadOption(f"timesteps {self.timesteps} do not fall from at most 1000 to above 0")
        if not 0.1 < self.noise <= 1.0:
            raise BadOption(f"a noise scale of {self.noise} is outside 0.1 to 1")


STEPS = (700, 500, 400, 200)  # the video-to-video list of StreamDiffusionV2's paper and docs


def steps(count: int) -> tuple[int, ...]:
    """The first `count` timesteps of the video-to-video list, 1 to 4."""
    if not 1 <= count <= len(STEPS):
        raise BadOption(f"{count} steps; between 1 and {len(STEPS)} are possible")
    return STEPS[:count]
