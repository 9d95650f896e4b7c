"""One scenario as a Gymnasium environment: the world's own ticks, deterministic, with or without
pictures. Owns the action, the reward and what ends an episode; the rules are the referee's."""

from functools import cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray

from game.atlas.load import load as load_city
from game.gym.observation import Observation, observe, space
from game.world.city import City
from game.world.controls import UNIT, Controls
from game.world.digest import MAX_SEED, checkpoint
from game.world.state import WorldState
from game.world.step import step
from game.world.version import TICK_HZ
from scenarios.expect import TIMEOUT, Outcome, Referee
from scenarios.load import load
from scenarios.road import Road, survey
from scenarios.spawn import Stage, stage

if TYPE_CHECKING:
    from game.view.renderer import SceneRenderer

TICKS = 6
"""World ticks in one step of the environment: ten decisions a second."""
PER_METRE = 0.1
"""Reward for each metre of the route, the first time that it is driven."""
SUCCESS = 10.0
FAILURE = -10.0
"""When the scenario is passed, or failed other than by its time limit."""


@cache
def _city(pack: Path | None) -> City:
    return load_city(pack)


class ScenarioEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """A scenario of the library, or of a file; `reset(seed=n)` sets up the case of seed n.

    Action: steer -1 right .. 1 left, throttle 0..1, brake 0..1, taken in thousandths.
    Observation: see `game.gym.observation`. Terminated: passed or failed. Truncated: time is up.
    Info: seed, tick, progress [m], collisions; at the end success, reason, cause and digest.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": TICK_HZ // TICKS}

    def __init__(
        self,
        scenario: str = "busy-intersection",
        render_mode: str | None = None,
        ticks: int = TICKS,
        size: tuple[int, int] = (480, 480),
        pack: Path | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode is None or 'rgb_array', not {render_mode!r}")
        if ticks < 1:
            raise ValueError(f"a step takes at least one tick, not {ticks}")
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": max(1, TICK_HZ // ticks)}
        self.observation_space = cast("gymnasium.Space[Observation]", space())
        low, high = np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32)
        self.action_space = gymnasium.spaces.Box(low, high)
        self._scenario, self._city = load(scenario), _city(pack)
        self._ticks, self._size = ticks, size
        self._renderer: SceneRenderer | None = None
        self._stage: Stage | None = None
        self._state: WorldState
        self._referee: Referee
        self._road: Road
        self._s = self._left = self._farthest = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Tick 0 of the case that `seed` names; without one, of a case drawn anew."""
        super().reset(seed=seed)
        case = int(self.np_random.integers(2**31)) if seed is None else seed % (MAX_SEED + 1)
        self._stage = stage(self._scenario, self._city, case)
        self._state, self._referee = self._stage.state, Referee(self._stage)
        self._road = survey(self._stage.route, self._city)
        self._referee.observe(self._state)
        self._s, self._left = self._road.project(self._state.ego.x, self._state.ego.y, 0.0)
        self._farthest = self._s
        return self._observation(), self._info()

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Hold the controls for `ticks` ticks, fewer where the scenario ends in between."""
        if self._stage is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        controls = _controls(action)
        for _ in range(self._ticks):
            if self._referee.outcome is not None:
                break
            self._state = step(self._city, self._state, controls)
            self._referee.observe(self._state)
            ego = self._state.ego
            self._s, self._left = self._road.project(ego.x, ego.y, self._s)
        gained = max(0.0, self._s - self._farthest)
        self._farthest += gained
        reward, outcome = PER_METRE * gained, self._referee.outcome
        late = outcome is not None and outcome.reason == TIMEOUT
        if outcome is not None and not late:
            reward += SUCCESS if outcome.success else FAILURE
        ended = outcome is not None and not late
        return self._observation(), reward, ended, late, self._info()

    def render(self) -> NDArray[np.uint8] | None:
        """The picture of the state now, (height, width, 3) RGB, where render_mode asks for it."""
        if self.render_mode is None:
            return None
        if self._stage is None:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        if self._renderer is None:
            from game.session.format import CaptureProfile
            from game.view.renderer import make_renderer

            self._renderer = make_renderer(self._city, CaptureProfile())
        picture = self._renderer.render(self._state, ["colour"], *self._size)["colour"]
        return np.asarray(picture, np.uint8)

    def close(self) -> None:
        """Give the renderer back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    @property
    def state(self) -> WorldState:
        """The world as it is now, for whoever wants more than the observation."""
        return self._state

    def _observation(self) -> Observation:
        assert self._stage is not None
        left = max(0.0, 1.0 - self._state.tick / self._stage.duration_ticks)
        return observe(self._state, self._road, self._s, self._left, left)

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {
            "seed": self._state.seed,
            "tick": self._state.tick,
            "progress": self._farthest,
            "collisions": self._state.collisions,
        }
        outcome: Outcome | None = self._referee.outcome
        if outcome is not None:
            info["success"], info["reason"] = outcome.success, outcome.reason
            info["cause"] = outcome.cause
            info["digest"] = checkpoint(self._state).digest.hex()
        return info


def _controls(action: NDArray[np.float32]) -> Controls:
    """Three numbers as the integers that the world takes. Raises ValueError for what is none."""
    values = [float(value) for value in np.asarray(action).reshape(-1)]
    if len(values) != 3 or not all(isfinite(value) for value in values):
        raise ValueError(f"an action is three finite numbers, not {action!r}")
    steer, throttle, brake = (round(UNIT * min(1.0, max(-1.0, value))) for value in values)
    return Controls(steer=steer, throttle=max(0, throttle), brake=max(0, brake))
