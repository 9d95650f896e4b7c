"""Pairs of coloured noise and a network of a few channels, enough to train on and to export."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from streaming.diffusion.model import STYLES
from streaming.diffusion.train import PRESETS, TrainConfig

SIDE = 64


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def write_drive(folder: Path, index: int, split: str) -> None:
    """Two clips of two frames in all styles; each style halves another colour."""
    draw = np.random.default_rng(index)
    source = draw.integers(0, 255, (2, 2, SIDE, SIDE, 3), np.uint8)
    target = np.stack([source // (1 + (np.arange(3) == s % 3)) for s in range(6)], axis=1)
    there = folder / f"drive-{index:05d}"
    there.mkdir(parents=True)
    np.save(there / "source.npy", source)
    np.save(there / "target.npy", target.astype(np.uint8))
    np.save(there / "kinds.npy", np.zeros(source.shape[:4], np.uint8))
    np.save(there / "flow.npy", np.zeros((2, 1, SIDE, SIDE, 2), np.float16))
    np.save(there / "depth.npy", draw.random(source.shape[:4]).astype(np.float16))
    np.save(there / "normal.npy", draw.integers(-127, 127, source.shape, np.int8))
    clip = {"street": f"{index}th Street", "split": split, "styles": list(STYLES)}
    (there / "meta.json").write_text(json.dumps({"clips": [clip, clip]}))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    for index, split in enumerate(("train", "train", "validation", "test")):
        write_drive(folder, index, split)
    return folder


@pytest.fixture
def smoke(data: Path, tmp_path: Path) -> TrainConfig:
    return TrainConfig(data, tmp_path / "run", **PRESETS["smoke"])
