"""Trains the embedded network on a folder of pairs. Stopped and continued it comes out the same.

Owns the training folder: checkpoint.pt (whole or not at all), log.jsonl, sheets/.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from streaming.diffusion import flow, pairs
from streaming.diffusion.kept import Say, begun, noted
from streaming.diffusion.measure import psnr, ssim
from streaming.diffusion.model import STYLES, Tiny, TinyParams
from streaming.diffusion.sheet import write_sheet
from streaming.errors import TrainingClash


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. steps: in all; `cool` of them, the last, cool down. width: of the columns cut [px].

    unroll: frames a clip is played, there and back, at every other step; between them as many
    single frames of other clips. sizes: sides [px] that pictures are scaled to by turns; none: they
    stay as they are. threads: 0 leaves torch's own choice. begin: a checkpoint whose weights it
    begins with; what that lacks begins as in a new network.
    """

    data: Path
    out: Path
    begin: Path | None = None
    steps: int = 3000
    batch: int = 2
    width: int = 160
    unroll: int = 2
    sizes: tuple[int, ...] = ()
    rate: float = 2e-3
    seed: int = 1
    every: int = 250
    cool: float = 0.5
    threads: int = 1
    params: TinyParams = field(default_factory=TinyParams)

    def __post_init__(self) -> None:
        if self.width % 32 or min(self.steps, self.batch, self.unroll, self.every) < 1:
            raise ValueError("columns in steps of 32 px; steps, batch, unroll and every from 1")
        pairs.whole_folds(self.sizes)


PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"sizes": (320, 320, 256)},
    "smoke": {"steps": 4, "batch": 2, "every": 2, "width": 32, "params": TinyParams((8, 8, 8, 8))},
}


class Run:
    """The state of a training run: everything that a checkpoint holds."""

    def __init__(self, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config, self.step, self.cpu_s = config, 0, 0.0
        self.model = Tiny(config.params)
        self.average = Tiny(config.params)
        self.average.load_state_dict(self.model.state_dict())
        told = self.model.told()
        own = {id(p) for p in told}
        rest = [p for p in self.model.parameters() if id(p) not in own]
        groups = [{"params": rest, "share": 1.0}, {"params": told, "share": 3.0}]
        self.optimiser = torch.optim.AdamW(groups, config.rate, (0.9, 0.98))
        self.history: list[dict[str, Any]] = []
        self.before: list[dict[str, Any]] = []

    @property
    def path(self) -> Path:
        """Where the run is kept."""
        return self.config.out / "checkpoint.pt"

    def save(self, out: Path | None = None) -> None:
        """Replace the checkpoint in one go. out: another file than the run's own."""
        path = out or self.path
        state = {
            "params": self.config.params.told(), "seed": self.config.seed, "step": self.step,
            "cpu_s": self.cpu_s, "model": self.model.state_dict(),
            "average": self.average.state_dict(), "optimiser": self.optimiser.state_dict(),
            "history": self.history, "before": self.before,
        }  # fmt: skip
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self) -> None:
        """Go on from the checkpoint. Raises TrainingClash where it is another network's."""
        state = torch.load(self.path, weights_only=True)
        try:
            same = TinyParams.of(state["params"]) == self.config.params
        except ValueError:
            same = False
        if not same or state["seed"] != self.config.seed:
            raise TrainingClash(self.path)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.cpu_s, self.history = state["step"], state["cpu_s"], state["history"]
        self.before = state.get("before", [])

    def begin(self, path: Path) -> None:
        """Take another run's weights. Raises TrainingClash where they do not fit."""
        state = torch.load(path, weights_only=True)
        try:
            odd = self.model.load_state_dict(state["average"], strict=False).unexpected_keys
        except RuntimeError as error:
            raise TrainingClash(path) from error
        if odd:
            raise TrainingClash(path)
        self.average.load_state_dict(self.model.state_dict())
        self.before = [*state.get("before", []), {"step": state["step"], "cpu_s": state["cpu_s"],
                       "seed": state["seed"]}]  # fmt: skip

    def advance(self, clips: tuple[pairs.Clip, ...]) -> dict[str, float]:
        """One step on the batch that belongs to it."""
        config = self.config
        unroll = config.unroll if self.step % 2 else 1
        size = config.batch * config.unroll // unroll
        told = config.params.labels > 0
        side = config.sizes[self.step // 2 % len(config.sizes)] if config.sizes else 0
        batch = pairs.cut(clips, config.seed, self.step, size, config.width, unroll, told, side)
        for group in self.optimiser.param_groups:
            group["lr"] = (
                group["share"] * config.rate * cooled(self.step, config.steps, config.cool)
            )
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + self.step)
        losses = unrolled(self.model, batch, unroll, generator)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        keep = min(0.998, 1.0 - 1.0 / (1.0 + self.step / 10.0))
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(new, 1.0 - keep)
        return {name: float(loss.detach()) for name, loss in losses.items()}


