"""What an operator does now and then: back up, rebuild, simulate a policy, answer appeals."""

import json
import time
from pathlib import Path
from typing import Any

import click

from game.cli.output import emit
from game.cli.rewards import _JSON, _chain_options, _existing, _settings
from game.errors import MissingPart


@click.command()
@_chain_options
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--without-keys", is_flag=True, help="Leave keys and the receipt secret out.")
@_JSON
def backup(target: Path, without_keys: bool, as_json: bool, **given: Any) -> None:
    """Copy ledger, queue, keys and verdicts into a new folder TARGET, while all goes on."""
    from rewards.backup import back_up

    done = back_up(_existing(**given), target, keys=not without_keys)
    data = {"folder": str(done.folder), "files": done.files, "bytes": done.size}
    emit(as_json, data, lambda: click.echo(f"{done.files} files, {done.size} bytes in {target}"))


@click.command()
@_chain_options
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@_JSON
def restore(source: Path, as_json: bool, **given: Any) -> None:
    """Put the backup SOURCE into an empty server folder, then fill the ledger from verdicts."""
    settings = _settings(**given)
    from rewards.backup import restore as put_back

    done = put_back(settings, source)
    data = {"files": done.files, **_rebuild(settings)}
    emit(as_json, data, lambda: click.echo(f"{done.files} files; ledger: {data}"))


@click.command()
@_chain_options
@_JSON
def rebuild(as_json: bool, **given: Any) -> None:
    """Write into the ledger what the clean store's sealed verdicts know and it does not."""
    data = _rebuild(_settings(**given))

    def render() -> None:
        click.echo(f"{data['known']} known, {data['added']} added, {data['bindings']} claims")
        for key in data["refused"]:
            click.echo(f"refused (no enrolled judge signed it): {key}")

    emit(as_json, data, render)


def _rebuild(settings: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from rewards.backing import clean_store
    from rewards.desk import judges
    from rewards.ledger import Ledger
    from rewards.payer import intakes
    from rewards.premises import Premises
    from rewards.rebuild import refill

    ledger = Ledger.open(settings.ledger_url)
    try:
        known = judges(settings, Premises(settings.folder).verdict_key)
        done = refill(ledger, clean_store(settings), known, intakes(settings))
    finally:
        ledger.close()
    return asdict(done)


@click.command()
@_chain_options
@_JSON
def reconcile(as_json: bool, **given: Any) -> None:
    """Queue every session whose upload is complete and that nobody judged: lost events."""
    settings = _existing(**given)
    from rewards.backing import clean_store, open_queue, raw_store
    from rewards.card import waiting
    from rewards.worker import verdict_key

    queue, clean, again = open_queue(settings), clean_store(settings), 0
    try:
        for session in waiting(raw_store(settings)):
            if clean.size(verdict_key(session)) is None:
                again += queue.push(session, session)
    finally:
        queue.close()
    emit(as_json, {"queued": again}, lambda: click.echo(f"{again} queued again"))


@click.group("policy")
def policy() -> None:
    """Payout policies."""


@policy.command()
@_chain_options
@click.option("--new", "name", required=True, help="A bundled policy or a TOML file.")
@_JSON
def simulate(name: str, as_json: bool, **given: Any) -> None:
    """Price all accepted sessions under another policy; changes nothing."""
    settings = _existing(**given)
    from rewards import policy as policies
    from rewards.ledger import Ledger
    from rewards.simulate import simulate as price

    rules, ledger = policies.load(name), Ledger.open(settings.ledger_url)
    try:
        amounts = ledger.amounts()
        found = price([(v, amounts[v.session]) for v in ledger.verdicts("accepted")], rules)
    finally:
        ledger.close()

    def render() -> None:
        click.echo(
            f"{found.sessions} sessions, {found.seconds} s driven: {found.before} -> {found.after}"
            f" base units under {rules.name} {rules.version}; {found.more} get more, {found.less}"
            f" less; held {found.mean_hold_s} s on average, {found.longest_hold_s} s at most"
        )
        for scenario, amount in sorted(found.by_scenario.items()):
            click.echo(f"  {scenario or '(no scenario named)'}: {amount}")

    emit(as_json, {"policy": rules.name, "version": rules.version, **found.to_dict()}, render)


@click.command()
@_chain_options
@click.option("--uphold", metavar="SESSION", help="The rejection stands.")
@click.option("--reverse", metavar="SESSION", help="Accept it after all, and pay it.")
@click.option("--note", default="", help="Why; the player reads it.")
@_JSON
def appeals(uphold: str, reverse: str, note: str, as_json: bool, **given: Any) -> None:
    """List appeals that wait, or decide one."""
    settings = _existing(**given)
    if (uphold or reverse) and not note:
        raise click.UsageError("a decision needs --note: the player reads it")
    from rewards import appeals as desk
    from rewards import tickets
    from rewards.backing import clean_store
    from rewards.ledger import Ledger
    from rewards.premises import Premises

    ledger = Ledger.open(settings.ledger_url)
    try:
        if uphold:
            desk.uphold(ledger, uphold, note)
        if reverse:
            key = tickets.load_key(Premises(settings.folder).verdict_key)
            desk.reverse(ledger, clean_store(settings), key, reverse, note, int(time.time()))
        rows = [{"session": a.session, "asked_s": a.asked_s} for a in desk.waiting(ledger)]
    finally:
        ledger.close()

    def render() -> None:
        for row in rows:
            click.echo(row["session"])
        click.echo(f"{len(rows)} appeals wait")

    emit(as_json, {"waiting": rows}, render)


@click.command("sign-in")
@click.option("--url", required=True, help="The rewards service.")
@click.option(
    "--key-file", required=True, type=click.Path(exists=True, path_type=Path),
    help="The wallet's key, 64 numbers, as Solana's command line writes it. Stays here.",
)  # fmt: skip
@click.option("--claim", default="", help="Take over the sessions of this claim id.")
@click.option(
    "--claim-key", type=click.Path(exists=True, path_type=Path),
    help="The claim's own key in hex, where the claim is one.",
)  # fmt: skip
@_JSON
def sign_in(url: str, key_file: Path, claim: str, claim_key: Path | None, as_json: bool) -> None:
    """Prove a wallet with its key file: signs one text here, sends the signature alone."""
    from rewards.player import sign_in as prove

    data = prove(url, key_file, claim, claim_key)
    emit(as_json, data, lambda: click.echo(json.dumps(data, indent=1)))


@click.command("rotate-key")
@_chain_options
@click.option("--commit", is_flag=True, help="Do it; without, only say what would happen.")
@_JSON
def rotate_key(commit: bool, as_json: bool, **given: Any) -> None:
    """Give the treasury a new key: moves what it holds; old receipts go on counting."""
    settings = _existing(**given)
    import asyncio

    from rewards.facts import read_facts
    from rewards.rotate import rotate

    facts = asyncio.run(rotate(settings)) if commit else read_facts(settings)
    if facts is None:
        raise MissingPart(
            "there is no treasury here yet", "it is made by: scale-diffusion rewards pay"
        )
    data = {"committed": commit, "treasury": facts.treasury}
    said = "the treasury is now" if commit else "would move everything away from"
    emit(as_json, data, lambda: click.echo(f"{said} {data['treasury']}"))


COMMANDS = (rotate_key, backup, restore, rebuild, reconcile, policy, appeals, sign_in)
