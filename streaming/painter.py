"""A backend as the server uses it: shared fairly, and passed by while it fails or hangs.

Owns the count of what was painted and what was not. A picture always comes back: where the backend
ran out of memory, died or hangs, it is the player's own, and that is said once, and once more when
the backend is back.
"""

import logging
import threading
import time
from collections.abc import Callable

from streaming.backends.base import Backend, PictureStream, PlayerPainter, StreamBackend
from streaming.frames import Pixels

log = logging.getLogger(__name__)

AT_ONCE = 2  # calls into the backend at one time
TRY_AGAIN_S = 5.0
HUNG_S = 10.0

Say = Callable[[str], None]


class Painter:
    """One server's backend. `paint` runs in the players' worker threads; all else is quick.

    now: seconds, monotonic.
    """

    def __init__(
        self, backend: Backend, now: Callable[[], float] = time.monotonic, at_once: int = AT_ONCE
    ) -> None:
        self.backend = backend
        self._now = now
        self._turn = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._down_until = 0.0
        self._why = ""
        self._listeners: set[Say] = set()
        self.painted = self.passed = self.failures = 0
        self.busy_s = self.lag_s = 0.0

    @property
    def passes(self) -> bool:
        """Whether the backend gives back what it gets, so that no picture need be made for it."""
        return bool(getattr(self.backend, "passes", False))

    @property
    def down(self) -> str:
        """Why pictures pass unstyled now; '' while all is well."""
        return self._why

    def listen(self, say: Say) -> None:
        """Tell `say`, from any thread, when the backend fails and when it is back."""
        self._listeners.add(say)

    def forget(self, say: Say) -> None:
        """Tell it no more."""
        self._listeners.discard(say)

    def for_player(self) -> PlayerPainter:
        """What paints one player's stream, and keeps what there is to remember of it."""
        return self.backend.painter()

    @property
    def resting(self) -> bool:
        """Whether pictures pass unstyled now, for a while."""
        return bool(self._why) and self._now() < self._down_until

    @property
    def streams(self) -> bool:
        """Whether the backend paints several pictures at a time, through `open`."""
        return isinstance(self.backend, StreamBackend)

    def open(self, ready: Callable[[], None]) -> PictureStream | None:
        """A player's stream through such a backend; None where it cannot take one more now."""
        try:
            if isinstance(self.backend, StreamBackend):
                return self.backend.open(ready)
        except Exception as error:  # as in paint
            self.failed(f"{type(error).__name__}: {error}"[:200])
        return None

    def came(self, why: str, took_s: float) -> None:
        """A frame has come out of a stream, `took_s` after it went in; why it is unpainted."""
        if why:
            self.failed(why[:200])
            return
        self.painted += 1
        self.lag_s = took_s
        if self._why:
            self._recovered()

    def paint(
        self, player: PlayerPainter, pixels: Pixels, prompt: str, seed: int, style: str
    ) -> Pixels | None:
        """The styled picture, or None where the player's own must do. Waits for its turn."""
        if self.resting:
            self.passed += 1
            return None
        with self._turn:
            begin = self._now()
            try:
                styled: Pixels = player.style(pixels, prompt, seed, style)
                if styled.shape != pixels.shape or styled.dtype != pixels.dtype:
                    raise ValueError(f"painted {styled.shape} instead of {pixels.shape}")
            except Exception as error:  # whatever a backend dies of, the player keeps a picture
                self.failed(f"{type(error).__name__}: {error}"[:200])
                return None
        self.busy_s += self._now() - begin
        self.painted += 1
        if self._why:
            self._recovered()
        return styled

    def failed(self, why: str) -> None:
        """Pass pictures by for a while, and say so if it is new."""
        with self._lock:
            fresh = not self._why
            self._why, self._down_until = why, self._now() + TRY_AGAIN_S
            self.failures += 1
            self.passed += 1
        if fresh:
            log.error("backend.failed name=%s why=%s", self.backend.name, why)
            self._tell(f"backend failed, pictures pass unstyled: {why}")

    def hung(self) -> None:
        """A call has not come back; its turn is lost until it does, so make room for another."""
        self._turn.release()
        self.failed(f"no picture in {HUNG_S:.0f} s")

    def _recovered(self) -> None:
        with self._lock:
            if not self._why:
                return
            self._why = ""
        log.info("backend.recovered name=%s", self.backend.name)
        self._tell("backend is back, pictures are styled again")

    def _tell(self, text: str) -> None:
        for say in tuple(self._listeners):
            say(text)
