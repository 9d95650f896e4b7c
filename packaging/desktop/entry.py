"""The packaged program starts here: a child that was spawned does its work, anything else is a
command. Without one, as when its icon is clicked, the game begins.
"""

import multiprocessing
import os
import sys

_HELD = "\nThis window closes with the Enter key."


def begin() -> None:
    """Run the command that was given, or the game."""
    from game.cli import main

    if sys.argv[1:]:
        main()
        return
    try:
        main(["play"])
    except SystemExit as end:
        if end.code and os.name == "nt" and sys.stdin is not None and sys.stdin.isatty():
            input(_HELD)  # else the window would take the reason with it
        raise


if __name__ == "__main__":
    multiprocessing.freeze_support()  # first: the frozen program is its own child
    begin()
