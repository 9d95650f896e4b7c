"""What the bench measures, and what one H100 can and should do: limits by arithmetic, and goals."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

from streaming.diffusion.wan import flops
from streaming.diffusion.wan.bench import Case
from streaming.diffusion.wan.params import MODELS, CacheParams

CARD = "H100"
SIZES = ((832, 480), (480, 480))
STEPS = (1, 2, 4)
AUTOENCODERS: tuple[Literal["wan", "tiny"], ...] = ("wan", "tiny")
GOALS = {"wan": 40.0, "tiny": 100.0}
"""Frames a second of 1.3B at 832x480 with two steps, by autoencoder. The transformer alone: 45 % of
the card's peak."""


@dataclass(frozen=True, slots=True)
class Expected:
    """limit_fps: four frames over the time that a chunk's operations take at the card's peak."""

    model: str
    width: int
    height: int
    steps: int
    autoencoder: str
    limit_fps: float
    goal_fps: float | None


def cases() -> list[Case]:
    """What is measured on a card."""
    return [
        Case(model, width, height, count, autoencoder)
        for model, (width, height), count in product(("1.3b", "14b"), SIZES, STEPS)
        for autoencoder in AUTOENCODERS
    ]


def small_cases() -> list[Case]:
    """What is measured on a processor: the nano shape, and the tiny autoencoder beside its own."""
    return [
        *(Case("nano", 160, 160, count, "nano") for count in STEPS),
        Case("nano", 240, 240, 1, "nano"),
        Case("nano", 64, 64, 2, "tiny"),
        Case("nano", 64, 64, 2, "nano", "batched"),
    ]


def expected(card: str = CARD) -> list[Expected]:
    """A row for each case."""
    peak = flops.peak_of(card)
    assert peak is not None
    rows = []
    for case in cases():
        work = case.steps * flops.pass_flops(
            MODELS[case.model], CacheParams(), case.height, case.width
        )
        work += sum(flops.autoencoder_flops(case.autoencoder, case.height, case.width))
        meant = case.model == "1.3b" and (case.width, case.steps) == (832, 2)
        goal = GOALS[case.autoencoder] if meant else None
        rows.append(
            Expected(case.model, case.width, case.height, case.steps, case.autoencoder,
                     4 * peak / work, goal)
        )  # fmt: skip
    return rows
