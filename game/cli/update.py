"""`scale-diffusion update`: asks first, believes signatures alone, installs nothing by itself."""

import importlib.metadata
import time
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from game.cli.doctor import from_options
from game.cli.output import emit, stderr
from game.update.fetch import Channel, Updates, channel
from game.update.manifest import ReleaseFile, here, numbers


@click.command("update")
@click.option("--check", is_flag=True, help="Only look; download nothing.")
@click.option("--yes", is_flag=True, help="Do not ask: you agree to the look and the download.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.pass_obj
def command(options: dict[str, object], check: bool, yes: bool, as_json: bool) -> None:
    """Look for a newer version, and download it. Asks before each; nothing is looked up otherwise.

    The announcement and the file are believed only with the signature of a release key.
    """
    settings = from_options(options).settings
    place = channel(settings.update.url, settings.update.keys)
    _agree(yes, f"Ask {place.url} for a newer version? It learns your network address")
    mine = importlib.metadata.version("scale-diffusion")
    folder = settings.paths.data / "updates"
    updates = Updates(place, folder, time.time)
    release = updates.ask()
    file = release.for_platform(here())
    newer = numbers(release.version) > numbers(mine)
    told: dict[str, object] = {"installed": mine, "announced": release.version, "newer": newer}
    told |= {"notes": release.notes, "file": file.name if file else "", "downloaded": ""}
    if newer and file is None:
        told["notes"] = f"version {release.version} has no file for {here()}"
    if newer and file is not None and not check:
        _agree(yes, f"Download version {release.version}, {file.size / 1e6:.0f} MB, to {folder}?")
        told["downloaded"] = str(_bring(updates, place, file))
    emit(as_json, told, lambda: _show(told))


def _agree(yes: bool, question: str) -> None:
    if not yes and not click.confirm(question.rstrip("?") + "?", default=False, err=True):
        click.echo("left as it is", err=True)
        raise click.exceptions.Exit(0)


def _bring(updates: Updates, place: Channel, file: ReleaseFile) -> Path:
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=stderr()) as progress:
        task = progress.add_task(file.name, total=file.size)
        return updates.bring(file, lambda size: progress.update(task, completed=size))


def _show(told: dict[str, object]) -> None:
    if not told["newer"]:
        click.echo(f"{told['installed']} is the newest version")
        return
    click.echo(f"{told['installed']} is installed, {told['announced']} is there")
    if told["notes"]:
        click.echo(str(told["notes"]))
    if told["downloaded"]:
        click.echo(f"downloaded and verified: {told['downloaded']}")
        click.echo(_how(str(told["downloaded"])))


def _how(path: str) -> str:
    """What to do with the file: this program never replaces itself."""
    if path.endswith(".deb"):
        return f"install it with: sudo apt install {path}"
    if path.endswith(".tar.gz"):
        return f"unpack it where you keep the game: tar -xzf {path}"
    return "unpack it where you keep the game; your drives and settings stay where they are"
