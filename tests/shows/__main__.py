"""`python -m tests.shows capture`: plays, films and photographs the program."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.shows.capture import AFTER_S, Shot, breaks, driving, menus, opening
from tests.shows.display import Display
from tests.shows.film import Film
from tests.shows.player import Player

LEAST_S = 12.0
"""A drive takes at least so long, however slow the start was."""
SIZES = ("800x600:480", "1280x800:640", "1920x1080:960")
"""Display and side of the window after the opening [px]."""


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(text + "\n")


def show(size: str, out: Path, seconds: float, fps: int, more: list[str]) -> Path:
    """One run at a size; returns its film, which is `seconds` long: the drive takes what is left of
    them when all else is seen."""
    of, _, side = size.partition(":")
    wide, high = (int(part) for part in of.split("x"))
    folder = out / of
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    film = folder / "film.mp4"
    with tempfile.TemporaryDirectory() as data, Display(wide, high) as display:
        settings = Path(data) / "settings.toml"
        settings.write_text(f"[app]\nsize = {side or 480}\n", encoding="utf-8")
        arguments = (
            "--debug",
            "--settings",
            str(settings),
            *more,
            "play",
            "--data",
            data,
            "--free",
        )
        with Film(display, film, fps, seconds) as filmed, Player(display, *arguments) as player:
            shot = Shot(display, player, folder, say, int(side or 480))
            opening(shot)
            driving(shot, max(LEAST_S, seconds - AFTER_S - filmed.seconds))
            breaks(shot)
            menus(shot)
            player.process.wait(60)
        start = next((line for _, line in player.lines if "app.start " in line), "")
        (folder / "start.txt").write_text(start.partition("app.start ")[2] + "\n")
    say(f"{film}: {filmed.frames} pictures; {len(shot.taken)} states in {folder}")
    return film


def main() -> None:
    """Play at every size that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.shows", description=__doc__)
    parser.add_argument("what", choices=["capture"])
    parser.add_argument("--out", type=Path, default=Path("build/shows"))
    told = f"display, and window after the opening; {', '.join(SIZES)}"
    parser.add_argument("--size", action="append", metavar="WxH:SIDE", help=told)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each film")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--set", action="append", default=[], help="a setting of the program")
    options = parser.parse_args()
    more = [word for each in options.set for word in ("--set", each)]
    began = time.monotonic()
    for size in options.size or SIZES:
        show(size, options.out, options.seconds, options.fps, more)
    say(f"all in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
