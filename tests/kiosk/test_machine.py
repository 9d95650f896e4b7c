"""The kiosk's states: who gets in, who gets out, and that everything leads through the wipe."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from game.kiosk.machine import Mode, Order, Rules, Sign, State, Step, advance, begin

RULES = Rules()


class Walk:
    """Feeds signs by a clock of its own; keeps all orders."""

    def __init__(self) -> None:
        self.now = 0
        self.orders: list[Order] = []
        self.state = State()
        self._take(begin(0))

    def _take(self, step: Step) -> None:
        self.state = step[0]
        self.orders += step[1]

    def __call__(self, *signs: Sign, after_ms: int = 10) -> "Walk":
        for sign in signs:
            self.now += after_ms
            self._take(advance(self.state, sign, self.now, RULES))
        return self

    @property
    def mode(self) -> Mode:
        return self.state.mode


def test_nobody_is_invited_before_the_last_one_is_wiped() -> None:
    walk = Walk()
    assert walk.orders == [Order.WIPE]
    walk(Sign.TOUCH, Sign.RECORD, Sign.CLOCK)
    assert walk.mode is Mode.RESET
    walk(Sign.WIPED)
    assert walk.mode is Mode.ATTRACT
    assert walk.orders[-1] is Order.SHOW_BOT


@pytest.mark.parametrize(
    ("choice", "order"),
    [(Sign.RECORD, Order.BEGIN_RECORDED), (Sign.PLAY, Order.BEGIN_UNRECORDED)],
)
def test_a_visit_from_touch_to_the_next_visitor(choice: Sign, order: Order) -> None:
    walk = Walk()(Sign.WIPED, Sign.TOUCH)
    assert (walk.mode, walk.orders[-1]) == (Mode.CONSENT, Order.STOP_BOT)
    walk(choice)
    assert (walk.mode, walk.orders[-1]) == (Mode.DRIVING, order)
    assert walk.state.recorded is (choice is Sign.RECORD)
    walk(Sign.ENDED)
    assert (walk.mode, walk.orders[-1]) == (Mode.ENDING, Order.END_RUN)
    walk(Sign.CARD)
    assert walk.mode is Mode.CLAIM
    walk(Sign.BACK)
    assert (walk.mode, walk.orders[-1]) == (Mode.RESET, Order.WIPE)
    assert walk.state.recorded is False


def test_a_touch_in_attract_never_starts_a_recording() -> None:
    walk = Walk()(Sign.WIPED, Sign.RECORD)
    assert walk.mode is Mode.CONSENT
    assert Order.BEGIN_RECORDED not in walk.orders


def test_a_run_is_boxed_in_time_however_much_is_touched() -> None:
    walk = Walk()(Sign.WIPED, Sign.TOUCH, Sign.RECORD)
    seconds = 0
    while walk.mode is Mode.DRIVING:
        walk(Sign.DRIVES, after_ms=1000)
        seconds += 1
    assert seconds == RULES.run_ms // 1000
    assert walk.mode is Mode.ENDING


def test_an_idle_run_is_warned_of_once_then_dropped_and_wiped() -> None:
    walk = Walk()(Sign.WIPED, Sign.TOUCH, Sign.RECORD)
    walk(Sign.CLOCK, after_ms=RULES.idle_ms - RULES.warn_ms)
    walk(Sign.CLOCK)
    assert walk.orders.count(Order.WARN_IDLE) == 1
    walk(Sign.CLOCK, after_ms=RULES.warn_ms)
    assert walk.mode is Mode.RESET
    assert walk.orders[-2:] == [Order.DROP_RUN, Order.WIPE]


def test_driving_on_takes_the_warning_back() -> None:
    walk = Walk()(Sign.WIPED, Sign.TOUCH, Sign.PLAY)
    walk(Sign.CLOCK, after_ms=RULES.idle_ms - 1000)
    walk(Sign.DRIVES)
    walk(Sign.CLOCK, after_ms=RULES.idle_ms - RULES.warn_ms - 1000)
    assert walk.mode is Mode.DRIVING
    assert walk.orders.count(Order.WARN_IDLE) == 1


def test_back_ends_a_run_only_when_it_is_meant() -> None:
    walk = Walk()(Sign.WIPED, Sign.TOUCH, Sign.PLAY, Sign.BACK)
    assert walk.mode is Mode.DRIVING
    walk(Sign.BACK, after_ms=RULES.back_ms + 1)
    assert walk.mode is Mode.DRIVING
    walk(Sign.BACK)
    assert walk.mode is Mode.ENDING


@pytest.mark.parametrize("path", [(Sign.TOUCH,), (Sign.TOUCH, Sign.RECORD, Sign.ENDED, Sign.CARD)])
def test_a_screen_that_is_left_alone_returns(path: tuple[Sign, ...]) -> None:
    walk = Walk()(Sign.WIPED, *path)(Sign.CLOCK, after_ms=RULES.claim_ms)
    assert (walk.mode, walk.orders[-1]) == (Mode.RESET, Order.WIPE)


def test_sealing_that_takes_too_long_is_given_up() -> None:
    walk = Walk()(Sign.WIPED, Sign.TOUCH, Sign.RECORD, Sign.ENDED)
    walk(Sign.CLOCK, after_ms=RULES.ending_ms)
    assert walk.orders[-2:] == [Order.DROP_RUN, Order.WIPE]


@pytest.mark.parametrize(
    "path",
    [
        (),
        (Sign.TOUCH,),
        (Sign.TOUCH, Sign.RECORD),
        (Sign.TOUCH, Sign.RECORD, Sign.ENDED),
        (Sign.TOUCH, Sign.RECORD, Sign.ENDED, Sign.CARD),
    ],
)
def test_staff_can_close_from_everywhere_and_only_staff_opens(path: tuple[Sign, ...]) -> None:
    walk = Walk()(Sign.WIPED, *path, Sign.CLOSE)
    walk(Sign.CARD, Sign.WIPED)
    assert walk.mode is Mode.CLOSED
    for sign in Sign:
        if sign is not Sign.OPEN:
            walk(sign)
    assert walk.mode is Mode.CLOSED
    walk(Sign.OPEN)
    assert walk.mode is Mode.ATTRACT


SIGNS = st.lists(st.tuples(st.sampled_from(Sign), st.integers(0, 70_000)), max_size=60)


@given(SIGNS)
def test_between_two_visitors_there_is_always_a_wipe(signs: list[tuple[Sign, int]]) -> None:
    walk = Walk()
    for sign, after in signs:
        before = walk.state
        walk(sign, after_ms=after)
        if walk.mode is Mode.CONSENT and before.mode is not Mode.CONSENT:
            assert before.mode is Mode.ATTRACT
    begun = [i for i, o in enumerate(walk.orders) if o.value.startswith("begin")]
    for one, next_one in pairwise(begun):
        assert Order.WIPE in walk.orders[one:next_one]


@given(SIGNS)
def test_every_state_leads_back_to_attract_or_stays_closed(signs: list[tuple[Sign, int]]) -> None:
    walk = Walk()
    for sign, after in signs:
        walk(sign, after_ms=after)
    for _ in range(6):  # nobody is there any more; what is ordered gets done
        walk(Sign.CLOCK, after_ms=RULES.run_ms)
        walk(Sign.WIPED if walk.mode is Mode.RESET else Sign.CLOCK)
    assert walk.mode in (Mode.ATTRACT, Mode.CLOSED)


def test_times_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        Rules(run_ms=0)
    with pytest.raises(ValueError, match="before the end"):
        Rules(idle_ms=1000, warn_ms=1000)
