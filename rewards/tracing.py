"""Traces of judgements to LangSmith, where an operator gave a key and the endpoint answers now.

Owns the question whether it answers, asked again each minute, and a connection that gives up for
good at its first failure: a dead endpoint costs a judgement one time limit, never a hang. What is
sent are names of checks and their findings; no picture, no file, no wallet.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import requests

from rewards.secret import Secret

log = logging.getLogger(__name__)
LIMIT_S = 2.0
AGAIN_S = 60.0


class Tracing:
    """One endpoint and its key. project: where the traces are filed."""

    def __init__(
        self,
        url: str,
        key: Secret[str],
        project: str = "rewards",
        limit_s: float = LIMIT_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url, self._key, self._project = url.rstrip("/"), key, project
        self._limit_s, self._now = limit_s, now
        self._asked_s, self._up = float("-inf"), False

    def answers(self) -> bool:
        """Whether the endpoint answered within the limit, at most a minute ago."""
        if self._now() - self._asked_s >= AGAIN_S:
            was, self._up, self._asked_s = self._up, self._ask(), self._now()
            if was != self._up:
                log.info("tracing.%s url=%s", "on" if self._up else "off", self.url)
        return self._up

    def _ask(self) -> bool:
        try:
            with _Brief(self._limit_s) as http:
                status = http.get(f"{self.url}/info").status_code
        except requests.RequestException as error:
            log.warning("tracing.silent url=%s why=%s", self.url, type(error).__name__)
            return False
        return status < 500

    def context(self) -> AbstractContextManager[Any]:
        """Within it, a graph is traced; or not, where nobody answers."""
        from langsmith import Client, tracing_context
        from urllib3.util import Retry

        if not self.answers():
            return tracing_context(enabled=False)
        client = Client(
            self.url,
            api_key=self._key.reveal(),
            session=_Brief(self._limit_s, self._failed),
            retry_config=Retry(0),
            auto_batch_tracing=False,  # its thread waits at exit for who never answers
            hide_inputs=True,
            info={},
        )
        return tracing_context(enabled=True, client=client, project_name=self._project)

    def _failed(self) -> None:
        self._up = False


class _Brief(requests.Session):
    """Every call within the limit; after one that failed, none goes out."""

    def __init__(self, limit_s: float, failed: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.trust_env = False
        self._limit_s, self._failed, self._dead = limit_s, failed, False

    def request(self, *args: Any, **more: Any) -> requests.Response:
        """As its parent's. Raises requests.RequestException."""
        if self._dead:
            raise requests.ConnectionError("the tracing endpoint failed before")
        try:
            return super().request(*args, **{**more, "timeout": self._limit_s})
        except requests.RequestException:
            self._dead = True
            self._failed()
            raise
