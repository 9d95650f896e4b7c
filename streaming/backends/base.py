"""What a diffusion backend is to the server: it warms up once, then paints pictures.

Two kinds. A Backend paints one picture at a time. A StreamBackend paints several at once, of
several players too: frames go into a player's PictureStream and come out later, each with its tick.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from streaming.frames import Pixels


class PlayerPainter(Protocol):
    """Paints one player's stream, frame by frame, in order."""

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels: ...


class Backend(Protocol):
    """name: as chosen. model: name, '/', digest of what it computes with, for the journal.

    warm raises what makes the backend unusable, before the first player. style returns a picture
    of the same shape, fresh or the same object; it may be called from several threads. painter:
    for one player; it may remember the frames before. told: what was chosen, one line, or ''.

    Two more are looked for: `passes`, true where style gives back what it got, so that no picture
    need be made for it; `watch(lost)`, where `lost` is called, from any thread, with the error that
    leaves the backend useless for good: the server ends with it.
    """

    name: str
    model: str

    def warm(self, height: int, width: int) -> None: ...

    def painter(self) -> PlayerPainter: ...

    def told(self) -> str: ...

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels: ...


@dataclass(frozen=True, slots=True)
class Finished:
    """A frame that has come out of a stream.

    tick: of the frame that it was painted over. pixels: of that frame's shape; None where it could
    not be painted, `why` says what happened, and the player's own must do.
    """

    tick: int
    pixels: Pixels | None
    why: str = ""


class PictureStream(Protocol):
    """One player's frames on their way. Called from one thread at a time, and never waits.

    put: a frame with a tick above all before; where the backend is busy, newer frames push out
    older ones before they enter, and a new prompt pushes out what waits with the old one. take:
    what is finished, in order, each frame once. dropped: frames that were pushed out.
    """

    dropped: int

    def put(self, tick: int, frame: Pixels, prompt: str, seed: int, style: str = "") -> None: ...

    def take(self) -> list[Finished]: ...

    def close(self) -> None: ...


@runtime_checkable
class StreamBackend(Protocol):
    """A Backend that has this too is fed through streams instead of painters.

    open: a stream for one more player, or whatever makes that impossible (MemoryError ...). ready
    is called from any thread whenever `take` has something.
    """

    def open(self, ready: Callable[[], None]) -> PictureStream: ...
