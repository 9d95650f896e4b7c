"""`make bench`: runs every bench, prints one table and keeps the rows in build/bench.json."""

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent


def machine() -> str:
    """Processor, cores, memory, system and Python in one line."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    memory = psutil.virtual_memory().total >> 30
    return (
        f"{name}, {psutil.cpu_count()} cores, {memory} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def table(rows: list[dict[str, Any]]) -> Table:
    """The rows as people read them."""
    shown = Table(title=machine())
    for column in ("what", "value", "unit", "against", "ratio"):
        shown.add_column(column, justify="right" if column in ("value", "ratio") else "left")
    for row in rows:
        ratio = row.get("ratio")
        shown.add_row(
            str(row["name"]),
            f"{row['value']:,.4g}" if isinstance(row["value"], int | float) else str(row["value"]),
            str(row["unit"]),
            str(row.get("against") or ""),
            "" if ratio is None else f"{ratio:.2f}",
        )
    return shown


def main() -> None:
    """Run the benches whose names were given, or all."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...")
    parser.add_argument("names", nargs="*", help="for example: world view stream")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    wrong = [name for name in options.names if name not in found]
    if wrong:
        parser.error(f"no bench {', '.join(wrong)}; there are: {', '.join(found)}")
    notes = Console(stderr=True)
    rows: list[dict[str, Any]] = []
    for name in options.names or found:
        notes.print(f"bench {name} ...")
        for row in importlib.import_module(f"tests.bench.bench_{name}").rows():
            rows.append({"against": None, "ratio": None, **row, "machine": machine()})
    out = Path("build")
    out.mkdir(exist_ok=True)
    (out / "bench.json").write_text(json.dumps(rows, indent=1))
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        Console(width=120).print(table(rows))


if __name__ == "__main__":
    main()
