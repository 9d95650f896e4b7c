"""`session list | show | verify | recover | delete`: what lies on this disk."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common
from game.errors import SessionError, UsageError
from game.session.ids import is_id
from game.session.reader import Session
from game.session.share import Share
from game.world.city import City

if TYPE_CHECKING:
    from game.settings import Settings

_LATER = {
    "replay": "session_replay",
    "share": "session_replay",
    "render": "session_render",
    "export": "session_export",
    "view": "session_view",
    "clip": "session_view",
    "report": "session_report",
    "delete": "session_delete",
}


def sessions_root(root: Path | None) -> Path:
    """The folder given, or the one that settings name."""
    return root if root is not None else loaded_settings().paths.sessions


def loaded_settings() -> "Settings":
    """Settings as the options in front of the command name them."""
    from game.settings import load

    context = click.get_current_context(silent=True)
    options = (context.find_root().obj if context is not None else None) or {}
    file = options.get("settings_file")
    loaded = load(
        options.get("profile", "player"),
        Path(file) if file else None,
        options.get("overrides", ()),
    )
    return loaded.settings


def folders(root: Path) -> list[Path]:
    """Folders of sessions under `root`, oldest first."""
    if not root.is_dir():
        return []
    return [path for path in sorted(root.iterdir()) if path.is_dir() and is_id(path.name)]


def find(name: str, root: Path) -> Path:
    """The folder that SESSION names: a folder, an id or its beginning, or 'last'."""
    if name == "last":
        known = folders(root)
        if not known:
            raise UsageError(f"no session under {root}; record one with: scale-diffusion play")
        return known[-1]
    if Path(name).is_dir():
        return Path(name).resolve()
    found = [path for path in folders(root) if path.name.startswith(name.upper())]
    if len(found) == 1:
        return found[0]
    several = f"{len(found)} sessions begin with" if found else "no session is named"
    raise UsageError(f"{several} {name!r} under {root}; see: scale-diffusion session list")


def chosen(names: tuple[str, ...], root: Path | None, shared: bool = False) -> list[Path]:
    """Folders of the sessions that are named; 'all' for every one.

    shared: a file made by `session share` may stand for a session.
    """
    where = sessions_root(root)
    if names == ("all",):
        return folders(where)
    found = [Path(name) if shared and Path(name).is_file() else find(name, where) for name in names]
    if len(set(found)) != len(found):
        raise UsageError("a session is named twice")
    return found


def city_of(session: Session | Share) -> City:
    """The city that a session names, as this program brings it along."""
    from game.atlas.load import bundled_names, load

    name = session.manifest.pack
    return load(Path(name) if name in bundled_names() else None)


def open_drive(name: str, root: Path) -> Session | Share:
    """The session that is named, or the drive in a shared file. Raises what is wrong with it."""
    from game.session.share import MAGIC, read

    path = Path(name)
    if path.is_file():
        try:
            return read(path)
        except ValueError as error:
            raise UsageError(f"{path}: {error}; a shared drive begins with {MAGIC!r}") from error
    return Session.open(find(name, root))


class _Group(click.Group):
    """The group; what makes data sets and pages is imported only when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_LATER]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _LATER:
            module = importlib.import_module(f"game.cli.{_LATER[cmd_name]}")
            later: click.Command = getattr(module, cmd_name, None) or module.command
            return later
        return super().get_command(ctx, cmd_name)


command = _Group("session", help="Look at, verify, replay, share, draw and export recordings.")


@command.command("list")
@click.option("--page", is_flag=True, help="Write a page with thumbnails too.")
@click.option("--open", "show", is_flag=True, help="Open that page in the browser.")
@common
def list_(page: bool, show: bool, root: Path | None, as_json: bool) -> None:
    """All sessions on this machine, oldest first."""
    where = sessions_root(root)
    rows = [_row(folder) for folder in folders(where)]
    facts: dict[str, Any] = {"root": str(where), "sessions": rows}
    if page or show:
        from game.dataset.album import write

        views = where.parent / "views"
        facts["page"] = str(write(folders(where), views / "index.html", views))
    emit(as_json, facts, lambda: _table(rows))
    if "page" in facts:
        stderr().print(facts["page"], highlight=False)
    if show:
        click.launch(Path(facts["page"]).resolve().as_uri())


