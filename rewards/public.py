"""What anybody may ask: what is paid today and why, and who was fastest. Read-only but for names.

Owns the addresses /v1/rates, /v1/streets, /v1/leaderboards and /v1/names, and their pages. Answers
are kept for seconds, named by a tag, and bounded for each address.
"""

from dataclasses import asdict
from functools import cache
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Body, FastAPI, Path, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rewards import policy, rates
from rewards.boards import BoardRow, Boards
from rewards.desk import Desk, as_dict
from rewards.intake import Known
from rewards.reads import Reads
from rewards.refusal import UploadRefused
from rewards.schema import cells
from rewards.web import board_pages
from rewards.web.pages import web_page
from scenarios.daily import daily, today
from scenarios.load import library, load

BOARD_S, RATES_S, STREETS_S = 20.0, 60.0, 120.0
"""How old an answer may be [s]."""
_DAY = r"^$|^\d{4}-\d{2}-\d{2}$"
_DRIVER = "^(human|bot|agent)$"
_SESSION = "^$|^[0-9A-Z]{26}$"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NameRequest(_Request):
    """Which name a wallet wants to show; '' for none any more."""

    wallet: str = Field(max_length=128)
    name: str = Field("", max_length=20)


class NameAnswer(_Request):
    """The signed challenge. signature: base58, of its text, with the wallet."""

    nonce: str = Field(max_length=64)
    name: str = Field("", max_length=20)
    signature: str = Field(max_length=128)


class ScenarioPay(BaseModel):
    """per_minute, per_minute_new: base units at most, on known and on wholly new ground."""

    id: str
    title: str
    difficulty_milli: int
    per_minute: int
    per_minute_new: int
    why: list[str]


class RatesAnswer(BaseModel):
    """What /v1/rates says. v: layout of the answer; new keys may come, none go within one."""

    v: int
    policy: str
    version: int
    dated: str
    decimals: int
    drivers: list[str]
    backends: list[str]
    rates: dict[str, int]
    novelty_bonus_milli: int
    budget: dict[str, int]
    notes: list[str]
    scenarios: list[ScenarioPay]


class StreetPay(BaseModel):
    """new_milli: share of its places and headings that nobody has driven. pays_milli: against a
    street that everybody knows. places: cells of 40 m and eight headings along it."""

    name: str
    new_milli: int
    pays_milli: int
    places: int


class StreetsAnswer(BaseModel):
    """What /v1/streets says of one pack."""

    v: int
    pack: str
    policy: str
    version: int
    novelty_bonus_milli: int
    streets: list[StreetPay]


class Today(BaseModel):
    """The drive of the UTC day."""

    day: str
    scenario: str
    seed: int


class BoardOf(BaseModel):
    """One board in the index."""

    scenario: str
    title: str
    drives: int


class BoardsAnswer(BaseModel):
    """What /v1/leaderboards says."""

    v: int
    today: Today
    boards: list[BoardOf]


class BoardAnswer(BaseModel):
    """One leaderboard. of: how many payees are on it; yours: the row of whoever drove `session`."""

    v: int
    scenario: str
    title: str
    day: str
    driver: str
    of: int
    rows: list[BoardRow]
    yours: BoardRow | None


class Public:
    """The facts behind the addresses."""

    def __init__(self, desk: Desk, known: Known) -> None:
        self.desk, self.known = desk, known
        self.boards = Boards(desk.ledger, desk.signin, desk.key)
        self.policy = policy.load(desk.settings.policy)
        self.titles = {name: load(name).title for name in sorted(known.scenarios)}
        self.reads = Reads()
        self._streets = cache(self._cells_of)

    def rates(self) -> dict[str, Any]:
        """What every scenario pays, at most."""
        facts = self.desk.facts()
        return rates.as_dict(self.policy, self.titles) | {
            "decimals": facts.decimals if facts else 6
        }

    def streets(self, pack: str) -> dict[str, Any]:
        """What every street of a pack pays against one that everybody knows."""
        found = rates.street_rates(self._streets(pack), self._driven(), self.policy)
        return {
            "v": 1,
            "pack": pack,
            "policy": self.policy.name,
            "version": self.policy.version,
            "novelty_bonus_milli": self.policy.extras.bonus_milli,
            "streets": [
                {"name": s.name, "new_milli": s.new_milli, "pays_milli": s.pays_milli,
                 "places": s.places} for s in found
            ],
        }  # fmt: skip

    def index(self) -> dict[str, Any]:
        """Every board, and the drive of the day."""
        day, counts = today(self.desk.now()), self.boards.counts()
        name, seed = daily(day, library())
        return {
            "v": 1,
            "today": {"day": day.isoformat(), "scenario": name, "seed": seed},
            "boards": [
                {"scenario": scenario, "title": title, "drives": counts.get(scenario, 0)}
                for scenario, title in self.titles.items()
            ],
        }

    def board(self, scenario: str, day: str, driver: str, session: str) -> dict[str, Any]:
        """One board. Raises UploadRefused (404) for a scenario that is not known here."""
        if scenario not in self.titles:
            raise UploadRefused("scenario.unknown", "there is no board of it", 404)
        rows, yours, of = self.boards.board(scenario, day, driver, session)
        return {
            "v": 1, "scenario": scenario, "title": self.titles[scenario], "day": day,
            "driver": driver, "of": of, "rows": [asdict(row) for row in rows],
            "yours": None if yours is None else asdict(yours),
        }  # fmt: skip

    def _cells_of(self, pack: str) -> dict[str, frozenset[str]]:
        assert self.known.city is not None
        return rates.cells_of_streets(self.known.city(pack))

    def _driven(self) -> frozenset[str]:
        with self.desk.ledger.reading() as db:
            return frozenset(str(cell) for cell in db.scalars(sa.select(cells.c.cell)))


