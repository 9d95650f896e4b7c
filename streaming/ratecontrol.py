"""How fast to send, and how much may be on its way. Pure: no clock, no socket, no library.

The receiver watches every packet's delay and tells the sender what the line carries (Estimator,
sent as REMB); the sender takes the least of that, of what its losses allow and of its own limit
(RateControl). Window bounds the frames that are unanswered. A lost packet alone slows nothing down:
lines lose packets without being full. A queue that stays, or every fifth packet lost, does.
"""

from collections import deque

FLOOR_BPS = 250_000
STANDING_MS = 60.0  # a queue that never gets shorter than this is one that we have built
GROWING_MS = 25.0  # here nobody may send faster than the line has just carried
SPAN_MS = 250  # of looking, before it is believed
TELL_MS = 500  # REMB may be lost, so it is repeated
SETTLE_MS = 700  # after a step down, until the queue has run dry
CALM_MS = 2000  # without a queue before the next step up
CAREFUL_MS = 20_000  # as long the last full line is not tried again
DOWN, UP = 0.85, 1.1
START = 0.4  # of what we may send: a line that is full from the first frame teaches nothing
STEP, STEP_S = 1.2, 1.0
REST_S = 0.25
RETRY_SHARE, RETRY_BURST = 0.3, 10_000
LOSS_FULL = 0.2  # beyond every random loss that we promise to bear
KEEPS_UP = 0.75  # of the time between two pictures; who takes less works a burst off
BURST_S, BURST = 0.25, 12
BACKLOG_S, BACKLOG = 0.06, 6
_BASE_MS = 10_000  # the least delay is forgotten after one to two of these: clocks drift
_WRAP_MS = 64_000.0