def _row(folder: Path) -> dict[str, Any]:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    row: dict[str, Any] = {"session": folder.name, "path": str(folder), "bytes": size}
    try:
        with Session.open(folder) as session:
            end = session.end or {}
            row.update(
                scenario=session.manifest.scenario,
                driver=session.manifest.driver.kind,
                created=session.manifest.created,
                ticks=end.get("ticks", len(session.ticks())),
                pairs=end.get("pairs", 0),
                state="sealed" if session.end else "open",
                success=(end.get("outcome") or {}).get("success"),
            )
    except SessionError as error:
        row.update(state="damaged", why=str(error))
    return row


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(
        Column("session", no_wrap=True),
        Column("scenario", overflow="fold"),
        "driver",
        Column("s", justify="right"),
        Column("pairs", justify="right"),
        Column("MB", justify="right"),
        "state",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for row in rows:
        table.add_row(
            row["session"], str(row.get("scenario", "")),
            str(row.get("driver", "")), f"{row.get('ticks', 0) / 60:.1f}",
            str(row.get("pairs", "")), f"{row['bytes'] / 1e6:.1f}", str(row["state"]),
        )  # fmt: skip
    Console().print(table)


@command.command("show")
@click.argument("name", metavar="SESSION", default="last")
@common
def show(name: str, root: Path | None, as_json: bool) -> None:
    """Everything that a session says of itself."""
    from dataclasses import asdict

    with Session.open(find(name, sessions_root(root))) as session:
        facts: dict[str, Any] = {
            "session": session.manifest.session,
            "path": str(session.folder),
            "manifest": asdict(session.manifest),
            "ticks": len(session.ticks()),
            "inputs": len(session.inputs()),
            "frames": {str(track): len(session.frames(track)) for track in session.tracks()},
            "pairs": len(session.pairs()),
            "events": len(session.events()),
            "journal": len(session.journal()),
            "end": session.end,
        }

    def render() -> None:
        for key, value in facts.items():
            if not isinstance(value, dict):
                click.echo(f"{key:10} {value}")
        for key, value in facts["manifest"].items():
            if key != "ticket":
                click.echo(f"  {key:16} {value}")

    emit(as_json, facts, render)


@command.command("verify")
@click.argument("name", metavar="SESSION", default="last")
@common
@click.pass_context
def verify_(context: click.Context, name: str, root: Path | None, as_json: bool) -> None:
    """Replay a session and compare it with everything that was stored."""
    from game.session.replay import stage_of
    from game.session.verify import verify

    with Session.open(find(name, sessions_root(root))) as session:
        report = verify(session, city_of(session), stage_of(session.scenario_text()))
    problems = [{"kind": p.kind, "tick": p.tick, "detail": p.detail} for p in report.problems]
    facts = {
        "session": report.session, "path": str(report.folder), "ok": report.ok,
        "ticks": report.ticks, "pairs": report.pairs, "digest": report.digest,
        "problems": problems,
    }  # fmt: skip

    def render() -> None:
        verdict = "replays bit for bit" if report.ok else f"{len(problems)} problems"
        click.echo(f"{report.session}: {verdict}, {report.ticks} ticks, {report.pairs} pairs")
        for problem in report.problems:
            click.echo(f"  {problem.kind:9} tick {problem.tick:6}  {problem.detail}")

    emit(as_json, facts, render)
    if not report.ok:
        context.exit(1)


@command.command("recover")
@click.argument("name", metavar="SESSION", default="last")
@common
def recover_(name: str, root: Path | None, as_json: bool) -> None:
    """Finish what a crash left of a session."""
    from game.session.recover import recover

    report = recover(find(name, sessions_root(root)))
    facts = {
        "session": report.session, "path": str(report.folder), "ticks": report.ticks,
        "sealed_before": report.sealed_before, "cut": report.cut,
        "frames": {"kept": report.frames.kept, "added": report.frames.added,
                   "dropped": report.frames.dropped, "broken": list(report.frames.broken)},
        "digest": report.end.get("digest", ""),
    }  # fmt: skip

    def render() -> None:
        if report.sealed_before:
            click.echo(f"{report.session}: was complete already, {report.ticks} ticks")
            return
        cut = ", ".join(f"{size} bytes of {name}" for name, size in report.cut.items())
        click.echo(f"{report.session}: recovered, {report.ticks} ticks; cut {cut or 'nothing'}")

    emit(as_json, facts, render)
