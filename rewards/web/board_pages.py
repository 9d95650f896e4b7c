"""The pages of the leaderboards and of what is paid. Plain HTML from plain facts; all escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rewards.web.pages import tokens

_MOST_STREETS = 60


def index(facts: Mapping[str, Any]) -> str:
    """Every board, the drive of the day first."""
    today = facts["today"]
    name = escape(str(today["scenario"]))
    rows = "".join(
        f'<tr><th scope="row"><a href="/boards/{escape(board["scenario"])}">'
        f'{escape(board["title"])}</a></th><td class="number">{board["drives"]}</td></tr>'
        for board in facts["boards"]
    )
    return (
        "<h1>Leaderboards</h1>"
        "<p>Only drives that were handed in, driven again by us from their inputs, and accepted"
        " count. The time is what our own replay took, never what a player says.</p>"
        f'<p>Today, {escape(today["day"])} (UTC): <a href="/boards/{name}?day='
        f'{escape(today["day"])}">{name}</a>, seed {int(today["seed"])}, the same for'
        " everybody.</p>" + _table("Boards", ("Scenario", "Accepted drives"), rows, (1,))
    )


def board(facts: Mapping[str, Any]) -> str:
    """One board."""
    name, day = escape(str(facts["scenario"])), str(facts["day"])
    what = f"on {escape(day)}, the seed of the day" if day else "every accepted drive"
    kinds = " ".join(
        f'<a href="/boards/{name}?driver={kind}{"&amp;day=" + escape(day) if day else ""}"'
        f"{' aria-current=true' if kind == facts['driver'] else ''}>{label}</a>"
        for kind, label in (("human", "people"), ("bot", "bots"), ("agent", "agents"))
    )
    rows = "".join(_row(row) for row in facts["rows"])
    head = ("Rank", "Driver", "Time", "Closest", "Judged")
    table = _table(f"{facts['title']}: {what}", head, rows, (0, 2, 3))
    empty = "<p>Nobody is listed yet.</p>"
    return (
        f"<h1>{escape(str(facts['title']))}</h1>"
        f'<nav aria-label="Who drove" class="filter">{kinds}</nav>'
        + (table if rows else empty)
        + f"<p>{int(facts['of'])} on this board. The best drive of each; equal times rank by who"
        " stayed farther from a collision, and share a rank where that is equal too. Names are"
        ' shown where the wallet signed for it; the others are pseudonyms.</p><p><a href="/boards">'
        "All boards</a></p>"
    )


def _row(row: Mapping[str, Any]) -> str:
    closest = row["closest_s"]
    near = "nobody near" if closest is None else f"{closest:.2f} s"
    name = escape(str(row["name"]))
    shown = f"<strong>{name}</strong>" if row["chosen"] else name
    return (
        f'<tr><td class="number">{int(row["rank"])}</td><th scope="row">{shown}</th>'
        f'<td class="number">{clock(row["seconds"])}</td><td class="number">{near}</td>'
        f"<td>{escape(str(row['day']))}</td></tr>"
    )


def clock(seconds: float) -> str:
    """12.35 s, 4:05.20."""
    minutes, rest = divmod(seconds, 60.0)
    return f"{int(minutes)}:{rest:05.2f}" if minutes else f"{rest:.2f} s"


def rates(facts: Mapping[str, Any], streets: Mapping[str, Any] | None) -> str:
    """What every scenario pays, and where it is new."""
    decimals = int(facts["decimals"])
    rows = "".join(
        f'<tr><th scope="row">{escape(one["title"])}</th>'
        f'<td class="number">{tokens(one["per_minute"], decimals)}</td>'
        f'<td class="number">{tokens(one["per_minute_new"], decimals)}</td>'
        f'<td class="number">{one["difficulty_milli"] / 1000:.2f}</td></tr>'
        for one in facts["scenarios"]
    )
    why = "".join(f"<li>{escape(line)}</li>" for line in _common(facts["scenarios"]))
    head = ("Scenario", "Tokens a minute", "On new streets", "Difficulty")
    return (
        "<h1>What is paid</h1>"
        f"<p>Policy {escape(facts['policy'])} {int(facts['version'])} of "
        f"{escape(facts['dated'])}; drivers paid: {escape(', '.join(facts['drivers']) or 'none')}."
        " The most that a minute can earn, of a drive that passes every check.</p>"
        f"<ul>{why}</ul>" + _table("Scenarios", head, rows, (1, 2, 3)) + _streets(streets)
    )


def _common(scenarios: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The reasons that hold for all of them."""
    if not scenarios:
        return ()
    rest = [set(one["why"]) for one in scenarios]
    return tuple(line for line in scenarios[0]["why"] if all(line in each for each in rest))


def _streets(streets: Mapping[str, Any] | None) -> str:
    if streets is None:
        return ""
    found = sorted(streets["streets"], key=lambda one: (-one["pays_milli"], one["name"]))
    rows = "".join(
        f'<tr><th scope="row">{escape(one["name"])}</th>'
        f'<td class="number">{one["new_milli"] / 10:.0f} %</td>'
        f'<td class="number">{one["pays_milli"] / 1000:.2f}</td></tr>'
        for one in found[:_MOST_STREETS]
    )
    known = sum(one["new_milli"] < 1000 for one in found)
    head = ("Street", "New to us", "Pays, a known street being 1")
    return (
        f"<h2>Streets</h2><p>{len(found)} streets, {known} of them driven at least in part. A place"
        " counts as known in squares of 40 m and eight headings, for whoever drove there first."
        f' All of them: <a href="/v1/streets">as JSON</a>.</p>'
        + _table(f"The {min(len(found), _MOST_STREETS)} that pay most", head, rows, (1, 2))
    )


def _table(caption: str, head: Sequence[str], rows: str, numbers: Sequence[int]) -> str:
    cells = "".join(
        f'<th scope="col"{" class=number" if at in numbers else ""}>{name}</th>'
        for at, name in enumerate(head)
    )
    label = escape(caption, quote=True)
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0"><table>'
        f"<caption>{label}</caption><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"
        "</div>"
    )
