"""Judgements are traced while the endpoint answers, and lose no time to one that does not."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from game.session.protocols import Evidence, Finding
from rewards.errors import KeyRefused
from rewards.graph import Step, run_graph
from rewards.secret import Secret
from rewards.settings import RewardsSettings
from rewards.tracing import AGAIN_S, Tracing
from rewards.worker_process import _graph

pytest.importorskip("langgraph", reason="langgraph is missing")
pytestmark = [pytest.mark.network, pytest.mark.heavy]


class Endpoint(ThreadingHTTPServer):
    """Answers at first; `hang` makes it take a request and say nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.hang, self.got = threading.Event(), list[tuple[str, str, bytes]]()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.got.append((self.path, self.headers.get("x-api-key") or "", body))
        if self.server.hang.is_set():
            time.sleep(30)  # longer than anybody here waits
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PATCH = _answer

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def judge(tmp_path: Path, tracing: Tracing | None) -> tuple[Finding, ...]:
    evidence = Evidence(None, None, (1, 2), {}, tmp_path, session="s")  # type: ignore[arg-type]
    steps = [Step(n, lambda s, e, n=n: Finding(n, True, 0.5, 0.25)) for n in ("first", "second")]  # type: ignore[misc]
    return run_graph(steps, None, evidence, tracing)  # type: ignore[arg-type]


def test_what_is_sent_names_the_checks_and_carries_the_key(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    found = judge(tmp_path, Tracing(endpoint.url, Secret("key-of-mine"), limit_s=120.0))
    assert found == judge(tmp_path, None), "tracing changes no finding"
    sent = [(path, key, body) for path, key, body in endpoint.got if path != "/info"]
    assert sent
    assert {key for _, key, _ in sent} == {"key-of-mine"}
    names = {json.loads(body).get("name") for path, _, body in sent if path.endswith("/runs")}
    assert {"first", "second"} <= names


def test_one_that_hangs_costs_one_time_limit_and_no_verdict(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    now = [0.0]
    tracing = Tracing(endpoint.url, Secret("k"), limit_s=2.0, now=lambda: now[0])
    assert tracing.answers()
    endpoint.hang.set()  # it dies between the question and the trace
    assert [f.check for f in judge(tmp_path, tracing)] == ["first", "second"]
    asked = len(endpoint.got)
    assert asked == 2, "one question, and one call that failed; after that none"
    assert [f.check for f in judge(tmp_path, tracing)] == ["first", "second"]
    assert len(endpoint.got) == asked, "it is not asked again within a minute"
    now[0] += AGAIN_S
    assert not tracing.answers()
    endpoint.hang.clear()
    now[0] += AGAIN_S
    assert tracing.answers(), "and it may come back"


def test_without_anybody_at_the_address_nothing_is_traced(tmp_path: Path) -> None:
    tracing = Tracing("http://127.0.0.1:9", Secret("k"), limit_s=0.5)
    assert not tracing.answers()
    assert len(judge(tmp_path, tracing)) == 2


def test_it_is_off_without_a_key_and_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert _graph(RewardsSettings(folder=tmp_path)) is run_graph
    with pytest.raises(KeyRefused):
        _graph(RewardsSettings(folder=tmp_path, tracing_key_file="none.key"))
