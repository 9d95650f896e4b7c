"""Finer times: the window decides what was pressed, pynput only when, and nothing else is kept."""

from types import SimpleNamespace

from game.play.human import Human
from game.play.listen import FORGET_NS, FineTimes
from game.view.keys import BINDINGS, RawInput


def char(text):
    return SimpleNamespace(char=text)


def named(name):
    return SimpleNamespace(char=None, name=name)


def listening():
    clock = SimpleNamespace(ns=1_000)
    return FineTimes(BINDINGS, lambda: clock.ns), clock


def test_a_key_of_the_window_gets_the_time_it_was_heard():
    finer, clock = listening()
    finer.hear(char("W"), True)
    clock.ns = 9_000
    finer.hear(named("left"), True)
    clock.ns = 16_000
    polled = [RawInput(16_000, "key", "w", 1.0), RawInput(16_000, "key", "arrow_left", 1.0),
              RawInput(16_000, "key", "w", 0.0)]  # fmt: skip
    events = Human(finer=finer).feed(polled, 4)
    assert [(e.t_ns, e.src, e.code) for e in events] == [
        (1_000, "pynput", "w"), (9_000, "pynput", "arrow_left"), (16_000, "panda", "w"),
    ]  # fmt: skip
    assert {e.tick_applied for e in events} == {4}


def test_controls_do_not_depend_on_it():
    finer, _ = listening()
    one, two = Human(), Human(finer=finer)
    for tick in range(30):
        polled = [RawInput(tick, "key", "w", float(tick % 7 < 4))]
        finer.hear(char("d"), True)  # heard, but the window never said so
        one.feed(polled, tick)
        two.feed(polled, tick)
        assert one._mapper.controls(tick) == two._mapper.controls(tick)


def test_unbound_keys_are_dropped_and_old_ones_forgotten():
    finer, clock = listening()
    for text in "xyz09":
        finer.hear(char(text), True)
    assert not finer._heard
    finer.hear(char("w"), True)
    clock.ns += FORGET_NS + 1
    ((event, fine),) = finer.refine([RawInput(clock.ns, "key", "w", 1.0)])
    assert (event.t_ns, fine) == (clock.ns, False)
    assert not finer._heard


def test_deaf_without_focus():
    finer, clock = listening()
    finer.hear(char("w"), True)
    finer.refine([RawInput(5, "focus", "window", 0.0, synthetic=True)])
    finer.hear(char("a"), True)
    assert not finer._heard
    clock.ns = 50
    finer.refine([RawInput(50, "key", "a", 1.0)])  # the window has it again
    finer.hear(char("a"), False)
    assert len(finer._heard) == 1
    finer.stop()
    assert not finer._heard
