"""Trains the nano configuration on a folder of pairs: autoencoder, then transformer on its latents.

Everything that the large checkpoints stream through is there, at a size that minutes on a processor
can teach: rolling memory, few steps, prompts. Stopped and continued it comes out the same. Owns the
training folder: checkpoint.pt, log.jsonl, and model/ with what a stream needs.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streaming.diffusion.kept import Say, begun, noted
from streaming.diffusion.model import STYLES
from streaming.diffusion.pairs import Clip, find, pictures
from streaming.diffusion.train import cooled, edges
from streaming.diffusion.wan.cache import Whole, causal_mask
from streaming.diffusion.wan.card import CARD, Card, written
from streaming.diffusion.wan.nano_vae import NanoAutoencoder, patches
from streaming.diffusion.wan.params import (
    FRAMES_PER_LATENT,
    MODELS,
    PATCH,
    CacheParams,
    SampleParams,
    WanParams,
)
from streaming.diffusion.wan.rope import angles
from streaming.diffusion.wan.transformer import WanModel
from streaming.diffusion.wan.weights import digest
from streaming.errors import TrainingClash

NANO_CACHE = CacheParams(window=6, sinks=2, block=1, renew_below=-1)
NANO_SAMPLE = SampleParams(timesteps=(300, 150), noise=0.4, normalise=True)
SIDE_PX = 160
"""That the nano model paints at: what one core bears."""
COOLS = 0.2
"""Share of the steps over which the learning rate falls."""
_PIXELS_PER_TOKEN = 16


@dataclass(frozen=True, slots=True)
class NanoConfig:
    """One run. autoencoder, transformer: steps of each. crop: of the pictures [px], latents: of a
    clip; shorter clips are played there and back. threads: 0 leaves torch's own choice.
    """

    data: Path
    out: Path
    autoencoder: int = 300
    transformer: int = 800
    batch: int = 4
    crop: int = 64
    latents: int = 6
    most: int = 300
    rate: float = 2e-3
    seed: int = 1
    every: int = 100
    threads: int = 1
    params: WanParams = field(default_factory=lambda: MODELS["nano"])
    widths: tuple[int, int] = (32, 64)

    def __post_init__(self) -> None:
        if self.crop % _PIXELS_PER_TOKEN or min(self.batch, self.latents, self.every) < 1:
            raise ValueError("a crop in steps of 16 px; batch, latents and every from 1")

    @property
    def frames(self) -> int:
        """Of a clip: one, then four a latent."""
        return 1 + FRAMES_PER_LATENT * (self.latents - 1)


class Run:
    """The state of a training run: everything that a checkpoint holds."""

    def __init__(self, config: NanoConfig) -> None:
        torch.manual_seed(config.seed)
        self.config, self.step, self.cpu_s = config, 0, 0.0
        self.vae = NanoAutoencoder(config.params.channels, *config.widths)
        self.model = WanModel(config.params)
        nn.init.zeros_(self.model.head.head.weight)
        shape = (len(STYLES), config.params.text_tokens, config.params.text_dim)
        self.prompts = nn.Parameter(torch.randn(shape))
        own = [*self.model.parameters(), self.prompts]
        self.tune_vae = torch.optim.AdamW(self.vae.parameters(), config.rate, (0.9, 0.98))
        self.tune = torch.optim.AdamW(own, config.rate, (0.9, 0.98))
        self.history: list[dict[str, Any]] = []

    @property
    def path(self) -> Path:
        """Where the run is kept."""
        return self.config.out / "checkpoint.pt"

    def save(self) -> None:
        """Replace the checkpoint in one go."""
        state = {
            "params": asdict(self.config.params), "seed": self.config.seed, "step": self.step,
            "cpu_s": self.cpu_s, "vae": self.vae.state_dict(), "model": self.model.state_dict(),
            "prompts": self.prompts.data, "tune_vae": self.tune_vae.state_dict(),
            "tune": self.tune.state_dict(), "history": self.history,
        }  # fmt: skip
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    def load(self) -> None:
        """Go on from the checkpoint. Raises TrainingClash where it is another network's."""
        state = torch.load(self.path, weights_only=True)
        if state["params"] != asdict(self.config.params) or state["seed"] != self.config.seed:
            raise TrainingClash(self.path)
        for name in ("vae", "model", "tune_vae", "tune"):
            getattr(self, name).load_state_dict(state[name])
        self.prompts.data = state["prompts"]
        self.step, self.cpu_s, self.history = state["step"], state["cpu_s"], state["history"]


