"""Train, validation and test that share no place, no seed and no player.

Sessions that have any of these in common are one group, and a group is never cut. Owns the
grouping and the choice; both are functions of the sessions alone, so every export repeats them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NAMES = ("train", "validation", "test")
TILE = 250.0
"""Side of the map tiles that count as one place [m]."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What must not appear on both sides of a split: keys such as 'tile:3,-2', 'player:ab12'."""

    session: str
    keys: frozenset[str]
    frames: int


def tile(x: float, y: float) -> str:
    """The key of the place at (x, y) [m]."""
    return f"tile:{int(x // TILE)},{int(y // TILE)}"


def groups(traits: Sequence[Traits]) -> list[list[Traits]]:
    """Sessions that are linked by any shared key, largest group first."""
    parent = list(range(len(traits)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    holder: dict[str, int] = {}
    for index, each in enumerate(traits):
        for key in each.keys:
            parent[root(index)] = root(holder.setdefault(key, index))
    found: dict[int, list[Traits]] = {}
    for index, each in enumerate(traits):
        found.setdefault(root(index), []).append(each)
    return sorted(found.values(), key=lambda g: (-sum(t.frames for t in g), _order(g)))


def assign(
    traits: Sequence[Traits], shares: Mapping[str, float] | None = None
) -> tuple[dict[str, str], int]:
    """Split of each session and the number of groups.

    shares: wanted share of frames of each split. The largest group goes to train, the next ones
    to test and validation, every further one where most is missing. A single group is all train:
    nothing can be held out then.
    """
    wanted = dict(shares or {"train": 0.8, "validation": 0.1, "test": 0.1})
    parts = groups(traits)
    total = max(1, sum(t.frames for t in traits))
    have = dict.fromkeys(NAMES, 0)
    chosen: dict[str, str] = {}
    for index, group in enumerate(parts):
        first = [n for n in ("train", "test", "validation") if wanted.get(n, 0.0) > 0]
        if index < len(first):
            name = first[index]
        else:
            name = max(NAMES, key=lambda n: wanted.get(n, 0.0) - have[n] / total)
        have[name] += sum(each.frames for each in group)
        chosen.update({each.session: name for each in group})
    return chosen, len(parts)


def leaks(traits: Sequence[Traits], chosen: Mapping[str, str]) -> list[str]:
    """Keys that stand on more than one side; empty where nothing leaks."""
    seen: dict[str, set[str]] = {}
    for each in traits:
        for key in each.keys:
            seen.setdefault(key, set()).add(chosen[each.session])
    return sorted(key for key, names in seen.items() if len(names) > 1)


def _order(group: Iterable[Traits]) -> str:
    names = "".join(sorted(each.session for each in group))
    return hashlib.sha256(names.encode()).hexdigest()
