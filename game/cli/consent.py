"""Consent to recording at the command line, where no app asks: given, remembered, or asked for."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from game.settings import Settings


def agreed(settings: "Settings", given: bool, quiet: bool) -> str:
    """Version of the text that the person at the wheel agreed to, 'none' where nobody did.

    given: by the flag. quiet: nobody is there to be asked. What is answered is remembered beside
    the app's answer. A bot and a drive that is not recorded need none.
    """
    from dataclasses import replace

    from game.play.app.consent import PLAIN, REFUSED, VERSION
    from game.play.app.memory import keep, recall

    data = settings.paths.data
    if settings.play.driver != "human" or not settings.record.enabled:
        return "none"
    memory = recall(data)
    if given or memory.consent == VERSION:
        if given and memory.consent != VERSION:
            keep(data, replace(memory, consent=VERSION))
        return VERSION
    if memory.consent == "" and not quiet and sys.stdin.isatty():
        click.echo("\n\n".join(PLAIN), err=True)
        yes = click.confirm("\nRecord your drives?", default=False, err=True)
        keep(data, replace(memory, consent=VERSION if yes else REFUSED))
        if yes:
            return VERSION
    click.echo(
        "not recorded: you have not agreed to it. What is recorded: play --terms; to agree: "
        "play --consent",
        err=True,
    )
    return "none"
