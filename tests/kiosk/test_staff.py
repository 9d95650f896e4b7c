"""The staff's page: only with the token, never by another page, and nothing of visitors on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from game.kiosk.staff import Desk, serve, staff_token

pytestmark = pytest.mark.network
REPORT: dict[str, Any] = {
    "up_s": 120, "closed": False, "booth": {"mode": "attract", "visitors": 3},
    "parts": {"booth": {"alive": True, "pid": 1, "memory_mb": 400.0, "restarts": 2, "hung": 0}},
    "codes_waiting": 0, "clips_waiting": 0, "last_problem": "<b>", "disk_free_gb": 50.0,
}  # fmt: skip


class Place:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.now = 0.0
        actions = {name: lambda name=name: self.done.append(name) for name in ("close", "open")}
        self.desk = Desk("the-token", lambda: REPORT, actions, lambda: self.now)
        self.server = serve(self.desk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def get(self, path: str = "/", token: str = "the-token") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(self.url + path, headers=headers, timeout=120)


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_page_says_how_everything_is(place: Place) -> None:
    page = place.get()
    assert page.status_code == 200
    assert "attract" in page.text
    assert "2 restarts" in page.text
    assert "<b>" not in page.text.replace("<b class", "")
    assert place.get("/status").json() == REPORT


def test_without_the_token_there_is_nothing(place: Place) -> None:
    for path in ("/", "/status"):
        assert place.get(path, token="").status_code == 401
        assert "attract" not in place.get(path, token="wrong").text
    assert requests.post(place.url + "/do/close", timeout=120).status_code == 401
    assert place.done == []


def test_a_login_gives_a_cookie_that_no_script_and_no_other_site_gets(place: Place) -> None:
    browser = requests.Session()
    reply = browser.post(
        place.url + "/enter", data={"token": "the-token"}, timeout=120, allow_redirects=False
    )
    assert "HttpOnly" in reply.headers["Set-Cookie"]
    assert "SameSite=Strict" in reply.headers["Set-Cookie"]
    assert browser.post(place.url + "/do/close", timeout=120).status_code == 200
    assert place.done == ["close"]
    foreign = {"Origin": "https://elsewhere.example"}
    assert browser.post(place.url + "/do/open", headers=foreign, timeout=120).status_code == 401
    assert place.done == ["close"]
    assert browser.post(place.url + "/do/format", timeout=120).status_code == 404


def test_guessing_is_shut_out_for_a_minute(place: Place) -> None:
    for number in range(10):
        assert place.get(token=f"guess {number}").status_code == 401
    assert place.get().status_code == 401  # even the right one
    place.now = 61.0
    assert place.get().status_code == 200


def test_the_token_is_the_owners_alone_and_stays(tmp_path: Path) -> None:
    token = staff_token(tmp_path)
    assert len(token) >= 32
    assert (tmp_path / "staff.token").stat().st_mode & 0o077 == 0
    assert staff_token(tmp_path) == token
