"""Reasons to come back, as screens: the map with what streets pay, losses, leaderboards."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import requests

from game.atlas.streets import address
from game.outbox.job import JobStore
from game.play.app import lost, menus
from game.play.app.boot import told
from game.play.app.cards import cards, errands
from game.play.app.chart import chart
from game.play.app.pay import Pay, PayDesk
from game.view.screen.model import Act, Button, Note, Row, Screen
from rewards import policy
from rewards.errors import PolicyInvalid
from scenarios.daily import daily, today

if TYPE_CHECKING:
    from game.play.app.app import App

_ROWS = 12


class StreetPages:
    """Owns the desk that asks what is paid, and what the last run lost."""

    def __init__(self, app: "App") -> None:
        self._app, self._desk = app, app.desk
        self.last: tuple[lost.Loss, ...] = ()
        self.session = ""
        self.desk = PayDesk(app.backing.rewards_url, app.settings.rewards.policy, app.city.digest)
        self.desk.refresh()

    @property
    def pay(self) -> Pay:
        """What is paid, as far as it is known by now."""
        self.desk.refresh()
        return self.desk.pay

    def lose(self, session: str) -> tuple[lost.Loss, ...]:
        """What a recorded run lost, kept for the map."""
        app = self._app
        job = JobStore(app.services.outbox).get(session)
        server: Mapping[str, Any] = {} if job is None else job.server
        try:
            rules = policy.load(app.settings.rewards.policy)
        except PolicyInvalid:
            rules = policy.load("default")
        folder = app.settings.paths.sessions / session
        self.session = session
        self.last = lost.of_session(folder, rules, server, lambda x, y: address(app.city, x, y))
        return self.last

    def losses(self, session: str, title: str) -> None:
        """The list, and the map on request."""
        while True:
            found = self.lose(session)
            job = JobStore(self._app.services.outbox).get(session)
            judged = job is not None and isinstance(job.server.get("verdict"), Mapping)
            _, act = self._desk.ask(lost.screen(title, found, judged))
            if act.id != "map":
                return
            self.map()

    def map(self) -> None:
        """The map, with newer figures as they come."""
        shown, over = chart(self._app.city, self._app.memory, self._desk.theme, self.pay, self.last)
        act = Act("")
        while act.id != "back":
            shown, act = self._desk.ask(shown, over=over)

    def boards(self) -> None:
        """Today's drive first, then every scenario and mission."""
        day = today()
        name, _ = daily(day, tuple(each.id for each in cards()))
        known = [*cards(), *errands()]
        rows: tuple[Row, ...] = (
            Button("today", f"Today's drive, {day.isoformat()}", name),
            *(Button(each.id, each.title, self.pay.rate(each.id)) for each in known),
        )
        shown = Screen("Leaderboards", rows, foot=menus.MOVE)
        while True:
            shown, act = self._desk.ask(shown)
            if act.id == "back":
                return
            scenario = name if act.id == "today" else act.id
            title = next(each.title for each in known if each.id == scenario)
            self._board(scenario, title, day.isoformat() if act.id == "today" else "")

    def _board(self, scenario: str, title: str, day: str) -> None:
        best = self._app.memory.best.get(scenario)
        try:
            found = self.desk.board(scenario, day, best.session if best is not None else "")
            shown = board(title, day, found)
        except (requests.RequestException, ValueError, OSError) as error:
            why = told(error)
            shown = menus.notice(title, f"No leaderboard can be read now: {why}")
        self._desk.ask(shown)


def board(title: str, day: str, told_: Mapping[str, Any]) -> Screen:
    """One leaderboard as a screen. told_: the service's answer; a stranger's text."""
    rows: list[Row] = [
        Note(f"the drive of {day}" if day else "every accepted drive", "dim"),
        Note("The time is that of the service's own replay.", "dim"), Note(""),
    ]  # fmt: skip
    listed = [line for line in (_line(one) for one in told_["rows"][:_ROWS]) if line]
    rows += [Note(line, "accent" if at == 0 else "plain") for at, line in enumerate(listed)]
    if not listed:
        rows.append(Note("Nobody is listed yet."))
    yours = told_.get("yours")
    if isinstance(yours, Mapping) and (mine := _line(yours)):
        rows += [Note(""), Note(f"you: {mine.strip()}", "good", True)]
    rows += [Note(""), Button("back", "Back")]
    return Screen(f"Leaderboard: {title}", tuple(rows), foot=menus.MOVE).at("back")


def _line(row: Any) -> str:
    """Rank, time, name; '' for what is no row."""
    try:
        seconds, name = float(row["seconds"]), str(row["name"])[:24]
        closest = row["closest_s"]
        near = "nobody near" if closest is None else f"{float(closest):.2f} s away"
        return f"{int(row['rank']):3d}  {seconds:8.2f} s  {printable(name):24s}  {near}"
    except (KeyError, TypeError, ValueError):
        return ""


def printable(text: str) -> str:
    """Without letters that no font here has."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def rated(known: Sequence[menus.Card], pay: Pay) -> dict[str, str]:
    """Rate of each scenario in words, for its list."""
    return {card.id: pay.rate(card.id) for card in known}