def train(config: NanoConfig, say: Say, now: Callable[[], float] = time.process_time) -> Run:
    """Train to the end, from the checkpoint where there is one. Writes model/ when it is done."""
    steps = config.autoencoder + config.transformer
    run = begun(lambda: Run(config), config.threads, steps, say)
    clips = find(config.data, "train")
    say(f"{len(clips)} clips to learn from")
    if run.step == 0:
        _fit(run, clips)
    begin, latents = now(), None
    while run.step < steps:
        if run.step < config.autoencoder:
            losses = _teach_vae(run, clips)
        else:
            if latents is None:
                latents = _latents(run, clips, say)
            losses = _teach_model(run, *latents)
        run.step += 1
        last = run.step in (config.autoencoder, steps)
        if run.step % config.every and not last:
            continue
        run.cpu_s, begin = run.cpu_s + now() - begin, now()
        row = {"step": run.step, "cpu_s": round(run.cpu_s, 1), **losses}
        noted(run, row, say)
    write(run, config.out / "model")
    return run


def write(run: Run, folder: Path) -> None:
    """What a stream needs: the weights in half precision, the styles' table, the card."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    table = {style: run.prompts.data[i] for i, style in enumerate(STYLES)}
    files = {
        "transformer.safetensors": run.model.state_dict(),
        "autoencoder.safetensors": run.vae.state_dict(),
        "styles.safetensors": table,
    }
    for name, state in files.items():
        save_file({key: value.half().contiguous() for key, value in state.items()}, folder / name)
    transformer, autoencoder, text = files
    card = Card(
        folder, "nano", transformer, text, "nano", autoencoder, "nano", SIDE_PX, SIDE_PX,
        NANO_SAMPLE, NANO_CACHE, licence="Apache-2.0",
        notice="nano, trained by this project on its own renders",
        note="Trained for minutes on one processor, so that the numbers of the stream mean "
        "something. It is no product: use tiny to play.",
        sums={name: digest(folder / name) for name in files},
    )  # fmt: skip
    kept = ("autoencoder", "transformer", "batch", "crop", "latents", "most", "rate", "seed")
    about = {
        "made": "scale-diffusion diffusion train --preset nano",
        "training": {name: getattr(run.config, name) for name in kept},
        "cpu_s": round(run.cpu_s), "log": run.history[-1:],
        "values": sum(v.numel() for state in files.values() for v in state.values()),
    }  # fmt: skip
    write_text(folder / CARD, written(card, about))


def write_text(path: Path, text: str) -> None:
    """A file, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def played(frames: "np.ndarray[Any, np.dtype[np.uint8]]", count: int, start: int = 0) -> Any:
    """`count` frames of a clip (frames, h, w, 3), there and back where it is shorter."""
    way = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    return frames[[way[(start + i) % len(way)] for i in range(count)]]


def _teach_vae(run: Run, clips: tuple[Clip, ...]) -> dict[str, float]:
    config = run.config
    draw = np.random.default_rng((config.seed, run.step))
    batch = []
    for _ in range(config.batch):
        clip = clips[int(draw.integers(len(clips)))]
        raw = clip.source() if draw.random() < 0.4 else clip.target()
        whole = played(raw, 1 + FRAMES_PER_LATENT, int(draw.integers(len(raw))))
        batch.append(_cropped(whole, config.crop, draw))
    frames = pictures(np.stack(batch)) * 2 - 1
    first = frames[:, :1].expand(-1, FRAMES_PER_LATENT - 1, -1, -1, -1)
    wanted = torch.cat([first, frames], 1)
    latents = run.vae.encode(wanted)
    made = run.vae.decode(latents + 0.03 * torch.randn_like(latents))
    level = F.l1_loss(made, wanted) + 0.5 * (made - wanted).square().mean()
    edge = edges(made.flatten(0, 1), wanted.flatten(0, 1))
    wide = 0.02 * (latents.square().mean() - 1).square()
    # its projection is fitted already: large steps would only lose that
    _step(run.tune_vae, run.vae.parameters(), level + edge + wide, run.step, config.autoencoder,
          config.rate / 5)  # fmt: skip
    return {"level": float(level.detach()), "edge": float(edge.detach())}


def _cropped(frames: Any, side: int, draw: np.random.Generator) -> Any:
    height, width = frames.shape[1:3]
    top, left = (int(draw.integers(size - side + 1)) for size in (height, width))
    cut = frames[:, top : top + side, left : left + side]
    return cut[:, :, ::-1] if draw.random() < 0.5 else cut


