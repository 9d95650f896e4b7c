"""Which distributions a package brings with it: the closure of what ours requires, by its metadata.

Reads an environment's folder without importing anything from it.
"""

from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "scale-diffusion"


def installed(site: Path) -> dict[str, Distribution]:
    """Distributions of the environment at `site` by their canonical name."""
    found = distributions(path=[str(site)])
    return {str(canonicalize_name(each.metadata["Name"])): each for each in found}


def closure(every: dict[str, Distribution], root: str = ROOT) -> tuple[Distribution, ...]:
    """Root and all that it needs on this platform, by name. Raises LookupError for a gap."""
    seen: dict[str, Distribution] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in done:
            continue
        done.add((name, extras))
        if name not in every:
            raise LookupError(f"{name} is required but not installed")
        seen[name] = every[name]
        waiting += _needs(every[name].requires or (), extras)
    return tuple(seen[name] for name in sorted(seen))


def _needs(lines: Iterable[str], extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    found = []
    for line in lines:
        need = Requirement(line)
        chosen = extras or {""}
        if need.marker is None or any(need.marker.evaluate({"extra": x}) for x in chosen):
            found.append((str(canonicalize_name(need.name)), frozenset(need.extras)))
    return found
