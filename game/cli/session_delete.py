"""`session delete`: a recording leaves this machine, and the rewards service is asked to follow."""

from pathlib import Path
from typing import Any

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common

_ASK_S = 5.0  # patience with the service while the player waits [s]


@click.command("delete")
@click.argument("name", metavar="SESSION")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--local", is_flag=True, help="From this machine alone; ask no server.")
@click.option("--server", "url", default=None, metavar="URL",
              help="Rewards service to ask. [default: rewards.url of the settings]")  # fmt: skip
@common
def command(
    name: str, yes: bool, local: bool, url: str | None, root: Path | None, as_json: bool
) -> None:
    """Remove a session for good: from this machine, and from the server that it was handed in to.

    The server removes its files and keeps what payment books need. Where it does not answer, the
    game asks it again by itself.
    """
    from game.cli.session import find, loaded_settings, sessions_root
    from game.outbox.deletion import erase, proof

    settings = loaded_settings()
    folder = find(name, sessions_root(root))
    if proof(folder) is None:
        stderr().print(f"{folder} does not read back")
    if not yes:
        also = "" if local else ", and ask the server to delete it too"
        click.confirm(f"Remove {folder} for good{also}?", abort=True, err=True)
    service = settings.rewards.url if url is None else url
    gone = erase(folder, settings.paths.data, service, ask=not local)
    server = _ask(settings.paths.data / "outbox", folder.name, service) if gone.asked else {}
    facts = {
        "deleted": str(folder), "bytes": gone.bytes, "pages": [str(path) for path in gone.made],
        "server": server or {"state": "not asked" if local else "never handed in"},
    }  # fmt: skip
    emit(as_json, facts, lambda: _say(facts))


def _ask(outbox: Path, session: str, service: str) -> dict[str, Any]:
    """One try now; what does not come off is left to the outbox."""
    from game.outbox.job import JobStore, State
    from game.outbox.outbox import Outbox, OutboxConfig

    jobs = JobStore(outbox)
    if service in ("", "off"):
        return {"state": "later", "why": "the rewards service does not run now"}
    box = Outbox(OutboxConfig(outbox, service, timeout_s=_ASK_S))
    try:
        box.erase_pending()
    finally:
        box.close()
    job = jobs.get(session)
    if job is None or job.state is not State.DELETED:
        return {"state": "later", "why": "" if job is None else job.reason}
    return {**job.server, "state": "deleted" if job.server.get("erased") else "never handed in"}


def _say(facts: dict[str, Any]) -> None:
    click.echo(f"removed {facts['deleted']} ({facts['bytes'] / 1e6:.1f} MB)")
    for path in facts["pages"]:
        click.echo(f"removed {path}")
    server = facts["server"]
    if server["state"] == "deleted":
        gone = server["erased"]
        click.echo(f"removed from the server: {gone['files']} files ({gone['bytes'] / 1e6:.1f} MB)")
        click.echo(f"kept there for the payment books: {', '.join(server['kept'])}")
    elif server["state"] == "later":
        click.echo(f"the server is asked when the game next runs ({server['why']})")
    else:
        click.echo(f"the server: {server['state']}")
