"""The public facts of the chain in use, as set-up wrote them, and where it is reached.

Light on purpose: whoever only names a mint or a treasury needs no library of the chain.
"""

import json
from dataclasses import dataclass

from rewards.errors import SetUpIncomplete
from rewards.ledger_file import Stamp
from rewards.settings import RewardsSettings


@dataclass(frozen=True, slots=True)
class Facts:
    """Public facts of the chain in use; what audits and other processes may know."""

    url: str
    cluster: str
    genesis: str
    mint: str
    treasury: str
    decimals: int
    secret_id: str

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.genesis, self.mint, self.treasury, self.secret_id)


def endpoint(settings: RewardsSettings) -> str:
    """The Solana endpoint of the settings, or the local devnet's. Raises SetUpIncomplete."""
    if settings.rpc_url:
        return settings.rpc_url
    try:
        return str(json.loads(settings.endpoint_path.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        raise SetUpIncomplete(
            "no chain: rewards.rpc_url is empty and no local devnet has run here",
            f"start one with: scale-diffusion rewards devnet --folder {settings.folder}",
        ) from None


def read_facts(settings: RewardsSettings) -> Facts | None:
    """What set-up wrote; None before it. Other processes read the mint and treasury here."""
    try:
        return Facts(**json.loads(settings.facts_path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