def add_public(app: FastAPI, desk: Desk, known: Known) -> None:
    """The addresses."""
    public = Public(desk, known)
    _add_rates(app, public)
    _add_boards(app, public)
    _add_names(app, public)
    _add_pages(app, public)


def _add_rates(app: FastAPI, public: Public) -> None:
    @app.get(
        "/v1/rates", response_model=RatesAnswer, summary="What each scenario pays today, and why"
    )
    def scenario_rates(request: Request) -> Response:
        return public.reads.json(request, "rates", RATES_S, public.rates)

    @app.get(
        "/v1/streets",
        response_model=StreetsAnswer,
        summary="What each street pays: how much of it is new to us",
    )
    def streets(
        request: Request, pack: Annotated[str, Query(max_length=64, pattern="^[0-9a-f]*$")] = ""
    ) -> Response:
        asked = pack or public.known.packs[0]
        if asked not in public.known.packs or public.known.city is None:
            raise UploadRefused("pack.unknown", "this server does not have that city pack", 404)
        return public.reads.json(
            request, f"streets {asked}", STREETS_S, lambda: public.streets(asked)
        )


def _add_boards(app: FastAPI, public: Public) -> None:
    @app.get(
        "/v1/leaderboards",
        response_model=BoardsAnswer,
        summary="Every board, and the drive of the day",
    )
    def leaderboards(request: Request) -> Response:
        return public.reads.json(request, "boards", BOARD_S, public.index)

    @app.get(
        "/v1/leaderboards/{scenario}",
        response_model=BoardAnswer,
        summary="The best accepted drive of each payee",
    )
    def leaderboard(
        request: Request,
        scenario: Annotated[str, Path(max_length=128)],
        day: Annotated[str, Query(pattern=_DAY)] = "",
        driver: Annotated[str, Query(pattern=_DRIVER)] = "human",
        session: Annotated[str, Query(pattern=_SESSION)] = "",
    ) -> Response:
        key = f"board {scenario} {day} {driver} {session}"
        return public.reads.json(
            request, key, BOARD_S, lambda: public.board(scenario, day, driver, session)
        )


def _add_names(app: FastAPI, public: Public) -> None:
    desk = public.desk

    @app.post("/v1/names/challenge", status_code=201)
    def begin_name(ask: Annotated[NameRequest, Body()], request: Request) -> dict[str, Any]:
        public.reads.take(request.client.host if request.client else "")
        return as_dict(public.boards.begin_name(ask.wallet, ask.name, desk.now(), desk.ours()))

    @app.post("/v1/names")
    def set_name(ask: Annotated[NameAnswer, Body()], request: Request) -> dict[str, Any]:
        public.reads.take(request.client.host if request.client else "")
        public.boards.finish_name(ask.nonce, ask.name, ask.signature, desk.now())
        return {"name": ask.name}


def _add_pages(app: FastAPI, public: Public) -> None:
    reads = public.reads

    @app.get("/boards", response_class=HTMLResponse, include_in_schema=False)
    def boards_page(request: Request) -> HTMLResponse:
        told = reads.facts(request, "boards", BOARD_S, public.index)
        return web_page("Leaderboards", board_pages.index(told), "/boards")

    @app.get("/boards/{scenario}", response_class=HTMLResponse, include_in_schema=False)
    def board_page(
        request: Request,
        scenario: Annotated[str, Path(max_length=128)],
        day: Annotated[str, Query(pattern=_DAY)] = "",
        driver: Annotated[str, Query(pattern=_DRIVER)] = "human",
    ) -> HTMLResponse:
        key = f"board {scenario} {day} {driver} "
        told = reads.facts(request, key, BOARD_S, lambda: public.board(scenario, day, driver, ""))
        return web_page(f"Leaderboard: {told['title']}", board_pages.board(told))

    @app.get("/rates", response_class=HTMLResponse, include_in_schema=False)
    def rates_page(request: Request) -> HTMLResponse:
        pack = public.known.packs[0]
        told = reads.facts(request, "rates", RATES_S, public.rates)
        streets = None
        if public.known.city is not None:
            streets = reads.facts(
                request, f"streets {pack}", STREETS_S, lambda: public.streets(pack)
            )
        return web_page("What is paid", board_pages.rates(told, streets), "/rates")
