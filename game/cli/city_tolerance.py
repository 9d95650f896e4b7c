"""`city tolerance`: how far another renderer's pictures are from this one's, as a table."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from game.cli.output import emit, stderr
from game.errors import UsageError

if TYPE_CHECKING:
    from game.view.tolerance import Apart

_DRIVERS = ("softpipe", "llvmpipe")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("tolerance")
@click.option(
    "--driver", type=click.Choice(_DRIVERS), default="softpipe", show_default=True,
    help="Mesa's driver to compare with, in a process of its own.",
)  # fmt: skip
@click.option(
    "--against", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Views that --save kept, on another machine perhaps, instead of a driver.",
)  # fmt: skip
@click.option("--save", type=_FILE, help="Keep this renderer's views in a file; compare nothing.")
@click.option("--side", type=click.IntRange(32, 2048), default=480, show_default=True, help="[px]")
@click.option("--pack", type=click.Path(path_type=Path, file_okay=False), help="Folder of a pack.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    driver: str,
    against: Path | None,
    save: Path | None,
    side: int,
    pack: Path | None,
    as_json: bool,
) -> None:
    """Draw 20 views with two renderers and print how far each channel is apart."""
    if against and save:
        raise UsageError("--against and --save exclude each other; give one of them")
    from game.view import tolerance

    start = time.monotonic()
    with stderr().status("drawing") as status:
        ours, mine = tolerance.draw(pack, side, lambda name: status.update(f"{name} drawn"))
        if save:
            tolerance.save(save, ours, mine)
            facts = {"renderer": ours, "path": str(save), "views": len(mine), "side": side}
            emit(as_json, facts, lambda: stderr().print(f"{save}: {len(mine)} views by {ours}"))
            return
        status.update("drawing with the other renderer")
        try:
            if against:
                theirs, other = tolerance.read(against)
            else:
                theirs, other = tolerance.draw_with(driver, pack, side)
            rows = tolerance.compare(mine, other)
        except ValueError as error:
            raise UsageError(str(error)) from error
    data: dict[str, Any] = {
        "renderer": ours,
        "against": theirs,
        "views": len(mine),
        "side": side,
        "seconds": round(time.monotonic() - start, 1),
        "channels": [{**asdict(row), "tolerance": row.tolerance} for row in rows],
    }
    emit(as_json, data, lambda: _show(data, rows))


def _show(data: dict[str, Any], rows: "list[Apart]") -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"{data['views']} views, {data['side']} px: {data['renderer']} / {data['against']}"
    table = Table(title=title, title_justify="left")
    for name in ("channel", "unit", "differs from"):
        table.add_column(name)
    for name in ("mean", "99.9 %", "largest", "differ", "worst view", "tolerance"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = (f"{value:.4g}" for value in (row.mean, row.high, row.largest))
        shares = (f"{value:.3%}" for value in (row.share, row.worst, row.tolerance))
        table.add_row(row.channel, row.unit, f"{row.beyond:g}", *figures, *shares)
    Console(width=120, highlight=False).print(table)