def first_turn(clips: tuple[pairs.Clip, ...], most: int = 16) -> Tensor:
    """Where each style starts: the gain, luma and bias that fit its pictures best as a whole."""
    rows: list[Tensor] = []
    for style in STYLES:
        some = pairs.evenly([clip for clip in clips if clip.style == style], most)
        if not some:
            rows.append(torch.tensor([1.0] * 3 + [0.0] * 6))
            continue
        picked = [(c.source()[0, ::8, ::8], c.target()[0, ::8, ::8]) for c in some]
        x, y = (
            torch.cat([torch.from_numpy(pair[i].copy()).reshape(-1, 3) for pair in picked]) / 255.0
            for i in (0, 1)
        )
        luma = (x * torch.tensor([0.299, 0.587, 0.114])).sum(1)
        fits = [
            torch.linalg.lstsq(
                torch.stack([x[:, i], luma, torch.ones_like(luma)], 1), y[:, i : i + 1]
            )
            for i in range(3)
        ]
        rows.append(torch.stack([fit.solution[:, 0] for fit in fits], 1).reshape(-1))
    return torch.stack(rows)


def cooled(step: int, steps: int, cool: float) -> float:
    """Share of the learning rate: a short rise, a long level, a fall over the last `cool`."""
    return min(1.0, (step + 1) / 50.0, max(0.02, (steps - step) / (cool * steps)))


def unrolled(
    model: Tiny, batch: pairs.Batch, unroll: int, generator: torch.Generator
) -> dict[str, Tensor]:
    """Losses of a clip that is played there and back, each frame with what the last one kept."""
    size, frames = int(batch.source.shape[0]), int(batch.source.shape[1])
    quarter = batch.place.shape[2:]
    kept = torch.zeros(size, model.kept, *quarter)
    noise = torch.randn(size, 3, *quarter, generator=generator)
    time_ = flow.times(size, generator)
    there = [*range(frames), *range(frames - 2, 0, -1)] or [0]
    last: tuple[Tensor, Tensor] | None = None
    parts: dict[str, list[Tensor]] = {"level": [], "edge": [], "change": []}
    for at in range(unroll):
        frame = there[at % len(there)]
        target = batch.target[:, frame]
        small = F.avg_pool2d(target, 4) * 2 - 1
        noised = flow.mixed(small, noise, time_)
        styled, _, kept = model(
            batch.source[:, frame], noised, time_, batch.style, kept, batch.place,
            None if batch.labels is None else batch.labels[:, frame],
        )  # fmt: skip
        parts["level"].append(F.l1_loss(styled, target) + 2.0 * (styled - target).square().mean())
        parts["edge"].append(edges(styled, target))
        if last is not None:
            parts["change"].append(0.5 * F.l1_loss(styled - last[0], target - last[1]))
        last = styled, target
    return {name: torch.stack(some).mean() for name, some in parts.items() if some}


