"""A drive that somebody shared, raced as a ghost: where it was at each tick, and how far ahead.

It is drawn over the window's picture and nowhere else: not in the world, not in what is captured,
streamed or recorded. Owns how it looks and how the gap to it is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, radians, sin, tan
from pathlib import Path

from game.errors import UsageError
from game.session.format import CaptureProfile
from game.session.reader import Session
from game.session.replay import need_this_world, replay, stage_of
from game.session.share import MAGIC, Share, read
from game.view.camera import Eye, eye
from game.view.present import fit
from game.view.screen.canvas import Canvas, Colour, Lines, Marks, Segment, Words
from game.world.city import City
from game.world.collision import obstacles_of
from game.world.entity import BODIES
from game.world.living import sees
from game.world.state import WorldState
from game.world.version import TICK_HZ

EVERY = 6
"""Ticks between two kept poses; between them it moves evenly."""
LOST_M = 30.0
"""Farther from everywhere the ghost was, there is no gap to count [m]."""
FAR_M = 220.0
NEAR_M = 3.5
"""Nearer than this one would sit in it, so it is not drawn [m]."""
COLOUR: Colour = (0.45, 0.95, 1.0, 0.9)
Pose = tuple[float, float, float]
_EDGES = ((0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6),
          (3, 7))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ghost:
    """poses: x, y [m], heading [rad] at tick 0, EVERY, 2 EVERY ... ticks: how long it drove."""

    scenario: str
    digest: str
    seed: int
    body: str
    ticks: int
    poses: tuple[Pose, ...]

    def pose(self, tick: int) -> Pose:
        """Where it was; it stays where it ended."""
        if tick >= self.ticks:
            return self.poses[-1]
        at, part = divmod(max(0, tick), EVERY)
        one = self.poses[min(at, len(self.poses) - 1)]
        other = self.poses[min(at + 1, len(self.poses) - 1)]
        f = part / min(EVERY, self.ticks - at * EVERY)
        turn = (other[2] - one[2] + 9.42477796076938) % 6.283185307179586 - 3.141592653589793
        return one[0] + f * (other[0] - one[0]), one[1] + f * (other[1] - one[1]), one[2] + f * turn


class Race:
    """One drive against a ghost. Give it every state that is shown."""

    def __init__(self, ghost: Ghost, city: City, capture: CaptureProfile) -> None:
        self.ghost, self._city, self._capture = ghost, city, capture
        self._at = 0
        self._gap: float | None = 0.0
        self._tick = -1

    def gap(self, state: WorldState) -> float | None:
        """Seconds behind the ghost at this place, negative: ahead of it; None off its way."""
        if state.tick == self._tick:
            return self._gap
        self._tick = state.tick
        poses, x, y = self.ghost.poses, state.ego.x, state.ego.y
        first, last = max(0, self._at - 20), min(len(poses), self._at + 120)
        away = [hypot(poses[i][0] - x, poses[i][1] - y) for i in range(first, last)]
        # where it stood for long, its last tick there is the fair one
        best = min(range(len(away)), key=lambda i: (round(away[i], 1), -i))
        if away[best] > LOST_M:
            self._gap = None
            return None
        self._at = first + best
        self._gap = (state.tick - self._at * EVERY) / TICK_HZ
        return self._gap

    def says(self, state: WorldState) -> str:
        """The gap in words, for the HUD."""
        gap = self.gap(state)
        if gap is None:
            return "ghost: off its way"
        side = "ahead of you" if gap > 0 else "behind you"
        return f"ghost {abs(gap):.1f} s {side}"

    def marks(self, state: WorldState, canvas: Canvas) -> Marks:
        """The ghost's outline over the picture of this state; nothing where it is out of sight."""
        x, y, heading = self.ghost.pose(state.tick)
        ego = state.ego
        away = hypot(x - ego.x, y - ego.y)
        if not NEAR_M < away < FAR_M:
            return ()
        if not sees(obstacles_of(self._city), ego.x, ego.y, x, y):
            return ()
        lens = _Lens(eye(state), self._capture, canvas)
        corners = _corners(self.ghost.body, x, y, heading)
        found = [lens.segment(corners[a], corners[b]) for a, b in _EDGES]
        segments = tuple(each for each in found if each is not None)
        if not segments:
            return ()
        top = lens.point((x, y, BODIES[self.ghost.body].height + 0.6))
        name = (Words(top[0], top[1] - 16.0, "ghost", 13.0, COLOUR, 0),) if top is not None else ()
        return (Lines(segments, 2.0, COLOUR), *name)


