"""The opening as a pure machine: terminal, consent, wallet prompt, ready. Events and seconds go in.

Owns what is asked and in which order. `raise_curtain` runs it on a window.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from game.play.app import consent
from game.play.app.memory import Memory
from game.play.app.wallet import advise, short
from game.view.screen.canvas import (
    LINE,
    Canvas,
    Mark,
    Marks,
    Words,
    clipped_left,
    width_of,
    wrapped,
)
from game.view.screen.layout import place
from game.view.screen.model import Event, Field, Go, Screen, answer
from game.view.screen.terminal import SIZE, Line, complete, cursor, scan, terminal
from game.view.screen.theme import Theme

LEAST_S = 2.6
"""The first terminal runs at least so long, unless it is skipped."""
_ROOM = 5.2  # lines that the prompt needs at the bottom


class Phase(Enum):
    """boot -> consent -> wallet -> wait -> over; `facts` is looked at from consent."""

    BOOT = "boot"
    CONSENT = "consent"
    FACTS = "facts"
    WALLET = "wallet"
    WAIT = "wait"
    OVER = "over"


@dataclass(slots=True)
class Overture:
    """memory: what is known of the player. short: from the second start on. given: an address
    from the settings, which needs no asking. sessions: folder of the recordings.
    """

    memory: Memory
    theme: Theme
    short: bool = False
    given: str = ""
    recording: bool = True
    sessions: Path = Path()
    phase: Phase = Phase.BOOT
    hurry: bool = False
    answered: str = ""
    lines: list[Line] = field(default_factory=list)
    falling: tuple[str, ...] = ()
    _screen: Screen | None = None
    _entry: Screen = field(default_factory=lambda: Screen("", (Field("wallet", "", longest=64),)))
    _pick: int = -1
    _hits: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)

    def say(self, text: str, now: float, bright: bool = False) -> None:
        """One more line of the terminal."""
        self.lines.append(Line(text, now, bright))

    @property
    def typed(self) -> str:
        """What stands in the wallet prompt."""
        row = self._entry.rows[0]
        return row.value if isinstance(row, Field) else ""

    def step(self, now: float, examined: bool, ready: bool) -> None:
        """Go on where nothing is waited for. examined: all diagnostics are in. ready: to drive."""
        if self.phase is Phase.BOOT:
            seen = complete(self.lines, now, self.hurry)
            least = 0.0 if self.short else LEAST_S
            if self.hurry or (examined and seen and now >= least):
                self._after_boot()
        if self.phase is Phase.WAIT and ready:
            self.phase = Phase.OVER

    def _after_boot(self) -> None:
        if self.recording and self.memory.consent not in (consent.VERSION, consent.REFUSED):
            self.phase, self._screen = Phase.CONSENT, consent.ask()
            return
        self._to_wallet()

    def _to_wallet(self) -> None:
        self._screen = None
        if self.given or not self.wanted:
            self.answered, self.phase = self.given, Phase.WAIT
            return
        self.phase = Phase.WALLET
        if not self.typed and self.memory.wallets:
            self._choose(0)

    @property
    def wanted(self) -> bool:
        """Whether drives are recorded, and so can be paid."""
        return self.recording and self.memory.consent != consent.REFUSED

    def feed(self, event: Event) -> None:
        """Take one event in."""
        if self.phase is Phase.BOOT:
            self._skip(event)
        elif self.phase in (Phase.CONSENT, Phase.FACTS):
            self._decide(event)
        elif self.phase is Phase.WALLET:
            self._ask_wallet(event)

    def _skip(self, event: Event) -> None:
        """Any key: no letter that was typed for the prompt is lost."""
        if event.go in (Go.POINT, Go.SCROLL):
            return
        self.hurry = True
        self._after_boot()
        if self.phase is Phase.WALLET and event.go in (Go.TEXT, Go.PASTE):
            self._ask_wallet(event)

    def _decide(self, event: Event) -> None:
        assert self._screen is not None
        self._screen, act = answer(self._screen, event, self._hits)
        if act is None:
            return
        if self.phase is Phase.FACTS:
            if act.id == "back":
                self.phase, self._screen = Phase.CONSENT, consent.ask().at("facts")
        elif act.id == "facts":
            self.phase, self._screen = Phase.FACTS, consent.facts(self.sessions)
        else:
            agreed = act.id == "agree"
            verdict = consent.VERSION if agreed else consent.REFUSED
            self.memory = replace(self.memory, consent=verdict)
            self._to_wallet()

    def _ask_wallet(self, event: Event) -> None:
        known = self.memory.wallets
        if event.go in (Go.UP, Go.DOWN) and known:
            by = -1 if event.go is Go.UP else 1
            self._choose((self._pick + by) % len(known))
            return
        if event.go in (Go.TEXT, Go.PASTE) and self._pick >= 0:  # a new one replaces the offer
            self._entry, self._pick = self._entry.with_row(0, Field("wallet", "", longest=64)), -1
        if event.go is Go.BACK:
            self.answered, self.phase = "", Phase.WAIT
            return
        trimmed = replace(event, text="".join(event.text.split()))
        self._entry, act = answer(self._entry, trimmed)
        if act is not None and act.id == "wallet" and advise(act.value).ok:
            self.answered, self.phase = act.value.strip(), Phase.WAIT
            if self.answered:
                self.memory = self.memory.wallet_used(self.answered)

    def _choose(self, at: int) -> None:
        self._pick = at
        row = Field("wallet", "", self.memory.wallets[at], longest=64)
        self._entry = self._entry.with_row(0, row)

    def marks(self, now: float, canvas: Canvas) -> Marks:
        """The picture of this moment."""
        if self._screen is not None:
            placed = place(self._screen, canvas, self.theme)
            self._hits = placed.hits
            behind = terminal(self.lines, now, canvas, self.theme, (), True)
            return (*behind, *placed.marks, *scan(canvas, now, self.theme))
        size = SIZE * self.theme.text
        asks = self.phase is Phase.WALLET
        room = _ROOM * size * LINE if asks else 0.0
        marks: list[Mark] = list(
            terminal(self.lines, now, canvas, self.theme, self.falling, self.hurry or asks, room)
        )
        if asks:
            marks += self._prompt(now, canvas, size)
        return (*marks, *scan(canvas, now, self.theme))

    def _prompt(self, now: float, canvas: Canvas, size: float) -> list[Mark]:
        """Where payments go, being typed, and what is right or wrong with it."""
        ink, step, left = self.theme.colours.accent, size * LINE, 26.0
        width = canvas.width - 2 * left
        y = canvas.height - 22.0 - _ROOM * step
        ask = "WHERE SHALL YOUR EARNINGS GO?  a Solana address, or just Enter"
        if width_of(ask, size) > width:
            ask = "YOUR WALLET? or just Enter"
        line = clipped_left(f"wallet> {self.typed}", width - size, size)
        marks: list[Mark] = [
            Words(left, y, ask, size, ink, bold=True),
            Words(left, y + step, line + cursor(now, self.theme.calm), size, ink),
        ]
        advice = advise(self.typed)
        sign = {"good": "✓ ", "bad": "✗ "}.get(advice.tone, "  ")
        said = sign + advice.text
        for number, part in enumerate(wrapped(said, width, size)[:2]):
            tone = self.theme.tone(advice.tone)
            marks.append(Words(left, y + (2 + number) * step, part, size, tone))
        if self.memory.wallets:
            names = "  ".join(short(each) for each in self.memory.wallets)
            told = clipped_left(f"↑↓ used before: {names}", width, size)
            marks.append(Words(left, y + 4 * step, told, size, self.theme.colours.dim))
        return marks