class Estimator:
    """What one receiver believes its line carries [bit/s]. Has the shape of the library's own."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, float, int]] = deque()  # arrival, delay, bytes
        self._last_send = 0.0
        self._least: list[float] = [float("inf"), float("inf")]
        self._least_since = 0.0
        self.estimate = 0  # 0: nothing to complain of yet
        self._full = 0.0  # the rate at which the line was last full
        self._full_at = self._changed_at = self._queued_at = self._told_at = float("-inf")
        self.queue_ms = 0.0

    def add(
        self, abs_send_time: int, arrival_time_ms: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """Note a packet. (bit/s, [ssrc]) when the sender is to be told.

        abs_send_time: 24 bits of 6.18 seconds. arrival_time_ms: of our own clock.
        """
        now = arrival_time_ms
        delay = now - self._unwrapped(abs_send_time * 1000.0 / (1 << 18))
        self._note_least(now, delay)
        self._seen.append((now, delay, payload_size))
        while self._seen[0][0] < now - SPAN_MS:
            self._seen.popleft()
        span = now - self._seen[0][0]
        if span >= SPAN_MS * 0.7 and len(self._seen) >= 5:
            self.queue_ms = min(delay for _, delay, _ in self._seen) - min(self._least)
            rate = sum(size for *_, size in self._seen) * 8000.0 / max(span, 1)
            self._decide(now, rate)
        if self.estimate and now - self._told_at >= TELL_MS:
            self._told_at = now
            return self.estimate, [ssrc]
        return None

    def _decide(self, now: int, rate: float) -> None:
        if self.queue_ms > STANDING_MS:
            self._queued_at = now
            if now - self._changed_at >= SETTLE_MS:
                self._full, self._full_at = rate, float(now)
                wanted = max(FLOOR_BPS, int(rate * DOWN))
                self.estimate = min(wanted, self.estimate or wanted)
                self._changed_at, self._told_at = float(now), float("-inf")
            return
        if self.queue_ms > GROWING_MS:
            self._queued_at = now
            if not self.estimate:
                self.estimate, self._told_at = max(FLOOR_BPS, int(rate)), float("-inf")
            return
        calm = now - max(self._queued_at, self._changed_at) >= CALM_MS
        if not self.estimate or not calm or rate < 0.6 * self.estimate:
            return
        higher = int(self.estimate * UP)
        if higher > 0.92 * self._full and now - self._full_at < CAREFUL_MS:
            return
        self.estimate = higher
        self._changed_at, self._told_at = float(now), float("-inf")

    def _unwrapped(self, send_ms: float) -> float:
        last = self._last_send
        ahead = (send_ms - last) % _WRAP_MS
        self._last_send = last + (ahead if ahead < _WRAP_MS / 2 else ahead - _WRAP_MS)
        return self._last_send

    def _note_least(self, now: int, delay: float) -> None:
        if now - self._least_since >= _BASE_MS:
            self._least_since = now
            self._least = [self._least[1], float("inf")]
        self._least[1] = min(self._least[1], delay)


class RateControl:
    """One sender's target [bit/s]: at most `most`, at most the far side's estimate.

    Begins at START of `most` and takes the rest in steps while the reports are good. Times [s] are
    handed in, monotonic.
    """

    def __init__(self, most: int, begun: float = 0.0) -> None:
        self.most = most
        self.target = max(min(FLOOR_BPS, most), int(most * START))
        self._estimate = most
        self._allowed = self.target
        self._lossy_reports = 0
        self._stepped = begun
        self._rest_until = float("-inf")
        self.loss = 0.0
        self.round_trip_s = 0.0

    def estimated(self, bitrate: int, now: float) -> int:
        """The far side tells what its line carries. Returns the new target."""
        if bitrate < 0.9 * self.target:
            self._rest_until = now + REST_S
        self._estimate = max(FLOOR_BPS, bitrate)
        self._allowed = max(self._allowed, min(self._estimate, self.most))
        return self._settle()

    def reported(self, loss: float, round_trip_s: float, now: float) -> int:
        """A receiver report: share of packets lost 0..1 since the last. Returns the new target."""
        self.loss, self.round_trip_s = loss, round_trip_s
        if loss > LOSS_FULL:
            self._lossy_reports += 1
            self._stepped = now
            if self._lossy_reports >= 2:  # one report may be a black-out
                self._allowed = max(FLOOR_BPS, int(min(self._allowed, self.target) * 0.7))
                self._lossy_reports = 0
        else:
            self._lossy_reports = 0
            if self._allowed < self.most and now - self._stepped >= STEP_S:
                self._allowed = min(self.most, int(self._allowed * STEP))
                self._stepped = now
        return self._settle()

    def rests(self, now: float) -> bool:
        """Whether to skip pictures now, so that a line found full can run dry."""
        return now < self._rest_until

    def _settle(self) -> int:
        self.target = max(min(self.most, self._estimate, self._allowed), min(FLOOR_BPS, self.most))
        return self.target


class Retries:
    """Which lost packets are sent again: not the same one twice within a round trip, and no more
    than RETRY_SHARE of the rate, so that healing never fills the line. Times [s], monotonic."""

    def __init__(self) -> None:
        self._sent: dict[int, float] = {}
        self._credit = float(RETRY_BURST)
        self._at = 0.0
        self.refused = 0

    def allows(self, seq: int, size: int, rate: int, round_trip_s: float, now: float) -> bool:
        """Whether packet `seq` of `size` bytes may go out again now."""
        grown = (now - self._at) * rate / 8 * RETRY_SHARE
        self._credit, self._at = min(RETRY_BURST, self._credit + grown), now
        if now - self._sent.get(seq, float("-inf")) < max(0.03, 0.9 * round_trip_s):
            return False
        if size > self._credit:
            self.refused += 1
            return False
        self._credit -= size
        if len(self._sent) > 512:
            self._sent = {k: at for k, at in self._sent.items() if now - at < 1.0}
        self._sent[seq] = now
        return True


class Backlog:
    """How many received pictures may wait for the painter. Times [s].

    A healed loss lets several come at once. A painter that is quicker than they come works them
    off, so all may wait; a slower one would only fall behind further, so the newest win.
    """

    def __init__(self) -> None:
        self._took, self._apart = 0.01, 1 / 30

    def took(self, seconds: float) -> None:
        """A picture was decoded, painted and encoded."""
        self._took += (seconds - self._took) / 8

    def apart(self, seconds: float) -> None:
        """Two pictures in a row lie so far apart in the game's own time."""
        if 0 < seconds < 1:
            self._apart += (seconds - self._apart) / 16

    @property
    def allowed(self) -> int:
        """How many may wait behind the next one."""
        if self._took < KEEPS_UP * self._apart:
            return min(BURST, max(BACKLOG, int(BURST_S / self._took)))
        return min(BACKLOG, int(BACKLOG_S / self._took))


class Window:
    """How many frames may be unanswered: enough for a long line, few on a slow server.

    A server that queues what it cannot paint answers later and later. The shortest recent round
    trip tells it: where that stays above twice the best ever seen, the window closes to what the
    best round trip needs. A loss makes single frames late, not the shortest, and closes nothing.
    """

    SPAN_S = 0.5
    LEAST, MOST = 6, 24

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._recent: deque[tuple[float, float]] = deque()
        self._best = float("inf")
        self.size = 12

    def answered(self, now: float, round_trip_s: float) -> None:
        """Note a round trip [s] at `now` [s]."""
        self._best = min(self._best * 1.0005, round_trip_s)  # lets a changed line be learnt
        self._recent.append((now, round_trip_s))
        while self._recent[0][0] < now - self.SPAN_S:
            self._recent.popleft()
        shortest = min(trip for _, trip in self._recent)
        queued = shortest > 2 * self._best + 0.1
        frames = self._best * self._fps + 3 if queued else shortest * self._fps + 11
        self.size = int(min(max(frames, self.LEAST), self.MOST))

    @property
    def expires_s(self) -> float:
        """After how long an unanswered frame counts as lost."""
        shortest = min((trip for _, trip in self._recent), default=0.0)
        return max(0.5, 3 * shortest)
