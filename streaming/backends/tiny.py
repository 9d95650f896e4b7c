"""The `tiny` backend: the network that comes with the program, through ONNX Runtime, without torch.

Owns the choice of size and steps that holds the pace on this machine, and one player's memory.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streaming.backends.filter import style_of
from streaming.backends.tiny_files import DIMS, Card, read_card
from streaming.backends.tiny_planes import Planes
from streaming.frames import Pixels

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

BUDGET_MS = 18.0
"""What painting may take of the 33 ms between frames; the codec and the game need the rest."""
TURN = 12
"""Frames over which one style becomes another: 0.4 s at 30 frames/s."""
_TRIED = 5  # frames painted for each choice when it is measured
_PATIENCE = 45  # slow frames in a row after which a coarser choice is taken


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to run. ms: median time of a frame when it was measured."""

    size: int
    steps: int
    ms: float = 0.0

    @property
    def cost(self) -> float:
        """In proportion to the time it takes."""
        return float(self.size * self.size * self.steps)

    def __str__(self) -> str:
        return f"{self.size} px, {self.steps} step{'s' if self.steps > 1 else ''}"


CHOICES = (
    Choice(480, 2), Choice(480, 1), Choice(320, 2), Choice(320, 1), Choice(256, 1), Choice(224, 1)
)  # fmt: skip
"""From the finest to the fastest. Two steps at 256 px would cost more than 320 px and show less."""
FIRST = Choice(256, 1)
TIMES = {1: (1.0,), 2: (1.0, 0.5)}


