"""Errors of data sets. Each says what cannot be done and what to do instead.

GameError
└── DatasetError         an export, a page or a report cannot be made          exit 2
    ├── LicenceClash     tracks whose terms cannot stand in one data set       exit 2
    ├── TrackMissing     a session holds no such styled track                  exit 2
    ├── NothingToExport  no session holds a run of pairs that is long enough   exit 2
    └── FolderTaken      the folder to write holds something else              exit 2
"""

from pathlib import Path

from game.errors import GameError


class DatasetError(GameError):
    """An export, a page or a report cannot be made from what was given."""

    exit_code = 2


class LicenceClash(DatasetError):
    """Two tracks have terms that exclude each other, or one has none that is known."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}"


class TrackMissing(DatasetError):
    """A session holds no styled track of that name."""

    def __init__(self, session: str, track: str, there: tuple[str, ...]) -> None:
        super().__init__(session, track, there)
        self.session, self.track, self.there = session, track, there

    def __str__(self) -> str:
        return (
            f"session {self.session} has no track {self.track} "
            f"(it has {', '.join(self.there) or 'none'}); choose another with --track, or paint it "
            "with `diffusion run`"
        )


class NothingToExport(DatasetError):
    """No session holds a run of pairs that is long enough."""

    def __init__(self, frames: int, longest: int) -> None:
        super().__init__(frames, longest)
        self.frames, self.longest = frames, longest

    def __str__(self) -> str:
        return (
            f"no run of {self.frames} frames without a gap, the longest has {self.longest}; "
            "lower --fps or --frames, or record on a quieter machine"
        )


class FolderTaken(DatasetError):
    """The folder to write holds something that is not ours to replace."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} exists and is not empty; name a new folder with --out"
