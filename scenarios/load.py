"""Scenario files into checked models. Every mistake comes back as file:line: key: what is wrong.

Owns the library's folder and the wording of the mistakes. What a file may say is in `model`.
"""

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scenarios.errors import Problem, ScenarioInvalid, ScenarioUnknown, ScenarioUnreadable
from scenarios.model import Scenario
from scenarios.sense import contradictions
from scenarios.source import MAX_BYTES, Location, Source, read

LIBRARY = Path(__file__).with_name("library")
MISSIONS = Path(__file__).with_name("missions")
_SUFFIXES = (".yaml", ".yml", ".json")
_MAX_PROBLEMS = 40
CONDITIONS = ("no_collision", "reach_position", "survive_duration", "stop")
FAILURES = ("speed_limit", "red_light", "stay_on_road", "time_out")


def library() -> tuple[str, ...]:
    """Names of the scenarios that come with the game, sorted."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


def missions() -> tuple[str, ...]:
    """Names of the errands that come with the game: minutes long, several stops; sorted."""
    return tuple(sorted(path.stem for path in MISSIONS.glob("*.yaml")))


def catalogue() -> tuple[str, ...]:
    """Everything that comes with the game by name: the scenarios, then the missions."""
    return (*library(), *missions())


def load(name_or_path: str | Path) -> Scenario:
    """A scenario of the library or a mission by name, or any file by path.

    Raises ScenarioUnknown, ScenarioUnreadable or ScenarioInvalid.
    """
    return load_source(name_or_path)[0]


def load_source(name_or_path: str | Path) -> tuple[Scenario, Source]:
    """As `load`, with the lines of the file, for messages that come later."""
    path = _find(name_or_path)
    return _shipped(path) if path.parent in (LIBRARY, MISSIONS) else _file(path, False)


@cache
def _shipped(path: Path) -> tuple[Scenario, Source]:
    """What came with the program stays as it is while it runs."""
    return _file(path, True)


def _file(path: Path, ours: bool) -> tuple[Scenario, Source]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as wrong:
        raise ScenarioUnreadable(str(path), 0, wrong.strerror or "cannot be read") from wrong
    return parse(data, str(path), ours)


def parse(data: bytes, file: str = "scenario.yaml", ours: bool = False) -> tuple[Scenario, Source]:
    """A scenario from the bytes of a file. Raises ScenarioUnreadable or ScenarioInvalid.

    ours: see `source.read`.
    """
    source = read(data, file, ours)
    try:
        scenario = Scenario.model_validate(source.value)
    except ValidationError as wrong:
        details = wrong.errors(include_url=False)[:_MAX_PROBLEMS]
        raise ScenarioInvalid(file, _problems(details, source)) from None
    found = tuple(contradictions(scenario))[:_MAX_PROBLEMS]
    if found:
        raise ScenarioInvalid(file, tuple(problem(source, at, what) for at, what in found))
    return scenario, source


def problem(source: Source, location: Location, what: str) -> Problem:
    """A mistake at a place in the file, or at the nearest place around it that the file has."""
    line, _ = source.locate(location)
    return Problem(line, ".".join(str(part) for part in location), what)


def _find(name_or_path: str | Path) -> Path:
    name = str(name_or_path)
    for folder, names in ((LIBRARY, library()), (MISSIONS, missions())):
        if name in names:
            return folder / f"{name}.yaml"
    path = Path(name_or_path)
    if isinstance(name_or_path, Path) or path.suffix in _SUFFIXES or len(path.parts) > 1:
        if path.is_file():
            return path
        raise ScenarioUnreadable(name, 0, "no such file")
    raise ScenarioUnknown(name, catalogue(), nearest(name, catalogue()))


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like `word`, '' where none does."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else ""


def _problems(details: Iterable[ErrorDetails], source: Source) -> tuple[Problem, ...]:
    found: dict[tuple[int, str], Problem] = {}
    for detail in details:
        line, there = source.locate(_without_tags(detail["loc"], source))
        kind, text = detail["type"], _say(detail)
        if kind == "missing":
            key = ".".join(str(part) for part in (*there, detail["loc"][-1]))
        else:
            key = ".".join(str(part) for part in there)
        found.setdefault((line, key), Problem(line, key, text))
    return tuple(sorted(found.values(), key=lambda problem: (problem.line, problem.key)))


def _without_tags(location: tuple[str | int, ...], source: Source) -> Location:
    """pydantic puts the type of a condition into the location; the file has no such step."""
    there: Location = ()
    for part in location:
        if (*there, part) in source.lines:
            there = (*there, part)
    return there


def _say(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        unknown, known = str(detail["loc"][-1]), _known_keys(detail["loc"][:-1])
        near = nearest(unknown, known)
        hint = f"did you mean '{near}'?" if near else f"known here: {', '.join(known)}"
        return f"unknown key '{unknown}'; {hint}"
    if kind == "missing":
        return "this key is missing"
    if kind == "literal_error":
        return f"must be one of {detail['ctx']['expected']}, not {_short(detail['input'])}"
    if kind.startswith("union_tag"):
        kinds = FAILURES if detail["loc"][:1] == ("failure",) else CONDITIONS
        return f"needs a 'type': one of {', '.join(kinds)}"
    text = detail["msg"].replace("Input should be", "must be").replace("Input", "value")
    plain = text[:1].lower() + text[1:]
    return (
        plain
        if kind in ("bezier", "line", "way", "anchor", "range")
        else (f"{plain}, not {_short(detail['input'])}")
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _known_keys(location: tuple[str | int, ...]) -> tuple[str, ...]:
    models: list[type[BaseModel]] = [Scenario]
    for part in location:
        if isinstance(part, int):
            continue
        stepped = [
            m
            for model in models
            if part in model.model_fields
            for m in _models_in(model.model_fields[part].annotation)
        ]
        models = stepped or [model for model in models if _has_tag(model, part)] or models
    return tuple(dict.fromkeys(key for model in models for key in model.model_fields))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    field = model.model_fields.get("type")
    return field is not None and tag in get_args(field.annotation)
