"""Errors of the `game` package. Every message says what is wrong and what to do next.

GameError
├── SettingsError        a setting is unknown or has a wrong value             exit 2
├── UsageError           the command line asks for something that cannot be    exit 2
│   ├── UnknownPlace     no junction of the city has that name
│   └── NoRoute          no lanes lead from one junction to the other
├── PackError            a city pack is missing, damaged or of another version exit 3
├── SourceError          a source file of the city is missing or broken       exit 3
├── SourceUnreachable    the City's server does not give all rows              exit 4
├── MissingPart          this machine lacks a library, driver or extra         exit 3
├── AlreadyRunning       another instance holds the lock                       exit 3
└── SessionError         a recording
    ├── SessionCorrupt   does not read back as it was written                  exit 1
    ├── SessionTooNew    was made by a newer format or an unknown world        exit 3
    ├── ReplayImpossible was made in a world or city that is not here          exit 3
    ├── SessionBusy      is still being written                                exit 1
    └── ScenarioChanged  was made with another text of its scenario            exit 3
"""

import re
import sys
from pathlib import Path


class GameError(Exception):
    """Root of all that this package raises on purpose. Fields go up, the text is built here."""

    exit_code = 1


class SettingsError(GameError):
    """A setting is unknown or has a wrong value; `hint` says what would be right."""

    exit_code = 2

    def __init__(self, key: str, origin: str, why: str) -> None:
        super().__init__(key, origin, why)
        self.key, self.origin, self.why = key, origin, why

    def __str__(self) -> str:
        return f"setting {self.key} ({self.origin}): {self.why}"


class UsageError(GameError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class UnknownPlace(UsageError):
    """No junction of the city has that name; the message names those that look like it."""

    def __init__(self, query: str, nearest: tuple[str, ...]) -> None:
        super().__init__(query, nearest)
        self.query, self.nearest = query, nearest

    def __str__(self) -> str:
        like = ", ".join(f"'{name}'" for name in self.nearest)
        return f"no junction '{self.query}' in this city; the nearest names are {like}"


class NoRoute(UsageError):
    """No lanes lead from one junction to the other."""

    def __init__(self, start: str, goal: str) -> None:
        super().__init__(start, goal)
        self.start, self.goal = start, goal

    def __str__(self) -> str:
        return (
            f"no lanes lead from '{self.start}' to '{self.goal}'; "
            "choose junctions on one network (one-way streets count)"
        )


class PackError(GameError):
    """A city pack is missing, damaged or of another version."""

    exit_code = 3

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}; make it again with: scale-diffusion city build"


class SourceError(GameError):
    """A file that a city pack is made from is missing or does not read; nothing was replaced."""

    exit_code = 3

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.why}; get the file again (assets/city/SOURCES.toml says where) "
            "and point --source at its folder; the old pack is untouched"
        )


class SourceUnreachable(GameError):
    """The server of the City's data cannot be reached, refuses or does not give all rows."""

    exit_code = 4

    def __init__(self, server: str, dataset: str, why: str) -> None:
        super().__init__(server, dataset, why)
        self.server, self.dataset, self.why = server, dataset, why

    def __str__(self) -> str:
        return (
            f"{self.server}: data set {self.dataset}: {self.why}; run the "
            "same command again to go on where it was; the old pack is untouched"
        )


class MissingPart(GameError):
    """This machine lacks a library, a driver or an extra of the installation."""

    exit_code = 3

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return fitting(f"{self.what}; {self.remedy}")


_PIP = re.compile(r"(?:install (?:it with|the extra): )?pip install (?:'[^']*'|[^\s,;)]+)")
_ELSEWHERE = "this package leaves it out, an installation with pip has it (docs/packaging.md)"


def packaged() -> bool:
    """Whether this is the desktop package, to which pip can add nothing."""
    return hasattr(sys, "_MEIPASS")


def fitting(advice: str) -> str:
    """The same advice for this copy: to the desktop package nothing can be installed."""
    return _PIP.sub(_ELSEWHERE, advice) if packaged() else advice


class AlreadyRunning(GameError):
    """Another instance holds the lock; the message names it."""

    exit_code = 3

    def __init__(self, lock: Path, pid: int, what: str) -> None:
        super().__init__(lock, pid, what)
        self.lock, self.pid, self.what = lock, pid, what

    def __str__(self) -> str:
        return (
            f"another Scale Diffusion is running ({self.what}, process {self.pid}); "
            f"close it first, or choose another folder with --set paths.data=DIR"
        )


class SessionError(GameError):
    """Something is wrong with a recording in `folder`."""


class SessionCorrupt(SessionError):
    """A recording does not read back as it was written; everything before `tick` is sound."""

    def __init__(self, folder: Path, tick: int, why: str) -> None:
        super().__init__(folder, tick, why)
        self.folder, self.tick, self.why = folder, tick, why

    def __str__(self) -> str:
        return (
            f"{self.folder}: {self.why} at tick {self.tick}; "
            f"keep the sound part with: scale-diffusion session recover {self.folder}"
        )


class SessionTooNew(SessionError):
    """A recording of a format or a world version that this build does not know."""

    exit_code = 3

    def __init__(self, folder: Path, what: str, found: int, known: int) -> None:
        super().__init__(folder, what, found, known)
        self.folder, self.what, self.found, self.known = folder, what, found, known

    def __str__(self) -> str:
        return (
            f"{self.folder}: {self.what} {self.found}, this build knows up to {self.known}; "
            "update Scale Diffusion, or render from the stored states: session render --from-states"
        )


class ReplayImpossible(SessionError):
    """A recording names another world version or city pack than this build can simulate."""

    exit_code = 3

    def __init__(self, session: str, wanted: str, here: str) -> None:
        super().__init__(session, wanted, here)
        self.session, self.wanted, self.here = session, wanted, here

    def __str__(self) -> str:
        return (
            f"{self.session} was driven with {self.wanted}, here it is {self.here}; replay it with "
            "the version that recorded it, or draw what was stored: session render --from-states"
        )


class SessionBusy(SessionError):
    """A living process still writes this recording."""

    def __init__(self, folder: Path, file: str) -> None:
        super().__init__(folder, file)
        self.folder, self.file = folder, file

    def __str__(self) -> str:
        return f"{self.folder}: {self.file} is still being written; end that drive first"


class ScenarioChanged(SessionError):
    """The scenario of this name is no longer the one that was driven, or is gone."""

    exit_code = 3

    def __init__(self, session: str, scenario: str, recorded: str, found: str) -> None:
        super().__init__(session, scenario, recorded, found)
        self.session, self.scenario = session, scenario
        self.recorded, self.found = recorded, found

    def __str__(self) -> str:
        return (
            f"session {self.session} was driven in scenario {self.scenario} of digest "
            f"{self.recorded[:12]}, here it is {self.found[:12] or 'unknown'}; "
            "replay it with the version of the program that recorded it"
        )
