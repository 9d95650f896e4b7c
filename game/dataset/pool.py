"""Runs one function over many tasks: here, in local processes, or on a Ray cluster.

Owns the choice. Results come as they are done; a task that fails ends the run with its error.
Whoever calls keeps what is done on disk, so that a run which was cut short goes on.
"""

import importlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, TypeVar

from game.errors import MissingPart

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work. jobs: local processes, 1 for this one. ray: a cluster instead.

    address: of the cluster, 'auto' for the one this machine belongs to, 'local' for a fresh one
    on this machine. Paths in tasks must mean the same on every machine of it.
    """

    jobs: int = 1
    ray: bool = False
    address: str = "auto"


HERE = Workers()
"""This process alone."""


def run(function: Callable[[T], R], tasks: Iterable[T], workers: Workers) -> Iterator[R]:
    """Results of `function` for all tasks, in the order in which they are done."""
    waiting = list(tasks)
    if workers.ray:
        yield from _on_ray(function, waiting, workers)
    elif workers.jobs <= 1 or len(waiting) <= 1:
        yield from map(function, waiting)
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers.jobs, len(waiting)), mp_context=context) as pool:
            for done in as_completed([pool.submit(function, task) for task in waiting]):
                yield done.result()


def _on_ray(function: Callable[[T], R], tasks: list[T], workers: Workers) -> Iterator[R]:
    ray = _ray()
    mine = not ray.is_initialized()
    if mine:
        try:
            # 'local' is Ray's word for a cluster of this machine alone
            ray.init(address=workers.address, log_to_driver=False, include_dashboard=False)
        except Exception as error:  # Ray raises the bare class where a node does not come up
            raise MissingPart(
                f"no Ray cluster answers at {workers.address} ({error})",
                "start one with: ray start --head, or leave --ray out for local processes",
            ) from error
    try:
        remote = ray.remote(num_cpus=1, max_retries=2)(function)
        # a cluster's worth of tasks at a time: thousands of sessions would fill its store at once
        queue, running = iter(tasks), []
        width = max(1, int(ray.cluster_resources().get("CPU", 1))) * 2
        for task in queue:
            running.append(remote.remote(task))
            if len(running) >= width:
                done, running = ray.wait(running)
                yield from ray.get(done)
        while running:
            done, running = ray.wait(running)
            yield from ray.get(done)
    finally:
        if mine:
            ray.shutdown()


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingPart(
            f"a Ray cluster needs the package ray ({error})",
            "install the extra: pip install 'scale-diffusion[ray]', or leave --ray out",
        ) from error
