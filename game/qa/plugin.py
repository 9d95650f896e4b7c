"""Scenarios as pytest tests: parametrised over scenarios and seeds, with what a failure needs.

A test marked `scenarios` gets each run as the fixture `scenario_run`; a test that fails leaves a
bundle that drives the same run again, and its film on request. `golden_picture` compares pictures.
Loaded by its entry point; does nothing until one of these is used.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from game.qa.golden import Rgb, Tolerance
    from game.qa.viewer import Shown
    from game.world.city import City
    from scenarios.batch import Case, Done
    from scenarios.driver import DriverFactory
    from scenarios.run import RunResult

_MARK = (
    "scenarios(*names, seeds=range(1), driver='bot'): run the test once for each scenario "
    "('all': the library; or a file) and seed; it asks for the fixture scenario_run"
)
_SHOWN: "pytest.StashKey[list[Shown]]" = pytest.StashKey()
_FAILED: "pytest.StashKey[bool]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("scale-diffusion", "Scale Diffusion scenarios")
    group.addoption(
        "--scenario-seeds", metavar="FIRST:END", help="These seeds instead of the marks' own."
    )
    group.addoption("--scenario-driver", help="This driver instead of the marks' own.")
    group.addoption(
        "--scenario-artefacts", metavar="DIR", help="Bundles, films and pictures of failed tests."
    )
    group.addoption(
        "--scenario-films", action="store_true", help="Film failed runs (needs OpenGL)."
    )
    group.addoption(
        "--golden-update", action="store_true", help="Keep the pictures seen now as golden."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)
    config.stash[_SHOWN] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case of the mark."""
    if "scenario_case" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("scenarios")
    if mark is None:
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid} asks for a scenario run; mark it with "
            "@pytest.mark.scenarios('busy-intersection', seeds=range(3))"
        )
    cases = _cases(mark, metafunc.config)
    metafunc.parametrize(
        "scenario_case", cases, ids=[f"{Path(c.scenario).stem}-{c.seed}" for c in cases]
    )


def _cases(mark: pytest.Mark, config: pytest.Config) -> "tuple[Case, ...]":
    from game.qa.seeds import seeds_of
    from scenarios.batch import cases_of
    from scenarios.load import library

    unknown = set(mark.kwargs) - {"seeds", "driver"}
    if unknown or not mark.args:
        raise pytest.UsageError(f"write the mark as {_MARK}")
    names: tuple[str, ...] = library() if "all" in mark.args else mark.args
    asked = config.getoption("--scenario-seeds")
    try:
        seeds = seeds_of(asked) if asked else mark.kwargs.get("seeds", range(1))
    except ValueError as error:
        raise pytest.UsageError(f"--scenario-seeds: {error}") from None
    driver = config.getoption("--scenario-driver") or mark.kwargs.get("driver", "bot")
    return cases_of(names, seeds, driver)


@pytest.fixture(scope="session")
def scenario_city() -> "City":
    """The city that runs take place in; a suite may give its own."""
    from game.atlas.load import load

    return load(None)


@pytest.fixture
def scenario_driver(scenario_case: "Case") -> "DriverFactory":
    """Who drives, called with (stage, city); a suite may give its own."""
    from scenarios.batch import factory_of

    return factory_of(scenario_case.driver)


@pytest.fixture
def scenario_run(
    request: pytest.FixtureRequest,
    scenario_case: "Case",
    scenario_city: "City",
    scenario_driver: "DriverFactory",
) -> "Iterator[RunResult]":
    """The result of this case. A failed test leaves its bundle among the artefacts."""
    done, bundle = _driven(scenario_case, scenario_city, scenario_driver)
    yield done.result
    folder = request.config.getoption("--scenario-artefacts")
    if folder and request.node.stash.get(_FAILED, False):
        for path in _keep(request, Path(folder), bundle, scenario_city):
            request.node.user_properties.append(("artefact", str(path)))


def _driven(case: "Case", city: "City", driver: "DriverFactory") -> "tuple[Done, dict[str, Any]]":
    from scenarios.batch import Done, bundle_of
    from scenarios.load import load
    from scenarios.run import run

    scenario = load(case.scenario)
    controls: list[Any] = []

    def watch(state: Any) -> None:
        if state.tick > 0:
            controls.append(state.controls)

    result = run(scenario, city, case.seed, driver, watch, True)
    return Done(case, result, ""), bundle_of(scenario, city, result, controls)


def _keep(
    request: pytest.FixtureRequest, folder: Path, bundle: dict[str, Any], city: "City"
) -> list[Path]:
    from scenarios.batch import write_bundle

    name = "".join(c if c.isalnum() or c in "-." else "_" for c in request.node.name)
    path = folder / f"{name}.json"
    write_bundle(path, bundle)
    if not request.config.getoption("--scenario-films"):
        return [path]
    from game.qa.film import film

    return [path, film(path, city, folder)]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember for the fixtures' ends whether the test itself failed."""
    outcome = yield
    if outcome.get_result().when == "call":
        item.stash[_FAILED] = outcome.get_result().failed


@pytest.fixture
def golden_picture(request: pytest.FixtureRequest) -> "Callable[..., None]":
    """Compare (picture, name, tolerance) with golden/NAME.png beside the test; fails when apart.

    picture: (h, w, 3) RGB. With --golden-update the picture is kept as the golden one instead.
    """
    from game.qa import golden
    from game.qa.viewer import Shown
    from game.view.picture import write_png

    folder = Path(str(request.path)).parent / "golden"

    def check(picture: "Rgb", name: str, tolerance: "Tolerance | None" = None) -> None:
        path = folder / f"{name}.png"
        if request.config.getoption("--golden-update"):
            write_png(path, picture)
            return
        known = golden.read_png(path) if path.is_file() else None
        found = None if known is None else golden.compare(known, picture, tolerance)
        label = f"{request.node.name}: {name}"
        request.config.stash[_SHOWN].append(Shown(label, picture, known, found))
        if found is None:
            pytest.fail(f"no golden picture {path}; look at it, then run with --golden-update")
        if not found.same:
            pytest.fail(f"{name}: {found.why}; see the page of differences")

    return check


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page of pictures where artefacts are kept and something was compared."""
    shown = session.config.stash.get(_SHOWN, [])
    folder = session.config.getoption("--scenario-artefacts")
    if folder and shown:
        from game.qa.viewer import write_page

        worker = getattr(session.config, "workerinput", {}).get("workerid", "")
        write_page(shown, Path(folder) / f"pictures{'-' + worker if worker else ''}.html")


def describe(result: "RunResult") -> str:
    """A run in one line, for messages of assertions."""
    told = dataclasses.asdict(result)
    return ", ".join(f"{k}={told[k]}" for k in ("scenario", "seed", "reason", "cause", "ticks"))
