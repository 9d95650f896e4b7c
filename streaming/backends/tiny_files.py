"""The embedded network's files: where they are, their names, and whether they are the right ones.

A file whose checksum is not the card's is refused.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from streaming.errors import WeightsBad

CARD = "card.json"
SIZES = (480, 320, 256, 224)
"""Sides that the network runs at [px], finest first; frames of any size pass through each."""
GRAPH, SMALL = "tiny.onnx", "tiny-small.onnx"
"""One graph runs at every size; a second one's last layer may have been fitted to small ones."""
INPUTS = ("picture", "noised", "time", "style", "kept", "place")
OUTPUTS = ("change", "gain", "keep")
DIMS = ("height", "width", "rows", "columns")
"""Names of the graph's free dimensions: of the picture, and of what is as small as a fold."""


def bundled() -> Path:
    """The folder that comes with the program."""
    return Path(str(resources.files("assets"))) / "models" / "tiny"


@dataclass(frozen=True, slots=True)
class Card:
    """What the card says. digest: of the card's own bytes, which name every file's checksum."""

    folder: Path
    digest: str
    styles: tuple[str, ...]
    fold: int
    kept: int
    files: dict[str, dict[str, Any]]

    def graph(self, size: int) -> bytes:
        """The graph for a size. Raises WeightsBad unless it is the one that the card names."""
        names = [name for name, told in self.files.items() if size in told.get("sizes", ())]
        if not names:
            raise WeightsBad(self.folder / CARD, f"it names no graph for {size} px")
        path = self.folder / names[0]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WeightsBad(path, error.strerror or str(error)) from error
        if hashlib.sha256(data).hexdigest() != self.files[names[0]]["sha256"]:
            raise WeightsBad(path, "its checksum is not the one on its card")
        return data


def read_card(folder: Path | None = None) -> Card:
    """The card of a folder, by default the bundled one. Raises WeightsBad."""
    folder = folder or bundled()
    path = folder / CARD
    try:
        raw = path.read_bytes()
        told = json.loads(raw)
        return Card(
            folder, hashlib.sha256(raw).hexdigest(), tuple(told["styles"]), int(told["fold"]),
            int(told["kept"]), dict(told["files"]),
        )  # fmt: skip
    except OSError as error:
        raise WeightsBad(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsBad(path, f"not a card ({error})") from error
