"""Runs one function over many tasks: here, in local processes, or on a Ray cluster.

Owns the choice. Results come as they are done; a task that fails ends the run with its error.
Whoever calls keeps what is done on disk, so that a run which was cut short goes on.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TypeVar

from game.dataset.cluster import joined

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work. jobs: local processes, 1 for this one. ray: a cluster instead.

    address: of the cluster, 'auto' for the one this machine belongs to, 'local' for a fresh one
    on this machine of `jobs` workers, two or more. Paths in tasks must mean the same on every
    machine of it. gpus: that a task of the cluster takes; without any, it sees none.
    """

    jobs: int = 1
    ray: bool = False
    address: str = "auto"
    gpus: float = 0.0


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
    def call(task: T) -> R:  # Ray takes functions alone, not what functools.partial makes of them
        return function(task)

    with joined(workers.address, max(2, workers.jobs)) as ray:
        remote = ray.remote(num_cpus=1, num_gpus=workers.gpus, max_retries=2)(call)
        # a cluster's worth of tasks at a time: thousands of sessions would fill its store at once
        queue, running = iter(tasks), []
        kind, each = ("GPU", workers.gpus) if workers.gpus else ("CPU", 1.0)
        width = max(1, int(ray.cluster_resources().get(kind, 1) / each)) * 2
        for task in queue:
            running.append(remote.remote(task))
            if len(running) >= width:
                done, running = ray.wait(running)
                yield from ray.get(done)
        while running:
            done, running = ray.wait(running)
            yield from ray.get(done)
