"""Statistics as LeRobot keeps them: min, max, mean, std, count and five quantiles of a feature."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stat = dict[str, list[Any]]

QUANTILES = ("q01", "q10", "q50", "q90", "q99")
_SAMPLES, _GRID = 100, 8


def of_rows(values: NDArray[Any]) -> Stat:
    """Of (n,) or (n, d) rows; shapes (d,)."""
    rows = np.asarray(values, np.float64).reshape(len(values), -1)
    return _stat(rows, (0,), (-1,), len(rows))


def sample_pixels(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every eighth pixel of every eighth row: enough for the statistics of pictures."""
    return picture[::_GRID, ::_GRID]


def of_pictures(samples: Sequence[NDArray[np.uint8]]) -> Stat:
    """Of sampled RGB pictures, at most a hundred of them, in 0..1; shapes (3, 1, 1)."""
    chosen = np.asarray(samples[:: max(1, -(-len(samples) // _SAMPLES))], np.float64)
    planes = chosen.transpose(0, 3, 1, 2) / 255.0
    return _stat(planes, (0, 2, 3), (3, 1, 1), len(planes))


def merge(stats: Sequence[Mapping[str, Any]]) -> Stat:
    """Statistics of the whole from those of its parts, weighted by their counts."""
    count = np.array([s["count"][0] for s in stats], float)

    def get(name: str) -> NDArray[np.float64]:
        return np.array([s[name] for s in stats], np.float64)

    mean = get("mean")
    weight = (count / count.sum()).reshape([-1] + [1] * (mean.ndim - 1))
    middle = (mean * weight).sum(0)
    spread = np.sqrt(((get("std") ** 2 + (mean - middle) ** 2) * weight).sum(0))
    return {
        "min": get("min").min(0).tolist(),
        "max": get("max").max(0).tolist(),
        "mean": middle.tolist(),
        "std": spread.tolist(),
        "count": [int(count.sum())],
        **{name: (get(name) * weight).sum(0).tolist() for name in QUANTILES},
    }


def _stat(
    values: NDArray[np.float64], axis: tuple[int, ...], shape: tuple[int, ...], n: int
) -> Stat:
    found = {
        "min": values.min(axis), "max": values.max(axis),
        "mean": values.mean(axis), "std": values.std(axis),
    }  # fmt: skip
    for name in QUANTILES:
        found[name] = np.quantile(values, int(name[1:]) / 100, axis=axis)
    return {**{k: v.reshape(shape).tolist() for k, v in found.items()}, "count": [n]}
