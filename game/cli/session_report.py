"""`session report SESSIONS...`: how good recordings are as data."""

from pathlib import Path
from typing import Any

import click

from game.cli.output import emit, stderr
from game.cli.session_options import common, on_ray


@click.command("report")
@click.argument("names", metavar="SESSIONS...", nargs=-1)
@click.option("--quick", is_flag=True, help="Leave out what needs the films decoded.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Write a page too: coverage map, streets by situations, distributions. "
    "[default: quality.html beside the sessions, under views/]",
)
@click.option("--open", "show", is_flag=True, help="Open that page in the browser.")
@on_ray
@common
def command(
    names: tuple[str, ...], quick: bool, jobs: int, page: Path | None, show: bool,
    address: str | None, root: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Alignment, lag, duplicates, frozen frames, idling, streets and closeness of SESSIONS.

    Ids, folders, 'last' (as when none is named) or 'all'.
    """
    from rich.progress import Progress

    from game.cli.session import chosen, sessions_root
    from game.dataset.pool import Workers
    from game.dataset.quality import many, total

    found = chosen(names or ("last",), root)
    workers = Workers(jobs, address is not None, address or "auto")
    reports: list[dict[str, Any]] = []
    with Progress(console=stderr(), transient=True) as bar:
        made = many(found, workers, pictures=not quick)
        for each in bar.track(made, total=len(found), description="report"):
            reports.append(each)
    reports.sort(key=lambda each: str(each["session"]))
    facts: dict[str, Any] = {"sessions": reports, "total": total(reports) if reports else {}}
    if reports and (page is not None or show):
        facts["page"] = str(_page(facts, page, sessions_root(root).parent / "views"))
    emit(as_json, facts, lambda: _show(facts))
    if "page" in facts:
        stderr().print(facts["page"], highlight=False)
        if show:
            click.launch(Path(facts["page"]).resolve().as_uri())


def _page(facts: dict[str, Any], page: Path | None, views: Path) -> Path:
    from game.dataset.coverage_page import write
    from game.dataset.quality import city_named

    cities = [city_named(name) for name in sorted(facts["total"]["blocks"])]
    out = page if page is not None and page.name else views / "quality.html"
    return write(facts["sessions"], facts["total"], cities, out, views)


def _show(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("session", no_wrap=True)
    for name in ("pairs", "share", "aligned", "lag", "frozen", "dup", "idle", "km", "TTC", "near",
                 "hit"):  # fmt: skip
        table.add_column(name, justify="right", no_wrap=True)
    for each in facts["sessions"]:
        table.add_row(*_row(each))
    console.print(table)
    for each in facts["sessions"]:
        for flag in each["flags"]:
            console.print(f"{each['session']}: {flag}", markup=False)
    whole = facts["total"]
    if whole:
        streets = ", ".join(f"{name} {m:.0f} m" for name, m in list(whole["streets"].items())[:6])
        console.print(
            f"{whole['sessions']} sessions, {whole['metres'] / 1000:.2f} km in {whole['tiles']} "
            f"map tiles; {streets}"
        )
        bins = zip(
            whole["ttc_edges_s"], whole["ttc_edges_s"][1:], whole["ttc_counts"], strict=False
        )
        console.print(
            "TTC [s]: " + ", ".join(f"{a:g}-{b:g}: {n}" for a, b, n in bins), markup=False
        )


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    aligned, frozen = each.get("alignment") or {}, each.get("frozen") or {}
    share = aligned.get("aligned_share")
    turn = each["input_to_motion"].get("steer_to_turn", {})
    return (
        f"{each['session'][:12]}…", str(each["pairs"]), f"{each['pair_share']:.0%}",
        "" if share is None else f"{share:.0%}",
        f"{turn['ms']:.0f} ms" if turn.get("correlation") else "",
        str(sum(frozen.values())) if frozen else "", str(sum(each["duplicates"].values())),
        f"{each['idle_share']:.0%}", f"{each['coverage']['metres'] / 1000:.2f}",
        f"{each['ttc']['min_s']:.1f} s", str(each["ttc"]["near_misses"]),
        str(each["ttc"]["contacts"]),
    )  # fmt: skip
