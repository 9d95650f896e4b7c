"""What the kiosk does next: a pure state machine over visitors, staff and the clock.

Owns the states and every way between them. Does nothing itself: `advance` returns the next state
and the orders that its caller carries out. Holds nothing of a visitor but when they came.

    ATTRACT --touch--> CONSENT --record/play--> DRIVING --ended/time--> ENDING --card--> CLAIM
       ^                  |back,idle              |idle, back twice       (seal, clip)     |
       +---------------- RESET <------------------+------------------------<--done,time----+
    any --staff stop--> (RESET) CLOSED --staff open--> ATTRACT        any --failed--> RESET
"""

from dataclasses import dataclass, replace
from enum import Enum


class Mode(Enum):
    """Where the kiosk is."""

    ATTRACT = "attract"
    CONSENT = "consent"
    DRIVING = "driving"
    ENDING = "ending"
    CLAIM = "claim"
    RESET = "reset"
    CLOSED = "closed"


class Sign(Enum):
    """What can happen."""

    TOUCH = "touch"
    """any touch, key or button, where nothing more special was meant"""
    RECORD = "record"
    """the visitor agrees to be recorded"""
    PLAY = "play"
    """the visitor plays without a recording"""
    BACK = "back"
    DRIVES = "drives"
    """the visitor moved the wheel or a pedal"""
    ENDED = "ended"
    """the run is over by itself"""
    CARD = "card"
    """what the run came to is ready to be shown"""
    WIPED = "wiped"
    """nothing of the visitor is left"""
    FAILED = "failed"
    """the run could not begin or go on"""
    CLOSE = "close"
    OPEN = "open"
    NEXT = "next"
    """a staff member sends the visitor off"""
    CLOCK = "clock"


class Order(Enum):
    """What the caller is to do, in this order."""

    SHOW_BOT = "show-bot"
    STOP_BOT = "stop-bot"
    BEGIN_RECORDED = "begin-recorded"
    BEGIN_UNRECORDED = "begin-unrecorded"
    WARN_IDLE = "warn-idle"
    END_RUN = "end-run"
    DROP_RUN = "drop-run"
    """end it and keep nothing of it"""
    WIPE = "wipe"


@dataclass(frozen=True, slots=True)
class Rules:
    """Times in ms. run: how long a visitor drives at most. idle: without a touch of the controls.

    warn: so long before an idle run ends, it is said. consent, claim: how long those screens wait.
    ending: how long sealing may take before it is given up. back: BACK twice within it means it.
    """

    run_ms: int = 180_000
    idle_ms: int = 25_000
    warn_ms: int = 10_000
    consent_ms: int = 30_000
    claim_ms: int = 60_000
    ending_ms: int = 20_000
    back_ms: int = 4_000

    def __post_init__(self) -> None:
        if min(self.run_ms, self.idle_ms, self.consent_ms, self.claim_ms, self.ending_ms) <= 0:
            raise ValueError("times of a kiosk are longer than nothing")
        if not 0 <= self.warn_ms < self.idle_ms:
            raise ValueError("the warning comes before the end of an idle run")


@dataclass(frozen=True, slots=True)
class State:
    """mode, since when [ms]. touched_ms: the last touch. warned: of being idle. recorded: agreed.

    back_ms: when BACK was hit once while driving; again soon after means it. closing: the staff
    closes the kiosk once the visitor is gone.
    """

    mode: Mode = Mode.RESET
    since_ms: int = 0
    touched_ms: int = 0
    warned: bool = False
    recorded: bool = False
    back_ms: int = -(10**9)
    closing: bool = False


Step = tuple[State, tuple[Order, ...]]
_STILL: tuple[Order, ...] = ()


def begin(now_ms: int) -> Step:
    """The first state: whatever a crash left is wiped before anybody is invited."""
    return State(Mode.RESET, now_ms, now_ms), (Order.WIPE,)


