"""Under which terms the files of a pack may be used, as text that travels with the pack.

Owns the rule that what is derived from OpenStreetMap says so wherever it goes.
"""

from collections.abc import Mapping

NAME = "NOTICE"
ODBL = (
    "Contains information from OpenStreetMap (https://www.openstreetmap.org/copyright), which is\n"
    "made available under the Open Data Commons Open Database License (ODbL) 1.0,\n"
    "https://opendatacommons.org/licenses/odbl/1-0/. The streets, lanes, junctions and signals in\n"
    "streets.bin are a database derived from it and are offered under the same licence; where\n"
    "parks in ground.bin end at a kerb and where a footbridge was left out of buildings.bin, its\n"
    "streets decided. Whatever holds a substantial part of them must keep this notice.\n"
)


def uses_osm(licences: Mapping[str, str]) -> bool:
    """Whether a pack with these licences holds anything derived from OpenStreetMap."""
    return any("ODbL" in terms for terms in licences.values())


def notice(title: str, licences: Mapping[str, str]) -> str:
    """The text of the file NOTICE of a pack."""
    rows = "".join(f"{name}: {terms}\n" for name, terms in sorted(licences.items()))
    return f"{title}\n\n{rows}" + (f"\n{ODBL}" if uses_osm(licences) else "")
