"""Source files into a pack: reads, mends, measures, writes, and says what it kept and dropped.

Needs shapely (extra `city`). A pack appears whole or not at all; a broken source replaces nothing.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shapely.geometry import Polygon

from game.atlas import ground
from game.atlas.area import Area
from game.atlas.columns import Ints, building_columns, ground_columns, street_columns
from game.atlas.crossing import join
from game.atlas.load import load
from game.atlas.outline import clean
from game.atlas.pack import PACK_VERSION, compress, digest, pack_columns
from game.atlas.roads import clear, lift_bridges, place, uncross
from game.atlas.roadway import measure
from game.atlas.sources import Sources, read_sources
from game.atlas.tally import Tally

LICENCES = {
    "buildings.bin": "NYC Open Data Terms of Use; City of New York, OTI / DCP / NYC Parks",
    "ground.bin": "NYC Open Data Terms of Use; City of New York, OTI / DCP / NYC Parks",
    "streets.bin": "ODbL 1.0; (c) OpenStreetMap contributors",
}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pack that was written: where, its name and digest, and what went in."""

    folder: Path
    digest: str
    tally: Tally
    size: int  # on disk [byte]


def compile_pack(
    source: Path, area: Area, out: Path, progress: Progress = lambda stage: None
) -> Compiled:
    """Compile `area` from the files in `source` into the folder `out`, which is replaced whole.

    progress hears the name of each stage. Raises SourceError, and then `out` is as it was.
    """
    progress("reading the sources")
    sources = read_sources(source)
    tally = Tally()
    header, raws = build(sources, area, tally, progress)
    progress("writing the pack")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        fresh = Path(scratch) / "pack"
        fresh.mkdir()
        for name, raw in raws.items():
            (fresh / name).write_bytes(compress(raw))
        text = json.dumps(header, indent=1, sort_keys=True) + "\n"
        (fresh / "pack.json").write_text(text, encoding="utf-8")
        size = sum(path.stat().st_size for path in fresh.iterdir())
        load(fresh)
        _swap(fresh, out, Path(scratch) / "old")
    return Compiled(out, str(header["digest"]), tally, size)


def _swap(fresh: Path, out: Path, old: Path) -> None:
    """Put `fresh` where `out` is; the old folder goes to `old` and comes back on failure."""
    if not out.exists():
        os.replace(fresh, out)
        return
    os.replace(out, old)
    try:
        os.replace(fresh, out)
    except OSError:
        os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def build(
    sources: Sources, area: Area, tally: Tally, progress: Progress = lambda stage: None
) -> tuple[dict[str, object], dict[str, bytes]]:
    """Header and uncompressed files of the pack of `area`; `tally` hears what happened."""
    outline, plane = Polygon(area.outline()), area.projection
    progress("mending footprints")
    buildings = clean(sources.buildings, outline, plane, tally)
    progress("clearing streets")
    roads = place(sources.roads, outline, plane, tally)
    buildings = lift_bridges(roads, buildings, tally)
    roads = uncross(clear(roads, buildings, tally), tally)
    roads, crossings = join(roads, sources.signals, tally)
    progress("laying out lanes")
    ways = measure(roads, buildings, tally)
    streets = street_columns(ways, crossings, buildings, tally)
    progress("drawing water and parks")
    water = ground.water(sources.shoreline, outline, plane, tally)
    parks = ground.parks(sources.parks, outline, ways, plane, tally)
    tally.kept("water", len(water))
    tally.kept("park", len(parks))
    raws = {
        "buildings.bin": pack_columns(*building_columns(buildings, tally)),
        "ground.bin": pack_columns(*ground_columns(water, parks)),
        "streets.bin": pack_columns(*streets),
    }
    header = _header(sources, area, outline, streets[0], len(buildings))
    header["digest"] = digest(header, raws)
    return header, raws


def _header(
    sources: Sources,
    area: Area,
    outline: Polygon,
    streets: Ints,
    buildings: int,
) -> dict[str, object]:
    return {
        "name": area.name,
        "title": area.title,
        "version": PACK_VERSION,
        "latitude": area.latitude,
        "longitude": area.longitude,
        "bounds_cm": [round(value * 100.0) for value in outline.bounds],
        "counts": {
            "buildings": buildings,
            "streets": len(streets["street_name"]),
            "lanes": len(streets["lane_street"]),
            "junctions": len(streets["junction_x"]),
            "signals": sum(int(value) for value in streets["junction_signal"]),
        },
        "licences": LICENCES,
        "sources": sources.digests,
    }
