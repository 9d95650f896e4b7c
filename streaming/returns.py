"""What comes back to the player: onto the ring to the screen, into the recorder's ring, measured.

Owns the pairing of returned frames with sent ones: by the tick that they carry, or, where the
server echoes none, by a guess that says how sure it is. Knows no link.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from av.video.reformatter import VideoReformatter

from streaming.codec import PTS_PER_TICK, is_key, tick_of
from streaming.foreign import Foreign
from streaming.frames import EncodedFrame, Frame, pack_encoded
from streaming.gauges import Meter
from streaming.promptbook import PromptBook
from streaming.ratecontrol import Window
from streaming.ring import FifoRing, LatestRing
from streaming.stages import StageClock

STYLED = 2  # kind of encoded frames in the ring
REMEMBERED = 512


class Returns:
    """Of one player over all its links. streams: called with every picture for the screen.

    tick, heard_at: of the newest picture that came back (monotonic seconds).
    """

    def __init__(
        self,
        styled: LatestRing,
        encoded: FifoRing,
        prompts: PromptBook,
        fps: int,
        streams: Callable[[], None],
    ) -> None:
        self._styled, self._encoded, self._prompts = styled, encoded, prompts
        self._fps, self._streams = fps, streams
        self._reformatter = VideoReformatter()
        self._unanswered: OrderedDict[int, tuple[int, float]] = OrderedDict()
        self._window = Window(fps)
        self._sent: OrderedDict[int, int] = OrderedDict()
        self._foreign: Foreign | None = None  # set where the server does not echo ticks
        self.tick, self.heard_at = -1, 0.0
        self.echoes = True
        self.stages = StageClock()
        self.round_trip, self.shown, self.bits = Meter(), Meter(), Meter()
        self.counts = dict.fromkeys(("returned", "lost", "foreign"), 0)

    @property
    def confidence(self) -> float:
        """Of the pairs of the last second; 1 where they are exact."""
        foreign = None if self.echoes else self._foreign
        return 1.0 if foreign is None else round(foreign.confidence, 3)

    def anew(self) -> None:
        """A new link; its server may be another one."""
        self.echoes, self._foreign = True, None
        self._window = Window(self._fps)

    def echoing(self, does: bool) -> None:
        """Whether the server says which picture a frame was made from."""
        self.echoes = does
        self._foreign = None if does else Foreign(self._fps)

    def forget(self) -> None:
        """What is on its way will not come."""
        self._unanswered.clear()

    def full(self, now: float) -> bool:
        """Whether no more pictures should be on their way."""
        expired = now - self._window.expires_s
        while self._unanswered and next(iter(self._unanswered.values()))[1] < expired:
            self._unanswered.popitem(last=False)
        return len(self._unanswered) >= self._window.size

    def sends(self, frame: Frame, now: float) -> None:
        """This picture is about to leave."""
        self._unanswered[frame.tick] = (frame.t_ns, now)
        self._sent[frame.tick] = frame.t_ns
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    def sent(self, frame: Frame) -> None:
        """It has left."""
        self.stages.sent(frame.tick, frame.t_ns)
        if self._foreign is not None and not self.echoes:
            self._foreign.sent(frame, time.monotonic_ns())

    def answered(self, tick: int) -> None:
        """The server has all up to this tick, and sends no picture for it."""
        self.heard_at, self.tick = time.monotonic(), max(self.tick, tick)
        self.forget()

    def encoded(self, timestamp: int, data: bytes, codec: str) -> None:
        """A frame as received, before it is decoded: into the recorder's ring, byte for byte."""
        now_ns = time.monotonic_ns()
        if self._foreign is not None:
            self._foreign.encoded(timestamp, data, codec, now_ns)
            return
        tick = tick_of(timestamp)  # other encoders floor a timestamp by one now and then
        if abs(timestamp - tick * PTS_PER_TICK) > 1 or tick not in self._sent:
            self.counts["foreign"] += 1
            return
        self.stages.received(tick)
        self._keep(tick, data, codec, now_ns)

    def _keep(
        self, tick: int, data: bytes, codec: str, now_ns: int, confidence: float | None = None
    ) -> None:
        """Into the recorder's ring. confidence: of an estimated tick, None of an exact one."""
        number, seed = self._prompts.painted(tick)
        exact, sure = confidence is None, 1.0 if confidence is None else confidence
        frame = EncodedFrame(tick, data, is_key(codec, data), now_ns, exact, sure, number, seed)
        if not self._encoded.push(pack_encoded(frame), kind=STYLED, tick=tick, t_ns=now_ns):
            self.counts["lost"] += 1
        self.bits.add(len(data) * 8.0)
        self.counts["returned"] += 1

    def decoded(self, frame: Any) -> None:
        """The newest picture: onto the ring to the screen."""
        if self._foreign is not None:
            self._guess(frame)
            return
        tick = tick_of(frame.pts)
        if tick in self._sent:
            self._show(frame, tick)
            self.stages.decoded(tick)

    def returned(self, frame: Any, data: bytes, tick: int | None) -> None:
        """A picture of a transport that hands out no bitstream. tick: None where none was echoed.

        data: VP8, encoded here.
        """
        now_ns = time.monotonic_ns()
        self.echoes = tick is not None
        if tick is not None and tick in self._sent:
            self.stages.received(tick)
            self._keep(tick, data, "vp8", now_ns)
            self._show(frame, tick)
            self.stages.decoded(tick)
        elif tick is None and self._foreign is not None:
            self._foreign.encoded(frame.pts, data, "vp8", now_ns)
            self._guess(frame)

    def _guess(self, frame: Any) -> None:
        """Pair a picture that carries no tick by how it moves."""
        assert self._foreign is not None
        match, found = self._foreign.decoded(frame, time.monotonic_ns())
        for held, own in found:
            self._keep(own.tick, held.data, held.codec, held.received_ns, own.confidence)
        if match is not None:
            self._show(frame, match.tick)

    def _show(self, frame: Any, tick: int) -> None:
        height, width = self._styled.shape[:2]
        picture = self._reformatter.reformat(frame, width, height, "bgra", threads=1)
        pixels: Any = picture.to_ndarray()
        self._styled.put(tick, time.monotonic_ns(), pixels)
        self.heard_at, self.tick = time.monotonic(), tick
        self._streams()
        self.shown.add(1.0)
        sent_ns = self._sent.get(tick)
        if sent_ns is not None:
            trip_ms = (time.monotonic_ns() - sent_ns) / 1e6
            self.round_trip.add(trip_ms)
            self._window.answered(self.heard_at, trip_ms / 1000)
        for old in [t for t in self._unanswered if t <= tick]:
            del self._unanswered[old]
