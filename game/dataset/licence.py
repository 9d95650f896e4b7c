"""Under which terms a data set may stand: one licence for all of its tracks, or a refusal.

Owns the table of licences and how they combine. Gives no legal advice; refuses what it does not
know instead of guessing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from game.dataset.errors import LicenceClash
from game.session.format import Manifest


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence asks. like: adaptations must carry this very licence. nd: none allowed."""

    attribution: bool = True
    noncommercial: bool = False
    like: bool = False
    nd: bool = False


KNOWN: dict[str, Terms] = {
    "CC0-1.0": Terms(attribution=False),
    "MIT": Terms(),
    "Apache-2.0": Terms(),
    "CC-BY-4.0": Terms(),
    "CC-BY-SA-4.0": Terms(like=True),
    "CC-BY-NC-4.0": Terms(noncommercial=True),
    "CC-BY-NC-SA-4.0": Terms(noncommercial=True, like=True),
    "CC-BY-ND-4.0": Terms(nd=True),
    "CC-BY-NC-ND-4.0": Terms(noncommercial=True, nd=True),
}
SAME_AS_SOURCE = frozenset({"filter", "tiny"})
"""Backends that hold no model, or one trained on our own pictures alone: what they make is an
adaptation of the source."""


@dataclass(frozen=True, slots=True)
class TrackTerms:
    """Licence and provenance of one track of one session."""

    track: str
    licence: str
    provenance: str


def tracks(
    manifest: Manifest,
    stated: Mapping[str, str] | None = None,
    painted: Mapping[str, Any] | None = None,
) -> tuple[TrackTerms, ...]:
    """Terms of the source and styled tracks. stated: track -> licence, where the player knows.

    painted: where the styled track was painted after the drive, what its session notes of that
    (model, licence, notice); then the model's terms are the track's, whatever the drive was seen
    through. A stated licence never replaces one that is named. Raises LicenceClash where a track's
    licence is not known.
    """
    said = {name: manifest.tracks.get(name, {}) for name in ("source", "styled")}
    backend = manifest.backend
    if painted is not None:
        backend = str(painted.get("model", "wan"))
        words = ("painted after the drive", str(painted.get("notice", "")))
        said["styled"] = {"licence": str(painted.get("licence", "")),
                          "provenance": "; ".join(filter(None, words))}  # fmt: skip
    found = []
    for name, facts in said.items():
        licence = facts.get("licence", "")
        if licence not in KNOWN and name == "styled" and backend in SAME_AS_SOURCE:
            licence = said["source"].get("licence", "")
        if licence not in KNOWN:
            licence = (stated or {}).get(name, "")
        if licence not in KNOWN:
            raise LicenceClash(
                f"session {manifest.session}: the licence of its {name} track "
                f"(backend {backend}) is not known",
                f"state the model's terms with --licence {name}=ID, one of {', '.join(KNOWN)}",
            )
        origin = facts.get("provenance", "") or "not stated"
        if name == "styled":
            origin = f"{origin} (backend {backend})"
        found.append(TrackTerms(name, licence, origin))
    return tuple(found)


def combine(licences: Iterable[str]) -> str:
    """The licence of a whole that holds all of `licences`. Raises LicenceClash."""
    wanted = sorted(set(licences))
    for name in wanted:
        if KNOWN[name].nd:
            raise LicenceClash(
                f"{name} allows no adaptation, and a paired data set is one", "leave that track out"
            )
    alike = [name for name in wanted if KNOWN[name].like]
    commercial = [name for name in wanted if not KNOWN[name].noncommercial]
    if len(alike) > 1:
        raise LicenceClash(
            f"{' and '.join(alike)} each ask for themselves alone", "export them separately"
        )
    nc = any(KNOWN[name].noncommercial for name in wanted)
    if alike:
        if nc and alike[0] in commercial:
            clash = next(name for name in wanted if KNOWN[name].noncommercial)
            raise LicenceClash(
                f"{clash} forbids what {alike[0]} must allow", "export them separately"
            )
        return alike[0]
    if nc:
        return "CC-BY-NC-4.0"
    return wanted[0] if len(wanted) == 1 else "CC-BY-4.0"
