"""Serve, probe and measure the diffusion stream."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from game.cli.output import emit, stderr

if TYPE_CHECKING:
    from streaming.measure import Measured
    from streaming.probe import Report

_SECONDS = click.FloatRange(0.5, 600.0)

command = click.Group("stream", help="Serve, probe and measure the diffusion stream.")


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=0,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free port.",
)
@click.option(
    "--backend",
    default="auto",
    show_default=True,
    help="auto (tiny where it keeps the pace, else filter), tiny, wan, filter or identity.",
)
@click.option(
    "--isolated/--in-process",
    default=None,
    help="Give the backend a process of its own, which may die alone; left out: 'tiny' has one.",
)
@click.option(
    "--weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of a network's card, for wan and tiny; left out: the bundled one.",
)
@click.option("--journal", type=click.Path(file_okay=False, path_type=Path), help="Journal folder.")
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Journal key; made if absent.",
)
@click.option(
    "--api-key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of keys, one a line; players must know one of them.",
)
@click.option("--ticket-key", "ticket_keys", multiple=True, help="Enrolled public key (hex).")
@click.option(
    "--players", type=click.IntRange(1), help="How many play at once.  [default: 4; of several: 1]"
)
@click.option(
    "--per-player",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Streams of one; 0: no limit.",
)
@click.option(
    "--turn",
    "turn_s",
    default=0.0,
    type=click.FloatRange(0.0),
    help="Seconds, when others wait; 0: no limit.",
)
@click.option("--ice", "ice_servers", multiple=True, help="stun:host:port or turn:host:port.")
@click.option(
    "--turn-login-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="User name and password of the TURN server, one a line; told to players.",
)
@click.option(
    "--private/--no-private",
    default=None,
    help="Whether players may name inner addresses; left out: those at one may.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when ready.")
def serve(
    as_json: bool,
    api_key_file: Path | None,
    ice_servers: tuple[str, ...],
    turn_login_file: Path | None,
    private: bool | None,
    isolated: bool | None,
    **options: Any,
) -> None:
    """Run a stream server until interrupted.

    Under torchrun one player's stream is painted by several processes, each with its share of
    wan's blocks: torchrun --nproc-per-node 4 --no-python scale-diffusion stream serve ...
    """
    from streaming.backends.table import NATIVE
    from streaming.diffusion.wan.launch import ranks
    from streaming.ice_config import IceConfig
    from streaming.server import Ready, ServerConfig
    from streaming.server import serve as run

    rank, count = ranks()
    if count > 1 and (options["backend"] != "wan" or (options["players"] or 1) > 1):
        raise click.UsageError("several processes serve --backend wan, to one player at a time")
    if options["players"] is None:
        options["players"] = 4 if count == 1 else 1
    if rank > 0:
        _help_serving(options["weights"])
        return
    keys = _lines(api_key_file)
    if api_key_file is not None and not keys:
        raise click.UsageError(f"{api_key_file} holds no key")
    user, word, *_ = (*_lines(turn_login_file), "", "")
    try:
        ice = IceConfig(ice_servers, user, word, private=private)
        apart = options["backend"] in NATIVE if isolated is None else isolated
        config = ServerConfig(api_keys=keys, ice=ice, isolated=apart, **options)
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


def _help_serving(weights: Path | None) -> None:
    """Hold a share of the network for rank 0."""
    from streaming.diffusion.wan.card import bundled, read_card
    from streaming.diffusion.wan.live import take_part

    take_part(read_card(weights or bundled()))


def _lines(path: Path | None) -> tuple[str, ...]:
    """The lines of a file of secrets that say something."""
    lines = path.read_text("utf-8").splitlines() if path is not None else []
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@command.command()
@click.argument("url", default="")
@click.option("--api-key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", default=10.0, show_default=True, type=_SECONDS, help="How long to look.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@click.pass_context
def probe(
    ctx: click.Context, url: str, api_key_file: Path | None, seconds: float, as_json: bool
) -> None:
    """Tell whether this line and the server at URL are fit to play.

    Without a URL the one of the settings (stream.url) is looked at, or, where there is none, a
    server started here. Exit 0: fit or usable, 1: unfit, 4: no connection.
    """
    from game.cli.doctor import from_options
    from game.play.link import dial
    from streaming.address import address_of
    from streaming.measure import measure, server
    from streaming.peer import PeerConfig
    from streaming.probe import judge
    from streaming.server import ServerConfig

    stream = from_options(ctx.obj).settings.stream
    way = dial(stream)
    if api_key_file is not None:
        way["api_key"] = api_key_file.read_text("utf-8").split("\n")[0].strip()
    with contextlib.ExitStack() as stack:
        place = url or (stream.url if stream.url != "off" else "")
        if not place:
            ready, _ = stack.enter_context(server(ServerConfig(backend=stream.backend)))
            place = f"ws://127.0.0.1:{ready.port}"
            stderr().print("no address given: looking at a server started on this machine")
        if not address_of(place).startswith(("ws://", "wss://")):
            raise click.UsageError(f"'{place}' is no address of a stream: write ws://HOST:PORT")
        stderr().print(f"looking at {address_of(place)} for {seconds:.0f} s")
        seen = measure(PeerConfig(place, "probe", **way), seconds)
    report = judge(seen, stream.bitrate)
    more = {"stages": seen.stages, "line_loss": seen.line_loss, "line_ms": seen.line_ms}
    rates = {"sending": seen.sending, "bitrate": seen.bitrate}
    data = {"url": address_of(place), **report.data(), "backend": seen.backend, **seen.row()}
    emit(as_json, {**data, **more, **rates}, lambda: _show_report(report, seen))
    ctx.exit(0 if report.verdict != "unfit" else 1)


def _show_report(report: "Report", seen: "Measured") -> None:
    from rich.console import Console

    colours = {"good": "green", "fair": "yellow", "poor": "red"}
    verdicts = {"fit": "green", "usable": "yellow", "unfit": "red"}
    table = Table(box=None, pad_edge=False, show_header=False)
    for line in report.lines:
        table.add_row(line.name, line.shown, f"[{colours[line.band]}]{line.band}[/]")
    stages = " + ".join(f"{name} {took:.0f}" for name, took in seen.stages.items())
    if "backend" not in seen.stages and stages:
        stages += "  (the server does not split its part)"
    table.add_row("stages [ms]", stages or "not told", report.slowest and f"most: {report.slowest}")
    table.add_row("painted by", seen.backend, "")
    console = Console(highlight=False)
    console.print(table)
    for advice in report.advice:
        console.print(f"- {advice}")
    console.print(f"[bold {verdicts[report.verdict]}]{report.verdict}[/] to play on")


@command.command()
@click.option(
    "--seconds", default=10.0, show_default=True, type=_SECONDS, help="For each measurement."
)
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
