"""`scale-diffusion rewards`: the server side by hand. Talks to people; the work is in `rewards`."""

import asyncio
import dataclasses
import importlib.util
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import click

from game.cli.output import emit, stderr
from game.errors import MissingPart

F = TypeVar("F", bound=Callable[..., Any])

_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")


def _chain_options(function: F) -> F:
    """Options of every command that stands on a server folder."""
    for option in reversed(
        (
            click.option(
                "--folder",
                type=click.Path(file_okay=False, path_type=Path),
                default=None,
                help="The server's folder: ledger, keys, devnet. [default: server.folder]",
            ),
            click.option("--rpc-url", default=None, help="Solana endpoint; default: local devnet."),
            click.option("--mint", default=None, help="Token mint; the local devnet has its own."),
            click.option("--policy", default=None, help="Bundled policy or a TOML file."),
        )
    ):
        function = option(function)
    return function


def _settings(**given: Any) -> Any:
    """Section `server` of the settings, changed by the options that were given. Exit 3 where the
    server extra is missing."""
    for name in ("solana", "sqlalchemy"):
        if importlib.util.find_spec(name) is None:
            raise MissingPart(
                f"the server side needs {name}", "install it with: pip install '.[server]'"
            )
    from game.cli.doctor import from_options

    context = click.get_current_context().find_root()
    asked: dict[str, object] = {"settings_file": None, "overrides": (), "profile": "player"}
    if isinstance(context.obj, dict):
        asked |= context.obj
    known = from_options(asked).settings.server
    try:
        return dataclasses.replace(known, **{k: v for k, v in given.items() if v is not None})
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _existing(**given: Any) -> Any:
    """The same for commands that look at a server that has run. Exit 3 where there is none, and
    nothing is made: whoever mistyped the folder would be told that all is well."""
    settings = _settings(**given)
    if not settings.database_url and not settings.folder.is_dir():
        raise MissingPart(
            f"there is no server folder {settings.folder}", "name the right one with --folder"
        )
    return settings


@click.group("rewards")
def command() -> None:
    """The server side: intake, checks, payouts, audit, devnet."""


@command.command()
@_chain_options
@click.option("--port", type=click.IntRange(0, 65535), help="0 = any free port.")
@click.option("--slot-ms", type=click.IntRange(1, 60_000), help="Length of a slot [ms].")
@_JSON
def devnet(port: int | None, slot_ms: int | None, as_json: bool, **given: Any) -> None:
    """Run the local devnet until Ctrl-C. Prints its address first."""
    settings = _settings(devnet_port=port, slot_ms=slot_ms, **given)
    from rewards.devnet import open_devnet

    server = open_devnet(settings)
    bank = server.devnet.bank
    data = {"url": server.url, "genesis": bank.genesis, "folder": str(settings.folder)}
    emit(as_json, data, lambda: click.echo(f"local devnet at {server.url}, Ctrl-C ends it"))
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.serve_forever(0.05)
    except KeyboardInterrupt:
        stderr().print("ended; its state is kept")
    finally:
        server.server_close()
        bank.close()


@command.command()
@_chain_options
@click.option("--commit", is_flag=True, help="Sign and send. Without it nothing is signed.")
@click.option("--daily-budget", type=click.IntRange(0), default=None, help="Base units a UTC day.")
@click.option("--watch", is_flag=True, help="With --commit: keep paying until Ctrl-C.")
@_JSON
def pay(commit: bool, daily_budget: int | None, watch: bool, as_json: bool, **given: Any) -> None:
    """Pay what the ledger owes; only show what would be paid unless --commit is given."""
    if daily_budget is not None:
        given["daily_budget"] = daily_budget
    settings = _settings(**given)
    if not commit:
        _show_plan(settings, as_json)
    elif watch:
        from rewards.payer import run_payer

        _in_foreground(run_payer, settings)
    else:
        _pay_now(settings, as_json)


def _show_plan(settings: Any, as_json: bool) -> None:
    from rewards.payer import open_payer

    async def plan() -> Any:
        payer, chain, ledger, _ = await open_payer(settings)
        try:
            return await payer.plan()
        finally:
            await chain.close()
            ledger.close()

    plans = asyncio.run(plan())
    rows = [
        {
            "session": p.payout.session,
            "wallet": p.payout.wallet,
            "amount": p.payout.amount,
            "hindrance": p.hindrance,
        }
        for p in plans
    ]
    would = [row for row in rows if not row["hindrance"]]
    data = {
        "committed": False,
        "would_pay": len(would),
        "amount": sum(row["amount"] for row in would),
        "payouts": rows,
    }

    def render() -> None:
        for row in rows:
            note = f"not now: {row['hindrance']}" if row["hindrance"] else "would be paid"
            click.echo(f"{row['session']}  {row['amount']}  {row['wallet']}  {note}")
        click.echo(f"{len(would)} payouts, {data['amount']} base units; --commit pays them")

    emit(as_json, data, render)


