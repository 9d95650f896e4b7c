"""A folder that a stream is painted with: a card in JSON, and the files that it names.

card.json says which network and autoencoder, what they were trained for (noise, steps, window), the
size that they paint at, and how to run them. Unknown keys and files of another sum are refused.
"""

import difflib
import json
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from streaming.diffusion.wan.errors import BadOption, WrongCheckpoint
from streaming.diffusion.wan.params import (
    MODELS,
    PATCH,
    PIXELS_PER_LATENT,
    CacheParams,
    SampleParams,
    WanParams,
    steps,
)

CARD = "card.json"
SIDE = PIXELS_PER_LATENT * PATCH[1]

Quantise = Literal["none", "int8", "fp8"]


@dataclass(frozen=True, slots=True)
class Card:
    """What the card says.

    model: a name in MODELS. width, height: painted at [px]; frames of other sizes are scaled there
    and back. transformer, autoencoder_file, text: files or folders beside the card. text: a table
    of embeddings by style (safetensors), or a folder of UMT5 with its tokenizer. mode: batched
    paints one step of several blocks at once (throughput), for one player alone. quantise: how
    the linear layers' weights are kept. licence, notice: of the weights, as an SPDX name and the
    words that go with what is painted with them into data sets. sums: SHA-256 of files, where they
    are known.
    """

    folder: Path
    model: str
    transformer: str
    text: str
    autoencoder: Literal["wan", "tiny", "nano"] = "wan"
    autoencoder_file: str = ""
    name: str = ""
    width: int = 832
    height: int = 480
    sample: SampleParams = field(default_factory=SampleParams)
    cache: CacheParams = field(default_factory=CacheParams)
    mode: Literal["sequential", "batched"] = "sequential"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    quantise: Quantise = "none"
    compile: bool = False
    channels_last: bool = False
    licence: str = ""
    notice: str = ""
    note: str = ""
    sums: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choices = {
            "model": tuple(MODELS), "autoencoder": ("wan", "tiny", "nano"),
            "mode": ("sequential", "batched"), "dtype": ("auto", "float32", "bfloat16"),
            "quantise": ("none", "int8", "fp8"),
        }  # fmt: skip
        for key, known in choices.items():
            if getattr(self, key) not in known:
                raise BadOption(f"{key} {getattr(self, key)!r}; choose one of: {', '.join(known)}")
        if self.width % SIDE or self.height % SIDE or min(self.width, self.height) < SIDE:
            raise BadOption(f"{self.width}x{self.height}: both must be multiples of {SIDE}")

    @property
    def params(self) -> WanParams:
        """The transformer's shape."""
        return MODELS[self.model]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tokens of one latent."""
        return self.height // SIDE, self.width // SIDE

    def path(self, name: str) -> Path:
        """A file or folder that the card names, inside the card's folder."""
        path = self.folder / name
        if not name or not path.resolve().is_relative_to(self.folder.resolve()):
            raise WrongCheckpoint(str(self.folder / CARD), f"names {name!r}, not a file beside it")
        return path


def bundled() -> Path:
    """The folder of the nano model that comes with the program."""
    return Path(str(resources.files("assets"))) / "models" / "nano"


def read_card(folder: Path) -> Card:
    """The card of a folder. Raises WrongCheckpoint, BadOption."""
    path = folder / CARD
    try:
        told = json.loads(path.read_text("utf-8"))
        if not isinstance(told, dict):
            raise ValueError("not an object")
    except OSError as error:
        raise WrongCheckpoint(
            str(path),
            f"no card of a network ({error.strerror}); name a folder that has one with --weights "
            "(docs/wan.md), or train a small one: scale-diffusion diffusion train --preset nano",
        ) from error
    except ValueError as error:
        raise WrongCheckpoint(str(path), f"not a card ({error})") from error
    told = {key: value for key, value in told.items() if key != "about"}
    sample = dict(told.pop("sample", {}))
    if "steps" in sample:
        sample["timesteps"] = steps(int(sample.pop("steps")))
    try:
        made = SampleParams(**_known(SampleParams, sample, "sample.", path))
        cache = CacheParams(**_known(CacheParams, told.pop("cache", {}), "cache.", path))
        return Card(folder=folder, sample=made, cache=cache, **_known(Card, told, "", path))
    except TypeError as error:
        raise WrongCheckpoint(str(path), f"not a card ({error})") from error


def written(card: Card, about: dict[str, Any]) -> str:
    """The card as JSON; about: for people, never read."""
    told = {key: value for key, value in asdict(card).items() if key != "folder"}
    return json.dumps({**told, "about": about}, indent=1) + "\n"


def _known(kind: type, told: Any, where: str, path: Path) -> dict[str, Any]:
    names = {each.name for each in fields(kind)} - {"folder"}
    for key in told:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"; did you mean '{where}{near[0]}'?" if near else ""
            raise WrongCheckpoint(str(path), f"unknown key '{where}{key}'{hint}")
    found = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
    return dict(found)
