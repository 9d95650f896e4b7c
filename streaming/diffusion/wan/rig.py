"""A card's files, loaded: the network on its device, streams for players, embeddings for prompts.

Owns what all streams share. Downloads nothing; every file is strict (see weights.py).
"""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from streaming.backends.filter import style_of
from streaming.diffusion.wan import weights
from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.card import Card
from streaming.diffusion.wan.errors import BadOption, WrongCheckpoint
from streaming.diffusion.wan.nano_vae import NanoAutoencoder, NanoStream
from streaming.diffusion.wan.paint import Batched, Painter, Sampler, Sequential
from streaming.diffusion.wan.params import WanParams
from streaming.diffusion.wan.quantise import quantise
from streaming.diffusion.wan.stream import Stream
from streaming.diffusion.wan.text import open_text
from streaming.diffusion.wan.tiny_vae import TinyAutoencoder
from streaming.diffusion.wan.transformer import WanModel
from streaming.diffusion.wan.vae import Autoencoder, WanAutoencoder

Texts = Callable[[str, str], Tensor]


def best_device() -> str:
    """The first CUDA card, or the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class Rig:
    """first, last: blocks held here, all by default (see distributed.py).

    Autoencoder and words are where the first block is. kind: what paints a stream's blocks.
    """

    def __init__(
        self, card: Card, device: str = "", first: int = 0, last: int | None = None
    ) -> None:
        self.card, self.device = card, torch.device(device or best_device())
        on_card = self.device.type == "cuda"
        wide = card.dtype == "float32" or (card.dtype == "auto" and not on_card)
        self.dtype = torch.float32 if wide else torch.bfloat16
        self.kind: Callable[[WanModel, Cache, Sampler], Painter] = (
            Batched if card.mode == "batched" else Sequential
        )
        self.model = self._transformer(first, last)
        if self.model.starts:
            self.autoencoder, self.texts = self._autoencoder(), self._texts()
        self._lock = threading.Lock()

    @property
    def digest(self) -> str:
        """Of what decides the pictures: the card's text and the sums of the files it names."""
        told = hashlib.sha256(repr(self.card).encode())
        for name in (self.card.transformer, self.card.autoencoder_file, self.card.text):
            path = self.card.folder / name
            if name and path.is_file():
                told.update(weights.digest(path).encode())
        return told.hexdigest()

    def stream(self, seed: int = 0) -> Stream:
        """One more stream, with a memory of its own. Its painter has no prompt yet.

        Raises torch.OutOfMemoryError or MemoryError where the memory does not fit.
        """
        card, sampler = self.card, Sampler(self.card.sample, seed)
        rows = len(card.sample.timesteps) if card.mode == "batched" else 1
        cache = self.cache(rows)
        painter = self.kind(self.model, cache, sampler)
        return Stream(self.autoencoder(), painter, card.cache, card.sample)

    def cache(self, rows: int) -> Cache:
        """A memory for the blocks held here."""
        card, layers = self.card, self.model.last - self.model.first
        return Cache(card.params, card.cache, card.grid, layers, rows, self.dtype, self.device)

    def embedding(self, prompt: str, style: str) -> Tensor:
        """Of the words, or of the style that they name, [1, tokens, text_dim]. May take seconds."""
        with self._lock:
            return self.texts(prompt, style).to(self.device)

    def _transformer(self, first: int, last: int | None) -> WanModel:
        card = self.card
        with torch.device("meta"):
            model = WanModel(card.params, first, last)
        model = model.to_empty(device="cpu").eval().requires_grad_(False)
        path = card.path(card.transformer)
        whole = first == 0 and model.ends
        weights.load(model, path, card.sums.get(card.transformer, ""), partial=not whole)
        if self.dtype != torch.float32:
            model.lower(self.dtype)
        quantise(model, card.quantise, self.device)
        model.to(self.device)
        if card.compile:
            model.compile(dynamic=False)
        return model

    def _autoencoder(self) -> Callable[[], Autoencoder]:
        card = self.card
        path = card.path(card.autoencoder_file)
        known = card.sums.get(card.autoencoder_file, "")
        if known and not (path.is_file() and weights.digest(path) == known.lower()):
            raise WrongCheckpoint(str(path), "its SHA-256 is not the one on the card")
        if card.autoencoder == "nano":
            net = NanoAutoencoder(card.params.channels, *nano_widths(path))
            self._ready(net, path)
            return lambda: NanoStream(net)
        if card.autoencoder == "tiny":
            tiny = TinyAutoencoder(card.params.channels)
            self._ready(tiny, path)
            return tiny.twin
        vae = _wan_autoencoder(path).to(self.device, self.dtype).eval().requires_grad_(False)
        if card.channels_last:
            vae.to(memory_format=torch.channels_last_3d)
        return lambda: WanAutoencoder(vae)

    def _ready(self, net: torch.nn.Module, path: Path) -> None:
        weights.fill(net, weights.read(path), str(path))
        net.to(self.device, self.dtype).eval().requires_grad_(False)
        if self.card.channels_last:
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _texts(self) -> Texts:
        path = self.card.path(self.card.text)
        params = self.card.params
        if path.is_dir():
            encoder = open_text(path, params.text_tokens)
            return lambda prompt, style: encoder(", ".join(t for t in (style, prompt) if t))
        return style_table(path, params)


def style_table(path: Path, params: WanParams) -> Texts:
    """Embeddings by style from a safetensors file; words name the nearest style."""
    table = weights.read(path)
    shape = (params.text_tokens, params.text_dim)
    bent = tuple(name for name, value in table.items() if tuple(value.shape) != shape)
    if bent or "day" not in table:
        raise WrongCheckpoint(str(path), f"not a table of styles of {shape[0]}x{shape[1]}", bent)
    return lambda prompt, style: table[style_of(prompt, style)][None].float()


def nano_widths(path: Path) -> tuple[int, int]:
    """Channels at 1/4 and 1/8, as the file has them."""
    state = weights.read(path)
    try:
        return state["fold.weight"].shape[0], state["down.weight"].shape[0]
    except (KeyError, IndexError) as error:
        raise WrongCheckpoint(str(path), "not a nano autoencoder") from error


def _wan_autoencoder(path: Path) -> Any:
    """diffusers' module from its own folder, its own file, or the original release's file."""
    try:
        from diffusers import AutoencoderKLWan
        from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers
    except ImportError as error:
        raise BadOption(f"Wan's autoencoder needs diffusers ({error}); pip install '.[diffusion]'"
                        ) from error  # fmt: skip
    state = weights.read(path)
    if any(name.startswith("encoder.downsamples") for name in state):
        state = convert_wan_vae_to_diffusers(dict(state))
    vae = AutoencoderKLWan()
    weights.fill(vae, state, str(path))
    return vae
