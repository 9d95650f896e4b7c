"""Decodes pictures that nobody vouches for, in a child process with bounds on time and memory.

The child gets a folder to read and one to write, no key and (where the kernel allows) no network.
Owns the bounds. What the child cannot decode comes back as a problem; that the child could not
work at all is an error.
"""

import ctypes
import json
import multiprocessing
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rewards.errors import RewardsError

PRINT_SIDE = 16
_STUDIO = (0, 1)
_BT601 = (2, 5, 6)
"""As FFmpeg numbers them; 0 and 2 say nothing, and decode as these."""
_CLONE_NEWUSER, _CLONE_NEWNET, _PDEATHSIG = 0x10000000, 0x40000000, 1


class DecoderFailed(RewardsError):
    """The decoding child ended without an answer: nothing can be said of the video."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the decoding process {self.why}; the session will be tried again"


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """cpu [s], memory [byte] of address space, wall [s], written [byte] in all files together."""

    cpu_s: int = 120
    memory: int = 4 << 30
    wall_s: float = 300.0
    file_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Order:
    """What to decode. pictures: track -> ticks to keep whole. prints: tracks to print entirely."""

    folder: Path
    out: Path
    pictures: Mapping[int, tuple[int, ...]]
    prints: tuple[int, ...] = ()
    limits: DecodeLimits = DecodeLimits()


@dataclass(frozen=True, slots=True)
class Decoded:
    """pictures: (track, tick) -> (h, w, 3) RGB. prints: (track, tick) -> 256 luma bytes.

    problems: (track, tick, why) of what did not decode.
    """

    pictures: Mapping[tuple[int, int], NDArray[np.uint8]]
    prints: Mapping[tuple[int, int], NDArray[np.uint8]]
    problems: tuple[tuple[int, int, str], ...] = field(default=())


def luma_print(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """256 bytes: mean studio-range luma (BT.601) of each cell of a 16x16 grid, rows from the top.

    rgb: (h, w, 3). A cell of row i holds the rows from i*h//16 up to (i+1)*h//16.
    """
    scale = np.array([65.738, 129.057, 25.064], np.float32) / np.float32(256.0)
    luma = rgb.astype(np.float32) @ scale + np.float32(16.0)
    rows = np.add.reduceat(luma, _edges(luma.shape[0]), axis=0)
    cells = np.add.reduceat(rows, _edges(luma.shape[1]), axis=1)
    sizes = np.outer(_sizes(luma.shape[0]), _sizes(luma.shape[1]))
    return np.rint(cells / sizes).astype(np.uint8).reshape(-1)


def plane_print(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same of a luma plane (h, w) itself, which saves the way through colour: at most one level
    off, by rounding."""
    rows = np.add.reduceat(luma, _edges(luma.shape[0]), axis=0, dtype=np.uint32)
    cells = np.add.reduceat(rows, _edges(luma.shape[1]), axis=1)
    sizes = np.outer(_sizes(luma.shape[0]), _sizes(luma.shape[1]))
    return np.rint(cells / sizes).astype(np.uint8).reshape(-1)


