"""Sources of an area from the City's server: which data sets, which of their rows.

Footprints and centre lines are needed; water and parks are drawn where the server has them. Needs
shapely (extra `city`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from game.atlas.area import Area
from game.atlas.socrata import BOUNDARIES, CENTRELINES, FOOTPRINTS, PARKS, Client, Heard, Query
from game.atlas.sources import Sources, assemble
from game.atlas.table import Feature, read_table
from game.atlas.tally import Tally
from game.errors import SourceError, SourceUnreachable

DATASETS = {
    "buildings": FOOTPRINTS,
    "streets": CENTRELINES,
    "shoreline": BOUNDARIES,
    "parks": PARKS,
}
NEEDED = ("buildings", "streets")
BEYOND = 0.003  # rows are asked for this far around the area, for its margin [degree]


def where(area: Area, field: str = "the_geom") -> str:
    """The SoQL condition for rows that touch the area's box."""
    west, south, east, north = area.box
    west, south, east, north = west - BEYOND, south - BEYOND, east + BEYOND, north + BEYOND
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    text = ", ".join(f"{x:.6f} {y:.6f}" for x, y in ring)
    return f"intersects({field}, 'POLYGON (({text}))')"


def fetch(
    base: str,
    area: Area,
    cache: Path,
    tally: Tally,
    heard: Heard = lambda *_: None,
    files: Mapping[str, Path] | None = None,
    client: Callable[[], Client] = Client,
) -> Sources:
    """Sources from the server at `base`; `files` stand in for parts of it.

    Finished pages are kept in `cache`. Raises SourceUnreachable and SourceError.
    """
    tables: dict[str, list[Feature]] = {}
    digests: dict[str, str] = {}
    for part, path in (files or {}).items():
        tables[part], digests[path.name] = read_table(path)
    asked = client()
    try:
        for part, dataset in DATASETS.items():
            if part in tables:
                continue
            condition = "" if part == "shoreline" else where(area)
            try:
                found = asked.rows(Query(base, dataset, condition), cache, heard)
            except SourceUnreachable as error:
                if part in NEEDED or "answers 404" not in error.why:
                    raise
                continue
            if not found.features and part in NEEDED:
                raise SourceError(cache, f"data set {dataset} has no row in '{area.name}'")
            if found.features:
                tables[part], digests[dataset] = found.features, found.digest
            tally.dropped(part, "repeated by the server", found.repeated)
    finally:
        asked.close()
    shifted = not {"shoreline", "parks"} & set(files or {})
    return assemble(tables, digests, cache, tally, shifted)
