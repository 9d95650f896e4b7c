"""What `city build` does once its options are read: fetch or read, compile, show how far it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from game.atlas.area import Area
from game.errors import MissingPart

if TYPE_CHECKING:
    from game.atlas.compile import Compiled


@dataclass(frozen=True, slots=True)
class Order:
    """What to build from what. files: by part, instead of the source's."""

    source: str  # URL of a server, or a folder
    area: Area
    out: Path
    files: dict[str, Path]
    cache: Path
    shrink: bool


def make(order: Order, console: Console) -> "Compiled":
    """Build the pack; the progress goes to `console`. Raises GameError."""
    try:
        from game.atlas import compile as compiler
    except ImportError as error:
        raise MissingPart(
            f"building a city needs shapely ({error})",
            "install the extra: pip install 'scale-diffusion[city]'",
        ) from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bars:
        stage = bars.add_task("starting", total=None)

        def say(text: str) -> None:
            bars.update(stage, description=f"{text} ...")

        if not order.source.lower().startswith(("http://", "https://")):
            folder = Path(order.source)
            return compiler.compile_pack(
                folder, order.area, order.out, say, order.files, order.shrink
            )
        from game.atlas.fetch import fetch
        from game.atlas.tally import Tally

        tally = Tally()
        rows: dict[str, TaskID] = {}

        def heard(dataset: str, done: int, total: int | None) -> None:
            if dataset not in rows:
                rows[dataset] = bars.add_task(f"data set {dataset}", total=None)
            bars.update(rows[dataset], completed=done, total=total)

        say(f"downloading from {order.source}")
        sources = fetch(order.source, order.area, order.cache, tally, heard, order.files)
        return compiler.write_pack(sources, order.area, order.out, tally, say, order.shrink)
