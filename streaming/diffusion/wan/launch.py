"""Whether torchrun started this process, as which of how many. Needs no torch."""

import os


def ranks() -> tuple[int, int]:
    """Own rank and how many there are; (0, 1) for a process of its own."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return 0, 1
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