class _Lens:
    """Places of the world as points of the canvas, as the capture's camera sees them."""

    def __init__(self, view: Eye, capture: CaptureProfile, canvas: Canvas) -> None:
        self._view, self._canvas = view, canvas
        across, up = fit(capture.width / capture.height, canvas.width / canvas.height)
        self._across, self._up = across, up
        self._focal = min(across, up) / tan(radians(capture.fov_degrees) / 2.0)

    def _seen(self, place: tuple[float, float, float]) -> tuple[float, float, float]:
        """Right, up and ahead of the eye [m]."""
        view = self._view
        dx, dy, dz = place[0] - view.x, place[1] - view.y, place[2] - view.z
        level = dx * cos(view.yaw) + dy * sin(view.yaw)
        right = dx * sin(view.yaw) - dy * cos(view.yaw)
        ahead = level * cos(view.pitch) + dz * sin(view.pitch)
        return right, dz * cos(view.pitch) - level * sin(view.pitch), ahead

    def _placed(self, seen: tuple[float, float, float]) -> tuple[float, float] | None:
        x, y = self._focal * seen[0] / seen[2], self._focal * seen[1] / seen[2]
        if abs(x) > 1.2 * self._across or abs(y) > 1.2 * self._up:
            return None
        half = self._canvas.height / 2.0
        return self._canvas.width / 2.0 + x * half, half - y * half

    def point(self, place: tuple[float, float, float]) -> tuple[float, float] | None:
        """One place, None where it is not in the picture."""
        seen = self._seen(place)
        return self._placed(seen) if seen[2] > 0.5 else None

    def segment(
        self, one: tuple[float, float, float], other: tuple[float, float, float]
    ) -> Segment | None:
        """One edge, None where an end of it is not in the picture."""
        a, b = self.point(one), self.point(other)
        return (*a, *b) if a is not None and b is not None else None


def _corners(
    name: str, x: float, y: float, heading: float
) -> tuple[tuple[float, float, float], ...]:
    body = BODIES[name]
    c, s = cos(heading), sin(heading)
    half, wide = body.length / 2.0, body.width / 2.0
    flat = [
        (x + along * c - aside * s, y + along * s + aside * c)
        for along, aside in ((half, wide), (half, -wide), (-half, -wide), (-half, wide))
    ]
    return tuple((px, py, z) for z in (0.1, body.height) for px, py in flat)


def load_ghost(path: Path, city: City) -> Ghost:
    """The ghost of a shared file, or of a session's folder. Raises UsageError and SessionError.

    A shared drive is simulated once, here: seconds for a scenario, longer for a mission.
    """
    if path.is_dir():
        with Session.open(path) as session:
            ticks = session.ticks()
            last = len(ticks) - 1
            wanted = [*range(0, last, EVERY), last]  # the last one once
            return _ghost(session, (ticks[tick] for tick in wanted))
    try:
        driven = read(path)
    except ValueError as error:
        raise UsageError(f"{path}: {error}; a shared drive begins with {MAGIC!r}") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    need_this_world(driven, city)
    stage = stage_of(driven.scenario)(driven.manifest, city)
    last = driven.steps
    states = (s for s in replay(driven, city, stage) if s.tick % EVERY == 0 or s.tick == last)
    return _ghost(driven, states)


def _ghost(driven: Session | Share, states: Iterable[WorldState]) -> Ghost:
    poses, body, tick = [], "sedan", 0
    for state in states:
        body, tick = state.ego.body, state.tick
        poses.append((state.ego.x, state.ego.y, state.ego.heading))
    told = driven.manifest
    if len(poses) < 2:
        raise UsageError(f"{told.scenario}: nothing was driven in it")
    return Ghost(told.scenario, told.scenario_digest, told.seed, body, tick, tuple(poses))
