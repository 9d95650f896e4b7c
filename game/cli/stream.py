"""Serve, probe and measure the diffusion stream."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from game.cli.output import emit, stderr

command = click.Group("stream", help="Serve, probe and measure the diffusion stream.")

FIT_MS, USABLE_MS = 150.0, 500.0  # p95 of the round trip
FIT_FPS, USABLE_FPS = 27.0, 20.0


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, help="0 takes a free port.")
@click.option("--backend", default="filter", show_default=True, help="What paints the pictures.")
@click.option("--journal", type=click.Path(file_okay=False, path_type=Path), help="Journal folder.")
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Journal key; made if absent.",
)
@click.option(
    "--api-key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file whose first line players must know.",
)
@click.option("--ticket-key", "ticket_keys", multiple=True, help="Enrolled public key (hex).")
@click.option("--players", default=4, show_default=True, help="How many play at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when ready.")
def serve(as_json: bool, api_key_file: Path | None, **options: Any) -> None:
    """Run a stream server until interrupted."""
    from streaming.server import Ready, ServerConfig
    from streaming.server import serve as run

    secret = api_key_file.read_text("utf-8").split("\n")[0].strip() if api_key_file else ""
    try:
        config = ServerConfig(api_key=secret, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error

    def ready(told: Ready) -> None:
        url = f"ws://{config.host}:{told.port}/v1/stream"
        data = {"url": url, "port": told.port, "model": told.model, "journal_key": told.journal_key}
        data["chosen"] = told.chosen
        emit(
            as_json,
            data,
            lambda: click.echo(
                f"{url}  {told.model}  {told.chosen}  journal key {told.journal_key}"
            ),
        )

    async def main() -> None:
        stop = asyncio.Event()
        for sign in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(sign, stop.set)
        await run(config, stop, ready)

    asyncio.run(main())


@command.command()
@click.argument("url")
@click.option("--api-key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", default=10.0, show_default=True, help="How long to look.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def probe(
    ctx: click.Context, url: str, api_key_file: Path | None, seconds: float, as_json: bool
) -> None:
    """Tell whether this line and the server at URL are fit to play."""
    from streaming.link import address_of
    from streaming.measure import measure
    from streaming.peer import PeerConfig

    secret = api_key_file.read_text("utf-8").split("\n")[0].strip() if api_key_file else ""
    stderr().print(f"looking at {address_of(url)} for {seconds:.0f} s")
    seen = measure(PeerConfig(url, "probe", api_key=secret), seconds)
    verdict = _verdict(seen.round_trip_ms.p95, seen.fps, seen.returned)
    data = {"url": address_of(url), "verdict": verdict, "backend": seen.backend, **seen.row()}
    times = seen.round_trip_ms
    emit(
        as_json,
        data,
        lambda: click.echo(
            f"{verdict}: connected in {seen.connect_ms:.0f} ms, round trip {times.p50:.0f} ms "
            f"(95 % under {times.p95:.0f}), {seen.fps:.1f} frames/s, "
            f"{seen.returned:.1%} came back, {seen.backend}"
        ),
    )
    ctx.exit(0 if verdict != "unfit" else 1)


def _verdict(p95_ms: float, fps: float, returned: float) -> str:
    if p95_ms <= FIT_MS and fps >= FIT_FPS and returned >= 0.95:
        return "fit"
    if p95_ms <= USABLE_MS and fps >= USABLE_FPS and returned >= 0.66:
        return "usable"
    return "unfit"


@command.command()
@click.option("--seconds", default=10.0, show_default=True, help="For each measurement.")
@click.option("--case", "cases", multiple=True, help="Only these; all when left out.")
@click.option("--json", "as_json", is_flag=True)
def bench(seconds: float, cases: tuple[str, ...], as_json: bool) -> None:
    """Measure our stream beside the library's own, in one run on this machine."""
    from streaming.measure import CASES, compare, machine

    unknown = [case for case in cases if case not in CASES]
    if unknown:
        raise click.UsageError(f"no case '{unknown[0]}'; choose from: {', '.join(CASES)}")
    told, rows = machine(), []
    for case in cases or CASES:
        stderr().print(f"measuring {case}: ours, then stock")
        rows.append(compare(case, seconds))

    def table() -> None:
        out = Table(title=f"round trip [ms] and frames returned\n{told}")
        for name in ("case", "ours p50/p95/p99", "back", "stock p50/p95/p99", "back"):
            out.add_column(name)
        for row in rows:
            cells = [
                cell
                for side in (row["ours"], row["stock"])
                for cell in (
                    f"{side['p50']:.1f} / {side['p95']:.1f} / {side['p99']:.1f}",
                    f"{side['returned']:.1%}",
                )
            ]
            out.add_row(row["case"], *cells)
        from rich.console import Console

        Console().print(out)

    emit(as_json, {"machine": told, "rows": rows}, table)
