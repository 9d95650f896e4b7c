"""scale-diffusion scenario run | compare: drive many cases without a window, and judge changes."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from game.cli.output import emit, stderr

if TYPE_CHECKING:
    from game.world.city import City
    from scenarios.batch import Case, Done, Orders
    from scenarios.run import RunResult

JSON_HELP = "Print the result as JSON, as the last line."
DRIVER_HELP = (
    "bot, idle, full-throttle, replay (NAME is a bundle), package.module:Class, socket:PORT; "
    "several with commas: bot,idle."
)


@click.command("run")
@click.argument("name")
@click.option("--seeds", default="0:1", show_default=True, help="FIRST:END, or one seed.")
@click.option("--driver", default="bot", show_default=True, help=DRIVER_HELP)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 256))
@click.option(
    "--shard", default="1/1", show_default=True, help="Every N-th case from the I-th: I/N."
)
@click.option(
    "--bundles",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a file for each failed case that drives it again exactly.",
)
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a JUnit XML file for a CI server.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the results as JSON, for: scenario compare.",
)
@click.option("--pack", type=click.Path(path_type=Path), help="'midtown', 'manhattan' or a folder.")
@click.option("--summary", is_flag=True, help="One line per scenario and driver, not per run.")
@click.option(
    "--render",
    type=click.Path(path_type=Path, file_okay=False),
    help="Film each failed run into this folder, as the driver saw it.",
)
@click.option("--render-all", is_flag=True, help="With --render: film those that passed, too.")
@click.option(
    "--measures/--no-measures",
    default=True,
    show_default=True,
    help="Headway, PET, near misses, the driving score and more.",
)
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def run_command(
    name: str,
    seeds: str,
    driver: str,
    jobs: int,
    shard: str,
    bundles: Path | None,
    junit_file: Path | None,
    out: Path | None,
    pack: Path | None,
    summary: bool,
    render: Path | None,
    render_all: bool,
    measures: bool,
    as_json: bool,
) -> None:
    """Drive NAME (of the library, a file, or 'all') without a window.

    Exit code 0: all passed, 1: a run failed, 2: usage, 4: a driver on the socket left.
    With --driver replay, NAME is a bundle, and 0 says that the same drive came out, bit for bit.
    """
    from scenarios.batch import Orders, cases_of
    from scenarios.junit import junit
    from scenarios.load import library

    if driver == "replay":
        _replay(Path(name), measures, pack, render, as_json)
        return
    names = library() if name == "all" else (name,)
    cases = cases_of(names, seeds_of(seeds), driver, _shard(shard))
    if render is not None and bundles is None:
        bundles = render  # a film is drawn from the bundle
    orders = Orders(bundles, measures, pack, render_all)
    done = _drive(cases, orders, driver, jobs)
    data = _data([one.result for one in done])
    for row, one in zip(data["runs"], done, strict=True):
        row["bundle"] = one.bundle
    if render is not None:
        for row, film in zip(data["runs"], _films(done, render, pack), strict=True):
            row["film"] = film
    if junit_file is not None:
        _write(junit_file, junit(done))
    if out is not None:
        _write(out, json.dumps(data, separators=(",", ":")).encode() + b"\n")
    emit(as_json, data, lambda: _render(done, summary))
    if not all(one.result.success for one in done):
        sys.exit(1)


def _data(results: "list[RunResult]") -> dict[str, Any]:
    from game.world.version import TICK_HZ
    from scenarios.report import summary

    return {
        "runs": [result.as_dict() for result in results],
        "summary": summary(results, TICK_HZ),
    }


def _drive(cases: "tuple[Case, ...]", orders: "Orders", driver: str, jobs: int) -> "list[Done]":
    from game.atlas.load import load as load_city
    from scenarios.batch import drive_all, factory_of
    from scenarios.load import load

    for scenario in dict.fromkeys(case.scenario for case in cases):
        load(scenario)  # say what is wrong with it before anything starts
    city = load_city(orders.pack)
    with Progress(console=stderr(), transient=True) as progress:
        bar = progress.add_task("driving", total=len(cases))

        def heard(one: "Done") -> None:
            said = f"{one.result.scenario} seed {one.result.seed}"
            progress.update(bar, description=said, advance=1)

        if driver.startswith("socket:"):
            return _on_wheel(cases, city, orders, driver)
        for each in driver.split(","):
            factory_of(each)
        return drive_all(cases, city, orders, jobs, heard)


def _on_wheel(
    cases: "tuple[Case, ...]", city: "City", orders: "Orders", driver: str
) -> "list[Done]":
    """Every case with the driver that connects to the port, one after the other."""
    from scenarios.batch import drive_case
    from scenarios.expect import Outcome
    from scenarios.wheel import Wheel

    port = driver.partition(":")[2]
    if not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{driver!r}: write socket:PORT, 0 for any free port")
    wheel = Wheel(int(port))
    stderr().print(f"waiting for a driver on 127.0.0.1:{wheel.port}")
    done: list[Done] = []
    try:
        for case in cases:
            one = drive_case(case, city, orders, wheel.take)
            r = one.result
            wheel.ended(Outcome(r.success, r.reason, r.ticks, r.collisions, r.min_ttc_s, r.cause))
            done.append(one)
    finally:
        wheel.close()
    return done


def _films(done: "list[Done]", folder: Path, pack: Path | None) -> list[str]:
    """Film what left a bundle; '' for what did not."""
    from game.atlas.load import load as load_city
    from game.qa.film import film

    city = load_city(pack)
    made = []
    with Progress(console=stderr(), transient=True) as progress:
        bar = progress.add_task("filming", total=sum(bool(one.bundle) for one in done))
        for one in done:
            made.append(str(film(Path(one.bundle), city, folder)) if one.bundle else "")
            progress.update(bar, advance=bool(one.bundle))
    return made


def _replay(
    file: Path, measures: bool, pack: Path | None, render: Path | None, as_json: bool
) -> None:
    from game.atlas.load import load as load_city
    from scenarios.batch import replay

    city = load_city(pack)
    now, then = replay(file, city, measures)
    same = {key: then.get(key) == value for key, value in now.as_dict().items()}
    same.pop("measures")
    data = {
        **_data([now]),
        "same": all(same.values()),
        "differs": [key for key, equal in same.items() if not equal],
    }
    if render is not None:
        from game.qa.film import film

        data["film"] = str(film(file, city, render))

    def say() -> None:
        said = "the same drive, bit for bit" if data["same"] else "another drive: "
        click.echo(
            f"{now.scenario} seed {now.seed}: {now.reason} {now.cause} after "
            f"{now.ticks} ticks; {said}{', '.join(data['differs'])}"
        )

    emit(as_json, data, say)
    if not data["same"]:
        sys.exit(1)


def _render(done: "list[Done]", summary: bool) -> None:
    from game.world.version import TICK_HZ
    from scenarios.report import HEADINGS, TOTALS, row, totals

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)  # a log has no edge to wrap at
    table = Table(*(TOTALS if summary else HEADINGS))
    for line in totals([one.result for one in done], TICK_HZ) if summary else ():
        table.add_row(*line)
    for one in () if summary else done:
        table.add_row(*row(one.result, TICK_HZ), style="" if one.result.success else "red")
    console.print(table)
    console.print(f"{sum(one.result.success for one in done)} of {len(done)} passed")
    for one in done:
        if one.bundle:
            console.print(f"drive it again: scenario run --driver replay {one.bundle}")


@click.command("compare")
@click.argument("before", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("after", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def compare_command(before: Path, after: Path, as_json: bool) -> None:
    """What changed from BEFORE to AFTER, two files of: scenario run --out.

    Exit code 1: it got worse, that is, a case that passed fails now.
    """
    from scenarios.compare import compare, read_results

    found = compare(read_results(before), read_results(after))

    def render() -> None:
        console = Console(highlight=False)
        table = Table("scenario", "driver", "runs", "passed", "mean min TTC [s]", "mean score")
        for group in found["groups"]:
            table.add_row(
                group["scenario"],
                group["driver"],
                str(group["runs"]),
                _arrow(group["passed"], "{:.0%}"),
                _arrow(group["mean_min_ttc_s"], "{:.2f}"),
                _arrow(group["mean_score"], "{:.1f}"),
            )
        console.print(table)
        for what in ("regressed", "mended", "fails_otherwise"):
            for row in found[what]:
                console.print(
                    f"{what}: {row['scenario']} seed {row['seed']} {row['driver']}: "
                    f"{row['before']} -> {row['after']}"
                )
        console.print(
            f"{found['compared']} compared, {found['same_drive']} the same bit for bit, "
            f"{len(found['regressed'])} regressed, {len(found['mended'])} mended"
        )

    emit(as_json, found, render)
    if not found["ok"]:
        sys.exit(1)


def _arrow(values: list[float | None], form: str) -> str:
    old, new = ("-" if value is None else form.format(value) for value in values)
    return old if old == new else f"{old} -> {new}"


def _write(path: Path, data: bytes) -> None:
    """A file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    os.replace(part, path)


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not slash or not part.isdigit() or not parts.isdigit() or not 1 <= int(part) <= int(parts):
        raise click.BadParameter(f"{text!r} is no shard; write 1/4 for the first of four")
    return int(part), int(parts)


def seeds_of(text: str) -> range:
    from game.qa.seeds import seeds_of as read

    try:
        return read(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
