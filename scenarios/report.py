"""Results of many runs as figures for people and machines. Pure; prints nothing."""

from collections.abc import Sequence
from typing import Any

from scenarios.run import RunResult

TOTALS = (
    "scenario", "driver", "runs", "passed", "failed by its hazard", "mean min TTC [s]",
    "distinct drives", "failures by cause",
)  # fmt: skip
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
        "failed_by_hazard": sum(result.hazard for result in members),
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


def totals(results: Sequence[RunResult], hz: int) -> list[tuple[str, ...]]:
    """One line per scenario and driver, and one per driver over all; cells as in TOTALS."""
    groups: dict[tuple[str, str], list[RunResult]] = {}
    for result in results:
        groups.setdefault((result.scenario, result.driver), []).append(result)
    if len({name for name, _ in groups}) > 1:
        for result in results:
            groups.setdefault(("all", result.driver), []).append(result)
    lines: list[tuple[str, ...]] = []
    for (name, driver), members in groups.items():
        found = _group(members, hz)
        failed = found["runs"] - found["passed"]
        ttc = found["mean_min_ttc_s"]
        worst = [f"{cause} {count}" for cause, count in list(found["causes"].items())[:3]]
        lines.append(
            (
                name,
                driver,
                str(found["runs"]),
                f"{found['passed'] / found['runs']:.1%}",
                f"{found['failed_by_hazard'] / failed:.0%} of {failed}" if failed else "-",
                "-" if ttc is None else f"{ttc:.2f}",
                str(found["distinct"]),
                ", ".join(worst) if name != "all" else "",
            )
        )
    return lines