def _edges(length: int) -> list[int]:
    return [cell * length // PRINT_SIDE for cell in range(PRINT_SIDE)]


def _sizes(length: int) -> NDArray[np.int64]:
    return np.diff(np.array([*_edges(length), length]))


def decode(order: Order) -> Decoded:
    """Run one child for `order`. Raises DecoderFailed where it died without an answer."""
    order.out.mkdir(parents=True, exist_ok=True)
    answer = order.out / "answer.json"
    answer.unlink(missing_ok=True)
    child = multiprocessing.get_context("spawn").Process(target=_child, args=(order,), daemon=True)
    child.start()
    child.join(order.limits.wall_s)
    if child.is_alive():
        child.kill()
        child.join()
        raise DecoderFailed(f"took longer than {order.limits.wall_s:.0f} s")
    code = child.exitcode
    child.close()
    if code == -signal.SIGXCPU:
        return Decoded({}, {}, ((-1, -1, f"needs over {order.limits.cpu_s} s to decode"),))
    if not answer.is_file():
        raise DecoderFailed(f"ended with code {code}")
    return _collect(order, json.loads(answer.read_text("ascii")))


def _collect(order: Order, answer: Mapping[str, Sequence[list[int]]]) -> Decoded:
    pictures: dict[tuple[int, int], NDArray[np.uint8]] = {}
    prints: dict[tuple[int, int], NDArray[np.uint8]] = {}
    for track, *ticks in answer["pictures"]:
        stack = np.load(order.out / f"pictures-{track}.npy", mmap_mode="r", allow_pickle=False)
        pictures |= {(track, tick): stack[i] for i, tick in enumerate(ticks)}
    for track, *ticks in answer["prints"]:
        rows = np.load(order.out / f"prints-{track}.npy", allow_pickle=False)
        prints |= {(track, tick): rows[i] for i, tick in enumerate(ticks)}
    problems = tuple((int(t), int(tick), str(why)) for t, tick, why in answer["problems"])
    return Decoded(pictures, prints, problems)


def _child(order: Order) -> None:
    _confine(order.limits)
    answer: dict[str, list[object]] = {"pictures": [], "prints": [], "problems": []}
    for track in sorted({*order.pictures, *order.prints}):
        _one_track(order, track, answer)
    partial = order.out / "answer.part"
    partial.write_text(json.dumps(answer), "ascii")
    partial.replace(order.out / "answer.json")


def _one_track(order: Order, track: int, answer: dict[str, list[object]]) -> None:
    from game.session import framefile
    from game.session.format import FRAMES
    from game.session.pictures import Pictures

    wanted = set(order.pictures.get(track, ()))
    kept: list[NDArray[np.uint8]] = []
    kept_ticks: list[int] = []
    rows: list[NDArray[np.uint8]] = []
    row_ticks: list[int] = []
    try:
        records, _ = framefile.sound((order.folder / FRAMES).read_bytes())
        source = Pictures(order.folder, track, [r for r in records if r.track == track])
        ticks = source.ticks if track in order.prints else sorted(wanted & set(source.ticks))
        for tick, frame in source.frames(ticks):
            if track in order.prints:
                plane = studio_luma(frame)
                rows.append(luma_print(source.rgb(frame)) if plane is None else plane_print(plane))
                row_ticks.append(tick)
            if tick in wanted:
                kept.append(source.rgb(frame))
                kept_ticks.append(tick)
    except (ValueError, MemoryError, OSError) as error:
        at = row_ticks[-1] if row_ticks else -1
        answer["problems"].append([track, at, f"{type(error).__name__}: {error}"[:200]])
    if kept and len({picture.shape for picture in kept}) == 1:
        np.save(order.out / f"pictures-{track}.npy", np.stack(kept))
        answer["pictures"].append([track, *kept_ticks])
    if rows:
        np.save(order.out / f"prints-{track}.npy", np.stack(rows))
        answer["prints"].append([track, *row_ticks])


def studio_luma(frame: Any) -> NDArray[np.uint8] | None:
    """The luma plane (h, w) of a decoded frame, not copied; None where it is not BT.601 in studio
    range, as our own encoder has it, and colour must tell."""
    ours = frame.format.name in ("yuv420p", "yuv444p") and (
        frame.color_range in _STUDIO and frame.colorspace in _BT601
    )
    if not ours:
        return None
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return luma[: frame.height, : frame.width]


def _confine(limits: DecodeLimits) -> None:
    """Bounds that the kernel keeps. The network goes where unprivileged namespaces exist."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (most, most))
    # the soft limit tells itself apart from any other kill; a decoder that ignores it dies 5 s on
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 5))
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PDEATHSIG, signal.SIGKILL)  # a killed worker leaves no decoder behind
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
