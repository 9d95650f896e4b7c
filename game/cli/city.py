"""`city info | build | shot | gallery`: look at the city pack, compile another one, draw it."""

import importlib
from pathlib import Path
from typing import Any

import click

from game.atlas.area import AREAS
from game.atlas.load import bundled, load, read_header
from game.atlas.pack import FILES
from game.cli.output import emit, stderr
from game.errors import MissingPart, UsageError
from game.world.city import City

_DRAWN = ("shot", "gallery")


class CityGroup(click.Group):
    """The group; what draws is imported only when asked for, because it needs the renderer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_DRAWN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _DRAWN:
            drawn: click.Command = importlib.import_module(f"game.cli.city_{cmd_name}").command
            return drawn
        return super().get_command(ctx, cmd_name)


command = CityGroup("city", help="Look at, build and draw the city pack.")


@command.command("info")
@click.option(
    "--pack",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a pack. [default: the bundled Midtown]",
)
@click.option(
    "--map", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Write an SVG map."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def info(folder: Path | None, picture: Path | None, as_json: bool) -> None:
    """Name, digest, size, what is in it, and under which terms."""
    folder = bundled() if folder is None else folder
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
    }


def _show(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=facts["title"], show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for key in ("pack", "version", "path", "digest"):
        table.add_row(key, str(facts[key]))
    for key in ("buildings", "streets", "lanes", "junctions", "signals", "bytes"):
        table.add_row(key, f"{facts[key]:,}")
    table.add_row("west, south, east, north", ", ".join(f"{value:.5f}" for value in facts["bbox"]))
    for name, terms in facts["licences"].items():
        table.add_row(name, terms)
    Console(highlight=False).print(table)


@command.command("build")
@click.option(
    "--source",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with the City's and OpenStreetMap's files (see assets/city/SOURCES.toml).",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the pack; replaced as a whole, and only by a pack that loads.",
)
@click.option("--area", type=click.Choice(sorted(AREAS)), default="midtown", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def build(source: Path, out: Path, area: str, as_json: bool) -> None:
    """Compile a pack from the source files and say what was kept, mended and dropped."""
    try:
        from game.atlas.compile import compile_pack
    except ImportError as error:
        raise MissingPart(
            f"building a city needs shapely ({error})",
            "install the extra: pip install 'scale-diffusion[city]'",
        ) from error
    if out.exists() and any(out.iterdir()) and not (out / "pack.json").exists():
        raise UsageError(f"{out} holds something that is no pack; choose an empty or new folder")
    console = stderr()
    with console.status("starting") as status:
        made = compile_pack(source, AREAS[area], out, lambda stage: status.update(f"{stage} ..."))
    rows = made.tally.rows()
    facts = {
        "pack": area,
        "path": str(out),
        "digest": made.digest,
        "bytes": made.size,
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
