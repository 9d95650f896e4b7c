"""The Gymnasium environment: its checker, seeds, ends, vectors, pictures, the documented use."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import game.gym
from game.atlas.load import load as load_city
from game.gym.env import FAILURE, PER_METRE, SUCCESS, ScenarioEnv
from game.world.controls import Controls
from scenarios.driver import DRIVERS, Replay
from scenarios.load import load
from scenarios.run import run

NAME = "ScaleDiffusion/Scenario-v0"
ROOT = Path(game.gym.__file__).parents[2]


def make(**options: Any) -> ScenarioEnv:
    return cast(ScenarioEnv, gymnasium.make(NAME, **options).unwrapped)


@pytest.fixture
def env() -> Iterator[ScenarioEnv]:
    made = make(scenario="oncoming-traffic")
    yield made
    made.close()


def test_gymnasiums_checker_has_no_complaint(env: ScenarioEnv) -> None:
    check_env(env, skip_render_check=True)  # a warning is an error here


@pytest.mark.render
def test_the_checker_agrees_with_pictures_too() -> None:
    env = make(scenario="oncoming-traffic", render_mode="rgb_array", size=(96, 64))
    try:
        check_env(env)
        env.reset(seed=1)
        first = env.render()
        assert first is not None
        assert (first.shape, first.dtype) == ((64, 96, 3), np.uint8)
        assert first.std() > 5.0
        for _ in range(20):
            env.step(np.array([0.0, 1.0, 0.0], np.float32))
        assert not np.array_equal(first, env.render())
    finally:
        env.close()


def test_without_a_mode_there_is_no_picture_and_no_renderer(env: ScenarioEnv) -> None:
    env.reset(seed=1)
    assert env.render() is None


def ending(env: ScenarioEnv, seed: int, action: list[float]) -> tuple[float, bool, bool, Any]:
    env.reset(seed=seed)
    total = 0.0
    while True:
        _, reward, terminated, truncated, info = env.step(np.array(action, np.float32))
        total += reward
        if terminated or truncated:
            return total, terminated, truncated, info


def test_a_collision_terminates_and_costs(env: ScenarioEnv) -> None:
    total, terminated, truncated, info = ending(env, 3, [0.0, 1.0, 0.0])
    assert (terminated, truncated) == (True, False)
    assert info["reason"] == "collision"
    assert total == pytest.approx(FAILURE + PER_METRE * info["progress"])


def test_running_out_of_time_truncates_and_costs_nothing() -> None:
    env = make(scenario=str(waiting()))
    total, terminated, truncated, info = ending(env, 0, [0.0, 0.0, 1.0])
    assert (terminated, truncated) == (False, True)
    assert info["reason"] == "timeout"
    assert total == pytest.approx(PER_METRE * info["progress"])


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def waiting() -> Path:
    from tests.scenarios.example import GOOD

    path = Path("waiting.yaml")
    path.write_text(GOOD.replace("duration_s: 20", "duration_s: 3"))
    return path


def test_the_bots_drive_is_the_same_run_tick_for_tick() -> None:
    """Its controls as actions: success, its reward and the digest of `scenario run`."""
    scenario, city = load("oncoming-traffic"), load_city()
    driven: list[Controls] = []
    wanted = run(scenario, city, 2, DRIVERS["bot"], lambda state: driven.append(state.controls))
    assert wanted.success
    env = make(scenario="oncoming-traffic", ticks=1)
    env.reset(seed=2)
    total, terminated, info = 0.0, False, {}
    for controls in driven[1:]:
        assert not terminated
        action = np.array([controls.steer, controls.throttle, controls.brake], np.float32) / 1000
        _, reward, terminated, _, info = env.step(action)
        total += reward
    assert terminated
    assert info["success"] is True
    assert total == pytest.approx(SUCCESS + PER_METRE * info["progress"])
    assert info["digest"] == wanted.digest
    again = run(scenario, city, 2, lambda stage, town: Replay(driven[1:]))
    assert again.digest == info["digest"]


def test_a_seed_names_a_case_and_the_same_actions_end_in_the_same_digest(env: ScenarioEnv) -> None:
    ends = [ending(env, seed, [0.02, 0.7, 0.0])[3] for seed in (4, 4, 5)]
    assert ends[0] == ends[1]
    assert ends[0]["digest"] != ends[2]["digest"]
    assert [one["seed"] for one in ends] == [4, 4, 5]


def test_without_a_seed_the_next_case_is_drawn_from_the_generator(env: ScenarioEnv) -> None:
    drawn = []
    for _ in range(2):
        env.reset(seed=9)
        drawn.append([env.reset()[1]["seed"] for _ in range(3)])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3


def test_what_is_seen_is_where_it_is(env: ScenarioEnv) -> None:
    seen, _ = env.reset(seed=1)
    for _ in range(25):
        seen, *_ = env.step(np.array([0.1, 0.4, 0.0], np.float32))
    state = env.state
    count = int(seen["actors"][:, 0].sum())
    assert 0 < count <= len(state.actors)
    away = np.hypot(seen["actors"][:count, 1], seen["actors"][:count, 2])
    assert np.all(np.diff(away) >= 0.0)
    real = sorted(np.hypot(a.x - state.ego.x, a.y - state.ego.y) for a in state.actors)
    assert away == pytest.approx(real[:count], abs=1e-3)
    turn = complex(np.cos(state.ego.heading), np.sin(state.ego.heading))
    points = [complex(a.x - state.ego.x, a.y - state.ego.y) / turn for a in state.actors]
    nearest = min(points, key=abs)
    assert seen["actors"][0, 1:3] == pytest.approx([nearest.real, nearest.imag], abs=1e-3)
    assert seen["ego"][0] == pytest.approx(state.ego.speed, rel=1e-6)
    steps = np.hypot(*np.diff(seen["route"], axis=0).T)
    assert steps == pytest.approx([5.0] * 9, abs=0.1)


def test_actions_are_whole_thousandths_and_never_nan(env: ScenarioEnv) -> None:
    env.reset(seed=1)
    env.step(np.array([2.0, 0.12345, -1.0], np.float32))
    assert env.state.controls == Controls(steer=1000, throttle=123, brake=0)
    with pytest.raises(ValueError, match="three finite"):
        env.step(np.array([np.nan, 0.0, 0.0], np.float32))


def test_a_step_before_the_first_reset_is_refused() -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        make().step(np.zeros(3, np.float32))


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_environments_run_side_by_side(mode: str) -> None:
    spawn = {"context": "spawn"} if mode == "async" else {}
    envs = gymnasium.make_vec(
        f"game.gym:{NAME}", num_envs=2, vectorization_mode=mode, vector_kwargs=spawn,
        scenario="oncoming-traffic",
    )  # fmt: skip
    try:
        seen, info = envs.reset(seed=3)
        assert seen["actors"].shape == (2, 16, 8)
        assert list(info["seed"]) == [3, 4]
        for _ in range(10):
            seen, rewards, *_ = envs.step(np.array([[0.0, 1.0, 0.0]] * 2, np.float32))
        alone = make(scenario="oncoming-traffic")
        alone.reset(seed=4)
        for _ in range(10):
            wanted, reward, *_ = alone.step(np.array([0.0, 1.0, 0.0], np.float32))
        assert np.array_equal(seen["ego"][1], wanted["ego"])
        assert rewards[1] == pytest.approx(reward)
    finally:
        envs.close()


def test_importing_changes_nothing_but_the_registry() -> None:
    code = (
        "import os, sys, signal, threading, gymnasium\n"
        "b = set(gymnasium.registry), dict(os.environ), os.getcwd(), threading.active_count()\n"
        "import game.gym\n"
        "a = set(gymnasium.registry), dict(os.environ), os.getcwd(), threading.active_count()\n"
        f"assert a[0] - b[0] == {{'{NAME}'}} and a[1:] == b[1:]\n"
        "assert not [m for m in sys.modules if m.split('.')[0] == 'panda3d']\n"
        "assert 'game.gym.env' not in sys.modules\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=env)


def test_the_documented_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "gymnasium.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(example, "gymnasium.md", "exec"), {})
    assert re.fullmatch(r"(ok|collision|timeout) [0-9a-f]{64}\n", capsys.readouterr().out)
