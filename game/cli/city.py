"""`city info | build | shot | gallery | tolerance`: look at the city pack, compile and draw it."""

import importlib
from pathlib import Path
from typing import Any

import click

from game.atlas.area import AREAS, SERVER, Area, boxed
from game.atlas.load import bundled_names, load, read_header, resolved
from game.atlas.notice import ODBL, notice, uses_osm
from game.atlas.pack import FILES
from game.atlas.route import length
from game.cli.output import emit, stderr
from game.errors import UsageError
from game.world.city import City

_DRAWN = ("shot", "gallery", "tolerance")


class CityGroup(click.Group):
    """The group; what draws is imported only when asked for, because it needs the renderer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_DRAWN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _DRAWN:
            drawn: click.Command = importlib.import_module(f"game.cli.city_{cmd_name}").command
            return drawn
        return super().get_command(ctx, cmd_name)


_COUNTED = (
    "buildings", "streets", "street_names", "street_km", "lanes", "junctions", "signals", "water",
    "parks", "bytes",
)  # fmt: skip
command = CityGroup("city", help="Look at, build and draw the city pack.")


_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_CITY_BOX = (-74.30, 40.45, -73.65, 40.95)  # west, south, east, north of New York City


def _box(_: click.Context, __: click.Parameter, text: str | None) -> Area | None:
    """Four numbers as an area."""
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"'{text}' is no box; write west,south,east,north") from None
    inside = _CITY_BOX[0] <= west < east <= _CITY_BOX[2]
    if not (inside and _CITY_BOX[1] <= south < north <= _CITY_BOX[3]):
        raise click.BadParameter(f"'{text}' is no box of New York City {_CITY_BOX}")
    return boxed("box", f"Box {text}", west, south, east, north)


@command.command("info")
@click.option(
    "--pack",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a pack, or a bundled one's name. [default: midtown]",
)
@click.option(
    "--map", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Write an SVG map."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def info(folder: Path | None, picture: Path | None, as_json: bool) -> None:
    """Name, digest, size, what is in it, and under which terms."""
    folder = resolved(folder)
    city, header = load(folder), read_header(folder)
    if picture is not None:
        from game.atlas.chart import chart

        picture.write_text(chart(city), encoding="utf-8")
        stderr().print(f"map written to {picture}")
    emit(as_json, _facts(folder, city, header), lambda: _show(_facts(folder, city, header)))


def _facts(folder: Path, city: City, header: dict[str, Any]) -> dict[str, Any]:
    from game.atlas.project import Projection

    plane = Projection(city.latitude, city.longitude)
    x0, y0, x1, y1 = city.bounds
    corners = (*plane.degrees(x0, y0), *plane.degrees(x1, y1))
    return {
        "pack": city.name,
        "title": header["title"],
        "version": header["version"],
        "path": str(folder),
        "digest": city.digest,
        "buildings": len(city.footprints),
        "streets": len(city.streets),
        "lanes": len(city.lanes),
        "junctions": len(city.junctions),
        "signals": sum(junction.signal for junction in city.junctions),
        "bbox": [round(value, 6) for value in corners],
        "bounds_m": list(city.bounds),
        "bytes": sum((folder / name).stat().st_size for name in (*FILES, "pack.json")),
        "licences": header["licences"],
        "notice": notice(header["title"], header["licences"]),
        "sources": header["sources"],
        "bundled": list(bundled_names()),
        "water": len(city.water),
        "parks": len(city.parks),
        "street_names": len({street.name for street in city.streets} - {""}),
        "street_km": round(sum(length(street.points) for street in city.streets) / 1000.0, 1),
    }


def _show(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=facts["title"], show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for key in ("pack", "version", "path", "digest"):
        table.add_row(key, str(facts[key]))
    for key in _COUNTED:
        table.add_row(key, f"{facts[key]:,}")
    table.add_row("west, south, east, north", ", ".join(f"{value:.5f}" for value in facts["bbox"]))
    for name, terms in facts["licences"].items():
        table.add_row(name, terms)
    console = Console(highlight=False)
    console.print(table)
    if uses_osm(facts["licences"]):
        console.print(ODBL, style="dim")


@command.command("build")
@click.option(
    "--source",
    default=SERVER,
    show_default=True,
    metavar="URL|FOLDER",
    help="The City's server, or a folder with files (see assets/city/SOURCES.toml).",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the pack; replaced as a whole, and only by a pack that loads.",
)
@click.option("--area", type=click.Choice(sorted(AREAS)), help="A named area. [default: midtown]")
@click.option("--bbox", callback=_box, metavar="W,S,E,N", help="Instead of --area [degree].")
@click.option("--buildings", type=_FILE, help="A file of footprints instead of the source's.")
@click.option("--streets", type=_FILE, help="A file of streets: the City's or OpenStreetMap's.")
@click.option("--nodes", type=_FILE, help="A file of OpenStreetMap's nodes: traffic lights.")
@click.option("--shoreline", type=_FILE, help="A file of the shoreline.")
@click.option("--parks", type=_FILE, help="A file of parks.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of downloaded pages. [default: OUT.pages, beside the pack]",
)
@click.option("--shrink", is_flag=True, help="Replace even a pack more than twice as large.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def build(
    source: str,
    out: Path,
    area: str | None,
    bbox: Area | None,
    cache: Path | None,
    shrink: bool,
    as_json: bool,
    **files: Path | None,
) -> None:
    """Compile a pack from the City's server or from files: what was kept, mended and dropped.

    A download that breaks off goes on where it was when the same command is run again.
    """
    if area and bbox:
        raise UsageError("--area and --bbox exclude each other; give one of them")
    if out.exists() and any(out.iterdir()) and not (out / "pack.json").exists():
        raise UsageError(f"{out} holds something that is no pack; choose an empty or new folder")
    from game.cli.city_build import Order, make

    chosen = bbox or AREAS[area or "midtown"]
    own = {part: path for part, path in files.items() if path is not None}
    pages = cache or out.with_name(out.name + ".pages")
    made = make(Order(source, chosen, out, own, pages, shrink), stderr())
    rows = made.tally.rows()
    facts = {
        "pack": chosen.name,
        "path": str(out),
        "digest": made.digest,
        "bytes": made.size,
        "licences": made.licences,
        "tally": [
            {"verb": verb, "what": what, "reason": reason, "number": number}
            for verb, what, reason, number in rows
        ],
    }
    emit(as_json, facts, lambda: _show_build(facts, rows))


def _show_build(facts: dict[str, Any], rows: list[tuple[str, str, str, int]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{facts['pack']}: {facts['path']}", title_justify="left")
    for title in ("", "what", "reason"):
        table.add_column(title)
    table.add_column("number", justify="right")
    for verb, what, reason, number in rows:
        table.add_row(verb, what, reason, f"{number:,}")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{facts['bytes']:,} bytes, digest {facts['digest']}")
