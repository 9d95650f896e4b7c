"""`session replay | share`: a drive simulated again, watched again, or given away as one file."""

import time
from pathlib import Path
from typing import Any

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common
from game.errors import UsageError

_AHEAD_TICKS = 3600


@click.command("replay")
@click.argument("name", metavar="SESSION_OR_FILE", default="last")
@click.option("--from-tick", "first", default=0, show_default=True, help="Begin at this tick.")
@click.option("--window", is_flag=True, help="Watch it, with a camera of your own.")
@click.option("--speed", default=1.0, show_default=True, help="Of the window: 0.1 to 16.")
@common
@click.pass_context
def replay(
    context: click.Context, name: str, first: int, window: bool, speed: float, root: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Simulate a drive again from its inputs alone, at full speed or in the window.

    Takes a session or a file made by `session share`. Exits with 1 where it ends otherwise.
    """
    from game.cli.session import city_of, open_drive, sessions_root
    from game.session.reader import Session
    from game.session.replay import need_this_world, replay, stage_of

    driven = open_drive(name, sessions_root(root) if not Path(name).is_file() else Path())
    try:
        city = city_of(driven)
        need_this_world(driven, city)
        said = driven.scenario_text() if isinstance(driven, Session) else driven.scenario
        stage = stage_of(said)(driven.manifest, city)
        steps = len(driven.controls())
        if not 0 <= first <= steps:
            raise UsageError(f"--from-tick is 0 to {steps}, the length of this drive")
        began, state, count = time.perf_counter(), stage.state, 0
        if window:
            from game.play.watch import watch

            if not 0.1 <= speed <= 16:
                raise UsageError("--speed is 0.1 to 16")
            state = watch(driven, city, stage, first, speed)
            count = state.tick - first
        else:
            for state in replay(driven, city, stage, first):
                count += 1
                if state.tick % _AHEAD_TICKS == 0 and state.tick:
                    stderr().print(f"minute {state.tick // _AHEAD_TICKS}")
        facts = _facts(driven, state, count, time.perf_counter() - began)
        facts["watched"] = window
    finally:
        if isinstance(driven, Session):
            driven.close()
    emit(as_json, facts, lambda: _say(facts))
    if facts["same"] is False and state.tick == steps:
        context.exit(1)


def _facts(driven: Any, state: Any, count: int, seconds: float) -> dict[str, Any]:
    from game.session.share import Share
    from game.world.digest import checkpoint

    digest = checkpoint(state).digest.hex()
    if isinstance(driven, Share):
        claimed = driven.digest
    else:
        claimed = str((driven.end or {}).get("digest", ""))
    whole = state.tick == len(driven.controls())
    seconds = max(1e-9, seconds)
    return {
        "session": driven.manifest.session, "scenario": driven.manifest.scenario,
        "ticks": state.tick, "seconds": seconds, "ticks_per_s": count / seconds,
        "collisions": state.collisions, "digest": digest,
        "same": digest == claimed if claimed and whole else None,
    }  # fmt: skip


def _say(facts: dict[str, Any]) -> None:
    same = {True: "the same drive to the last bit", False: "NOT the drive that was recorded",
            None: "nothing to compare with"}[facts["same"]]  # fmt: skip
    pace = "watched" if facts["watched"] else f"{facts['ticks_per_s'] / 60:.0f} times real time"
    click.echo(
        f"{facts['ticks']} ticks, {pace}, "
        f"{facts['collisions']} collisions, digest {facts['digest'][:16]}…: {same}"
    )


@click.command("share")
@click.argument("name", metavar="SESSION", default="last")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write. [default: SCENARIO.drive here]",
)
@common
def share(name: str, out: Path | None, root: Path | None, as_json: bool) -> None:
    """Write a drive as one file of a few kB that anyone can replay; nothing in it names you."""
    from game.cli.session import find, sessions_root
    from game.session.reader import Session
    from game.session.share import SUFFIX, share

    with Session.open(find(name, sessions_root(root))) as session:
        target = out or Path(f"{session.manifest.scenario}{SUFFIX}")
        if target.suffix != SUFFIX and out is None:
            target = target.with_suffix(SUFFIX)
        made = share(session, target)
    facts = {
        "out": str(target), "bytes": target.stat().st_size, "scenario": made.manifest.scenario,
        "ticks": made.steps, "digest": made.digest, "world_version": made.manifest.world_version,
        "scenario_inside": bool(made.scenario),
    }  # fmt: skip
    emit(as_json, facts, lambda: click.echo(
        f"{target}: {facts['bytes']} bytes, {made.steps / made.manifest.tick_hz:.1f} s of "
        f"{made.manifest.scenario}; replay it with: scale-diffusion session replay {target}"
    ))  # fmt: skip
