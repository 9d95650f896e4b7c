"""What can go wrong with a Wan model.

DiffusionError
├── BadOption         a size, a window or a list of steps that cannot be
├── WrongCheckpoint   not the model it should be: keys, shapes or hash
└── UnsafeFile        a pickle that would run code
"""


class DiffusionError(Exception):
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
