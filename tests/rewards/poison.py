"""What an owner of a wallet may do to the token account that payments go to."""

from typing import Any

from solders.keypair import Keypair
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import close_account, freeze_account, set_authority, transfer_checked
from spl.token.models import (
    AuthorityType,
    CloseAccountParams,
    FreezeAccountParams,
    SetAuthorityParams,
    TransferCheckedParams,
)

from rewards.signer import FileSigner
from tests.fakes.chain import Desk, World

POISONS = ("closed", "frozen", "reassigned")


def spoil(
    desk: Desk, world: World, player: Keypair, deed: str, held: int
) -> tuple[list[Any], list[Keypair]]:
    """Instructions and signers of one deed of POISONS. held: base units in the account."""
    me, mint = player.pubkey(), desk.chain.token.mint
    account = desk.chain.token.account_of(me)
    if deed == "frozen":
        treasury = FileSigner.load(world.settings.key_path)._key.reveal()
        freeze = FreezeAccountParams(
            account=account, mint=mint, authority=treasury.pubkey(), program_id=TOKEN_PROGRAM_ID
        )
        return [freeze_account(freeze)], [player, treasury]
    if deed == "reassigned":
        give = SetAuthorityParams(
            account=account, authority=AuthorityType.ACCOUNT_OWNER, current_authority=me,
            new_authority=Keypair().pubkey(), program_id=TOKEN_PROGRAM_ID,
        )  # fmt: skip
        return [set_authority(give)], [player]
    back = TransferCheckedParams(
        program_id=TOKEN_PROGRAM_ID, source=account, mint=mint, owner=me, amount=held, decimals=6,
        dest=desk.chain.token.account_of(desk.chain.treasury),
    )  # fmt: skip
    close = CloseAccountParams(account=account, dest=me, owner=me, program_id=TOKEN_PROGRAM_ID)
    return [transfer_checked(back), close_account(close)], [player]
