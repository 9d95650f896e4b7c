"""`scale-diffusion demo`: the whole loop on this machine, ending in a payout and a report."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from game.cli.doctor import from_options
from game.cli.output import emit, narrator, stderr


@click.command("demo")
@click.option("--scenario", default="busy-intersection", show_default=True, help="Its id.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option("--style", default="dusk", show_default=True, help="The first look.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="For the report.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep all here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.pass_obj
def command(
    options: dict[str, object],
    scenario: str,
    seed: int,
    style: str,
    out: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Drive one scenario with a bot, stream, record, upload, validate, pay, and report.

    Exit 0: paid and final. Exit 1: rejected, parked, or the scenario was failed.
    """
    from game.demo.run import DemoOptions, demo

    settings = from_options(options).settings
    if data is not None:
        settings = dataclasses.replace(
            settings, paths=dataclasses.replace(settings.paths, data=data.resolve())
        )
    stderr().print("[bold]Scale Diffusion[/bold]: one drive, from key press to token")
    chosen = DemoOptions(scenario, seed, style, out.resolve() if out else None)
    result = demo(settings, chosen, narrator())
    emit(as_json, result, lambda: _show(result))
    good = result["payout"]["state"] == "finalized" and result["outcome"]["success"]
    sys.exit(0 if good else 1)


def _show(result: dict[str, Any]) -> None:
    console = Console(highlight=False)
    verdict, payout = result["verdict"], result["payout"]
    share = 100 * result["pairs"] / result["frames"] if result["frames"] else 0
    failed = [f for f in verdict["findings"] if not f["passed"]]
    trip = result["stream"]["round_trip_ms"]
    console.print()
    console.print(f"[bold]{result['title']}[/bold], {result['place']}, seed {result['seed']}")
    console.print(
        f"  drive    {'passed' if result['outcome']['success'] else 'failed'}, "
        f"{result['outcome']['collisions']} collisions, {result['ticks'] / 60:.1f} s"
    )
    console.print(f"  pairs    {result['pairs']} of {result['frames']} frames ({share:.1f} %)")
    console.print(
        f"  stream   round trip p50 {trip['p50']:.0f}, p95 {trip['p95']:.0f}, "
        f"p99 {trip['p99']:.0f} ms"
    )
    console.print(f"  verdict  {verdict['decision']}, {len(verdict['findings'])} checks")
    for finding in failed:
        console.print(f"           [red]{finding['reason']}[/red] {finding['detail']}")
    console.print(
        f"  payout   {payout['amount']} base units, {payout['state']} {payout['signature']}"
    )
    console.print(f"  report   {result['report']}")
    console.print(f"  took     {result['seconds']['all']} s")
