"""Errors of the `rewards` package. Every message says what is wrong and what to do next.

RewardsError
├── WalletRefused         an address cannot be paid: not a key, nobody's key, or a program   exit 2
├── PolicyInvalid         a policy file is missing, damaged or cannot be used here           exit 2
├── VerdictInvalid        a verdict does not hold what the policy needs                      exit 1
├── LedgerMismatch        the ledger belongs to another chain, mint, treasury or secret      exit 3
├── LedgerLost            the ledger's file is no longer the one that was opened             exit 3
├── LedgerNewer           the ledger was written by a newer version of this program          exit 3
├── BackupUnsound         a backup cannot be made, or is not what it was                     exit 3
├── EndpointsDisagree     two endpoints of the chain tell different stories                  exit 4
├── DevnetBusy            another process holds the local devnet's files                   exit 3
├── KeyRefused            a key or secret file is missing, open to others or damaged         exit 3
├── ChainUnreachable      the chain's endpoint does not answer                               exit 4
├── ChainRefused          the chain answered with an error that another try will not change  exit 1
├── SetUpIncomplete       the payer lacks something that only an operator can give      exit 2
└── ReceiptUnexplained    a receipt exists, but no payment of ours made it                   exit 1
"""

from pathlib import Path


class RewardsError(Exception):
    """Root of everything that this package raises on purpose; the text is built in __str__."""

    exit_code = 1


class WalletRefused(RewardsError):
    """An address cannot be paid; `reason` is a machine-readable code, `why` is for people."""

    exit_code = 2

    def __init__(self, address: str, reason: str, why: str) -> None:
        super().__init__(address, reason, why)
        self.address, self.reason, self.why = address, reason, why

    def __str__(self) -> str:
        return f"wallet {self.address!r}: {self.why}; copy the address from the wallet itself"


class PolicyInvalid(RewardsError):
    """A policy file is missing, damaged or cannot be used here."""

    exit_code = 2

    def __init__(self, policy: str, why: str) -> None:
        super().__init__(policy, why)
        self.policy, self.why = policy, why

    def __str__(self) -> str:
        return (
            f"policy {self.policy}: {self.why}; "
            "choose another with --set rewards.policy=NAME or mend the file"
        )


class VerdictInvalid(RewardsError):
    """A verdict does not hold what the policy needs, so no amount follows from it."""

    def __init__(self, session: str, why: str) -> None:
        super().__init__(session, why)
        self.session, self.why = session, why

    def __str__(self) -> str:
        return f"verdict of {self.session}: {self.why}; judge the session again: rewards redrive"


class LedgerMismatch(RewardsError):
    """The ledger was stamped for another chain, mint, treasury or receipt secret."""

    exit_code = 3

    def __init__(self, what: str, stamped: str, given: str) -> None:
        super().__init__(what, stamped, given)
        self.what, self.stamped, self.given = what, stamped, given

    def __str__(self) -> str:
        return (
            f"the ledger belongs to {self.what} {self.stamped}, not to {self.given}; "
            "give the settings it was made with, or a new ledger (rewards.database_url)"
        )


class LedgerLost(RewardsError):
    """The ledger's file was removed or replaced while it was open."""

    exit_code = 3

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"{self.path} was removed or replaced while in use; restore a backup or start again "
            "with an empty ledger: receipts on the chain keep every session from being paid twice"
        )


class LedgerNewer(RewardsError):
    """The ledger's layout is of a later release."""

    exit_code = 3

    def __init__(self, found: int, known: int) -> None:
        super().__init__(found, known)
        self.found, self.known = found, known

    def __str__(self) -> str:
        return (
            f"the ledger has layout {self.found}, this program knows {self.known}; "
            "update the program, or restore the backup made before the update"
        )


class BackupUnsound(RewardsError):
    """A backup cannot be made here, or does not read back as it was written."""

    exit_code = 3

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}; nothing was changed, take another folder or backup"


class EndpointsDisagree(RewardsError):
    """Two endpoints tell different stories of one payment: nothing may be decided now."""

    exit_code = 4

    def __init__(self, session: str, why: str) -> None:
        super().__init__(session, why)
        self.session, self.why = session, why

    def __str__(self) -> str:
        return f"{self.session}: {self.why}; nothing is signed until both endpoints agree"


class DevnetBusy(RewardsError):
    """Another process holds the files of the local devnet, or they cannot be written."""

    exit_code = 3

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.why}; another devnet runs on this folder: use that one, end it, "
            "or choose another folder with --set rewards.folder=DIR"
        )


class KeyRefused(RewardsError):
    """A key or secret file is missing, readable by others, or damaged."""

    exit_code = 3

    def __init__(self, path: Path, why: str, remedy: str) -> None:
        super().__init__(path, why, remedy)
        self.path, self.why, self.remedy = path, why, remedy

    def __str__(self) -> str:
        return f"{self.path}: {self.why}; {self.remedy}"


class ChainUnreachable(RewardsError):
    """The chain's endpoint does not answer, or its answer cannot be read."""

    exit_code = 4

    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, why)
        self.url, self.why = url, why

    def __str__(self) -> str:
        return f"{self.url} does not answer ({self.why}); start it with: rewards devnet, or wait"


class ChainRefused(RewardsError):
    """The chain answered with an error that another try will not change."""

    def __init__(self, act: str, why: str) -> None:
        super().__init__(act, why)
        self.act, self.why = act, why

    def __str__(self) -> str:
        return f"the chain refused to {self.act}: {self.why}; see: rewards audit"


class SetUpIncomplete(RewardsError):
    """The payer lacks something that only an operator can give on this cluster."""

    exit_code = 2

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}"


class ReceiptUnexplained(RewardsError):
    """A receipt account exists without a payment of ours: prefunded, or history is missing."""

    def __init__(self, session: str, receipt: str, why: str) -> None:
        super().__init__(session, receipt, why)
        self.session, self.receipt, self.why = session, receipt, why

    def __str__(self) -> str:
        return (
            f"receipt {self.receipt} of {self.session}: {self.why}; "
            "a person must look at the account's history before anything is paid"
        )
