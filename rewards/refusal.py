"""What the server side says no to: one class, a machine-readable reason, a detail for people.

RewardsError
└── Refused            has reason, detail, status (of HTTP)
    ├── TicketRefused  forged, expired, foreign or used ticket           403
    └── UploadRefused  a file or request that the intake does not take   400 unless said
"""

from rewards.errors import RewardsError


class Refused(RewardsError):
    """A request is answered with no. `reason` keeps its meaning; `detail` may be reworded."""

    status = 400

    def __init__(self, reason: str, detail: str, status: int | None = None) -> None:
        super().__init__(reason, detail, status)
        self.reason, self.detail = reason, detail
        if status is not None:
            self.status = status

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class TicketRefused(Refused):
    """A ticket is forged, expired, foreign or used."""

    status = 403


class UploadRefused(Refused):
    """A file, name, size or request that the intake does not take."""
