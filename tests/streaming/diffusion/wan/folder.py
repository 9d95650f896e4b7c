"""A card's folder with random weights, small enough to stream in tests."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from streaming.diffusion.model import STYLES
from streaming.diffusion.wan.card import CARD, Card, written
from streaming.diffusion.wan.nano_vae import NanoAutoencoder
from streaming.diffusion.wan.params import MODELS, CacheParams, SampleParams
from streaming.diffusion.wan.transformer import WanModel
from streaming.diffusion.wan.weights import digest

SIDE = 32


def write_folder(folder: Path, **more: object) -> Card:
    """A nano model that nobody trained, painting at 32x32."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    nano = MODELS["nano"]
    table = {style: torch.randn(nano.text_tokens, nano.text_dim) for style in STYLES}
    files = {
        "transformer.safetensors": WanModel(nano).state_dict(),
        "autoencoder.safetensors": NanoAutoencoder(16, 8, 8).state_dict(),
        "styles.safetensors": table,
    }
    for name, state in files.items():
        save_file({k: v.contiguous() for k, v in state.items()}, folder / name)
    told = {
        "width": SIDE, "height": SIDE, "cache": CacheParams(4, 1, 1, -1),
        "sample": SampleParams((300,), 0.4, normalise=True),
        "sums": {name: digest(folder / name) for name in files}, **more,
    }  # fmt: skip
    transformer, autoencoder, text = files
    card = Card(folder, "nano", transformer, text, "nano", autoencoder, "random", **told)
    (folder / CARD).write_text(written(card, {}))
    return card
