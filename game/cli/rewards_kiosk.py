"""`rewards kiosks`: which devices of events may give out codes here."""

import dataclasses
import time
from typing import Any

import click

from game.cli.output import emit
from game.cli.rewards import _JSON, _chain_options, _settings


@click.command("kiosks")
@_chain_options
@click.option("--enrol", default="", metavar="KEY", help="Public key, as `kiosk key` prints it.")
@click.option("--name", default="", help="Of the device that is enrolled.")
@click.option("--daily", default=500, show_default=True, help="Codes it may give out in 24 hours.")
@click.option("--revoke", default="", metavar="KEY", help="Take no further codes from this one.")
@_JSON
def kiosks(enrol: str, name: str, daily: int, revoke: str, as_json: bool, **given: Any) -> None:
    """List the kiosks of events, enrol one, or revoke one."""
    settings = _settings(**given)
    if enrol and not name:
        raise click.UsageError("--enrol needs --name: where does the device stand?")
    from rewards import schema
    from rewards.kiosk import Enrolled

    engine = schema.open_engine(settings.ledger_url)
    try:
        enrolled = Enrolled(engine, time.time)
        if enrol:
            enrolled.enrol(enrol, name, daily)
        if revoke:
            enrolled.revoke(revoke)
        rows = [dataclasses.asdict(each) for each in enrolled.all()]
    finally:
        engine.dispose()

    def render() -> None:
        for row in rows:
            state = "revoked" if row["revoked_s"] else f"{row['daily']} a day"
            click.echo(f"{row['key']}  {row['name']}  {state}")
        click.echo(f"{len(rows)} devices")

    emit(as_json, {"devices": rows}, render)
