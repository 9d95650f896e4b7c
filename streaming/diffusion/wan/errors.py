"""What can go wrong with a Wan model.

DiffusionError        a StreamingError
├── BadOption         a size, a window or a list of steps that cannot be
├── WrongCheckpoint   not the model it should be: keys, shapes or hash
├── UnsafeFile        a pickle that would run code
├── NoRoom            the network does not fit into memory        exit 3
└── RankLost          one of several processes is gone            exit 3
"""

import re

from streaming.errors import StreamingError

_PLACES = re.compile(r"\s*\[[^\]]*\](:\d+)?:?")  # in a library's source, and of its sockets


class DiffusionError(StreamingError):
    """Root of this package's errors. exit_code: of the command that meets it."""

    exit_code = 2


class BadOption(DiffusionError):
    """An option that cannot be; the text says which would."""


class WrongCheckpoint(DiffusionError):
    """A file that does not hold the model asked for.

    path: of the file. why: one clause; missing, extra and misshapen keys are told by the first few.
    """

    def __init__(self, path: str, why: str, keys: tuple[str, ...] = ()) -> None:
        super().__init__(path, why, keys)
        self.path, self.why, self.keys = path, why, keys

    def __str__(self) -> str:
        shown = ", ".join(self.keys[:4])
        more = f" and {len(self.keys) - 4} more" if len(self.keys) > 4 else ""
        return f"{self.path}: {self.why}" + (f": {shown}{more}" if shown else "")


class UnsafeFile(DiffusionError):
    """A pickle that holds more than tensors."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"{self.path} holds more than tensors and would run code when opened; "
            "convert it to safetensors where you trust it"
        )


class NoRoom(DiffusionError):
    """The network does not fit into the memory that is there."""

    exit_code = 3

    def __init__(self, model: str, why: str) -> None:
        super().__init__(model, why)
        self.model, self.why = model, why

    def __str__(self) -> str:
        return (
            f"{self.model} does not fit into memory here ({self.why[:160]}); choose a smaller "
            "size or window on its card, int8 weights, or fewer players"
        )


class RankLost(DiffusionError):
    """One of the processes that share a network is gone, and the others are no use without it."""

    exit_code = 3

    def __init__(self, ranks: int, why: str) -> None:
        super().__init__(ranks, why)
        self.ranks, self.why = ranks, why

    def __str__(self) -> str:
        first = _PLACES.sub("", self.why.strip().split("\n", 1)[0]).split(". ")[0].strip(" .")
        return (
            f"one of the {self.ranks} processes that share the network is gone ({first[:120]}); "
            "torchrun says which, start them all again"
        )
