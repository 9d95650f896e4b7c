"""Errors of the `scenarios` package. Each says where the mistake is and what would be right.

ScenarioError
├── ScenarioUnknown    no scenario in the library has this name, and no file lies there
├── ScenarioUnreadable a file cannot be read as YAML at all
├── ScenarioInvalid    a file reads, but says something that no scenario can say
├── PlaceUnknown       a place is not on the map of this city
├── StageImpossible    a case cannot be set up in this city
├── DriverUnknown      nobody by that name drives here
├── DriverGone         a driver on the socket fell silent, hung up or said what it must not  exit 4
├── BundleUnreadable   a file is no bundle that can be driven again here
├── ResultsUnreadable  a file is no result of scenario run
└── DrawingUnavailable a picture was asked for that this machine cannot make      exit 3
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file. line counts from 1; key is the path to it, 'actors.0.speed'."""

    line: int
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.line}: {self.key}: {self.what}" if self.key else f"{self.line}: {self.what}"


class ScenarioError(Exception):
    """Root of everything that this package raises on purpose."""

    exit_code = 2


class ScenarioUnknown(ScenarioError):
    """No scenario in the library has this name, and no file lies there."""

    def __init__(self, name: str, known: tuple[str, ...], near: str) -> None:
        super().__init__(name, known, near)
        self.name, self.known, self.near = name, known, near

    def __str__(self) -> str:
        hint = f"did you mean '{self.near}'? " if self.near else ""
        return f"no scenario '{self.name}'; {hint}the library has: {', '.join(self.known)}"


class ScenarioUnreadable(ScenarioError):
    """A file cannot be read as YAML at all; `line` is 0 where no line is to blame."""

    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(file, line, why)
        self.file, self.line, self.why = file, line, why

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.why}"


class ScenarioInvalid(ScenarioError):
    """A file reads, but says something that no scenario can say; one problem per line of text."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(file, problems)
        self.file, self.problems = file, problems

    def __str__(self) -> str:
        return "\n".join(f"{self.file}:{problem}" for problem in self.problems)


class PlaceUnknown(ScenarioError):
    """A place that a scenario names is not on the map of this city."""

    def __init__(self, scenario: str, place: str, city: str, why: str) -> None:
        super().__init__(scenario, place, city, why)
        self.scenario, self.place, self.city, self.why = scenario, place, city, why

    def __str__(self) -> str:
        return (
            f"scenario {self.scenario}: no '{self.place}' in the city pack {self.city}: {self.why}"
        )


class StageImpossible(ScenarioError):
    """A case cannot be set up in this city, for example with the ego inside a building."""

    def __init__(self, scenario: str, seed: int, why: str) -> None:
        super().__init__(scenario, seed, why)
        self.scenario, self.seed, self.why = scenario, seed, why

    def __str__(self) -> str:
        return f"scenario {self.scenario}, seed {self.seed}: {self.why}; look at: scenario show"


class DriverUnknown(ScenarioError):
    """Nobody by that name drives here."""

    def __init__(self, driver: str, known: tuple[str, ...], why: str) -> None:
        super().__init__(driver, known, why)
        self.driver, self.known, self.why = driver, known, why

    def __str__(self) -> str:
        if self.why:
            return f"driver {self.driver}: {self.why}"
        names = ", ".join((*self.known, "replay", "package.module:Class", "socket:PORT"))
        return f"no driver '{self.driver}'; there are: {names}"


class DriverGone(ScenarioError):
    """A driver on the socket fell silent, hung up or said what it must not."""

    exit_code = 4

    def __init__(self, port: int, why: str) -> None:
        super().__init__(port, why)
        self.port, self.why = port, why

    def __str__(self) -> str:
        return f"the driver on port {self.port}: {self.why}; see docs/driving-protocol.md"


class BundleUnreadable(ScenarioError):
    """A file is no bundle that can be driven again here."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(file, why)
        self.file, self.why = file, why

    def __str__(self) -> str:
        return f"{self.file}: {self.why}; make one with: scenario run NAME --bundles FOLDER"


class ResultsUnreadable(ScenarioError):
    """A file is no result of `scenario run`."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(file, why)
        self.file, self.why = file, why

    def __str__(self) -> str:
        return f"{self.file}: no results ({self.why}); make some with: scenario run all --out FILE"


class DrawingUnavailable(ScenarioError):
    """A picture was asked for that this machine cannot make."""

    exit_code = 3

    def __init__(self, file: str, remedy: str) -> None:
        super().__init__(file, remedy)
        self.file, self.remedy = file, remedy

    def __str__(self) -> str:
        return f"cannot draw {self.file}; {self.remedy}"
