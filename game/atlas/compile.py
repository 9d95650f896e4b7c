"""Source files into a pack: reads, mends, measures, writes, and says what it kept and dropped.

Needs shapely (extra `city`). A pack appears whole or not at all; a broken source replaces nothing.
"""

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shapely.geometry import Polygon

from game.atlas import ground
from game.atlas.area import Area
from game.atlas.columns import Ints, building_columns, ground_columns, street_columns
from game.atlas.crossing import join
from game.atlas.load import load, read_header
from game.atlas.notice import NAME, notice
from game.atlas.outline import clean
from game.atlas.pack import PACK_VERSION, compress, digest, pack_columns
from game.atlas.roads import clear, lift_bridges, place, uncross
from game.atlas.roadway import measure
from game.atlas.sources import CITY_TERMS, Sources, read_sources
from game.atlas.tally import Tally
from game.errors import PackError, SourceError

LEAST_SHARE = 0.5  # of a pack that is replaced: a smaller one is more likely a broken source
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pack that was written: where, its name and digest, and what went in."""

    folder: Path
    digest: str
    tally: Tally
    size: int  # on disk [byte]
    licences: dict[str, str]  # by file


def compile_pack(
    source: Path,
    area: Area,
    out: Path,
    progress: Progress = lambda stage: None,
    files: Mapping[str, Path] | None = None,
    shrink: bool = False,
) -> Compiled:
    """Compile `area` from the files in `source` into the folder `out`, which is replaced whole.

    files: those to read instead, by part. progress hears the name of each stage. A pack of less
    than half of what `out` holds replaces it only with `shrink`. Raises SourceError, and then
    `out` is as it was.
    """
    progress("reading the sources")
    tally = Tally()
    with _no_garbage():
        sources = read_sources(source, files, tally)
        return write_pack(sources, area, out, tally, progress, shrink)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Without the collector: it would go through millions of coordinates, none of them garbage."""
    resume = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if resume:
            gc.enable()


def write_pack(
    sources: Sources,
    area: Area,
    out: Path,
    tally: Tally,
    progress: Progress = lambda stage: None,
    shrink: bool = False,
) -> Compiled:
    """As `compile_pack`, from sources that were read already."""
    header, raws = build(sources, area, tally, progress)
    if not shrink:
        _compare(header, area, out)
    progress("writing the pack")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        fresh = Path(scratch) / "pack"
        fresh.mkdir()
        for name, raw in raws.items():
            (fresh / name).write_bytes(compress(raw))
        text = json.dumps(header, indent=1, sort_keys=True) + "\n"
        (fresh / "pack.json").write_text(text, encoding="utf-8")
        terms = notice(area.title, _licences(sources))
        (fresh / NAME).write_text(terms, encoding="utf-8")
        size = sum(path.stat().st_size for path in fresh.iterdir())
        load(fresh)
        _swap(fresh, out, Path(scratch) / "old")
    return Compiled(out, str(header["digest"]), tally, size, _licences(sources))


def _compare(header: Mapping[str, object], area: Area, out: Path) -> None:
    """Refuse what is empty, or far smaller than the pack of the same area that it would replace."""
    found = header["counts"]
    assert isinstance(found, dict)
    for what in ("buildings", "streets"):
        if not found[what]:
            raise SourceError(out, f"the sources give no {what} in the area '{area.name}'")
    try:
        old = read_header(out)
    except PackError:
        return
    if old.get("name") != area.name:
        return
    for what in ("buildings", "streets"):
        had = old.get("counts", {}).get(what, 0)
        if found[what] < LEAST_SHARE * had:
            why = f"only {found[what]:,} {what} where the present pack has {had:,}"
            raise SourceError(out, f"{why} (--shrink if that is meant)")


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
    buildings = clean(sources.buildings, outline, plane, tally, area.borough)
    progress("clearing streets")
    roads = place(sources.roads, outline, plane, tally, area.borough)
    buildings = lift_bridges(roads, buildings, tally)
    roads = uncross(clear(roads, buildings, tally), tally)
    roads, crossings = join(roads, sources.signals, tally)
    progress("laying out lanes")
    ways = measure(roads, buildings, tally)
    streets = street_columns(ways, crossings, buildings, tally)
    progress("drawing water and parks")
    bank = ground.far_bank(sources.buildings, area.borough, plane) if area.far_bank else None
    ground_plane = ground.of_today(plane) if sources.shifted_ground else plane
    water = ground.water(sources.shoreline, outline, ground_plane, tally, bank)
    parks = ground.parks(sources.parks, outline, ways, ground_plane, tally)
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


def _licences(sources: Sources) -> dict[str, str]:
    return {
        "buildings.bin": CITY_TERMS,
        "ground.bin": CITY_TERMS,
        "streets.bin": sources.street_terms,
    }


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
        "licences": _licences(sources),
        "sources": sources.digests,
    }
