"""Errors of the update check.

GameError
└── UpdateError          exit 1
    ├── NoChannel        this copy knows no place to ask                        exit 3
    ├── NoAnswer         the place does not answer, or stops half way           exit 4
    └── NotTrusted       what came is not what a trusted key signed             exit 1
"""

from game.errors import GameError


class UpdateError(GameError):
    """Root of what the update check raises; nothing was changed on this machine."""


class NoChannel(UpdateError):
    """This copy knows no place to ask for updates, or no key to believe."""

    exit_code = 3

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        return (
            f"this copy has no {self.missing} for updates; name both: "
            "--set update.url=https://... --set update.keys=HEX, or update as you installed"
        )


class NoAnswer(UpdateError):
    """The network failed, or the answer ended early. Trying again is safe."""

    exit_code = 4

    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, why)
        self.url, self.why = url, why

    def __str__(self) -> str:
        return f"{self.url}: {self.why}; nothing was changed, try again later"


class NotTrusted(UpdateError):
    """What came is not what a trusted key signed for this program. reason: a fixed word."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(reason, why)
        self.reason, self.why = reason, why

    def __str__(self) -> str:
        return f"the update is refused ({self.reason}): {self.why}; nothing was changed"
