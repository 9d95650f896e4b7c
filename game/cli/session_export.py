"""`session export FORMAT SESSIONS... --out DIR`: recordings as data sets."""

from dataclasses import asdict
from pathlib import Path

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common, on_ray
from game.errors import UsageError


@click.command("export")
@click.argument(
    "kind",
    metavar="FORMAT",
    type=click.Choice(["lerobot", "webdataset", "parquet", "mcap", "rerun", "coco"]),
)
@click.argument("names", metavar="SESSIONS...", nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="A new folder. An export that was cut short goes on where it stopped.",
)
@click.option(
    "--fps", type=float, help="Frames/s. [default: 16 for webdataset, 2 for coco, else 30]"
)
@click.option("--frames", type=int, default=0, help="Cut runs into clips of this many frames.")
@click.option("--shortest", default=8, show_default=True, help="Leave out runs below this.")
@click.option(
    "--gop",
    default=5,
    show_default=True,
    help="Frames between key frames: fewer for single frames, more for smaller files.",
)
@click.option("--size", help="WIDTHxHEIGHT of the pictures. [default: as captured]")
@click.option(
    "--licence",
    "licences",
    multiple=True,
    metavar="TRACK=ID",
    help="Terms of a track whose backend names none, for example styled=CC-BY-NC-4.0.",
)
@click.option(
    "--track",
    default="styled",
    show_default=True,
    help="The styled track: styled2, styled3 ... are those of `diffusion run`.",
)
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@on_ray
@common
def command(
    kind: str, names: tuple[str, ...], out: Path, fps: float | None, frames: int, shortest: int,
    gop: int, size: str | None, licences: tuple[str, ...], track: str, jobs: int,
    address: str | None,
    root: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write SESSIONS (ids, folders, 'last' or 'all') as one data set with card and splits."""
    from rich.progress import Progress

    from game.cli.session import chosen, sessions_root
    from game.dataset.ids import load_salt
    from game.dataset.job import Options, export
    from game.dataset.pool import Workers

    found = chosen(names, root)
    fps = fps or {"webdataset": 16.0, "coco": 2.0}.get(kind, 30.0)
    if fps <= 0 or frames < 0 or shortest < 2 or gop < 1 or jobs < 1:
        raise UsageError("--fps, --gop and --jobs are above 0, --shortest is 2 or more")
    if kind == "webdataset" and not frames:
        frames = 81
    options = Options(
        fps=fps, frames=frames, shortest=max(shortest, frames), gop=gop, size=_size(size),
        track=_track(track), stated=tuple(_pair(each) for each in licences),
        salt=load_salt(sessions_root(root).parent),
    )  # fmt: skip
    with Progress(console=stderr(), transient=True) as bar:
        task = bar.add_task(f"export {kind}", total=len(found))
        result = export(
            kind, found, out, options, lambda name, done, of: bar.update(task, completed=done),
            Workers(jobs, address is not None, address or "auto"),
        )  # fmt: skip
    facts = {**asdict(result), "out": str(result.out)}

    def render() -> None:
        shares = ", ".join(f"{name} {count}" for name, count in result.splits.items() if count)
        click.echo(
            f"{result.out}: {result.frames} frames in {result.episodes} episodes of "
            f"{result.sessions} sessions ({shares}), {result.licence}"
        )
        if result.empty:
            click.echo(f"{len(result.empty)} sessions had no run of pairs that was long enough")
        if result.groups == 1 and result.sessions > 1:
            click.echo("all of it is train: these sessions share places, seeds or a player")

    emit(as_json, facts, render)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise UsageError(f"--size is WIDTHxHEIGHT, not {text!r}")
    if min(int(width), int(height)) < 16 or int(width) % 2 or int(height) % 2:
        raise UsageError("--size takes even numbers from 16 on")
    return int(width), int(height)


def _track(text: str) -> int:
    from game.session.format import TrackId
    from game.session.track import label

    number = text.removeprefix("styled") or "1"
    track = TrackId.STYLED + int(number) - 1 if number.isascii() and number.isdigit() else 0
    if track < TrackId.STYLED or label(track) != text:
        raise UsageError(f"--track is styled, styled2, styled3 ..., not {text!r}")
    return track


def _pair(text: str) -> tuple[str, str]:
    track, equals, name = text.partition("=")
    if not equals or track not in ("source", "styled"):
        raise UsageError(f"--licence is source=ID or styled=ID, not {text!r}")
    return track, name
