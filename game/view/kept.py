"""Furniture laid out once for a pack and kept: with the bundled packs, else in the user's cache.

A file is written whole or not at all, named after all that its content follows from, and made anew
where it is missing or damaged. Owns no layout; a folder that cannot be written is no error.
`python -m game.view.kept` lays the bundled packs out again, after a change of LAYOUT or of a pack.
"""

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from importlib import resources
from pathlib import Path

import numpy as np
import platformdirs

from game.view import npz
from game.view.furniture import Kind, Pieces
from game.world.city import City

LAYOUT = 1
"""Counts up with every change of what `scenery.lay_out` gives; a test holds its digest."""

_LEAST = 2000  # footprints; smaller cities are laid out in no time
_KEPT = 6  # files
_COLUMNS = ("kind", "place", "heading", "variant", "size")


def pieces(city: City, make: Callable[[], Pieces], folder: Path | None = None) -> Pieces:
    """The furniture of `city`, read back if it can be, else from `make` and kept.

    folder: where files are, None: those of the bundled packs, then the user's cache.
    """
    if len(city.footprints) < _LEAST:
        return make()
    name = f"{_key(city)}.npz"
    found = _read(bundled() / name) if folder is None else None
    if found is not None:
        return found
    if folder is None:
        folder = Path(platformdirs.user_cache_dir("scale-diffusion")) / "furniture"
    found = _read(folder / name)
    if found is None:
        found = make()
        _write(folder / name, found)
    return found


def bundled() -> Path:
    """The folder of what comes with the program."""
    return Path(str(resources.files("assets"))) / "city" / "furniture"


def bundle(cities: Iterable[City], make: Callable[[City], Pieces], folder: Path) -> list[Path]:
    """Lay cities out and keep them as what comes with the program; other files there go."""
    written = []
    for city in cities:
        written.append(folder / f"{_key(city)}.npz")
        _write(written[-1], make(city), small=True)
    for each in set(folder.glob("*.npz")) - set(written):
        each.unlink()
    return written


def _key(city: City) -> str:
    parts = (city.footprints, city.streets, city.lanes, city.junctions, city.water, city.parks)
    counts = " ".join(str(len(part)) for part in parts)
    return sha256(f"{LAYOUT} {city.digest} {city.bounds} {counts}".encode()).hexdigest()[:40]


def _read(path: Path) -> Pieces | None:
    data = npz.read(path)
    if data is None or data.keys() != set(_COLUMNS):
        return None
    found = Pieces(*(data[name] for name in _COLUMNS))
    count = len(found.kind)
    shapes = [(count,), (count, 2), (count,), (count,), (count,)]
    fine = [getattr(found, name).shape for name in _COLUMNS] == shapes
    fine = fine and found.kind.dtype == found.variant.dtype == np.int64
    fine = fine and found.place.dtype == found.heading.dtype == found.size.dtype == np.float64
    fine = fine and bool(np.isin(found.kind, [int(kind) for kind in Kind]).all())
    return found if fine else None


def _write(path: Path, found: Pieces, small: bool = False) -> None:
    """small: compressed, which takes longer to write, and nothing old is thrown away."""
    waiting = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with waiting.open("wb") as file:
            save = np.savez_compressed if small else np.savez
            save(file, **{name: getattr(found, name) for name in _COLUMNS})
        os.replace(waiting, path)
        if small:
            return
        old = sorted(path.parent.glob("*.npz"), key=lambda each: each.stat().st_mtime)
        for each in old[:-_KEPT]:
            each.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            waiting.unlink()


def _main() -> None:
    from game.atlas.load import bundled_names, load
    from game.view import mouths, scenery
    from game.view.room import Room

    cities = (load(Path(name)) for name in bundled_names())
    for path in bundle(
        cities, lambda city: scenery.lay_out(city, mouths.halves(city), Room(city)), bundled()
    ):
        sys.stdout.write(f"{path.name}  {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    _main()
