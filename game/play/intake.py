"""The few questions that the game asks a rewards service, over plain HTTP. Holds no keys."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from game.errors import GameError
from game.play.claim import own
from game.world.version import WORLD_VERSION

log = logging.getLogger(__name__)
_TIMEOUT_S = (3.0, 10.0)
TICKET_S = sum(_TIMEOUT_S)
"""How long a question to the service may take."""


class ServiceSaysNo(GameError):
    """The rewards service refused a request and said why."""

    exit_code = 2

    def __init__(self, asked: str, reason: str, detail: str) -> None:
        super().__init__(asked, reason, detail)
        self.asked, self.reason, self.detail = asked, reason, detail

    def __str__(self) -> str:
        return f"the rewards service refuses the {self.asked}: {self.detail} ({self.reason})"


class ServiceUnreachable(GameError):
    """The rewards service does not answer."""

    exit_code = 4

    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, why)
        self.url, self.why = url, why

    def __str__(self) -> str:
        return (
            f"no answer from the rewards service at {self.url} ({self.why}); "
            "drive without it: --set rewards.url=off"
        )


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid: a wallet, or else a claim of this machine."""

    wallet: str = ""
    claim: str = ""


def payee(address: str, data: Path) -> Payee:
    """The wallet that was given, or the claim whose key is in `data` (made on first use)."""
    if address.strip():
        return Payee(wallet=address.strip())
    return Payee(claim=own(data))


class Intake:
    """One rewards service. Every call either answers or raises one of the errors above."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False

    def run_ticket(
        self,
        who: Payee,
        scenario: str,
        seed: int | None,
        driver: str,
        policy: str,
        pack: str,
        late: bool = False,
    ) -> dict[str, Any]:
        """A signed one-use ticket for one drive. seed None: the service draws it.

        late: the stream server may release it with the first frame; the ticket's seed is then -1.
        """
        ask: dict[str, Any] = {
            "wallet": who.wallet,
            "claim": who.claim,
            "scenario": scenario,
            "driver": driver,
            "policy": policy,
            "world_version": WORLD_VERSION,
            "pack_digest": pack,
        }
        if seed is not None:
            ask["seed"] = seed
        elif late:
            ask["seed_from"] = "stream"
        ticket: dict[str, Any] = self._call("POST", "/v1/run-tickets", "run ticket", ask)["ticket"]
        return ticket

    def fate(self, session: str) -> dict[str, Any]:
        """What has become of a session: state, verdict, payout."""
        return self._call("GET", f"/v1/sessions/{session}", "question", None)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(
        self, method: str, path: str, asked: str, body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, self.url + path, json=body, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise ServiceUnreachable(self.url, type(error).__name__) from error
        try:
            data = answer.json()
        except ValueError:
            data = {}
        if answer.status_code >= 500:
            raise ServiceUnreachable(self.url, f"status {answer.status_code}")
        if answer.status_code >= 400:
            reason = str(data.get("reason", f"http.{answer.status_code}"))
            raise ServiceSaysNo(asked, reason, str(data.get("detail", answer.reason)))
        return dict(data)
