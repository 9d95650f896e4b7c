"""`session render SESSIONS...`: any channel, size and camera of recorded drives, afterwards."""

import os
from dataclasses import asdict
from pathlib import Path

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common, on_ray
from game.errors import UsageError


def size_of(text: str | None) -> tuple[int, int] | None:
    """WIDTHxHEIGHT as numbers. Raises UsageError."""
    if text is None:
        return None
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise UsageError(f"--size is WIDTHxHEIGHT, not {text!r}")
    if not min(int(width), int(height)) >= 16 or max(int(width), int(height)) > 8192:
        raise UsageError("--size takes numbers from 16 to 8192")
    return int(width), int(height)


@click.command("render")
@click.argument("names", metavar="SESSIONS...", nargs=-1)
@click.option(
    "--channel",
    "channels",
    multiple=True,
    default=("colour",),
    show_default=True,
    help="colour, class, instance, depth, normal, flow, boxes or 'all'; may be repeated.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder; each session gets its own in it. A run cut short goes on.",
)
@click.option("--every", default=2, show_default=True, help="Ticks from picture to picture.")
@click.option("--size", help="WIDTHxHEIGHT. [default: as captured]")
@click.option(
    "--camera",
    "view",
    default="driven",
    show_default=True,
    metavar="VIEW",
    help="driven, chase, hood, above[:M], follow:ID[:M], at:X,Y,Z,YAW,PITCH, from:X,Y,Z "
    "(looks at the car) or a .json flight of [tick, x, y, z, yaw, pitch].",
)
@click.option(
    "--as",
    "form",
    type=click.Choice(["npy", "npz", "mp4"]),
    default="npy",
    show_default=True,
    help="Arrays, compressed arrays, or a film of the colours.",
)
@click.option("--from-tick", "first", default=0, show_default=True, help="First tick to draw.")
@click.option("--to-tick", "last", type=int, help="Last tick to draw. [default: the end]")
@click.option(
    "--from-states",
    "states",
    is_flag=True,
    help="Draw the stored states instead of simulating the inputs again.",
)
@click.option(
    "--jobs",
    default=lambda: os.cpu_count() or 1,
    show_default="one a core",
    help="Processes that draw.",
)
@on_ray
@common
def command(
    names: tuple[str, ...], channels: tuple[str, ...], out: Path, every: int, size: str | None,
    view: str, form: str, first: int, last: int | None, states: bool, jobs: int,
    address: str | None, root: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Draw SESSIONS (ids, folders, shared files, 'last' or 'all') from their inputs alone."""
    from rich.progress import Progress

    from game.cli.session import chosen
    from game.dataset.camera import camera
    from game.dataset.piece import EVERY_CHANNEL, Wanted
    from game.dataset.pool import Workers
    from game.dataset.render import render

    wanted = Wanted(
        EVERY_CHANNEL if "all" in channels else tuple(dict.fromkeys(channels)), every,
        size_of(size), camera(view), form, states, first, -1 if last is None else last,
    )  # fmt: skip
    workers = Workers(jobs, address is not None, address or "auto")
    with Progress(console=stderr(), transient=True) as bar:
        task = bar.add_task("draw", total=None)
        found = []
        for made in render(
            chosen(names or ("last",), root, shared=True), out, wanted, workers,
            lambda name, done, of: bar.update(
                task, description=f"{name[:12]}…", completed=done, total=of
            ),
        ):  # fmt: skip
            found.append(made)
            if made.states and made.states != "asked for":
                bar.console.print(f"{made.session}: from its stored states: {made.states}")
    facts = {
        "out": str(out), "channels": list(wanted.channels),
        "pictures": sum(made.pictures for made in found),
        "reused": sum(made.reused for made in found),
        "sessions": [{**asdict(made), "folder": str(made.folder)} for made in found],
    }  # fmt: skip

    def show() -> None:
        for made in found:
            how = f" from stored states ({made.states})" if made.states else ""
            click.echo(f"{made.folder}: {made.pictures} pictures{how}, {made.renderer}")

    emit(as_json, facts, show)
