"""The City's open data over the public Socrata API: all rows of a data set, page by page.

Owns the folder of finished pages, so that a break costs one page at most; every page has its
checksum, and so has the whole. Knows that servers throttle, fail, cut bodies short and repeat
rows. Refuses a download that is not complete.
"""

import gzip
import hashlib
import json
import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests

from game.errors import SourceUnreachable

_log = logging.getLogger(__name__)

FOOTPRINTS, CENTRELINES = "5zhs-2jue", "inkn-q76z"
BOUNDARIES, PARKS = "gthc-hcne", "enfh-gkve"
PAGE_ROWS = 5000
ORDER = ":id"  # Socrata's own key: the only order that holds while pages are read
TRIES = 7
PATIENCE = (10.0, 90.0)  # to connect, between two reads [s]
LONGEST_WAIT = 60.0  # [s]
MAX_PAGE = 256 << 20  # no page is larger [byte]
AGAIN = (408, 425, 429, 500, 502, 503, 504)

Feature = dict[str, Any]
Heard = Callable[[str, int, int | None], None]  # data set, rows so far, rows in all


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: a data set, and which of its rows."""

    base: str
    dataset: str
    where: str = ""
    rows: int = PAGE_ROWS  # of a page

    @property
    def key(self) -> str:
        """A name for the folder of its pages: another question has another folder."""
        text = "\n".join((self.base, self.dataset, self.where, str(self.rows), ORDER))
        return f"{self.dataset}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def parameters(self, offset: int) -> dict[str, str]:
        """The query of one page."""
        found = {"$limit": str(self.rows), "$offset": str(offset), "$order": ORDER}
        return {**found, "$where": self.where} if self.where else found


@dataclass(frozen=True, slots=True)
class Downloaded:
    """Every row once, in the server's order. digest: SHA-256 over them; fetched: pages asked."""

    features: list[Feature]
    digest: str
    repeated: int
    pages: int
    fetched: int


@dataclass(slots=True)
class _Pages:
    """The finished pages of a query on disk: pages.json names each file, its rows and checksum."""

    folder: Path
    state: str | None = None  # what the server said of the data set; None where it says nothing
    rows: list[dict[str, Any]] = field(default_factory=list)

    def open(self, state: str | None) -> list[Feature]:
        """The sound pages of an earlier run of the same data, from the first on without a gap."""
        try:
            told = json.loads((self.folder / "pages.json").read_text(encoding="utf-8"))
            same = told["state"] == state and not (state is None and told["done"])
            listed = told["pages"] if same else []
        except (OSError, ValueError, KeyError, TypeError):
            listed = []
        self.state, self.rows = state, []
        found: list[Feature] = []
        for place, page in enumerate(listed):
            try:
                data = (self.folder / _name(place)).read_bytes()
                if hashlib.sha256(data).hexdigest() != page["sha256"]:
                    break
                features = json.loads(gzip.decompress(data))
            except (OSError, EOFError, ValueError, KeyError, TypeError):
                break
            if len(features) != page["rows"]:
                break
            self.rows.append(page)
            found += features
        return found

    def add(self, features: list[Feature]) -> None:
        """Put a page on disk, then name it: a break in between costs that page only."""
        data = gzip.compress(json.dumps(features, separators=(",", ":")).encode(), 3, mtime=0)
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / _name(len(self.rows)), data)
        self.rows.append({"rows": len(features), "sha256": hashlib.sha256(data).hexdigest()})
        self.note(done=False)

    def note(self, done: bool) -> None:
        """Write pages.json."""
        told = {"state": self.state, "done": done, "pages": self.rows}
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / "pages.json", json.dumps(told, indent=1).encode())


def _name(place: int) -> str:
    return f"page-{place:05d}.json.gz"


def _write(path: Path, data: bytes) -> None:
    scratch = path.with_suffix(".part")
    scratch.write_bytes(data)
    os.replace(scratch, path)


