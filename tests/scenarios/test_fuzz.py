"""Broken files give errors of this package, never a traceback, a hang or a strange object."""

import random

import pytest

from game.world.city import City
from scenarios.errors import ScenarioError
from scenarios.load import LIBRARY, library, parse
from scenarios.spawn import stage

PIECES = (
    "&a ", "*a", "!!python/name:os.system ", "{", "}", "[", "]", ": ", "- ", "\t", "'", '"', "|",
    "\x00", "1e999", "-1e308", ".inf", ".nan", "null", "~", "yes", "0x1F", "9" * 400, "2026-01-01",
    "\u202e", "<<: ", "? ", "%YAML 9.9\n", "---\n", "...\n", "\U0001f697",
    "12:30:45", "[[[[", "after: crosswalk", "stands: {at: [0, 0]}", "!!binary aGk=", "=", "#",
)  # fmt: skip


def mutate(rng: random.Random, text: str) -> bytes:
    for _ in range(rng.randint(1, 4)):
        lines = text.splitlines(keepends=True) or ["\n"]
        kind, at = rng.randrange(6), rng.randrange(len(text) + 1)
        row = rng.randrange(len(lines))
        if kind == 0:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randint(1, 30) :]
        elif kind == 2:
            text = "".join(lines[:row] + lines[row + 1 :])
        elif kind == 3:
            text = "".join([*lines[:row], lines[row], *lines[row:]])
        elif kind == 4:
            indent = " " * rng.randrange(9)
            text = "".join([*lines[:row], indent, lines[row].lstrip(" "), *lines[row + 1 :]])
        else:
            digits = [i for i, c in enumerate(text) if c.isdigit()] or [0]
            spot = rng.choice(digits)
            text = text[:spot] + rng.choice(("-", "999999", "0", "1e5", "x")) + text[spot + 1 :]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if rng.random() < 0.1 and data:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def fuzz(seed: int, count: int, city: City) -> tuple[int, list[str]]:
    """(how many mutated files were accepted and staged, what the others were refused with)."""
    rng = random.Random(seed)
    texts = [(LIBRARY / f"{name}.yaml").read_text(encoding="utf-8") for name in library()]
    refused: list[str] = []
    accepted = 0
    for _ in range(count):
        data = mutate(rng, rng.choice(texts))
        try:
            scenario, _ = parse(data, "fuzz.yaml")
            stage(scenario, city, rng.randrange(5))
            accepted += 1
        except ScenarioError as wrong:
            refused.append(str(wrong))
    assert all(message.startswith(("fuzz.yaml", "scenario ")) for message in refused)
    return accepted, refused


@pytest.mark.heavy
@pytest.mark.parametrize("block", range(2))
def test_mutated_files_never_give_a_traceback(block: int, city: City) -> None:
    accepted, refused = fuzz(block, 100, city)
    assert len(refused) > 10
    assert accepted > 0


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10, 20))
def test_ten_thousand_mutated_files_never_give_a_traceback(block: int, city: City) -> None:
    accepted, refused = fuzz(block, 1000, city)
    assert accepted + len(refused) == 1000
