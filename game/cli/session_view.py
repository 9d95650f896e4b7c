"""`session view | clip`: a drive as a page in the browser, a moment of it as picture or film."""

from pathlib import Path

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common


@click.command("view")
@click.argument("name", metavar="SESSION", default="last")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the page. [default: beside the sessions, under views/]",
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@common
def view(name: str, out: Path | None, show: bool, root: Path | None, as_json: bool) -> None:
    """Make a page of a session that any browser shows, without a server."""
    from rich.progress import Progress

    from game.cli.session import city_of, find, sessions_root
    from game.dataset.page import write
    from game.session.reader import Session

    where = sessions_root(root)
    folder = find(name, where)
    target = out or where.parent / "views" / folder.name
    with Session.open(folder) as session, Progress(console=stderr(), transient=True) as bar:
        task = bar.add_task("film", total=None)
        page = write(
            session, city_of(session), target,
            lambda done, of: bar.update(task, completed=done, total=of),
        )  # fmt: skip
    if show:
        click.launch(page.resolve().as_uri())
    facts = {"session": folder.name, "page": str(page)}
    emit(as_json, facts, lambda: click.echo(str(page)))


@click.command("clip")
@click.argument("name", metavar="SESSION", default="last")
@click.option("--at", "at_s", type=float, required=True, help="The moment [s from the start].")
@click.option("--seconds", default=3.0, show_default=True, help="Length of a GIF or MP4.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A .png, .gif or .mp4 file.",
)
@common
def clip(
    name: str, at_s: float, seconds: float, out: Path, root: Path | None, as_json: bool
) -> None:
    """Save drawn and dreamt side by side, with nothing that names the player or this machine."""
    from game.cli.session import find, sessions_root
    from game.dataset.clip import write
    from game.session.reader import Session

    with Session.open(find(name, sessions_root(root))) as session:
        frames = write(session, at_s, seconds, out)
    facts = {"out": str(out), "frames": frames, "bytes": out.stat().st_size}
    emit(as_json, facts, lambda: click.echo(f"{out}: {frames} frames, {facts['bytes']} bytes"))
