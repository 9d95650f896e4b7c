"""Results of many runs as figures for people and machines. Pure; prints nothing."""

from collections.abc import Sequence
from typing import Any

from scenarios.run import RunResult

HEADINGS = ("scenario", "seed", "driver", "result", "cause", "min TTC [s]", "time [s]")


def summary(results: Sequence[RunResult], hz: int) -> dict[str, Any]:
    """Counts over all runs and per scenario and driver; causes of failure, most frequent first."""
    groups: dict[str, list[RunResult]] = {}
    for result in results:
        groups.setdefault(f"{result.scenario}/{result.driver}", []).append(result)
    return {
        "runs": len(results),
        "passed": sum(result.success for result in results),
        "failed": sum(not result.success for result in results),
        "seconds": sum(result.ticks for result in results) / hz,
        "groups": {name: _group(members, hz) for name, members in sorted(groups.items())},
    }


def _group(members: Sequence[RunResult], hz: int) -> dict[str, Any]:
    known = [result.min_ttc_s for result in members if result.min_ttc_s is not None]
    causes: dict[str, int] = {}
    for result in members:
        if not result.success:
            key = f"{result.reason}: {result.cause}"
            causes[key] = causes.get(key, 0) + 1
    return {
        "runs": len(members),
        "passed": sum(result.success for result in members),
        "mean_min_ttc_s": sum(known) / len(known) if known else None,
        "mean_seconds": sum(result.ticks for result in members) / len(members) / hz,
        "distinct": len({result.digest for result in members}),
        "causes": dict(sorted(causes.items(), key=lambda item: (-item[1], item[0]))),
    }


def row(result: RunResult, hz: int) -> tuple[str, ...]:
    """One line of a table, cells in the order of HEADINGS."""
    ttc = "-" if result.min_ttc_s is None else f"{result.min_ttc_s:.2f}"
    return (
        result.scenario,
        str(result.seed),
        result.driver,
        result.reason,
        result.cause or "-",
        ttc,
        f"{result.ticks / hz:.2f}",
    )
