"""Where pictures of a recorded drive may be taken from: as driven, or from anywhere else.

Owns the words of `--camera`. A camera is a plain value that crosses processes; its eye is a
function of the state alone, so the same words give the same pictures everywhere.
"""

import json
import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import Path

from game.dataset.errors import DatasetError
from game.view.camera import Eye, eye
from game.world.controls import Camera as Seat
from game.world.entity import EntityState
from game.world.state import WorldState

WORDS = (
    "driven | chase | hood | above[:M] | follow:ID[:M] | at:X,Y,Z,YAW,PITCH | from:X,Y,Z | F.json"
)
_ABOVE, _BEHIND = 40.0, 8.0
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Knot:
    """One place of a flight: tick, position [m], yaw from east and pitch upwards [rad]."""

    tick: int
    view: Eye


@dataclass(frozen=True, slots=True)
class Camera:
    """What one word means. kind: see WORDS; numbers and knots as the kind needs them."""

    kind: str = "driven"
    numbers: tuple[float, ...] = ()
    knots: tuple[Knot, ...] = ()

    def eye(self, state: WorldState) -> Eye:
        """Where this camera looks from in a state."""
        if self.kind == "driven":
            return eye(state)
        if self.kind in ("chase", "hood"):
            seat = Seat.CHASE if self.kind == "chase" else Seat.HOOD
            ahead = replace(state.controls, camera=int(seat), look_yaw=0, look_pitch=0)
            return eye(replace(state, controls=ahead))
        ego = state.ego
        if self.kind == "above":
            back = self.numbers[0] * 0.25
            x = ego.x - math.cos(ego.heading) * back
            y = ego.y - math.sin(ego.heading) * back
            return _towards(x, y, self.numbers[0], ego)
        if self.kind == "follow":
            return self._behind(state)
        if self.kind == "from":
            x, y, z = self.numbers
            return _towards(x, y, z, ego)
        if self.kind == "at":
            x, y, z, yaw, pitch = self.numbers
            return Eye(x, y, z, yaw, pitch)
        return self._flown(state.tick)

    def _behind(self, state: WorldState) -> Eye:
        """Behind one road user; behind the ego while that one is not there."""
        found = next((a for a in state.actors if a.id == int(self.numbers[0])), state.ego)
        far = self.numbers[1]
        x = found.x - math.cos(found.heading) * far
        y = found.y - math.sin(found.heading) * far
        return _towards(x, y, 1.2 + far * 0.3, found)

    def _flown(self, tick: int) -> Eye:
        at = bisect_right([knot.tick for knot in self.knots], tick)
        if at == 0 or at == len(self.knots):
            return self.knots[max(0, at - 1)].view
        a, b = self.knots[at - 1], self.knots[at]
        share = (tick - a.tick) / (b.tick - a.tick)
        turn = math.remainder(b.view.yaw - a.view.yaw, math.tau)

        def between(one: float, two: float) -> float:
            return one + (two - one) * share

        return Eye(
            between(a.view.x, b.view.x), between(a.view.y, b.view.y), between(a.view.z, b.view.z),
            a.view.yaw + turn * share, between(a.view.pitch, b.view.pitch),
        )  # fmt: skip


def _towards(x: float, y: float, z: float, whom: EntityState) -> Eye:
    """From a place to the middle of someone."""
    dx, dy, dz = whom.x - x, whom.y - y, 1.0 - z
    level = math.sqrt(dx * dx + dy * dy)
    return Eye(x, y, z, math.atan2(dy, dx), math.atan2(dz, level))


def camera(text: str) -> Camera:
    """The camera that a word means; angles are given in degrees. Raises DatasetError."""
    kind, _, rest = text.partition(":")
    try:
        if text.endswith(".json"):
            return Camera("flight", knots=_knots(Path(text)))
        numbers = tuple(float(each) for each in rest.replace(":", ",").split(",") if each)
        if not all(math.isfinite(each) for each in numbers):
            raise ValueError("a number is not finite")
        if kind in ("driven", "chase", "hood") and not numbers:
            return Camera(kind)
        if kind == "above" and len(numbers) <= 1:
            return Camera(kind, numbers or (_ABOVE,))
        if kind == "follow" and 1 <= len(numbers) <= 2:
            return Camera(kind, (*numbers, _BEHIND)[:2])
        if kind == "from" and len(numbers) == 3:
            return Camera(kind, numbers)
        if kind == "at" and len(numbers) == 5:
            yaw, pitch = (math.radians(each) for each in numbers[3:])
            return Camera(kind, (*numbers[:3], yaw, pitch))
    except (ValueError, OSError, TypeError) as error:
        raise DatasetError(f"--camera {text}: {error}; it is {WORDS}") from error
    raise DatasetError(f"--camera {text}: it is {WORDS}")


def _knots(path: Path) -> tuple[Knot, ...]:
    """Rows of tick, x, y, z, yaw, pitch [m, degree], ascending by tick."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not 0 < len(rows) <= _LONGEST:
        raise ValueError("a flight is a list of [tick, x, y, z, yaw, pitch]")
    found: list[Knot] = []
    for row in rows:
        tick, x, y, z, yaw, pitch = (float(each) for each in row)
        if found and tick <= found[-1].tick:
            raise ValueError("the ticks of a flight ascend")
        view = Eye(x, y, z, math.radians(yaw), math.radians(pitch))
        found.append(Knot(int(tick), view))
    return tuple(found)
