"""`scale-diffusion kiosk`: an unattended machine for events, and what its host asks of it."""

from pathlib import Path

import click

from game.cli.doctor import from_options
from game.cli.output import emit, narrator

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")


@click.group("kiosk", invoke_without_command=True)
@click.option("--headless", is_flag=True, help="Without a window: to try the parts of it.")
@click.pass_context
def command(ctx: click.Context, headless: bool) -> None:
    """Run a kiosk: the bot drives until somebody touches the screen; one visitor after the other.

    Nothing of a visitor is kept unless they agree; nobody can quit it or type on it. The staff has
    a page of its own. docs/kiosk.md is the guide.
    """
    if ctx.invoked_subcommand is not None:
        return
    from game.kiosk.house import keep_house

    settings = from_options(ctx.obj).settings
    keep_house(settings, narrator(), headless=headless)


@command.command("key")
@_JSON
@click.pass_obj
def key(options: dict[str, object], as_json: bool) -> None:
    """Print the public key of this kiosk, for `scale-diffusion rewards kiosks --enrol`."""
    from game.kiosk.courier import device_key, public_of
    from game.kiosk.keeper import folder_of

    found = public_of(device_key(folder_of(from_options(options).settings.paths.data)))
    emit(as_json, {"key": found}, lambda: click.echo(found))


@command.command("soak")
@click.option("--visitors", type=click.IntRange(1, 100_000), default=500, show_default=True)
@click.option("--kills", type=click.IntRange(0, 1000), default=20, show_default=True)
@click.option("--seed", type=click.IntRange(1, 2**31 - 1), default=1, show_default=True)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it keeps everything; named again, a soak that was stopped goes on.",
)
@_JSON
@click.pass_obj
def soak(
    options: dict[str, object],
    visitors: int,
    kills: int,
    seed: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Let a program play visitors, kill every part again and again, and look for traces.

    Runs headless in a folder of its own. Visitors come at once and stay for seconds, so 500 of them
    stand for half a day. Exit 1 when a trace, a leak or a slow restart was found.
    """
    from game.kiosk.soak import run_soak

    settings = from_options(options).settings
    try:
        report = run_soak(settings, visitors, kills, seed, narrator(), folder)
    except ValueError as error:
        raise click.UsageError(f"--folder: {error}") from error
    emit(as_json, report.told(), lambda: click.echo(report.table()))
    if report.visitors < visitors:
        narrator()(f"stopped after {report.visitors} visitors")
    if not report.ok or report.visitors < visitors:
        raise click.exceptions.Exit(1)


@command.command("screens")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--size", default="1280x960", show_default=True, help="Of the screen, in pixels.")
@click.option("--sheet", is_flag=True, help="All of them side by side in one file, kiosk.png.")
@_JSON
def screens_command(out: Path, size: str, sheet: bool, as_json: bool) -> None:
    """Draw every screen that visitors see, as PNG files."""
    import numpy as np

    from game.kiosk.sheet import screens
    from game.view.picture import write_png

    try:
        width, height = (int(part) for part in size.split("x"))
    except ValueError as error:
        raise click.UsageError(f"--size {size}: write it as 1280x960") from error
    found = screens(width, height)
    if sheet:
        gap = np.full((height, 8, 3), 90, np.uint8)
        strips = [part for picture in found.values() for part in (picture, gap)][:-1]
        found = {"kiosk": np.hstack(strips)}
    files = [out / f"{name}.png" for name in found]
    for file, picture in zip(files, found.values(), strict=True):
        write_png(file, picture)
    emit(as_json, {"files": [str(f) for f in files]}, lambda: click.echo(f"{len(files)} in {out}"))
