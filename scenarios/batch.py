"""Many cases, in this process or in several: which ones, who drives them, what each came to.

Owns the split into shards, the worker processes and the bundles of failed cases. Results come back
in the order of the cases, whatever the number of jobs, and are the same bits.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from game.world.city import City
from game.world.controls import Controls
from game.world.state import WorldState
from game.world.version import WORLD_VERSION
from scenarios.driver import DRIVERS, Driver, DriverFactory, Replay
from scenarios.errors import BundleUnreadable, DriverUnknown
from scenarios.load import load
from scenarios.model import Scenario
from scenarios.plugin import plugged
from scenarios.run import RunResult, run
from scenarios.spawn import Stage

BUNDLE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One run to do. scenario: a name of the library or a path; driver: as on the command line."""

    scenario: str
    seed: int
    driver: str


@dataclass(frozen=True, slots=True)
class Done:
    """One run that was done, and the file that replays it, '' where none was written."""

    case: Case
    result: RunResult
    bundle: str


@dataclass(frozen=True, slots=True)
class Orders:
    """What to do besides driving. bundles: folder for failed cases, None for none.

    pack: the city, as `game.atlas.load.load` takes it. every: a bundle of cases that pass, too.
    """

    bundles: Path | None = None
    measure: bool = True
    pack: Path | None = None
    every: bool = False


def cases_of(
    scenarios: Sequence[str], seeds: range, drivers: str, shard: tuple[int, int] = (1, 1)
) -> tuple[Case, ...]:
    """The cases of shard (i, n): every n-th of all, so that shards take about equally long.

    drivers: one, or several with commas between them.
    """
    each = drivers.split(",")
    every = [Case(name, seed, driver) for name in scenarios for driver in each for seed in seeds]
    part, parts = shard
    return tuple(every[part - 1 :: parts])


def factory_of(driver: str) -> DriverFactory:
    """Who drives: a name of `DRIVERS`, or 'package:Class'. Raises DriverUnknown."""
    if driver in DRIVERS:
        return DRIVERS[driver]
    if ":" in driver:
        return plugged(driver)
    raise DriverUnknown(driver, tuple(DRIVERS), "")


def drive_case(case: Case, city: City, orders: Orders, factory: DriverFactory) -> Done:
    """Drive one case; a failed one leaves a bundle."""
    scenario = load(case.scenario)
    controls: list[Controls] = []

    def watch(state: WorldState) -> None:
        if state.tick > 0:
            controls.append(state.controls)

    result = run(scenario, city, case.seed, factory, watch, orders.measure)
    bundle = ""
    if orders.bundles is not None and (orders.every or not result.success):
        path = orders.bundles / f"{scenario.id}-{case.seed}-{result.driver}.json"
        write_bundle(path, bundle_of(scenario, city, result, controls))
        bundle = str(path)
    return Done(case, result, bundle)


def drive_all(
    cases: Sequence[Case], city: City, orders: Orders, jobs: int, progress: Callable[[Done], None]
) -> list[Done]:
    """Drive every case, in `jobs` processes; `progress` hears of each as it is done."""
    done: dict[int, Done] = {}
    steps = _in_processes(cases, orders, jobs) if jobs > 1 else _here(cases, city, orders)
    for i, one in steps:
        done[i] = one
        progress(one)
    return [done[i] for i in sorted(done)]


def _here(cases: Sequence[Case], city: City, orders: Orders) -> Iterator[tuple[int, Done]]:
    for i, case in enumerate(cases):
        yield i, drive_case(case, city, orders, factory_of(case.driver))


def _in_processes(cases: Sequence[Case], orders: Orders, jobs: int) -> Iterator[tuple[int, Done]]:
    context = multiprocessing.get_context("spawn")
    work = [(i, case, orders) for i, case in enumerate(cases)]
    with context.Pool(min(jobs, max(1, len(cases))), _start_worker, (orders.pack,)) as pool:
        yield from pool.imap_unordered(_work, work)


_city: City | None = None
"""The city of a worker process, read once when it starts."""


def _start_worker(pack: Path | None) -> None:
    global _city
    from game.atlas.load import load as load_city

    _city = load_city(pack)


def _work(item: tuple[int, Case, Orders]) -> tuple[int, Done]:
    i, case, orders = item
    if _city is None:
        raise RuntimeError("a worker reads the city before it works")
    return i, drive_case(case, _city, orders, factory_of(case.driver))


def bundle_of(
    scenario: Scenario, city: City, result: RunResult, controls: Sequence[Controls]
) -> dict[str, Any]:
    """Everything that the same drive needs: file, seed, controls, and what it must come to."""
    return {
        "bundle": BUNDLE_VERSION,
        "scenario": scenario.model_dump(mode="json"),
        "seed": result.seed,
        "driver": result.driver,
        "world_version": WORLD_VERSION,
        "pack": city.digest,
        "controls": _squeezed(controls),
        "result": {**result.as_dict(), "measures": None},
    }


def write_bundle(path: Path, bundle: dict[str, Any]) -> None:
    """Write a bundle, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(bundle, separators=(",", ":")) + "\n", encoding="utf-8")
    os.replace(part, path)


def replay(
    path: Path,
    city: City,
    measure: bool = True,
    watch: Callable[[WorldState], None] | None = None,
) -> tuple[RunResult, dict[str, Any]]:
    """Drive a bundle again: (what it came to now, what it came to then). `watch` sees every state.

    Raises BundleUnreadable where the file is no bundle, or one of another world or city.
    """
    bundle = _read_bundle(path, city)
    try:
        scenario = Scenario.model_validate(bundle["scenario"])
        controls = _unsqueezed(bundle["controls"])
        seed, then, name = int(bundle["seed"]), dict(bundle["result"]), str(bundle["driver"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise BundleUnreadable(str(path), f"it is damaged: {wrong}") from wrong

    def recorded(stage: Stage, city: City) -> Driver:
        driver = Replay(controls)
        driver.name = name
        return driver

    return run(scenario, city, seed, recorded, watch, measure), then


def _read_bundle(path: Path, city: City) -> dict[str, Any]:
    try:
        bundle = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise BundleUnreadable(str(path), f"it cannot be read: {wrong}") from wrong
    if not isinstance(bundle, dict) or bundle.get("bundle") != BUNDLE_VERSION:
        raise BundleUnreadable(str(path), f"it is no bundle of version {BUNDLE_VERSION}")
    for key, ours in (("world_version", WORLD_VERSION), ("pack", city.digest)):
        if bundle.get(key) != ours:
            raise BundleUnreadable(str(path), f"its {key} is {bundle.get(key)}, ours is {ours}")
    return bundle


def _squeezed(controls: Sequence[Controls]) -> list[list[int]]:
    """Runs of equal controls: [how many ticks, the eight fields]."""
    found: list[list[int]] = []
    for c in controls:
        fields = [c.steer, c.throttle, c.brake, c.gear, c.flags, c.look_yaw, c.look_pitch, c.camera]
        if found and found[-1][1:] == fields:
            found[-1][0] += 1
        else:
            found.append([1, *fields])
    return found


def _unsqueezed(rows: list[list[int]]) -> list[Controls]:
    found: list[Controls] = []
    for count, *fields in rows:
        controls = Controls(*fields)
        if not controls.is_valid() or not 0 < count < 1_000_000:
            raise ValueError(f"controls out of range: {fields}")
        found += [controls] * count
    return found
