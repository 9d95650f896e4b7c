"""Backends by name. A backend's module is loaded only when it is asked for."""

import logging
from pathlib import Path

from streaming.backends.base import Backend
from streaming.errors import BackendUnknown, DiffusionMissing

log = logging.getLogger(__name__)

NAMES = ("auto", "tiny", "wan", "filter", "identity")
NATIVE = ("auto", "tiny")  # painted by foreign code that may take its process with it


def make(name: str, weights: Path | None = None) -> Backend:
    """The backend `name`, not warm yet; `filter` where the runtime of `tiny` is not installed.

    auto: `tiny` that gives way, once it is `warmed`, where it does not keep the pace.

    weights: a folder of its own files, for the backends that have some; None: the bundled ones.
    BackendUnknown lists what there is. DiffusionMissing: `wan` without torch. WeightsBad, and
    DiffusionError of `wan`, where the network's files are not the right ones.
    """
    if name not in NAMES:
        raise BackendUnknown(name, NAMES)
    if name in ("auto", "tiny"):
        try:
            from streaming.backends.tiny import Tiny
            from streaming.backends.tiny_files import read_card

            return Tiny(read_card(weights), gives_way=name == "auto")
        except ImportError as error:
            log.warning(
                "backend.fallback tiny needs onnxruntime (%s); painting with filter instead: "
                "pip install onnxruntime",
                error,
            )
    if name == "wan":
        try:
            from streaming.diffusion.wan.backend import Wan
        except ImportError as error:
            raise DiffusionMissing(str(error)) from error
        return Wan(weights)
    from streaming.backends.filter import Filter, Identity

    return Identity() if name == "identity" else Filter()


def ready(name: str, weights: Path | None, height: int, width: int) -> Backend:
    """The backend `name`, warm; `filter` where this machine is too slow for `tiny`."""
    return warmed(make(name, weights), height, width)


def warmed(backend: Backend, height: int, width: int) -> Backend:
    """The backend, warm, or `filter` where it says that this machine is too slow for it."""
    backend.warm(height, width)
    if getattr(backend, "holds", True):
        return backend
    log.warning(
        "backend.fallback %s is too slow here (%s); painting with filter instead",
        backend.name, backend.told(),
    )  # fmt: skip
    instead = make("filter")
    instead.warm(height, width)
    return instead
