"""How fast a shape streams here, stage by stage, with random weights. Measures, never asserts."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import torch

from streaming.diffusion.wan import flops
from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.errors import BadOption
from streaming.diffusion.wan.nano_vae import NanoAutoencoder, NanoStream
from streaming.diffusion.wan.paint import Batched, Sampler, Sequential
from streaming.diffusion.wan.params import (
    MODELS,
    PATCH,
    PIXELS_PER_LATENT,
    CacheParams,
    SampleParams,
    steps,
)
from streaming.diffusion.wan.schedule import MotionNoise
from streaming.diffusion.wan.tiny_vae import TinyAutoencoder
from streaming.diffusion.wan.transformer import WanModel
from streaming.diffusion.wan.vae import Autoencoder, WanAutoencoder


@dataclass(frozen=True, slots=True)
class Case:
    """What to time. mode: one block at a time, or a stream batch of all steps."""

    model: str = "1.3b"
    width: int = 832
    height: int = 480
    steps: int = 2
    autoencoder: Literal["wan", "tiny", "nano"] = "tiny"
    mode: Literal["sequential", "batched"] = "sequential"

    def __post_init__(self) -> None:
        side = PIXELS_PER_LATENT * PATCH[1]
        if self.model not in MODELS:
            raise BadOption(f"no model {self.model!r}; there are {', '.join(MODELS)}")
        if self.width % side or self.height % side or min(self.width, self.height) < side:
            raise BadOption(f"{self.width}x{self.height}: both must be multiples of {side}")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. *_ms: of one chunk (four frames a latent). *_share: of the peak."""

    model: str
    width: int
    height: int
    steps: int
    autoencoder: str
    mode: str
    device: str
    dtype: str
    fps: float
    ms_per_frame: float
    first_frame_ms: float
    chunk_ms_p50: float
    chunk_ms_p95: float
    encode_ms: float
    transformer_ms: float
    decode_ms: float
    memory_gb: float
    tflops: float
    peak_share: float | None
    transformer_share: float | None


def measure(case: Case, device: str, chunks: int = 20, compiled: bool = False) -> Row:
    """Stream noise for `chunks` chunks after a warm-up that fills the window."""
    rig = _Rig(case, device, compiled)
    first = rig.clock(rig.chunk)
    for _ in range(rig.cache_params.window):
        rig.chunk()
    rig.stages = dict.fromkeys(rig.stages, 0.0)
    if rig.cuda:
        torch.cuda.reset_peak_memory_stats()
    spent = sorted(rig.clock(rig.chunk) for _ in range(chunks))
    total = sum(spent) / chunks
    stage = {name: 1e3 * seconds / chunks for name, seconds in rig.stages.items()}
    work = flops.pass_flops(MODELS[case.model], rig.cache_params, case.height, case.width)
    work *= case.steps
    whole = work + sum(flops.autoencoder_flops(case.autoencoder, case.height, case.width))
    peak = flops.peak_of(rig.name)
    frames = 4 * rig.cache_params.block
    return Row(
        **asdict(case),
        device=rig.name,
        dtype=str(rig.dtype).removeprefix("torch."),
        fps=frames / total,
        ms_per_frame=1e3 * total / frames,
        first_frame_ms=1e3 * first,
        chunk_ms_p50=1e3 * spent[len(spent) // 2],
        chunk_ms_p95=1e3 * spent[int(len(spent) * 0.95)],
        encode_ms=stage["encode"],
        transformer_ms=stage["transformer"],
        decode_ms=stage["decode"],
        memory_gb=torch.cuda.max_memory_allocated() / 1e9 if rig.cuda else rig.held_gb(),
        tflops=whole / total / 1e12,
        peak_share=whole / total / peak if peak else None,
        transformer_share=work / stage["transformer"] * 1e3 / peak if peak else None,
    )


class _Rig:
    """Everything of one stream with random weights on one device."""

    def __init__(self, case: Case, device: str, compiled: bool) -> None:
        self.cuda = device.startswith("cuda")
        self.device = torch.device(device)
        self.name = torch.cuda.get_device_name(self.device) if self.cuda else "cpu"
        self.dtype = torch.bfloat16 if self.cuda else torch.float32
        self.case, self.cache_params = case, CacheParams()
        wan, sample = MODELS[case.model], SampleParams(steps(case.steps))
        with torch.device(self.device):
            model = WanModel(wan).eval()
            self.vae = _autoencoder(case.autoencoder, self.dtype)
            text = torch.randn(1, wan.text_tokens, wan.text_dim)
            self.frames = torch.rand(3, 4, case.height, case.width) * 2 - 1
        model = model.lower(self.dtype) if self.cuda else model
        self.model = model
        side = PIXELS_PER_LATENT * PATCH[1]
        grid = case.height // side, case.width // side
        rows = case.steps if case.mode == "batched" else 1
        self.cache = Cache(wan, self.cache_params, grid, wan.layers, rows, self.dtype, self.device)
        kind = Batched if case.mode == "batched" else Sequential
        if compiled:
            model.compile(dynamic=False)
        with torch.no_grad():
            prompt = model.prompt(text)
        self.painter = kind(model, self.cache, Sampler(sample, 0), prompt)
        self.noise, self.started = MotionNoise(sample.noise), False
        self.stages = {"encode": 0.0, "transformer": 0.0, "decode": 0.0}

    def chunk(self) -> None:
        """One latent's frames in, what is finished out."""
        frames = self.frames if self.started else self.frames[:, :1]
        self.started = True
        scale, first = self.noise.next(frames.transpose(0, 1))
        latents = self._timed("encode", lambda: self.vae.encode(frames))
        done = self._timed("transformer", lambda: self.painter.paint(latents, scale, first))
        for block in done:
            self._timed("decode", partial(self.vae.decode, block.latents))

    def clock(self, act: Callable[[], Any]) -> float:
        """Seconds that `act` takes, the device waited for."""
        self._wait()
        start = time.perf_counter()
        act()
        self._wait()
        return time.perf_counter() - start

    def held_gb(self) -> float:
        """Weights and memory, in GB, where no allocator can be asked."""
        return (sum(p.nbytes for p in self.model.parameters()) + self.cache.bytes) / 1e9

    def _timed(self, stage: str, act: Callable[[], Any]) -> Any:
        out: list[Any] = []
        self.stages[stage] += self.clock(lambda: out.append(act()))
        return out[0]

    def _wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()


def _autoencoder(name: str, dtype: torch.dtype) -> Autoencoder:
    if name == "tiny":
        return TinyAutoencoder().to(dtype).eval()
    if name == "nano":
        return NanoStream(NanoAutoencoder().to(dtype).eval())
    from diffusers import AutoencoderKLWan

    return WanAutoencoder(AutoencoderKLWan().to(dtype).eval())
