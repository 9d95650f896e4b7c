"""Errors of the outbox.

OutboxError
├── Unreachable   no answer, or one that says: later            exit 4
└── Refused       the service does not want this session        exit 1
"""


class OutboxError(Exception):
    """Root of what goes wrong between this machine and the rewards service."""

    exit_code = 4


class Unreachable(OutboxError):
    """Worth another try, not before `after_s` seconds."""

    def __init__(self, what: str, why: str, after_s: float = 0.0) -> None:
        super().__init__(what, why, after_s)
        self.what, self.why, self.after_s = what, why, after_s

    def __str__(self) -> str:
        return f"{self.what}: {self.why}; it is tried again by itself"


class Refused(OutboxError):
    """The service said no, for good."""

    exit_code = 1

    def __init__(self, what: str, status: int, why: str) -> None:
        super().__init__(what, status, why)
        self.what, self.status, self.why = what, status, why

    def __str__(self) -> str:
        return f"{self.what} was refused ({self.status}): {self.why}; the session stays here"
