"""Two result files side by side: what passed and now fails, what got closer, what is missing.

Pure but for reading the files that `scenario run --out` wrote.
"""

import json
from pathlib import Path
from typing import Any

from scenarios.errors import ResultsUnreadable

Key = tuple[str, int, str]
"""Scenario, seed, driver."""


def read_results(path: Path) -> dict[Key, dict[str, Any]]:
    """The runs of a result file by scenario, seed and driver. Raises ResultsUnreadable."""
    try:
        lines = path.read_text(encoding="utf-8").strip().splitlines()
        data = json.loads(lines[-1] if lines else "")
        runs = {(row["scenario"], row["seed"], row["driver"]): row for row in data["runs"]}
        for row in runs.values():
            _ = row["success"], row["reason"], row["cause"], row["min_ttc_s"], row["digest"]
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise ResultsUnreadable(str(path), f"{type(wrong).__name__}: {wrong}") from wrong
    return runs


def compare(before: dict[Key, dict[str, Any]], after: dict[Key, dict[str, Any]]) -> dict[str, Any]:
    """What changed between two sets of runs; `ok` where nothing that passed fails now."""
    both = sorted(set(before) & set(after))
    regressed = [k for k in both if before[k]["success"] and not after[k]["success"]]
    mended = [k for k in both if not before[k]["success"] and after[k]["success"]]
    moved = [k for k in both if before[k]["digest"] != after[k]["digest"]]
    other = [
        k
        for k in both
        if not before[k]["success"]
        and not after[k]["success"]
        and _why(before[k]) != _why(after[k])
    ]
    groups = sorted({(k[0], k[2]) for k in both})
    return {
        "ok": not regressed,
        "compared": len(both),
        "same_drive": len(both) - len(moved),
        "regressed": [_row(k, before[k], after[k]) for k in regressed],
        "mended": [_row(k, before[k], after[k]) for k in mended],
        "fails_otherwise": [_row(k, before[k], after[k]) for k in other],
        "only_before": len(set(before) - set(after)),
        "only_after": len(set(after) - set(before)),
        "groups": [
            _group(g, [k for k in both if (k[0], k[2]) == g], before, after) for g in groups
        ],
    }


def _why(row: dict[str, Any]) -> str:
    return "passed" if row["success"] else f"{row['reason']}: {row['cause']}"


def _row(key: Key, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    names = dict(zip(("scenario", "seed", "driver"), key, strict=True))
    return {**names, "before": _why(before), "after": _why(after)}


def _group(
    group: tuple[str, str],
    keys: list[Key],
    before: dict[Key, dict[str, Any]],
    after: dict[Key, dict[str, Any]],
) -> dict[str, Any]:
    def share(runs: dict[Key, dict[str, Any]]) -> float:
        return sum(bool(runs[k]["success"]) for k in keys) / len(keys)

    def mean(runs: dict[Key, dict[str, Any]], of: str) -> float | None:
        known = [_figure(runs[k], of) for k in keys]
        values = [value for value in known if value is not None]
        return sum(values) / len(values) if values else None

    return {
        "scenario": group[0],
        "driver": group[1],
        "runs": len(keys),
        "passed": [share(before), share(after)],
        "mean_min_ttc_s": [mean(before, "min_ttc_s"), mean(after, "min_ttc_s")],
        "mean_score": [mean(before, "score"), mean(after, "score")],
    }


def _figure(row: dict[str, Any], of: str) -> float | None:
    value = (row.get("measures") or {}).get(of) if of == "score" else row[of]
    return value if isinstance(value, int | float) else None
