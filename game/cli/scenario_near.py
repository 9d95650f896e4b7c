"""scale-diffusion scenario from-session: a near miss of your own drive, made a scenario."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from game.cli.output import emit
from game.errors import UsageError

if TYPE_CHECKING:
    from game.session.reader import Session
    from game.session.share import Share
    from game.world.city import City
    from game.world.state import WorldState
    from scenarios.near import Moment
    from scenarios.retell import Retold


@click.command("from-session")
@click.argument("name", metavar="SESSION_OR_FILE", default="last")
@click.option("--at", type=click.IntRange(0), metavar="TICK", help="The moment, 60 ticks a second.")
@click.option("--closest", is_flag=True, help="Take the closest near miss of the drive.")
@click.option("--before", default=5.0, show_default=True, type=click.FloatRange(1.0, 20.0),
              help="Seconds of traffic before the moment.")  # fmt: skip
@click.option("--after", default=4.0, show_default=True, type=click.FloatRange(1.0, 20.0),
              help="Seconds of traffic after it.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False),
              help="The file to write. [default: the scenario's id, here]")  # fmt: skip
@click.option("--root", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the sessions. [default: where this machine keeps them]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, as the last line.")
def command(
    name: str, at: int | None, closest: bool, before: float, after: float, out: Path | None,
    root: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """List the near misses of a drive, or make one of them a scenario that others can drive.

    Takes a session or a file made by `session share`. Without --at and --closest it lists them,
    the closest first. The file starts a few seconds before the moment, with the traffic as it was.
    """
    from game.cli.session import city_of, open_drive, sessions_root
    from game.session.reader import Session

    if at is not None and closest:
        raise UsageError("give --at TICK or --closest, not both")
    driven = open_drive(name, sessions_root(root) if not Path(name).is_file() else Path())
    try:
        city = city_of(driven)
        states = states_of(driven, city)
        if at is not None and at >= len(states):
            raise UsageError(f"--at is 0 to {len(states) - 1}, the length of this drive")
        found = _moments(states, at, before, after)
        if at is None and not closest:
            emit(as_json, {"moments": [each.as_dict() for each in found]}, lambda: _list(found))
            return
        moment = _chosen(found, at)
        from scenarios.retell import retell

        made = retell(states, city, moment, driven.manifest.scenario, before, after)
    finally:
        if isinstance(driven, Session):
            driven.close()
    target = _write(made, out)
    facts = facts_of(made, moment, target, city)
    emit(as_json, facts, lambda: _say(facts))


def states_of(driven: "Session | Share", city: "City") -> "Sequence[WorldState]":
    """Every state of a drive: as stored in a session, else simulated again."""
    from game.session.reader import Session
    from game.session.replay import need_this_world, replay, stage_of

    if isinstance(driven, Session):
        return driven.ticks()
    need_this_world(driven, city)
    stage = stage_of(driven.scenario)(driven.manifest, city)
    return tuple(replay(driven, city, stage))


def _moments(
    states: "Sequence[WorldState]", at: int | None, before: float, after: float
) -> "tuple[Moment, ...]":
    from scenarios.near import EVERY, moments

    ticks = range(0, len(states), EVERY)
    if at is not None:  # only what is around it is looked at
        first, last = max(0, at - int(60 * before)), at + int(60 * after)
        ticks = range(first - first % EVERY, min(len(states), last), EVERY)
    return moments(states[tick] for tick in ticks)


def _chosen(found: "Sequence[Moment]", at: int | None) -> "Moment":
    from dataclasses import replace

    from scenarios.near import Moment

    if at is None:
        near = [each for each in found if not each.hit]
        if not near:
            raise UsageError("nothing was close in this drive; name a moment: --at TICK")
        return near[0]
    if not found:
        return Moment(at, 0, "street", None, 0.0, 0.0)
    nearest = min(found, key=lambda each: abs(each.tick - at))
    return replace(nearest, tick=at)


def _write(made: "Retold", out: Path | None) -> Path:
    target = out or Path(f"{made.scenario.id}.yaml")
    number = 2
    while out is None and target.exists():
        target = Path(f"{made.scenario.id}-{number}.yaml")
        number += 1
    target.write_text(made.text, encoding="utf-8")
    return target


def facts_of(made: "Retold", moment: "Moment", target: Path, city: "City") -> dict[str, Any]:
    """What came of it, the bot's own try included: a file that nobody can drive is no scenario."""
    from scenarios.driver import DRIVERS
    from scenarios.run import run

    tries = {
        who: run(made.scenario, city, 0, DRIVERS[who]) for who in ("bot", "idle", "full-throttle")
    }
    return {
        "out": str(target), "id": made.scenario.id, "moment": moment.as_dict(),
        "from_tick": made.first, "to_tick": made.last, "actors": len(made.scenario.actors),
        "seconds": made.scenario.duration_s,
        "tries": {who: {"success": one.success, "reason": one.reason, "cause": one.cause,
                        "min_ttc_s": one.min_ttc_s} for who, one in tries.items()},
    }  # fmt: skip


def _list(found: "Sequence[Moment]") -> None:
    if not found:
        click.echo("nothing was close in this drive")
        return
    table = Table(
        "tick", "second", "how close", "you drove", title="Near misses, the closest first"
    )
    for each in found[:20]:
        pace = f"{abs(each.speed) * 3600 / 1609.344:.0f} mph"
        table.add_row(str(each.tick), f"{each.tick / 60:.1f}", each.says(), pace)
    Console().print(table)
    click.echo("make one a scenario: scale-diffusion scenario from-session ID --at TICK")


def _say(facts: dict[str, Any]) -> None:
    moment = facts["moment"]
    click.echo(
        f"{facts['out']}: {moment['says']} at tick {moment['tick']}, with {facts['actors']} others,"
        f" {facts['seconds']:.0f} s"
    )
    for who, one in facts["tries"].items():
        ended = "passes" if one["success"] else f"fails: {one['reason']} {one['cause']}".rstrip()
        click.echo(f"  {who} {ended}")
    click.echo(f"drive it: scale-diffusion play --scenario {facts['out']}")
