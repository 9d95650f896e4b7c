"""The player's side of a claim: name the wallet that is paid for drives without one."""

from pathlib import Path
from typing import Any

import click

from game.cli.output import emit
from game.errors import MissingPart


@click.command("claim")
@click.option("--url", default="", help="The rewards service. [default: rewards.url]")
@click.option("--wallet", default="", help="Address to be paid; its key stays where it is.")
@click.option(
    "--key-file", type=click.Path(exists=True, path_type=Path), default=None,
    help="The wallet's key, 64 numbers, as Solana's command line writes it: proves the wallet too.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def claim(url: str, wallet: str, key_file: Path | None, as_json: bool) -> None:
    """Have what was driven without a wallet on this machine paid to one.

    Signs with the key of this machine's claim, which never leaves it. A wallet that is only named
    is paid like one that was typed in; a bearer code of an older game needs --key-file.
    """
    from game.play.claim import held
    from rewards.player import give, sign_in

    if bool(wallet) == bool(key_file):
        raise click.UsageError("give --wallet or --key-file, one of them")
    settings = _settings()
    service = url or settings.rewards.url
    if not service.startswith(("http://", "https://")):
        raise click.UsageError("no rewards service is set: give its address with --url")
    rows: list[dict[str, Any]] = []
    for each in held(settings.paths.data):
        if key_file is not None:
            done = sign_in(service, key_file, each.name, each.key)
        elif each.key is not None:
            done = give(service, wallet, each.name, each.key)
        else:
            rows.append({"claim": each.name, "wallet": "", "owed": [], "needs": "--key-file"})
            continue
        rows.append({"claim": each.name, "wallet": done["wallet"], "owed": done["owed"]})
    if not rows:
        raise MissingPart(
            "this machine holds no claim", "drive once without a wallet, or look at paths.data"
        )

    def render() -> None:
        for row in rows:
            if "needs" in row:
                click.echo(f"{row['claim'][:12]}: a code of an older game; claim it by --key-file")
            else:
                count, paid = len(row["owed"]), row["wallet"]
                click.echo(f"{row['claim'][:12]}: {count} sessions are now owed to {paid}")

    emit(as_json, {"claims": rows}, render)


def _settings() -> Any:
    from game.cli.doctor import from_options

    context = click.get_current_context().find_root()
    asked: dict[str, object] = {"settings_file": None, "overrides": (), "profile": "player"}
    if isinstance(context.obj, dict):
        asked |= context.obj
    return from_options(asked).settings
