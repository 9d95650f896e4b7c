"""What the payer stands on: cluster, treasury, token, receipt secret. Makes them on a local devnet.

Owns the public facts in `chain.json`. On any other cluster it makes nothing: an operator does.
"""

import asyncio
import json
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Finalized
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.pubkey import Pubkey

from rewards.chain import Chain, sign_message
from rewards.devnet import LOCAL_VERSION
from rewards.errors import ChainRefused, LedgerMismatch, SetUpIncomplete
from rewards.facts import Facts, endpoint
from rewards.files import write_json
from rewards.history import History, ask
from rewards.instructions import Token, mint_address, mint_message
from rewards.settings import RewardsSettings
from rewards.signer import FileSigner, ReceiptSecret

LOCAL = "local"
AIRDROP = 1_000_000_000_000  # lamports; 1,000 SOL of the local devnet
CLUSTERS = {
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet",
    "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG": "devnet",
    "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY": "testnet",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


async def open_chain(settings: RewardsSettings) -> tuple[Chain, Facts]:
    """Key, secret, token and connection, ready to pay; on a local devnet whatever lacks is made.

    Idempotent, also for several processes at once. Raises SetUpIncomplete, KeyRefused,
    ChainUnreachable.
    """
    url = endpoint(settings)
    client = AsyncClient(url, commitment=Finalized, timeout=20)
    try:
        cluster, genesis = await identify(url, client)
        if cluster == LOCAL:
            signer = FileSigner.create(settings.key_path)
            secret = ReceiptSecret.create(settings.secret_path)
            token = await _establish(url, client, signer, settings)
        else:
            signer = FileSigner.load(settings.key_path)
            secret = ReceiptSecret.load(settings.secret_path)
            token = _configured(settings)
    except BaseException:
        await client.close()
        raise
    history = History(url, signer.address, token, client)
    try:
        witness = await _second(settings, cluster, genesis, history)
    except BaseException:
        await client.close()
        raise
    facts = Facts(
        url, cluster, genesis, str(token.mint), str(signer.address), token.decimals, secret.id
    )
    write_json(settings.facts_path, asdict(facts))
    price = settings.priority_micro_lamports
    before = [(Pubkey.from_string(f["treasury"]), _token(f)) for f in _formers(settings)]
    return Chain(history, signer, secret, price, witness, before), facts


def _formers(settings: RewardsSettings) -> list[dict[str, Any]]:
    try:
        return list(json.loads(settings.formers_path.read_text("utf-8"))["formers"])
    except FileNotFoundError:
        return []


def _token(former: dict[str, Any]) -> Token:
    return Token(Pubkey.from_string(former["mint"]), int(former["decimals"]))


async def _second(
    settings: RewardsSettings, cluster: str, genesis: str, first: History
) -> History | None:
    """The witness endpoint, proved to be of the same chain."""
    if not settings.witness_url:
        if cluster == LOCAL:
            return None
        raise SetUpIncomplete(
            "this cluster is seen through one endpoint alone",
            "name a second one with --set rewards.witness_url=URL",
        )
    client = AsyncClient(settings.witness_url, commitment=Finalized, timeout=20)
    try:
        reply = await ask(settings.witness_url, client, lambda c: c.get_genesis_hash())
        if str(reply.value) != genesis:
            raise LedgerMismatch("genesis", genesis, str(reply.value))
    except BaseException:
        await client.close()
        raise
    return History(settings.witness_url, first.treasury, first.token, client)


async def identify(url: str, client: AsyncClient) -> tuple[str, str]:
    """Cluster's name ('local' only for our devnet on loopback) and its genesis hash."""
    genesis = str((await ask(url, client, lambda c: c.get_genesis_hash())).value)
    if genesis in CLUSTERS:
        return CLUSTERS[genesis], genesis
    version = (await ask(url, client, lambda c: c.get_version())).value.solana_core
    if version == LOCAL_VERSION and urlsplit(url).hostname in _LOOPBACK:
        return LOCAL, genesis
    return "other", genesis


def _configured(settings: RewardsSettings) -> Token:
    if not settings.mint:
        raise SetUpIncomplete(
            "no mint is set for this cluster", "name it with --set rewards.mint=ADDRESS"
        )
    return Token(Pubkey.from_string(settings.mint), settings.decimals)


async def _establish(
    url: str, client: AsyncClient, signer: FileSigner, settings: RewardsSettings
) -> Token:
    """Lamports, mint and supply of the local treasury; each only where it is missing."""
    treasury = signer.address
    before = _formers(settings)
    token = _token(before[-1]) if before else Token(mint_address(treasury), settings.decimals)
    lamports = (await ask(url, client, lambda c: c.get_balance(treasury))).value
    if lamports < AIRDROP // 2:
        await ask(url, client, lambda c: c.request_airdrop(treasury, AIRDROP))
    known = (await ask(url, client, lambda c: c.get_account_info(token.mint))).value is not None
    if not known and not before:
        fresh = (await ask(url, client, lambda c: c.get_latest_blockhash())).value.blockhash
        message = mint_message(treasury, settings.decimals, settings.supply, fresh)
        raw = bytes(sign_message(message, signer))
        try:
            await client.send_raw_transaction(raw, TxOpts(skip_confirmation=True))
        except RPCException as error:  # another payer may have made it at the same moment
            account = await ask(url, client, lambda c: c.get_account_info(token.mint))
            if account.value is None:
                raise ChainRefused("make the local mint", str(error.args[0])) from error
    await _wait_for_mint(url, client, token)
    return token


async def _wait_for_mint(url: str, client: AsyncClient, token: Token) -> None:
    for _ in range(100):
        account = (await ask(url, client, lambda c: c.get_account_info(token.mint))).value
        if account is not None:
            return
        await asyncio.sleep(0.05)
    raise ChainRefused("make the local mint", "it did not appear")
