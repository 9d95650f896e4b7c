"""Looks at this machine: what is here, what is missing, what to do, and whether ticks are exact.

Each question is one small function that returns an Answer; nothing is changed or installed.
"""

import importlib.util
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from game.errors import GameError, fitting
from game.settings import Settings, has_display

GOOD, NOTE, BAD = "ok", "note", "missing"

_EXTRAS = {
    "server": ("fastapi", "uvicorn", "sqlalchemy", "langgraph", "cv2", "solana"),
    "city": ("shapely",),
    "pynput": ("pynput",),
    "livekit": ("livekit",),
}
_WITHOUT = {
    "server": "the demo and the rewards service cannot run here",
    "city": "city build cannot run here; the shipped pack needs nothing",
    "pynput": "input times are those of the window, one tick fine",
    "livekit": "the livekit transport cannot be used; the direct one needs nothing",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """state: ok, note (works without) or missing (does not). remedy: what to do, '' for nothing."""

    name: str
    state: str
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Answer]:
    """Ask every question, one answer after the other."""
    questions: tuple[Callable[[Settings], Answer], ...] = (
        _python,
        _pack,
        _golden,
        _graphics,
        _screen,
        _streaming,
        _stream,
        _loopback,
        _disk,
        _memory,
    )
    for question in questions:
        yield _asked(question, settings)
    yield from (_extra(name) for name in _EXTRAS)


def ask(settings: Settings, names: Collection[str]) -> Iterator[Answer]:
    """Only these questions: streaming, stream, loopback, disk, memory."""
    for question in (_streaming, _stream, _loopback, _disk, _memory):
        if question.__name__.strip("_") in names:
            yield _asked(question, settings)


def _asked(question: Callable[[Settings], Answer], settings: Settings) -> Answer:
    name = question.__name__.strip("_")
    try:
        answer = question(settings)
        return replace(answer, remedy=fitting(answer.remedy))
    except GameError as error:
        return Answer(name, BAD, str(error))
    except (ImportError, OSError, RuntimeError) as error:
        return Answer(name, BAD, f"{type(error).__name__}: {error}")


def _python(_: Settings) -> Answer:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return Answer("python", GOOD if good else BAD, version, "" if good else "install Python 3.11")


def _pack(settings: Settings) -> Answer:
    from game.atlas.load import load

    start = time.perf_counter()
    city = load(settings.paths.pack if settings.paths.pack != Path() else None)
    took = time.perf_counter() - start
    detail = (
        f"{city.name}: {len(city.footprints)} buildings, {len(city.streets)} streets, "
        f"{city.digest[:12]}, read in {took:.2f} s"
    )
    return Answer("city pack", GOOD, detail)


def _golden(_: Settings) -> Answer:
    from game.world.golden import prove

    proofs = prove()
    wrong = [name for name, expected, got in proofs if expected != got]
    if wrong:
        return Answer(
            "golden digests",
            BAD,
            f"{', '.join(wrong)} differ: a session recorded here would not replay elsewhere",
            "report this with the output of doctor --json",
        )
    return Answer("golden digests", GOOD, f"{len(proofs)} of {len(proofs)} equal, bit for bit")


def _graphics(_: Settings) -> Answer:
    from game.view.device import open_hidden

    device = open_hidden()
    family = device.family
    device.close()
    return Answer("renderer", GOOD, family)


def _screen(_: Settings) -> Answer:
    if has_display():
        return Answer("screen", GOOD, "a window can be opened")
    return Answer("screen", NOTE, "none: play needs one, demo runs headless")


def _streaming(_: Settings) -> Answer:
    from streaming.jitter import self_check

    if self_check():
        return Answer("streaming", GOOD, "WebRTC with the held-frame fix in force")
    return Answer(
        "streaming",
        NOTE,
        "the held-frame fix does not fit this aiortc: each frame comes one interval later",
        "pip install 'aiortc==1.16.*'",
    )


def _stream(settings: Settings) -> Answer:
    """What the stream section says, looked at without dialling: `stream probe` does that."""
    from game.play.link import dial
    from streaming.address import address_of
    from streaming.errors import StreamingError

    chosen = settings.stream
    if chosen.url == "off":
        return Answer("stream", NOTE, "off: driving goes without the dreamt picture")
    try:
        dial(chosen)
    except StreamingError as error:
        return Answer("stream", BAD, str(error).partition("; ")[0], str(error).partition("; ")[2])
    place = address_of(chosen.url) if chosen.url else f"on this machine, backend {chosen.backend}"
    how = f"livekit, {chosen.model}" if chosen.transport == "livekit" else f"direct, {chosen.codec}"
    ways = [name for name in ("stun", "turn") if getattr(chosen, name)]
    key = "with a key" if chosen.api_key else "without a key"
    detail = f"{place} ({', '.join((how, key, chosen.mode, *ways))})"
    if chosen.url and chosen.transport == "livekit" and not chosen.api_key:
        return Answer("stream", NOTE, detail, "the service wants a key: set stream.api_key")
    remedy = f"is it fit? scale-diffusion stream probe {place}" if chosen.url else ""
    return Answer("stream", GOOD, detail, remedy)


def _loopback(_: Settings) -> Answer:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    return Answer("loopback", GOOD, f"services can listen (port {port} was free)")


def _disk(settings: Settings) -> Answer:
    folder = settings.paths.data
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    state = GOOD if free > 5.0 else BAD
    return Answer(
        "disk", state, f"{free:.0f} GB free in {folder}", "" if free > 5.0 else "free 5 GB there"
    )


def _memory(_: Settings) -> Answer:
    from streaming.shm import folder

    place = folder()
    with tempfile.TemporaryFile(dir=place):
        free = shutil.disk_usage(place).free / 1e6
    state = GOOD if free > 200 else BAD
    remedy = "" if free > 200 else "give it 200 MB, for a container: --shm-size=512m"
    return Answer("shared memory", state, f"{free:.0f} MB free in {place}", remedy)


def _extra(name: str) -> Answer:
    missing = [module for module in _EXTRAS[name] if importlib.util.find_spec(module) is None]
    if not missing:
        return Answer(f"extra {name}", GOOD, "installed")
    remedy = fitting(f"pip install '.[{name}]'")
    return Answer(f"extra {name}", NOTE, f"{_WITHOUT[name]} ({', '.join(missing)})", remedy)
