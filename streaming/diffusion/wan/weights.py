"""Checkpoints in: what a file is, and a load that takes exactly the right keys or nothing.

Reads safetensors (one file, or shards by their index) and pickles of tensors alone. Never runs a
file's code, never downloads. Names: those of the original Wan release; diffusers' are translated.
"""

import hashlib
import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from streaming.diffusion.wan.errors import UnsafeFile, WrongCheckpoint
from streaming.diffusion.wan.params import MODELS, WanParams

State = Mapping[str, Tensor]
Kind = Literal[
    "transformer", "autoencoder", "tiny autoencoder", "nano autoencoder", "text encoder",
    "style table", "unknown",
]  # fmt: skip

_NESTED = ("generator_ema", "generator", "state_dict", "model")
_PREFIX = re.compile(r"^(?:module\.|_fsdp_wrapped_module\.|model\.diffusion_model\.|model\.)+")

# diffusers' name, ours. Its norm2 is the affine norm before the text, which the original calls
# norm3; the original's norm1 and norm2 have no weights.
_NAMES = (
    (r"^condition_embedder\.time_embedder\.linear_1\.", "time_embedding.0."),
    (r"^condition_embedder\.time_embedder\.linear_2\.", "time_embedding.2."),
    (r"^condition_embedder\.time_proj\.", "time_projection.1."),
    (r"^condition_embedder\.text_embedder\.linear_1\.", "text_embedding.0."),
    (r"^condition_embedder\.text_embedder\.linear_2\.", "text_embedding.2."),
    (r"^scale_shift_table$", "head.modulation"),
    (r"^proj_out\.", "head.head."),
    (r"\.attn1\.", ".self_attn."),
    (r"\.attn2\.", ".cross_attn."),
    (r"\.to_out\.0\.", ".o."),
    (r"\.to_(q|k|v)\.", r".\1."),
    (r"\.ffn\.net\.0\.proj\.", ".ffn.0."),
    (r"\.ffn\.net\.2\.", ".ffn.2."),
    (r"\.norm2\.", ".norm3."),
    (r"\.scale_shift_table$", ".modulation"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a file holds. model: its name in MODELS, or '' for another size."""

    path: str
    kind: Kind
    naming: Literal["original", "diffusers", ""]
    model: str
    params: WanParams | None
    values: int
    dtype: str


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by the names it gives them, on the processor, memory-mapped if it can.

    UnsafeFile: a pickle of more than tensors. WrongCheckpoint: no such file, or not a checkpoint.
    """
    if path.is_dir():
        path = _index_of(path)
    if not path.is_file():
        raise WrongCheckpoint(str(path), "there is no such file")
    if path.name.endswith(".index.json"):
        return _shards(path)
    if path.suffix == ".safetensors":
        return _safetensors(path)
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise UnsafeFile(str(path)) from error
    except (RuntimeError, ValueError, EOFError, OSError) as error:
        raise WrongCheckpoint(str(path), "neither safetensors nor a whole PyTorch file") from error
    return _tensors(raw, path)


def original(state: State) -> dict[str, Tensor]:
    """The same tensors under the original release's names, wrappers' prefixes taken off."""
    bare = {_PREFIX.sub("", name): value for name, value in state.items()}
    if naming(bare) != "diffusers":
        return bare
    return {_translated(name): value for name, value in bare.items()}


def naming(state: State) -> Literal["original", "diffusers", ""]:
    """Whose names these are; '' for neither's."""
    if any(".attn1." in name for name in state):
        return "diffusers"
    return "original" if any(".self_attn." in name for name in state) else ""


def load(model: nn.Module, path: Path, sha256: str = "", partial: bool = False) -> None:
    """Fill `model` from `path`; every key and shape must fit, or nothing is touched.

    sha256: the file's, where it is known. partial: the model holds a share of the blocks, so keys
    of other blocks are left alone. WrongCheckpoint names what does not fit.
    """
    if sha256 and digest(path) != sha256.lower():
        raise WrongCheckpoint(str(path), "its SHA-256 is not the one expected; fetch it again")
    fill(model, original(read(path)), str(path), partial)


def fill(model: nn.Module, state: State, path: str, partial: bool = False) -> None:
    """As load, from tensors at hand."""
    wanted = model.state_dict()
    missing = tuple(name for name in wanted if name not in state)
    extra = tuple(name for name in state if name not in wanted) if not partial else ()
    if missing or extra:
        why = "keys are missing" if missing else "keys belong to another model"
        raise WrongCheckpoint(path, why, missing or extra)
    bent = tuple(
        f"{name} {tuple(state[name].shape)} for {tuple(value.shape)}"
        for name, value in wanted.items()
        if state[name].shape != value.shape
    )
    if bent:
        raise WrongCheckpoint(path, "shapes are another model's", bent)
    model.load_state_dict({name: state[name] for name in wanted}, assign=False)


def identify(path: Path) -> Report:
    """What `path` is, from its names and shapes alone."""
    state = read(path)
    bare = original(state)
    kind = _kind(bare)
    params = _params(bare) if kind == "transformer" else None
    model = next((name for name, known in MODELS.items() if known == params), "")
    values = sum(value.numel() for value in state.values())
    dtype = str(next(iter(state.values())).dtype).removeprefix("torch.") if state else ""
    seen = naming({_PREFIX.sub("", name): value for name, value in state.items()})
    return Report(str(path), kind, seen, model, params, values, dtype)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kind(state: State) -> Kind:
    if "patch_embedding.weight" in state and "head.modulation" in state:
        return "transformer"
    if any(name.startswith(("encoder.downsamples", "encoder.down_blocks")) for name in state):
        return "autoencoder"
    if "decoder.1.weight" in state and "encoder.0.weight" in state:
        return "tiny autoencoder"
    if "project.weight" in state and "restore.weight" in state:
        return "nano autoencoder"
    if "day" in state and all(value.dim() == 2 for value in state.values()):
        return "style table"
    if any("shared.weight" in name or "token_embedding" in name for name in state):
        return "text encoder"
    return "unknown"


def _params(state: State) -> WanParams | None:
    """The shape that the tensors tell, heads of 128 channels as in every public checkpoint."""
    try:
        patch, text = state["patch_embedding.weight"], state["text_embedding.0.weight"]
        layers = 1 + max(int(n.split(".")[1]) for n in state if n.startswith("blocks."))
        ffn, freq = state["blocks.0.ffn.0.weight"], state["time_embedding.0.weight"]
    except (KeyError, ValueError):
        return None
    dim = patch.shape[0]
    heads = next((known.heads for known in MODELS.values() if known.dim == dim), dim // 128)
    if not heads:
        return None
    sizes = {"channels": patch.shape[1], "text_dim": text.shape[1], "freq_dim": freq.shape[1]}
    near = next((known for known in MODELS.values() if known.dim == dim), None)
    return WanParams(
        dim, ffn.shape[0], heads, layers, text_tokens=near.text_tokens if near else 512, **sizes
    )


def _translated(name: str) -> str:
    for theirs, ours in _NAMES:
        name = re.sub(theirs, ours, name)
    return name


def _index_of(folder: Path) -> Path:
    found = sorted(folder.glob("*.safetensors.index.json")) or sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise WrongCheckpoint(str(folder), f"{len(found)} checkpoints in this folder; name one")
    return found[0]


def _shards(index: Path) -> dict[str, Tensor]:
    try:
        names: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        files = sorted(set(names.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongCheckpoint(str(index), "not an index of shards") from error
    state: dict[str, Tensor] = {}
    for file in files:
        if Path(file).name != file:
            raise WrongCheckpoint(str(index), f"names a file outside its folder: {file}")
        state |= read(index.parent / file)
    return state


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise WrongCheckpoint(str(path), "not a whole safetensors file; fetch it again") from error


def _tensors(raw: object, path: Path) -> dict[str, Tensor]:
    while isinstance(raw, dict):
        inner = next((raw[key] for key in _NESTED if isinstance(raw.get(key), dict)), None)
        if inner is None:
            break
        raw = inner
    if not isinstance(raw, dict) or not all(isinstance(v, Tensor) for v in raw.values()):
        raise WrongCheckpoint(str(path), "holds no table of tensors")
    return {str(name): value for name, value in raw.items()}