class Tiny:
    """One loaded network, shared by all players. Raises WeightsBad, ImportError.

    gives_way: it was not asked for by name, and leaves the painting to something quicker where its
    fastest choice does not keep the budget.
    """

    name = "tiny"

    def __init__(
        self,
        card: Card | None = None,
        budget_ms: float = BUDGET_MS,
        now: Callable[[], float] = time.thread_time,
        gives_way: bool = False,
    ) -> None:
        import onnxruntime

        self._runtime: Any = onnxruntime
        self.card = card or read_card()
        self.model = f"tiny/{self.card.digest[:16]}"
        self._budget_ms, self._now = budget_ms, now
        self._gives_way = gives_way
        self._sessions: dict[int, Any] = {}
        self._lock = threading.Lock()
        self.choice = CHOICES[-1]
        self._slow = 0

    def warm(self, height: int, width: int) -> None:
        """Load what may be used, measure, and choose the finest that keeps the budget.

        Begins in the middle; what is finer is tried only where it promises to fit.
        """
        at = CHOICES.index(FIRST)
        self.choice = self._measured(CHOICES[at], height, width)
        while (
            at > 0 and self.choice.ms * CHOICES[at - 1].cost / self.choice.cost <= self._budget_ms
        ):
            finer = self._measured(CHOICES[at - 1], height, width)
            if finer.ms > self._budget_ms:
                break
            at, self.choice = at - 1, finer
        while self.choice.ms > self._budget_ms and at + 1 < len(CHOICES):
            at += 1
            self.choice = self._measured(CHOICES[at], height, width)
        self._slow = 0
        log.warning("backend.chosen name=tiny %s", self.told())

    def _measured(self, choice: Choice, height: int, width: int) -> Choice:
        """The choice with the median time of a few frames [ms].

        On the processor, not on the clock: while a game starts, all its parts do at once, and
        what they take in those seconds says nothing about the drive after them.
        """
        self.choice, painter = choice, self.painter()
        frame = np.full((height, width, 4), 128, np.uint8)
        painter.style(frame, "", 0, self.card.styles[0])
        spent: list[float] = []
        for _ in range(_TRIED):
            begin = self._now()
            painter.style(frame, "", 0, self.card.styles[0])
            spent.append((self._now() - begin) * 1e3)
        return replace(choice, ms=sorted(spent)[_TRIED // 2])

    @property
    def holds(self) -> bool:
        """Whether it is to paint here: what was chosen keeps the pace, or it was asked for."""
        return not self._gives_way or self.choice.ms <= self._budget_ms

    def told(self) -> str:
        """What it chose, for people."""
        kept = "holds" if self.choice.ms <= self._budget_ms else "does not hold"
        return f"{self.choice}, {self.choice.ms:.0f} ms a frame, {kept} {self._budget_ms:.0f} ms"

    def painter(self) -> "Painter":
        """For one player."""
        return Painter(self)

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """One picture on its own, without memory."""
        return self.painter().style(frame, prompt, seed, style)

    def session(self, size: int) -> Any:
        """The runtime's session of one size, loaded once. Raises WeightsBad."""
        with self._lock:
            if size not in self._sessions:
                options = self._runtime.SessionOptions()
                options.intra_op_num_threads = 1
                options.inter_op_num_threads = 1
                options.log_severity_level = 3
                quarter = size // self.card.fold
                for name, side in zip(DIMS, (size, size, quarter, quarter), strict=True):
                    options.add_free_dimension_override_by_name(name, side)
                self._sessions[size] = self._runtime.InferenceSession(
                    self.card.graph(size), options, providers=["CPUExecutionProvider"]
                )
            return self._sessions[size]

    def took(self, ms: float) -> None:
        """Note a frame's time; a long run of slow ones makes the choice coarser for good."""
        self._slow = self._slow + 1 if ms > 1.6 * self._budget_ms else 0
        if self._slow < _PATIENCE:
            return
        self._slow = 0
        ways = [(c.size, c.steps) for c in CHOICES]
        place = ways.index((self.choice.size, self.choice.steps)) + 1
        if place < len(CHOICES):
            self.choice = CHOICES[place]
            log.warning("backend.coarser name=tiny now %s", self.choice)


class Painter:
    """One player's stream: what the network keeps, and the style on its way to another."""

    def __init__(self, backend: Tiny) -> None:
        self._backend = backend
        self._kept: Floats | None = None
        self._style: Floats | None = None
        self._size, self._seed = 0, 0
        self._noises: tuple[Floats, ...] = ()
        self._place: Floats | None = None
        self._planes: Planes | None = None
        self._shape: tuple[int, ...] = ()

    def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
        """Paint a (height, width, 4) BGRA picture; what came before it is remembered."""
        backend, choice = self._backend, self._backend.choice
        begin = time.perf_counter()
        planes, keep = self._ready(choice.size, seed, frame.shape)
        shares = self._toward(style_of(prompt, style))
        session = backend.session(choice.size)
        feed: dict[str, Any] = {
            "picture": planes.shrink(frame), "style": shares, "kept": keep,
            "place": self._place,
        }  # fmt: skip
        change = gain = None
        for noise, at in zip(self._noises, TIMES[choice.steps], strict=False):
            feed["noised"] = noise if at == 1.0 else _mixed(keep[:, :3], noise, at)
            feed["time"] = np.full((1, 1), at, np.float32)
            change, gain, keep = session.run(None, feed)
        assert change is not None
        assert gain is not None
        self._kept = keep
        styled = planes.lay(change, gain)
        backend.took((time.perf_counter() - begin) * 1e3)
        return styled

    def _ready(self, size: int, seed: int, shape: tuple[int, ...]) -> tuple[Planes, Floats]:
        """Noise for this seed and size; what is kept starts anew when either changes."""
        if self._planes is None or (size, shape) != (self._size, self._shape):
            self._planes, self._shape = Planes(shape[0], shape[1], size), shape
        if self._kept is None or (size, seed) != (self._size, self._seed):
            quarter = size // self._backend.card.fold
            draw, line = np.random.default_rng(seed & 0xFFFFFFFF), np.linspace(-1, 1, quarter)
            self._place = np.stack(np.meshgrid(line, line))[None].astype(np.float32)
            wide = (1, 3, quarter, quarter)
            self._noises = tuple(draw.standard_normal(wide, np.float32) for _ in range(2))
            self._kept = np.zeros((1, self._backend.card.kept, quarter, quarter), np.float32)
        self._size, self._seed = size, seed
        return self._planes, self._kept

    def _toward(self, name: str) -> Floats:
        """Shares of the styles: those of before, moved a step towards the one asked for."""
        styles = self._backend.card.styles
        wanted = np.zeros((1, len(styles)), np.float32)
        wanted[0, styles.index(name)] = 1.0
        if self._style is None:
            self._style = wanted
        gap = wanted - self._style
        reach = float(np.abs(gap).max())
        step = np.float32(1.0 / TURN)
        self._style = wanted if reach <= 1.5 * step else self._style + gap * (step / reach)
        return self._style


def _mixed(clean: Floats, noise: Floats, at: float) -> Floats:
    """The small picture at flow time `at`."""
    return (1.0 - np.float32(at)) * clean + np.float32(at) * noise
