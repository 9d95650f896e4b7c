"""What each way to run faster or smaller costs in accuracy: the same film, against float32."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from streaming.diffusion.wan.card import Card
from streaming.diffusion.wan.judge import through
from streaming.diffusion.wan.quantise import able
from streaming.diffusion.wan.rig import Rig

WAYS: dict[str, dict[str, Any]] = {
    "float32": {"dtype": "float32"},
    "bfloat16": {"dtype": "bfloat16"},
    "int8": {"dtype": "float32", "quantise": "int8"},
    "fp8": {"dtype": "float32", "quantise": "fp8"},
    "channels-last": {"dtype": "float32", "channels_last": True},
    "compile": {"dtype": "float32", "compile": True},
}

PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Cost:
    """rms, worst: difference of pictures to float32 [levels of 255]. psnr [dB] to float32.

    cpu_ms: a frame. weights_mb: of the transformer. why: where it cannot run here.
    """

    way: str
    rms: float = 0.0
    worst: float = 0.0
    psnr: float = 0.0
    cpu_ms: float = 0.0
    weights_mb: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Made:
    """A film as one way made it. cpu_ms: a frame."""

    film: Any
    cpu_ms: float
    weights_mb: float


class NotInTime(Exception):
    """A way that compiles had not begun to paint in time."""


def costs(
    card: Card, frames: int, ways: tuple[str, ...], say: Callable[[str], None],
    device: str = "cpu", patience_s: float = PATIENCE_S,
) -> list[Cost]:  # fmt: skip
    """A row for each way, over `frames` frames of a moving picture.

    patience_s: what a way that compiles may take, in a process of its own that is ended then.
    """
    truth: Any = None
    rows: list[Cost] = []
    for way in dict.fromkeys(("float32", *ways)):
        options = WAYS[way]
        if why := able(options.get("quantise", "none"), torch.device(device)):
            rows.append(Cost(way, why=why))
            continue
        its = replace(card, **options)
        try:
            if its.compile:
                say(f"{way}: compiling, for at most {patience_s:.0f} s")
                made = _apart(its, frames, device, patience_s)
            else:
                made = _made(its, frames, device)
        except Exception as error:  # a compiler that is not here must not hide the other rows
            rows.append(Cost(way, why=_told(error)))
            continue
        truth = made.film if truth is None else truth
        error_ = float(np.sqrt(np.square(made.film - truth).mean()))
        near = 99.0 if error_ == 0 else 20 * float(np.log10(255 / error_))
        worst = float(np.abs(made.film - truth).max())
        rows.append(Cost(way, error_, worst, near, made.cpu_ms, made.weights_mb))
        say(f"{way}: {error_:.3f} levels off, {made.cpu_ms:.0f} CPU ms a frame")
    return rows


def _told(error: Exception) -> str:
    if isinstance(error, NotInTime):
        return str(error)
    return f"{type(error).__name__}: {error}".split("\n")[0][:120]


def _made(card: Card, frames: int, device: str) -> _Made:
    film = np.stack([_scene(tick, card.height, card.width) for tick in range(frames)])
    rig = Rig(card, device)
    through(rig, rig.stream(), film[:5], "day")
    begin = time.process_time()
    made = through(rig, rig.stream(), film, "day").astype(np.float64)
    took = (time.process_time() - begin) * 1e3 / frames
    held = sum(v.nbytes for v in rig.model.state_dict().values()) / 1e6
    return _Made(made, took, held)


def _apart(card: Card, frames: int, device: str, patience_s: float) -> _Made:
    """The same in a child, since nothing stops a compiler from within. Raises NotInTime."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, card, frames, device))
    child.start()
    there.close()
    try:
        if not here.poll(patience_s):
            raise NotInTime(f"not done in {patience_s:.0f} s (--patience gives it more)")
        made = here.recv()
    except EOFError:
        raise NotInTime("its process ended without a word") from None
    finally:
        with contextlib.suppress(OSError):  # its compiler's own children too
            os.killpg(child.pid or 0, signal.SIGKILL)
        child.kill()
        child.join()
        here.close()
    if isinstance(made, Exception):
        raise made
    assert isinstance(made, _Made)
    return made


def _child(pipe: Connection, card: Card, frames: int, device: str) -> None:
    os.setpgid(0, 0)
    try:
        pipe.send(_made(card, frames, device))
    except Exception as error:
        pipe.send(RuntimeError(_told(error)))


def _scene(tick: int, height: int, width: int) -> Any:
    """A street of stripes that moves, (height, width, 3) RGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 120 + 80 * np.sin((x + 3 * tick) / 9) * (y < height * 0.6)
    green = 110 + 60 * np.cos((y - tick) / 7)
    blue = 90 + 100 * (((x + 2 * tick) // 24 + y // 16) % 2)
    return np.clip(np.stack([red, green, blue], -1), 0, 255).astype(np.uint8)
