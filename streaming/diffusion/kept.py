"""What all training runs share: going on from a checkpoint, and noting what was learnt so far."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

Say = Callable[[str], None]


class Kept(Protocol):
    """A run that a checkpoint holds. path: of the checkpoint."""

    step: int
    cpu_s: float
    history: list[dict[str, Any]]

    @property
    def path(self) -> Path: ...

    def save(self) -> None: ...

    def load(self) -> None: ...


R = TypeVar("R", bound=Kept)


def begun(make: Callable[[], R], threads: int, steps: int, say: Say) -> R:
    """A run, where its checkpoint left off if there is one. threads: 0 leaves torch's choice."""
    if threads:
        torch.set_num_threads(threads)
    run = make()
    run.path.parent.mkdir(parents=True, exist_ok=True)
    if run.path.exists():
        run.load()
        say(f"going on at step {run.step} of {steps}")
    return run


def noted(run: Kept, row: dict[str, Any], say: Say) -> None:
    """Keep the run and a row of its log, and say it."""
    run.history.append(row)
    run.save()
    with (run.path.parent / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(row) + "\n")
    say(" ".join(f"{k} {v:.4g}" for k, v in row.items()))
