"""What streets and scenarios pay today, as the rewards service says it, or as the policy here does.

Asks in a thread of its own, so that no screen waits. What a service says is a stranger's text:
bounded, checked, and left out where it is not what it should be.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from rewards import policy
from rewards.errors import PolicyInvalid
from rewards.rates import scenario_rate

log = logging.getLogger(__name__)

TIMEOUT_S = 4.0
LARGEST = 4 << 20
FRESH_S = 120.0
"""An answer is asked for again when it is older than this [s]."""


@dataclass(frozen=True, slots=True)
class Pay:
    """scenarios: id -> (base units a minute, on new ground, why). streets: name -> (share that is
    new, pay against a known street), both in 1/1000; {} where nobody told.

    source: 'server', or 'policy' for what this program knows by itself.
    """

    source: str
    policy: str
    decimals: int = 6
    bonus_milli: int = 0
    scenarios: Mapping[str, tuple[int, int, tuple[str, ...]]] = field(default_factory=dict)
    streets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    pays_people: bool = True

    def rate(self, scenario: str) -> str:
        """A scenario's pay in a few words, '' where it is not known."""
        found = self.scenarios.get(scenario)
        if found is None:
            return ""
        if found[0] == 0 or not self.pays_people:
            return "pays nothing"
        unit = 10**self.decimals
        more = f" to {found[1] / unit:.2f}" if found[1] > found[0] else ""
        return f"{found[0] / unit:.2f}{more} SPL/min"


def by_policy(name: str) -> Pay:
    """What the policy of this name pays, as it came with the program; nothing of streets."""
    from scenarios.load import catalogue

    try:
        rules = policy.load(name)
    except PolicyInvalid:
        return Pay("policy", name)
    rates = {known: scenario_rate(rules, known) for known in catalogue()}
    return Pay(
        "policy", rules.name, 6, rules.extras.bonus_milli,
        {known: (one.per_minute, one.per_minute_new, one.why) for known, one in rates.items()},
        pays_people="human" in rules.drivers,
    )  # fmt: skip


def read_pay(rates: Any, streets: Any) -> Pay:
    """The answers of /v1/rates and /v1/streets. Raises ValueError for what they cannot be."""
    try:
        scenarios = {
            str(one["id"]): (
                _whole(one["per_minute"]), _whole(one["per_minute_new"]),
                tuple(str(line)[:200] for line in one["why"][:8]),
            )
            for one in rates["scenarios"][:500]
        }  # fmt: skip
        found = {
            str(one["name"])[:120]: (_whole(one["new_milli"], 1000), _whole(one["pays_milli"]))
            for one in streets["streets"][:5000]
        }
        return Pay(
            "server", str(rates["policy"])[:60], _whole(rates["decimals"], 18),
            _whole(rates["novelty_bonus_milli"]), scenarios, found, "human" in rates["drivers"],
        )  # fmt: skip
    except (KeyError, TypeError, IndexError, AttributeError) as wrong:
        raise ValueError(f"not what a rewards service says: {wrong}") from wrong


def _whole(value: Any, most: int = 10**15) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no count")
    return value


class PayDesk:
    """Asks one service. url '': there is none, and the policy of this name speaks."""

    def __init__(
        self, url: str, policy_name: str, pack: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._url, self._pack, self._now = url.rstrip("/"), pack, now
        self.pay = by_policy(policy_name)
        self._asked = -FRESH_S
        self._thread: threading.Thread | None = None

    def refresh(self) -> None:
        """Ask again, where the last answer is not fresh; returns at once."""
        busy = self._thread is not None and self._thread.is_alive()
        if not self._url or busy or self._now() - self._asked < FRESH_S:
            return
        self._asked = self._now()
        self._thread = threading.Thread(target=self._ask, name="pay", daemon=True)
        self._thread.start()

    def wait(self, limit_s: float = 10.0) -> None:
        """Until the question that is under way has its answer."""
        if self._thread is not None:
            self._thread.join(limit_s)

    def _ask(self) -> None:
        try:
            rates = get(self._url, "/v1/rates")
            self.pay = read_pay(rates, get(self._url, f"/v1/streets?pack={self._pack}"))
        except (requests.RequestException, ValueError, OSError) as error:
            log.info("pay.unknown why=%s", error)

    def board(self, scenario: str, day: str = "", session: str = "") -> dict[str, Any]:
        """One leaderboard. Raises ValueError and requests' errors."""
        if not self._url:
            raise ValueError("there is no rewards service")
        found = get(self._url, f"/v1/leaderboards/{scenario}?day={day}&session={session}")
        if not isinstance(found, dict) or not isinstance(found.get("rows"), list):
            raise ValueError("no leaderboard")
        return found


def get(url: str, path: str) -> Any:
    """The JSON at an address, at most LARGEST bytes of it, without following it elsewhere."""
    with requests.Session() as http:
        http.trust_env = False
        with http.get(url + path, timeout=TIMEOUT_S, stream=True, allow_redirects=False) as answer:
            body = b""
            for chunk in answer.iter_content(65536):
                body += chunk
                if len(body) > LARGEST:
                    raise ValueError("longer than any answer")
            if answer.status_code != 200:
                raise ValueError(f"status {answer.status_code}")
    return json.loads(body)
