"""A pack read from its folder into a City. Knows neither sources nor how packs are made.

Only + - * / on integers and floats, so the same pack gives the same City, bit for bit, everywhere.
Refuses a pack that is missing, damaged or of another version. Keeps nothing: call it once.
"""

import gc
import json
from collections.abc import Mapping
from importlib import resources
from itertools import repeat
from operator import truediv
from pathlib import Path
from typing import Any

from game.atlas.pack import FILES, PACK_VERSION, decompress, digest, unpack_columns
from game.errors import PackError
from game.world.city import City, Footprint, Junction, Lane, Point, Street

Ints = Mapping[str, list[int]]
Texts = Mapping[str, list[str]]
Chain = tuple[Point, ...]
PARKING_CM, SLACK_CM = 240, 40  # one parked row; a row too wide by so much still parks


def bundled(name: str = "midtown") -> Path:
    """The folder of a pack that comes with the program."""
    return Path(str(resources.files("assets"))) / "city" / name


def bundled_names() -> tuple[str, ...]:
    """The packs that come with the program."""
    folder = bundled().parent
    return tuple(sorted(path.parent.name for path in folder.glob("*/pack.json")))


def resolved(path: Path | None) -> Path:
    """The folder that `path` means: a folder, or the bare name of a bundled pack; none: Midtown.

    A folder of that name with a pack in it comes before the bundled pack. Raises PackError for a
    bare name that is neither.
    """
    if path is None:
        return bundled()
    if len(path.parts) != 1 or path.is_absolute() or path.exists():
        bare = len(path.parts) == 1 and path.name in bundled_names()
        return bundled(path.name) if bare and not (path / "pack.json").exists() else path
    if path.name in bundled_names():
        return bundled(path.name)
    known = ", ".join(bundled_names())
    raise PackError(path, f"no such folder, and no bundled pack of that name (there are: {known})")


def load(path: Path | None = None) -> City:
    """The City of a pack: its folder, or a bundled one's name (none: Midtown). Raises PackError."""
    folder = resolved(path)
    header, raws = read(folder)
    resume = gc.isenabled()
    gc.disable()  # a quarter of a million small tuples, none of them garbage: halves the time
    try:
        return _city(header, raws)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise PackError(folder, f"does not read as a city ({error})") from error
    finally:
        if resume:
            gc.enable()


def read_header(path: Path) -> dict[str, Any]:
    """What pack.json says, its version checked and nothing else. Raises PackError."""
    folder = resolved(path)
    try:
        header = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
        version = header["version"]
    except FileNotFoundError as error:
        raise PackError(folder, "no city pack here (pack.json is missing)") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PackError(folder, f"pack.json does not read ({error})") from error
    if version != PACK_VERSION:
        raise PackError(folder, f"pack version {version}, this build reads {PACK_VERSION}")
    return dict(header)