class Client:
    """Asks one server; waits and asks again where that may help. Close it after use."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep, tries: int = TRIES) -> None:
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"
        self._session.headers["User-Agent"] = "scale-diffusion city build"
        self._sleep, self._tries = sleep, tries
        self._jitter = random.Random(0)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def rows(self, query: Query, folder: Path, heard: Heard = lambda *_: None) -> Downloaded:
        """All rows of a query; finished pages are kept under `folder`. Raises SourceUnreachable."""
        state, total = self._state(query)
        pages = _Pages(folder / query.key)
        features = pages.open(state)
        offset, fetched = len(features), 0
        heard(query.dataset, offset, total)
        while True:
            page = self._page(query, offset)
            fetched += 1
            if not page:
                break
            pages.add(page)
            features += page
            offset += len(page)
            heard(query.dataset, offset, total)
        distinct, digest = _distinct(features)
        if total is not None and len(distinct) < total:
            self._forget(pages, state, query)
            why = f"gave {len(distinct):,} different rows of {total:,}: the data changed on the way"
            raise SourceUnreachable(query.base, query.dataset, why)
        pages.note(done=True)
        repeated = len(features) - len(distinct)
        return Downloaded(distinct, digest, repeated, len(pages.rows), fetched)

    def _forget(self, pages: _Pages, state: str | None, query: Query) -> None:
        pages.rows = []
        pages.note(done=False)
        _log.warning("city.pages_dropped dataset=%s state=%s", query.dataset, state)

    def _state(self, query: Query) -> tuple[str | None, int | None]:
        """What tells one edition of the rows from another, and their number, if the server says."""
        asked = {"$select": "count(*) as rows,max(:updated_at) as updated"}
        if query.where:
            asked["$where"] = query.where
        try:
            data = self._get(query, "json", asked, tries=2)
            told = json.loads(data)[0]
            total = int(told["rows"])
        except (SourceUnreachable, ValueError, KeyError, IndexError, TypeError):
            return None, None
        return f"{total} {told.get('updated')}", total

    def _page(self, query: Query, offset: int) -> list[Feature]:
        """One page. A body that does not read is asked for again."""
        why = ""
        for turn in range(self._tries):
            data = self._get(query, "geojson", query.parameters(offset), self._tries)
            try:
                features = json.loads(data)["features"]
                if isinstance(features, list) and all(isinstance(row, dict) for row in features):
                    return features
                why = "sends features that are none"
            except (ValueError, KeyError, TypeError) as error:
                why = f"sends what does not read ({error})"
            self._wait(turn, None, query, why)
        raise SourceUnreachable(query.base, query.dataset, f"{why}, {self._tries} times")

    def _get(self, query: Query, kind: str, parameters: dict[str, str], tries: int) -> bytes:
        """The body of a good answer, whole. Raises SourceUnreachable."""
        url = f"{query.base.rstrip('/')}/resource/{query.dataset}.{kind}"
        why = ""
        for turn in range(tries):
            after: str | None = None
            try:
                with self._session.get(
                    url, params=parameters, timeout=PATIENCE, stream=True
                ) as got:
                    after = got.headers.get("Retry-After")
                    if got.status_code == 200:
                        return _body(got)
                    why = f"answers {got.status_code}"
                    if got.status_code not in AGAIN:
                        raise SourceUnreachable(query.base, query.dataset, f"{why} {_said(got)}")
            except requests.RequestException as error:
                why = f"breaks off ({type(error).__name__})"
            if turn + 1 < tries:
                self._wait(turn, after, query, why)
        raise SourceUnreachable(query.base, query.dataset, f"{why}, {tries} times")

    def _wait(self, turn: int, after: str | None, query: Query, why: str) -> None:
        """Sleep as long as the server asks, else twice as long as the last time."""
        told = _seconds(after)
        delay = 0.5 * 2.0**turn * (1.0 + 0.5 * self._jitter.random()) if told is None else told
        delay = min(max(delay, 0.0), LONGEST_WAIT)
        _log.info("city.retry dataset=%s wait_s=%.1f why=%s", query.dataset, delay, why)
        self._sleep(delay)


def _body(got: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in got.iter_content(1 << 16):
        size += len(part)
        if size > MAX_PAGE:
            raise requests.exceptions.ContentDecodingError("larger than any page")
        parts.append(part)
    return b"".join(parts)


def _said(got: requests.Response) -> str:
    """The first words of an error's body."""
    text = got.raw.read(400, decode_content=True).decode("utf-8", "replace")
    return " ".join(text.split())[:160]


def _seconds(after: str | None) -> float | None:
    """Retry-After, in seconds or as a date; None where it is neither."""
    if not after:
        return None
    try:
        return float(after)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(after).timestamp() - time.time()
    except (ValueError, TypeError):
        return None


def _distinct(features: list[Feature]) -> tuple[list[Feature], str]:
    """Each row once, where it came first, and the checksum over them all."""
    seen: set[bytes] = set()
    found: list[Feature] = []
    whole = hashlib.sha256()
    for row in features:
        text = json.dumps(row, sort_keys=True, separators=(",", ":")).encode()
        key = hashlib.sha256(text).digest()
        if key not in seen:
            seen.add(key)
            found.append(row)
            whole.update(key)
    return found, whole.hexdigest()