def edges(styled: Tensor, target: Tensor) -> Tensor:
    """Difference of the gradients at full, half and quarter size."""
    total: Tensor = torch.zeros(())
    for _ in range(3):
        for axis in (2, 3):
            total = total + 0.35 * F.l1_loss(styled.diff(dim=axis), target.diff(dim=axis))
        styled, target = F.avg_pool2d(styled, 2), F.avg_pool2d(target, 2)
    return torch.as_tensor(total)


@torch.no_grad()
def painted(model: Tiny, clip: pairs.Clip, seed: int = 0, steps: int = 1) -> Tensor:
    """A whole clip as the stream would paint it: (frames, 3, h, w)."""
    source = pairs.pictures(clip.source())
    style = pairs.one_hot([STYLES.index(clip.style)])
    labels = clip.labels() if model.params.labels else None
    quarter = source.shape[2] // 4, source.shape[3] // 4
    generator = torch.Generator().manual_seed(seed)
    noises = tuple(torch.randn(1, 3, *quarter, generator=generator) for _ in range(steps))
    kept = torch.zeros(1, model.kept, *quarter)
    out: list[Tensor] = []
    for number, frame in enumerate(source):
        shown: list[tuple[Tensor, Tensor]] = []
        told = None if labels is None else labels[number : number + 1]

        def predict(x: Tensor, at: Tensor) -> Tensor:
            styled, _, keep = model(frame[None], x, at, style, kept, None, told)  # noqa: B023
            shown.append((styled, keep))  # noqa: B023
            small: Tensor = keep[:, :3]
            return small

        flow.denoise(predict, noises, steps)
        kept = shown[-1][1]
        out.append(shown[-1][0][0].clamp(0, 1))
    return torch.stack(out)


def held_out(model: Tiny, clips: tuple[pairs.Clip, ...], most: int = 12) -> dict[str, float]:
    """PSNR [dB] and SSIM over up to `most` clips, of each style as many, spread over the split."""
    some = pairs.spread(clips, most)
    found = [(painted(model, clip), pairs.pictures(clip.target())) for clip in some]
    return {
        "psnr": sum(psnr(a, b) for a, b in found) / len(found),
        "ssim": sum(ssim(a, b) for a, b in found) / len(found),
    }


def train(config: TrainConfig, say: Say, now: Callable[[], float] = time.process_time) -> Run:
    """Train to `config.steps`, from the checkpoint where there is one. Returns the run."""
    run = begun(lambda: Run(config), config.threads, config.steps, say)
    clips = pairs.find(config.data, "train")
    judged = pairs.find(config.data, "validation")
    if run.step == 0 and config.begin is not None:
        run.begin(config.begin)
        say(f"beginning with {config.begin}")
    elif run.step == 0:
        with torch.no_grad():
            run.model.base.copy_(first_turn(clips))
            run.average.base.copy_(run.model.base)
    say(f"{len(clips)} clips to learn from, {len(judged)} to judge by")
    begin = now()
    while run.step < config.steps:
        losses = run.advance(clips)
        if run.step % config.every and run.step != config.steps:
            continue
        run.cpu_s, begin = run.cpu_s + now() - begin, now()
        row = {"step": run.step, "clips": len(clips), "cpu_s": round(run.cpu_s, 1), **losses}
        row |= held_out(run.average, judged)
        noted(run, row, say)
        sheet(run.average, judged, config.out / "sheets" / f"step-{run.step:06d}.png")
    return run


def sheet(model: Tiny, clips: tuple[pairs.Clip, ...], path: Path, rows: int = 6) -> None:
    """Source, painted and target of a clip in each style, first frames."""
    chosen = [next((c for c in clips if c.style == s), None) for s in STYLES]
    cells = [
        [pairs.pictures(c.source())[0], painted(model, c)[0], pairs.pictures(c.target())[0]]
        for c in chosen[:rows]
        if c is not None
    ]
    write_sheet(path, cells)


def told(config: TrainConfig) -> dict[str, Any]:
    """The run's settings for the model card."""
    kept = {k: v for k, v in asdict(config).items() if k not in ("data", "out", "begin", "params")}
    return {**kept, **config.params.told()}
