"""Backends by name. A backend's module is loaded only when it is asked for."""

import logging

from streaming.backends.base import Backend
from streaming.errors import BackendUnknown

log = logging.getLogger(__name__)

NAMES = ("tiny", "filter", "identity")


def make(name: str) -> Backend:
    """The backend `name`, not warm yet; `filter` where the runtime of `tiny` is not installed.

    BackendUnknown lists what there is. WeightsBad where the network's files are not the right ones.
    """
    if name not in NAMES:
        raise BackendUnknown(name, NAMES)
    if name == "tiny":
        try:
            from streaming.backends.tiny import Tiny

            return Tiny()
        except ImportError as error:
            log.warning(
                "backend.fallback tiny needs onnxruntime (%s); painting with filter instead: "
                "pip install onnxruntime",
                error,
            )
    from streaming.backends.filter import Filter, Identity

    return Identity() if name == "identity" else Filter()
