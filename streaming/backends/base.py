"""What a diffusion backend is to the server: it warms up once and paints one picture at a time."""

from typing import Protocol

from streaming.frames import Pixels


class Painter(Protocol):
    """Paints one player's stream, frame by frame, in order."""

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels: ...


class Backend(Protocol):
    """name: as chosen. model: name, '/', digest of what it computes with, for the journal.

    warm raises what makes the backend unusable, before the first player. style returns a picture
    of the same shape, fresh or the same object; it may be called from several threads. painter:
    for one player; it may remember the frames before. told: what was chosen, one line, or ''.

    One more is looked for: `passes`, true where style gives back what it got, so that no picture
    need be made for it.
    """

    name: str
    model: str

    def warm(self, height: int, width: int) -> None: ...

    def painter(self) -> Painter: ...

    def told(self) -> str: ...

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels: ...