def advance(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    """The state after `sign` at `now_ms`, and what is to be done."""
    if sign is Sign.CLOSE:
        return _close(state, now_ms)
    if sign is Sign.OPEN:
        state = replace(state, closing=False)
        return _attract(now_ms) if state.mode is Mode.CLOSED else (state, _STILL)
    if sign is Sign.FAILED and state.mode in (Mode.CONSENT, Mode.DRIVING, Mode.ENDING):
        return _reset(state, now_ms, Order.DROP_RUN)
    if sign is Sign.NEXT and state.mode in (Mode.CONSENT, Mode.DRIVING, Mode.CLAIM):
        drop = (Order.DROP_RUN,) if state.mode is Mode.DRIVING else ()
        return _reset(state, now_ms, *drop)
    return _STEPS[state.mode](state, sign, now_ms, rules)


def _attract(now_ms: int) -> Step:
    return State(Mode.ATTRACT, now_ms, now_ms), (Order.SHOW_BOT,)


def _reset(state: State, now_ms: int, *before: Order) -> Step:
    """On the way back: forget everything but that the staff wants to close."""
    return State(Mode.RESET, now_ms, now_ms, closing=state.closing), (*before, Order.WIPE)


def _close(state: State, now_ms: int) -> Step:
    state = replace(state, closing=True)
    if state.mode is Mode.ATTRACT:
        return _reset(state, now_ms, Order.STOP_BOT)
    if state.mode is Mode.DRIVING:
        return _reset(state, now_ms, Order.DROP_RUN)
    if state.mode in (Mode.CONSENT, Mode.CLAIM):
        return _reset(state, now_ms)
    return state, _STILL


def _in_attract(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    if sign in (Sign.TOUCH, Sign.RECORD, Sign.PLAY, Sign.BACK, Sign.DRIVES):
        return State(Mode.CONSENT, now_ms, now_ms), (Order.STOP_BOT,)
    return state, _STILL


def _in_consent(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    if sign in (Sign.RECORD, Sign.PLAY):
        agreed = sign is Sign.RECORD
        order = Order.BEGIN_RECORDED if agreed else Order.BEGIN_UNRECORDED
        return State(Mode.DRIVING, now_ms, now_ms, recorded=agreed), (order,)
    if sign is Sign.BACK or now_ms - state.touched_ms >= rules.consent_ms:
        return _reset(state, now_ms)
    return replace(state, touched_ms=now_ms) if sign is Sign.TOUCH else state, _STILL


def _in_driving(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    if sign is Sign.ENDED or now_ms - state.since_ms >= rules.run_ms:
        return replace(state, mode=Mode.ENDING, since_ms=now_ms), (Order.END_RUN,)
    if sign is Sign.BACK:
        if now_ms - state.back_ms <= rules.back_ms:
            return replace(state, mode=Mode.ENDING, since_ms=now_ms), (Order.END_RUN,)
        return replace(state, back_ms=now_ms, touched_ms=now_ms, warned=False), _STILL
    if sign in (Sign.DRIVES, Sign.TOUCH):
        return replace(state, touched_ms=now_ms, warned=False), _STILL
    idle = now_ms - state.touched_ms
    if idle >= rules.idle_ms:
        return _reset(state, now_ms, Order.DROP_RUN)
    if idle >= rules.idle_ms - rules.warn_ms and not state.warned:
        return replace(state, warned=True), (Order.WARN_IDLE,)
    return state, _STILL


def _in_ending(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    if sign is Sign.CARD:
        if state.closing:
            return _reset(state, now_ms)
        return replace(state, mode=Mode.CLAIM, since_ms=now_ms, touched_ms=now_ms), _STILL
    if now_ms - state.since_ms >= rules.ending_ms:
        return _reset(state, now_ms, Order.DROP_RUN)
    return state, _STILL


def _in_claim(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    done = sign in (Sign.BACK, Sign.RECORD, Sign.PLAY)
    if done or now_ms - state.since_ms >= rules.claim_ms:
        return _reset(state, now_ms)
    return state, _STILL


def _in_reset(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    if sign is not Sign.WIPED:
        return state, _STILL
    if state.closing:
        return State(Mode.CLOSED, now_ms, now_ms), _STILL
    return _attract(now_ms)


def _in_closed(state: State, sign: Sign, now_ms: int, rules: Rules) -> Step:
    return state, _STILL


_STEPS = {
    Mode.ATTRACT: _in_attract,
    Mode.CONSENT: _in_consent,
    Mode.DRIVING: _in_driving,
    Mode.ENDING: _in_ending,
    Mode.CLAIM: _in_claim,
    Mode.RESET: _in_reset,
    Mode.CLOSED: _in_closed,
}
