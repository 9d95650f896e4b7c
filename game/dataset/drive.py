"""One session as what a data set is made of: runs of frames on a fixed grid, and a row for each.

`image[t]` shows the state before `action[t]`; `action[t]` is what the simulation consumed in
(t, next t]: the mean of steer, throttle, brake and look over those ticks, handbrake and horn if
held in any of them, gear and camera as in the last. Nothing is interpolated, repeated or invented:
where a pair is missing, a run ends.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from game.dataset.splits import tile
from game.session.format import FramePair, Pairing, TrackId
from game.session.pictures import Rgb
from game.session.reader import Session
from game.world.controls import HANDBRAKE, HORN, UNIT
from game.world.entity import BODIES, EntityState
from game.world.state import WorldState
from scenarios.criticality import ttc

STATE = ("x_m", "y_m", "heading_rad", "speed_m_s", "steer_angle_rad", "vx_m_s", "vy_m_s")
ACTION = ("steer", "throttle", "brake")
BUTTONS = ("gear", "handbrake", "horn", "camera")
LOOK = ("look_yaw_deg", "look_pitch_deg")
NEAREST = 8
"""Road users in `observation.environment_state`, nearest first."""
ACTOR = ("present", "ahead_m", "left_m", "heading_rad", "ahead_m_s", "left_m_s", "length_m",
         "width_m")  # fmt: skip
TTC_CAP = 10.0
"""Times to collision above this, or none at all, are stored as this [s]."""

SURE = 0.9
"""An estimated pair below this confidence is left out: it may show another moment."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Run:
    """Frames without a gap. ticks: one more than frames; the last one only closes the action."""

    ticks: tuple[int, ...]

    @property
    def frames(self) -> int:
        return len(self.ticks) - 1


class Drive:
    """An open session seen as rows. Close the session, not this.

    pairs: the exact ones, and estimated ones from a confidence of `sure` on.
    """

    def __init__(self, session: Session, track: int = TrackId.STYLED, sure: float = SURE) -> None:
        self.session, self.track = session, track
        self.every_pair: tuple[FramePair, ...] = session.pairs(track)
        self.pairs: dict[int, FramePair] = {
            pair.tick: pair
            for pair in self.every_pair
            if pair.pairing == Pairing.EXACT or pair.confidence >= sure
        }
        self.hz = session.manifest.tick_hz

    @cached_property
    def controls(self) -> NDArray[np.int64]:
        """(steps, 8): controls that step t -> t + 1 consumed, in the order of Controls."""
        rows = [
            (c.steer, c.throttle, c.brake, int(c.gear), c.flags, c.look_yaw, c.look_pitch,
             int(c.camera))
            for c in self.session.controls()
        ]  # fmt: skip
        return np.asarray(rows, np.int64).reshape(-1, 8)

    @cached_property
    def start_ns(self) -> int:
        """Monotonic time of the first source frame: zero of all times that leave the machine."""
        return min((r.t_ns for r in self.session.frames(TrackId.SOURCE)), default=0)

    def runs(self, fps: float, shortest: int = 2, length: int = 0) -> tuple[Run, ...]:
        """Runs of at least `shortest` frames at `fps`, as long as pairs go on.

        The frame at k / fps of a run is the pair nearest to that time, at most half a capture
        interval away. length: cut every run into clips of exactly so many frames, 0 leaves it.
        """
        ticks, steps = sorted(self.pairs), len(self.controls)
        slack = self.session.manifest.capture.every_ticks // 2
        stride, least = self.hz / fps, max(shortest, length)
        found: list[Run] = []
        at = 0
        while at < len(ticks):
            first, run = ticks[at], [ticks[at]]
            while len(run) != length:
                near = self._near(first + len(run) * stride, slack)
                if near <= run[-1]:
                    break
                run.append(near)
            end = first + round(len(run) * stride)
            after = max(end - slack, run[-1] + 1)
            if end <= steps:
                run.append(end)
            if len(run) > least:
                found.append(Run(tuple(run)))
            at = int(np.searchsorted(ticks, after, "left"))
        return tuple(found)

    def _near(self, wanted: float, slack: int) -> int:
        centre = round(wanted)
        for off in range(slack + 1):
            for tick in (centre - off, centre + off):
                if tick in self.pairs and abs(tick - wanted) <= slack:
                    return tick
        return -1

    def action(self, start: int, end: int) -> tuple[Floats, NDArray[np.int64], Floats]:
        """(3,) steer, throttle, brake; (4,) buttons; (2,) look [degree] over steps start..end-1."""
        rows = self.controls[start:end]
        mean = rows.mean(axis=0)
        flags = int(np.bitwise_or.reduce(rows[:, 4]))
        buttons = (rows[-1, 3], bool(flags & HANDBRAKE), bool(flags & HORN), rows[-1, 7])
        return (
            (mean[:3] / UNIT).astype(np.float32),
            np.asarray(buttons, np.int64),
            (mean[5:7] / 10.0).astype(np.float32),
        )

    def state(self, tick: int) -> WorldState:
        """The stored state of a tick."""
        return self.session.ticks()[tick]

    def pictures(self, ticks: Sequence[int]) -> Iterator[tuple[int, Rgb, Rgb]]:
        """(tick, source, styled) RGB pictures, cheapest in ascending order."""
        sources = self.session.pictures(TrackId.SOURCE, ticks)
        styled = self.session.pictures(self.track, ticks)
        for (tick, before), (_, after) in zip(sources, styled, strict=True):
            yield tick, before, after

    def places(self) -> frozenset[str]:
        """Keys of the map tiles that the ego touched."""
        stored = self.session.ticks()
        return frozenset(
            tile(s.ego.x, s.ego.y) for s in (stored[t] for t in range(0, len(stored), 30))
        )


def ego_row(state: WorldState) -> Floats:
    """(7,) as named by STATE."""
    ego = state.ego
    cosine, sine = math.cos(ego.heading), math.sin(ego.heading)
    return np.asarray(
        (ego.x, ego.y, ego.heading, ego.speed, ego.steer, ego.speed * cosine, ego.speed * sine),
        np.float32,
    )


def around(state: WorldState) -> Floats:
    """(NEAREST * 8,) the nearest road users in the ego's frame, as named by ACTOR; 0 for none."""
    ego = state.ego
    cosine, sine = math.cos(ego.heading), math.sin(ego.heading)

    def gap(actor: EntityState) -> tuple[float, int]:
        return (actor.x - ego.x) ** 2 + (actor.y - ego.y) ** 2, actor.id

    out = np.zeros((NEAREST, len(ACTOR)), np.float32)
    for row, actor in zip(out, sorted(state.actors, key=gap), strict=False):
        dx, dy = actor.x - ego.x, actor.y - ego.y
        vx, vy = actor.speed * math.cos(actor.heading), actor.speed * math.sin(actor.heading)
        turn = math.remainder(actor.heading - ego.heading, math.tau)
        body = BODIES[actor.body]
        row[:] = (
            1.0, dx * cosine + dy * sine, dy * cosine - dx * sine, turn,
            vx * cosine + vy * sine, vy * cosine - vx * sine, body.length, body.width,
        )  # fmt: skip
    return out.reshape(-1)


def ttc_s(state: WorldState) -> float:
    """Smallest time to collision with anyone [s], TTC_CAP where there is none below it."""
    return ttc(state, TTC_CAP)
