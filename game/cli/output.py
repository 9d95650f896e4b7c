"""How commands speak: results on standard output, all else on standard error, one line an error."""

import difflib
import json
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from rich.console import Console

from game.errors import fitting

_LOG_FORMAT = "%(asctime)s %(name)s %(message)s"


def stderr() -> Console:
    """A console for progress and notes; never mixes with the result."""
    return Console(stderr=True, highlight=False)


def narrator() -> Callable[[str], None]:
    """Says one line of progress on standard error, as it is."""
    console = stderr()
    return lambda line: console.print(f"  {line}", markup=False)


def emit(as_json: bool, data: Mapping[str, Any], render: Callable[[], None]) -> None:
    """Print the result: one JSON object as the last line, or whatever `render` draws."""
    if as_json:
        click.echo(json.dumps(data, separators=(",", ":"), default=str))
    else:
        render()


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`."""
    known = list(known)
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return found[0] if found else (known[0] if known else "")


def set_up_logging(debug: bool) -> None:
    """Events go to standard error; libraries only speak up when something is wrong."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.DEBUG if debug else logging.WARNING, format=_LOG_FORMAT
    )
    logging.getLogger("urllib3").setLevel(logging.WARNING)


def fail_line(error: Exception) -> int:
    """Say in one line what is wrong and return the exit code that the error names."""
    code = getattr(error, "exit_code", None)
    if code is not None:
        click.echo(f"scale-diffusion: {fitting(str(error))}", err=True)
        return int(code)
    name = type(error).__name__
    click.echo(
        f"scale-diffusion: internal error, {name}: {error} (run again with --debug for details)",
        err=True,
    )
    return 1