def _pay_now(settings: Any, as_json: bool) -> None:
    from rewards.payer import pay_until_idle

    turns = asyncio.run(pay_until_idle(settings))
    data: dict[str, Any] = {
        name: [session for turn in turns for session in getattr(turn, name)]
        for name in ("finalized", "parked", "expired")
    }
    data["committed"], data["held"] = True, turns[-1].held

    def render() -> None:
        for name in ("finalized", "parked"):
            for session in data[name]:
                click.echo(f"{session}  {name}")
        rest = f"; the rest is held back by: {data['held']}" if data["held"] else ""
        click.echo(f"{len(data['finalized'])} paid, {len(data['parked'])} parked{rest}")

    emit(as_json, data, render)


@command.command()
@_chain_options
@_JSON
def audit(as_json: bool, **given: Any) -> None:
    """Compare the ledger with the chain. Exit 1 when they differ."""
    settings = _settings(**given)
    from rewards.audit import audit as compare

    found = asyncio.run(compare(settings))

    def render() -> None:
        click.echo(
            f"accepted {found.accepted} = paid {found.paid} + owed {found.owed} "
            f"({found.parked} parked); rejected {found.rejected}"
        )
        for mismatch in found.mismatches:
            click.echo(f"{mismatch.kind}: {mismatch.session}: {mismatch.detail}")

    emit(as_json, found.to_dict(), render)
    if found.mismatches:
        sys.exit(1)


@command.command()
@_chain_options
@click.option("--session", default=None, help="Only this one; default: all that were given up.")
@click.option("--payouts", is_flag=True, help="Release parked payouts instead, to be tried anew.")
@_JSON
def redrive(session: str | None, payouts: bool, as_json: bool, **given: Any) -> None:
    """Give sessions that no worker could judge, or parked payouts, another chance."""
    settings = _existing(**given)
    again = _release(settings, session) if payouts else _requeue(settings, session)
    emit(as_json, {"redriven": again}, lambda: click.echo(f"{again} given another chance"))


def _release(settings: Any, session: str | None) -> int:
    import time

    from rewards.ledger import Ledger
    from rewards.model import PARKED

    ledger = Ledger.open(settings.ledger_url)
    try:
        parked = [p.session for p in ledger.payouts(PARKED) if session in (None, p.session)]
        return sum(ledger.release(name, int(time.time())) for name in parked)
    finally:
        ledger.close()


def _requeue(settings: Any, session: str | None) -> int:
    from rewards.backing import open_queue

    queue = open_queue(settings)
    try:
        return queue.redrive(session)
    finally:
        queue.close()


@command.command()
@_chain_options
@click.option("--host", default=None, help="[default: server.host, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="0 = any free port.")
@click.option("--journal-key", "keys", multiple=True, help="Enrolled stream server, Ed25519 hex.")
def serve(keys: tuple[str, ...], **given: Any) -> None:
    """Run the intake until Ctrl-C. Prints what it listens on first."""
    settings = _settings(**given)
    from rewards.service import ApiConfig, run_api

    keys = keys or settings.journal_keys
    _in_foreground(run_api, ApiConfig(settings=settings, journal_keys=keys))


@command.command()
@_chain_options
@click.option("--journal-key", "keys", multiple=True, help="Enrolled stream server, Ed25519 hex.")
def worker(keys: tuple[str, ...], **given: Any) -> None:
    """Judge queued sessions until Ctrl-C. Start as many as you like."""
    settings = _settings(**given)
    from rewards.facts import read_facts
    from rewards.worker_process import WorkerConfig, run_worker

    facts = read_facts(settings)
    cluster = "local" if facts is None else facts.cluster
    keys = keys or settings.journal_keys
    config = WorkerConfig(settings=settings, journal_keys=keys, cluster=cluster)
    _in_foreground(run_worker, config)


def _in_foreground(entry: Callable[[Any, Connection], None], config: Any) -> None:
    """Run a process entry in this process and print what it reports once it is ready."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    name = entry.__name__.removeprefix("run_")

    def report() -> None:
        try:
            click.echo(f"{name} ready: {ours.recv()}")
            sys.stdout.flush()
        except EOFError:
            pass

    threading.Thread(target=report, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        entry(config, theirs)
    except KeyboardInterrupt:
        stderr().print(f"{name} ended")


def _add_admin() -> None:
    from game.cli import rewards_admin, rewards_claim, rewards_kiosk

    for each in (*rewards_admin.COMMANDS, rewards_kiosk.kiosks, rewards_claim.claim):
        command.add_command(each)


_add_admin()