@torch.no_grad()
def _fit(run: Run, clips: tuple[Clip, ...], most: int = 60, each: int = 120) -> None:
    """Fit the autoencoder's projection to patches of some clips."""
    draw = np.random.default_rng((run.config.seed, 3))
    seen = []
    for clip in clips[:: max(1, len(clips) // most)]:
        for raw in (clip.source(), clip.target()):
            start = int(draw.integers(len(raw)))
            frames = pictures(played(raw, FRAMES_PER_LATENT, start)) * 2 - 1
            flat = patches(frames[None])[0, 0].flatten(1).T
            seen.append(flat[torch.from_numpy(draw.permutation(len(flat))[:each])])
    run.vae.fit(torch.cat(seen))


@torch.no_grad()
def _latents(run: Run, clips: tuple[Clip, ...], say: Say) -> tuple[Tensor, Tensor, Tensor]:
    """Latents [clips, L, C, h, w] of sources and targets, float16, and the style of each."""
    config = run.config
    sources: list[Tensor] = []
    targets: list[Tensor] = []
    styles: list[int] = []
    draw = np.random.default_rng((config.seed, 99))
    some = [clips[i] for i in draw.permutation(len(clips))[: config.most]]
    side = min(2 * config.crop, some[0].source().shape[1]) // 16 * 16
    for clip in some:
        mark = draw.bit_generator.state
        for raw, into in ((clip.source(), sources), (clip.target(), targets)):
            draw.bit_generator.state = mark
            frames = pictures(_cropped(played(raw, config.frames), side, draw)) * 2 - 1
            frames = torch.cat([frames[:1].expand(FRAMES_PER_LATENT - 1, -1, -1, -1), frames])
            into.append(run.vae.encode(frames[None])[0].half())
        styles.append(STYLES.index(clip.style))
    say(f"{len(some)} clips brought to latents")
    return torch.stack(sources), torch.stack(targets), torch.tensor(styles)


def _teach_model(run: Run, sources: Tensor, targets: Tensor, styles: Tensor) -> dict[str, float]:
    """Both steps of the sampler over whole clips under the stream's own mask."""
    config, at = run.config, run.step - run.config.autoencoder
    draw = np.random.default_rng((config.seed, 7, at))
    rows = torch.from_numpy(draw.integers(len(styles), size=config.batch))
    cell = config.crop // 8
    top, left = (int(draw.integers((s - cell) // 2 + 1)) * 2 for s in sources.shape[-2:])
    source, target = (
        z[rows, :, :, top : top + cell, left : left + cell].float().transpose(1, 2)
        for z in (sources, targets)
    )
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + at)
    scale = NANO_SAMPLE.noise - 0.1 * torch.rand(source.shape[0], config.latents,
                                                 generator=generator)  # fmt: skip
    scale[:, 0] = NANO_SAMPLE.noise
    level = scale[:, None, :, None, None]
    x = level * torch.randn(source.shape, generator=generator) + (1 - level) * source
    first = _clean(run, x, 1000 * scale - 100, styles[rows])
    second = NANO_SAMPLE.timesteps[1] / 1000
    noise = torch.randn(source.shape, generator=generator)
    x = second * noise + (1 - second) * first.detach()
    again = _clean(run, x, torch.full_like(scale, 1000 * second), styles[rows])
    losses = {"first": _near(first, target), "second": _near(again, target)}
    own = [*run.model.parameters(), run.prompts]
    total = losses["first"] + losses["second"]
    _step(run.tune, own, total, at, config.transformer, config.rate)
    return {name: float(loss.detach()) for name, loss in losses.items()}


def _clean(run: Run, x: Tensor, timestep: Tensor, styles: Tensor) -> Tensor:
    """The clean latents that the model sees in x [B, C, L, h, w] at timesteps [B, L]."""
    rows, columns = x.shape[-2] // PATCH[1], x.shape[-1] // PATCH[2]
    turn = angles(range(x.shape[2]), rows, columns, run.config.params.head_dim, x.device)
    memory = Whole(turn, causal_mask(x.shape[2], rows * columns, NANO_CACHE))
    velocity = run.model(x, timestep, run.model.prompt(run.prompts[styles]), memory)
    return x - timestep[:, None, :, None, None] / 1000 * velocity


def _near(made: Tensor, wanted: Tensor) -> Tensor:
    return F.l1_loss(made, wanted) + 0.5 * F.mse_loss(made, wanted)


def _step(
    tune: torch.optim.Optimizer, weights: Any, loss: Tensor, at: int, steps: int, rate: float
) -> None:
    weights = list(weights)
    for group in tune.param_groups:
        group["lr"] = rate * cooled(at, steps, COOLS)
    tune.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(weights, 1.0)
    tune.step()
