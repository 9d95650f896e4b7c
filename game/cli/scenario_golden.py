"""`scale-diffusion scenario golden`: pictures of runs against golden ones, and what differs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from game.cli.output import emit, narrator

if TYPE_CHECKING:
    from game.qa.viewer import Shown


@click.command("golden")
@click.argument("names", nargs=-1, required=True)
@click.option("--golden", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--seeds", default="0:1", show_default=True, help="FIRST:END, or one seed.")
@click.option("--at", "seconds", default="2,6", show_default=True, help="Seconds of the run.")
@click.option("--driver", default="bot", show_default=True)
@click.option("--size", default=320, show_default=True, type=click.IntRange(64, 2048))
@click.option("--pack", type=click.Path(path_type=Path), help="'midtown', 'manhattan' or a folder.")
@click.option("--update", is_flag=True, help="Keep what is drawn now as golden: look at it first.")
@click.option(
    "--page", type=click.Path(path_type=Path), help="Write what differs as one HTML page."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(
    names: tuple[str, ...], folder: Path, seeds: str, seconds: str, driver: str, size: int,
    pack: Path | None, update: bool, page: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Draw NAMES (scenarios, or 'all') at chosen seconds and compare with golden pictures.

    Exit 1: a picture differs or has no golden one. Needs OpenGL; no window, no network.
    """
    from game.cli.scenario_run import seeds_of
    from scenarios.load import library

    try:
        moments = [float(part) for part in seconds.split(",")]
    except ValueError as error:
        raise click.UsageError(f"--at {seconds}: write seconds as 2,6.5") from error
    chosen = library() if "all" in names else names
    shown = _shown(chosen, seeds_of(seeds), driver, moments, size, pack, folder, update)
    if page is not None:
        from game.qa.viewer import write_page

        write_page(shown, page)
    rows: list[dict[str, object]] = [
        {
            "name": one.name,
            "same": one.difference is not None and one.difference.same,
            "share": None if one.difference is None else round(one.difference.share, 6),
            "why": "no golden picture" if one.difference is None else one.difference.why,
        }
        for one in shown
    ]
    wrong = [row for row in rows if not row["same"]]
    emit(as_json, {"pictures": rows, "differ": len(wrong)}, lambda: _say(rows, update))
    if wrong and not update:
        raise click.exceptions.Exit(1)


def _shown(
    names: tuple[str, ...], seeds: range, driver: str, moments: list[float], size: int,
    pack: Path | None, folder: Path, update: bool,
) -> "list[Shown]":  # fmt: skip
    from game.atlas.load import load as load_city
    from game.qa import golden, shots
    from game.qa.viewer import Shown
    from game.view.picture import write_png
    from game.view.renderer import make_renderer

    city, say = load_city(pack), narrator()
    renderer = make_renderer(city, shots.profile(size))
    found = []
    try:
        for name in names:
            for seed in seeds:
                say(f"{name}, seed {seed}")
                states = shots.moments(name, seed, driver, city, moments)
                for at, seen in shots.drawn(states, renderer, size):
                    label = f"{Path(name).stem}-{seed}-{at:g}s"
                    path = folder / f"{label}.png"
                    if update:
                        write_png(path, seen)
                    known = golden.read_png(path) if path.is_file() else None
                    off = None if known is None else golden.compare(known, seen)
                    found.append(Shown(label, seen, known, off))
    finally:
        renderer.close()
    return found


def _say(rows: list[dict[str, object]], update: bool) -> None:
    for row in rows:
        if not row["same"]:
            click.echo(f"{row['name']}: {row['why']}")
    differ = sum(not row["same"] for row in rows)
    click.echo(f"{len(rows)} pictures, {'kept as golden' if update else f'{differ} differ'}")
