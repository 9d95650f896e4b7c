"""Options that several commands of `session` share, said once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


def common(function: Command) -> Command:
    """What every command of the group takes: --root and --json."""
    root = click.option(
        "--root",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the sessions. [default: where this machine keeps them]",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
    return root(as_json(function))


on_ray = click.option(
    "--ray",
    "address",
    is_flag=False,
    flag_value="auto",
    metavar="[ADDRESS]",
    help="Work on a Ray cluster, one session a worker: the one that this machine belongs to, the "
    "one at ADDRESS, or 'local' for one of this machine alone.",
)
