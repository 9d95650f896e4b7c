"""scale-diffusion scenario export: one concrete case and its streets as open standards."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from game.cli.output import emit

if TYPE_CHECKING:
    from game.world.entity import EntityState


@click.command("export")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["xosc"]), default="xosc", show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option(
    "--driver",
    type=click.Choice(["bot", "idle", "full-throttle", "none"]),
    default="bot",
    show_default=True,
    help="Whose drive becomes the ego's trajectory; none: its route alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, as the last line.")
def command(name: str, form: str, out: Path, seed: int, driver: str, as_json: bool) -> None:
    """Write NAME as OpenSCENARIO XML 1.2, and the real streets around it as OpenDRIVE 1.7."""
    from game.atlas.load import bundled, read_header
    from game.atlas.load import load as load_city
    from game.atlas.notice import notice
    from scenarios import opendrive, openscenario
    from scenarios.driver import DRIVERS
    from scenarios.load import load
    from scenarios.run import drive
    from scenarios.spawn import stage

    city = load_city()
    staged = stage(load(name), city, seed)
    driven: list[EntityState] = []
    if driver != "none":
        pilot = DRIVERS[driver](staged, city)
        drive(staged, city, pilot, lambda state: driven.append(state.ego))
    stem = f"{staged.scenario.id}-{seed}"
    case, roads = out / f"{stem}.{form}", out / f"{stem}.xodr"
    document = openscenario.document(staged, roads.name, driven)
    header = read_header(bundled())
    streets = opendrive.network(
        city, (staged.frame.x, staged.frame.y), staged.scenario.id,
        terms=notice(header["title"], header["licences"]),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    openscenario.write(document, case)
    opendrive.save(streets, roads)
    data: dict[str, Any] = {
        "scenario": staged.scenario.id,
        "seed": seed,
        "files": [str(case), str(roads)],
        "entities": len(staged.state.cast) + 1,
        "roads": streets.roads,
        "connections": streets.connections,
        "junctions": streets.junctions,
    }

    def render() -> None:
        click.echo(f"{case}  {data['entities']} entities")
        click.echo(
            f"{roads}  {streets.roads} roads, {streets.junctions} junctions, "
            f"{streets.connections} ways through them"
        )

    emit(as_json, data, render)
