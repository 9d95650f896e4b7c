"""What a file or folder is, whether its keys are all there, and whether it will run here."""

from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from streaming.diffusion.wan import weights
from streaming.diffusion.wan.cache import Cache
from streaming.diffusion.wan.card import CARD, Card, read_card
from streaming.diffusion.wan.errors import DiffusionError
from streaming.diffusion.wan.params import MODELS, WanParams
from streaming.diffusion.wan.quantise import able
from streaming.diffusion.wan.rig import best_device
from streaming.diffusion.wan.tiny_vae import TinyAutoencoder
from streaming.diffusion.wan.transformer import WanModel

_REST = 0.35  # of the weights and memory, for what is computed on the way


@dataclass(frozen=True, slots=True)
class Seen:
    """what: in words. details: lines. runs: whether it will run here; why: or why not."""

    path: str
    what: str
    details: tuple[str, ...]
    runs: bool
    why: str


def inspect(path: Path) -> Seen:
    """Look at a checkpoint, or at a folder with a card. Never raises for a bad file."""
    try:
        if path.is_dir() and (path / CARD).is_file():
            return _folder(path)
        return _file(path)
    except DiffusionError as error:
        return Seen(str(path), "not usable", (), False, str(error))


def _folder(path: Path) -> Seen:
    card = read_card(path)
    details = []
    for name in (card.transformer, card.autoencoder_file, card.text):
        part = card.path(name)
        if not part.exists():
            return Seen(str(path), "a card", (), False, f"{part} is not there")
        if part.is_file() and card.sums.get(name, "") not in ("", weights.digest(part)):
            return Seen(str(path), "a card", (), False, f"{part}: its SHA-256 is not the card's")
        details.append(f"{name}: {weights.identify(part).kind if part.is_file() else 'a folder'}")
    missing = _unfit(card.path(card.transformer), card.params)
    if missing:
        return Seen(str(path), "a card", tuple(details), False, missing)
    what = (
        f"{card.name or card.model}: {card.model} transformer, {card.autoencoder} autoencoder, "
        f"{card.width}x{card.height}, steps: {len(card.sample.timesteps)}, {card.mode}"
    )
    return Seen(str(path), what, tuple(details), *_fits(card))


def _file(path: Path) -> Seen:
    report = weights.identify(path)
    size = f"{report.values / 1e6:.1f} million values, {report.dtype}"
    what = f"{report.kind}{', ' + report.model if report.model else ''}"
    details = [size, f"names: {report.naming or 'neither original nor diffusers'}"]
    if report.kind == "unknown":
        return Seen(str(path), what, tuple(details), False, "no checkpoint that is known here")
    if report.kind == "tiny autoencoder":
        model = TinyAutoencoder()
        missing = _keys(weights.read(path), model.state_dict(), str(path))
        return Seen(str(path), what, tuple(details), not missing, missing or "a twelfth of a GB")
    if report.kind != "transformer" or report.params is None:
        return Seen(str(path), what, tuple(details), True, "name it on a card (docs/wan.md)")
    missing = _unfit(path, report.params)
    if missing:
        return Seen(str(path), what, tuple(details), False, missing)
    details.append("keys: all there, none too many")
    if report.model not in MODELS:
        return Seen(str(path), what, tuple(details), False, f"no model has this shape: "
                    f"{', '.join(MODELS)}")  # fmt: skip
    card = Card(path.parent, report.model, path.name, "", width=832, height=480)
    return Seen(str(path), what, tuple(details), *_fits(card))


def _unfit(path: Path, params: WanParams) -> str:
    """What does not fit between a file and a transformer's shape; '' where all does."""
    with torch.device("meta"):
        model = WanModel(params)
    return _keys(weights.original(weights.read(path)), model.state_dict(), str(path))


def _keys(state: weights.State, wanted: weights.State, path: str) -> str:
    missing = [name for name in wanted if name not in state]
    extra = [name for name in state if name not in wanted]
    bent = [n for n in wanted if n in state and state[n].shape != wanted[n].shape]
    told = [
        f"{len(names)} keys {word}, such as {names[0]}"
        for word, names in (("are missing", missing), ("are too many", extra),
                            ("have another shape", bent))
        if names
    ]  # fmt: skip
    return "; ".join(told)


def _fits(card: Card) -> tuple[bool, str]:
    """Whether weights and one player's memory fit, with the figures."""
    device = torch.device(best_device())
    if why := able(card.quantise, device):
        return False, why
    need = needed(card, 2 if device.type == "cuda" else 4)
    if device.type == "cuda":
        free, where = torch.cuda.mem_get_info(device)[0], torch.cuda.get_device_name(device)
    else:
        free, where = psutil.virtual_memory().available, "the processor"
    told = f"about {need / 1e9:.2f} GB for one player at {card.width}x{card.height}, "
    told += f"{free / 1e9:.1f} GB free on {where}"
    if device.type == "cpu" and card.model != "nano":
        told += "; no GPU here, so far slower than a stream"
    return need < free, told


def needed(card: Card, width: int) -> float:
    """Bytes for weights (of `width` bytes a value) and one player's memory, computing included."""
    with torch.device("meta"):
        model = WanModel(card.params)
        rows = len(card.sample.timesteps) if card.mode == "batched" else 1
        cache = Cache(card.params, card.cache, card.grid, card.params.layers, rows, torch.bfloat16,
                      "meta")  # fmt: skip
    values = sum(p.numel() for p in model.parameters())
    each = 1 if card.quantise != "none" else width
    return (values * each + cache.bytes * width / 2) * (1 + _REST)