def read(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Header and uncompressed files of a pack, digest checked. Raises PackError."""
    header = read_header(folder)
    raws: dict[str, bytes] = {}
    for name in FILES:
        try:
            raws[name] = decompress((folder / name).read_bytes())
        except OSError as error:
            raise PackError(folder, f"{name} is missing or not readable") from error
        except ValueError as error:
            raise PackError(folder, f"{name} is {error}") from error
    found = digest(header, raws)
    if header.get("digest") != found:
        raise PackError(folder, f"damaged (digest {found[:12]}, not what pack.json says)")
    return header, raws


def _city(header: dict[str, Any], raws: dict[str, bytes]) -> City:
    ground, _ = unpack_columns(raws["ground.bin"])
    ints, texts = unpack_columns(raws["streets.bin"])
    x0, y0, x1, y1 = (value / 100.0 for value in header["bounds_cm"])
    return City(
        name=header["name"],
        digest=header["digest"],
        latitude=float(header["latitude"]),
        longitude=float(header["longitude"]),
        bounds=(x0, y0, x1, y1),
        footprints=_footprints(*unpack_columns(raws["buildings.bin"])),
        streets=_streets(ints, texts),
        lanes=_lanes(ints),
        junctions=_junctions(ints, texts),
        water=tuple(_paths(ground, "water")),
        parks=tuple(_paths(ground, "park")),
    )


def _paths(ints: Ints, name: str) -> list[Chain]:
    """Chains of points: columns NAME_n (points in each), NAME_x and NAME_y [cm]."""
    hundreds = repeat(100.0)
    xs = map(truediv, ints[name + "_x"], hundreds)
    ys = map(truediv, ints[name + "_y"], hundreds)
    if len(ints[name + "_x"]) != len(ints[name + "_y"]):
        raise ValueError(f"{name}: as many x as y")
    points = tuple(zip(xs, ys, strict=False))
    paths: list[Chain] = []
    at = 0
    for count in ints[name + "_n"]:
        paths.append(points[at : at + count])
        at += count
    if at != len(points):
        raise ValueError(f"{name}: {len(points)} points, {at} in chains")
    return paths


def _footprints(ints: Ints, texts: Texts) -> tuple[Footprint, ...]:
    rings = _paths(ints, "ring")
    names = dict(zip(ints["named"], texts["name"], strict=True)) if ints["named"] else {}
    rows = zip(
        ints["rings"], ints["height"], ints["ground"], ints["top"], ints["year"], strict=True
    )
    found: list[Footprint] = []
    at = 0
    for index, (count, height, ground, top, year) in enumerate(rows):
        own = tuple(rings[at : at + count])
        at += count
        name = names.get(index, "")
        found.append(Footprint(index, own, height / 100.0, ground / 100.0, top / 100.0, year, name))
    return tuple(found)


def _streets(ints: Ints, texts: Texts) -> tuple[Street, ...]:
    names, kinds = texts["names"], texts["kinds"]
    rows = zip(
        ints["street_name"],
        ints["street_kind"],
        _paths(ints, "street"),
        ints["street_start"],
        ints["street_end"],
        ints["street_oneway"],
        ints["street_lanes"],
        ints["street_width"],
        ints["street_speed"],
        ints.get("street_parking") or _room_to_park(ints),
        ints.get("street_bike") or [0] * len(ints["street_name"]),
        strict=True,
    )
    return tuple(
        Street(
            index, names[name], kinds[kind], path, start, end, bool(oneway), lanes,
            width / 100.0, speed / 1000.0, parking, bike,
        )
        for index, (name, kind, path, start, end, oneway, lanes, width, speed, parking, bike)
        in enumerate(rows)
    )  # fmt: skip


def _room_to_park(ints: Ints) -> list[int]:
    """Rows of parked cars beside the lanes of each street, where the pack does not count them."""
    lane_width = dict(zip(ints["lane_street"], ints["lane_width"], strict=True))
    found: list[int] = []
    for street, (lanes, width) in enumerate(
        zip(ints["street_lanes"], ints["street_width"], strict=True)
    ):
        beside = width - lanes * lane_width[street] if street in lane_width else 0
        found.append(min(max((beside + SLACK_CM) // PARKING_CM, 0), 2))
    return found


def _lanes(ints: Ints) -> tuple[Lane, ...]:
    rows = zip(
        ints["lane_street"],
        ints["lane_index"],
        _paths(ints, "lane"),
        ints["lane_width"],
        ints["lane_start"],
        ints["lane_end"],
        strict=True,
    )
    return tuple(
        Lane(index, street, place, path, width / 100.0, start, end)
        for index, (street, place, path, width, start, end) in enumerate(rows)
    )


def _junctions(ints: Ints, texts: Texts) -> tuple[Junction, ...]:
    meeting: list[list[int]] = [[] for _ in ints["junction_x"]]
    for street, (start, end) in enumerate(
        zip(ints["street_start"], ints["street_end"], strict=True)
    ):
        meeting[start].append(street)
        if end != start:
            meeting[end].append(street)
    rows = zip(
        ints["junction_x"], ints["junction_y"], ints["junction_signal"], texts["junction"],
        strict=True,
    )  # fmt: skip
    return tuple(
        Junction(index, x / 100.0, y / 100.0, bool(signal), name, tuple(meeting[index]))
        for index, (x, y, signal, name) in enumerate(rows)
    )
