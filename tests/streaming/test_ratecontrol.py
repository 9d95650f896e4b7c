"""The rate follows what the line carries, random loss slows nothing, and healing has a budget."""

import random

from streaming.ratecontrol import FLOOR_BPS, Backlog, Estimator, RateControl, Retries, Window

PACKET = 1200


class Line:
    """A bottleneck of `rate` bit/s with a queue of 200 ms and, on top, jitter up to `jitter_ms`."""

    def __init__(self, rate: float, jitter_ms: float = 0.0, loss: float = 0.0) -> None:
        self._rate, self._jitter, self._loss = rate, jitter_ms, loss
        self._free = 0.0
        self._random = random.Random(7)

    def arrives(self, at_ms: float) -> float | None:
        if self._random.random() < self._loss or self._free - at_ms > 200:
            return None
        self._free = max(self._free, at_ms) + PACKET * 8000 / self._rate
        return self._free + 20 + self._random.random() * self._jitter


def drive(line: Line, seconds: float, most: int = 2_500_000) -> tuple[list[int], float]:
    """Send over the line as told; the targets once a second, and the share that arrived late."""
    estimator, control = Estimator(), RateControl(most)
    told: list[tuple[float, int, int]] = []
    targets, sent, lost, due = [], 0, 0, 0.0
    arrivals: list[tuple[float, float]] = []
    for millisecond in range(int(seconds * 1000)):
        due += control.target / 8000 / PACKET
        while due >= 1:
            due, sent = due - 1, sent + 1
            at = line.arrives(float(millisecond))
            lost += at is None
            if at is not None:
                arrivals.append((at, float(millisecond)))
        arrivals.sort()
        while arrivals and arrivals[0][0] <= millisecond:
            arrived, left = arrivals.pop(0)
            stamp = int(left / 1000 * (1 << 18)) & 0xFFFFFF
            tell = estimator.add(stamp, int(arrived), PACKET, 1)
            if tell is not None:
                told.append((arrived + 20, tell[0], 0))
        while told and told[0][0] <= millisecond:
            control.estimated(told.pop(0)[1], millisecond / 1000)
        if millisecond % 1000 == 999:
            control.reported(lost / max(sent, 1), 0.04, millisecond / 1000)
            targets.append(control.target)
            sent = lost = 0
    return targets, estimator.queue_ms


def test_a_wide_line_is_used_to_the_full() -> None:
    targets, _ = drive(Line(20e6), 8)
    assert targets[-1] == 2_500_000
    assert targets[0] < targets[-1]  # it began with less


def test_a_narrow_line_is_filled_but_not_overfilled() -> None:
    targets, _ = drive(Line(1.5e6), 20)
    settled = targets[10:]
    assert all(0.75 * 1.5e6 <= target <= 1.5e6 for target in settled), settled


def test_random_loss_slows_nothing() -> None:
    targets, _ = drive(Line(20e6, loss=0.10), 10)
    assert targets[-1] == 2_500_000


def test_jitter_slows_nothing() -> None:
    targets, _ = drive(Line(20e6, jitter_ms=50), 10)
    assert targets[-1] == 2_500_000


def test_lasting_heavy_loss_without_a_queue_slows_down_and_comes_back() -> None:
    control = RateControl(2_000_000)
    for second in range(10):
        control.reported(0.0, 0.02, float(second))
    assert control.target == 2_000_000
    control.reported(0.5, 0.02, 10.0)
    assert control.target == 2_000_000  # one report may be a black-out
    for second in range(11, 40):
        control.reported(0.5, 0.02, float(second))
    assert control.target == FLOOR_BPS
    for second in range(40, 70):
        control.reported(0.0, 0.02, float(second))
    assert control.target == 2_000_000


def test_a_cut_lets_the_line_run_dry() -> None:
    control = RateControl(2_000_000)
    control.estimated(300_000, 5.0)
    assert control.rests(5.1)
    assert not control.rests(5.5)


def test_a_packet_is_not_sent_twice_within_a_round_trip_nor_beyond_the_budget() -> None:
    retries = Retries()
    assert retries.allows(1, 1000, 1_000_000, 0.1, 1.0)
    assert not retries.allows(1, 1000, 1_000_000, 0.1, 1.05)
    assert retries.allows(1, 1000, 1_000_000, 0.1, 1.1)
    sent = sum(retries.allows(n, 1000, 1_000_000, 0.1, 1.1 + n * 1e-4) for n in range(2, 5000))
    assert sent * 8000 <= 0.3 * 1_000_000 * 0.5 + 90_000


def test_the_window_closes_on_a_server_that_queues_and_not_on_loss() -> None:
    lossy, slow = Window(30), Window(30)
    chance = random.Random(1)
    for frame in range(300):
        late = 0.25 if chance.random() < 0.3 else 0.0
        lossy.answered(frame / 30, 0.05 + late)
        slow.answered(frame / 30, 0.05 + frame * 0.005)
    assert lossy.size >= 11
    assert slow.size <= 6
    assert slow.expires_s > 1.0


def test_a_quick_painter_may_work_off_a_burst_and_a_slow_one_may_not() -> None:
    quick, slow = Backlog(), Backlog()
    for _ in range(100):
        quick.took(0.012)
        slow.took(0.05)
    assert quick.allowed >= 0.25 * 30  # what a hole holds back until it heals or is given up
    assert slow.allowed <= 1
    slow.apart(0.0)  # the first frame after a reconnect, and one that came twice
    slow.apart(-3.0)
    for _ in range(100):
        slow.apart(0.1)  # the player sends less: now it keeps up
    assert slow.allowed >= 5
