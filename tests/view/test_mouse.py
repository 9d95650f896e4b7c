"""The mouse as a wheel: held only while somebody drives, and what it says are integers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from game.view.keys import Mapper
from game.view.mouse import MouseWheel

ROOT = Path(__file__).parents[2]


class Pane:
    """Stands for Panda's window of 200 by 100: where the pointer is, and what was asked for."""

    def __init__(self) -> None:
        self.at, self.inside = (30, 40), True
        self.size = (200, 100)
        self.told: list[tuple[int, int]] = []  # readings that come late
        self.hidden: list[bool] = []

    def getPointer(self, _: int) -> Any:
        told = self.told.pop(0) if self.told else self.at
        return SimpleNamespace(
            getX=lambda: told[0], getY=lambda: told[1], getInWindow=lambda: self.inside
        )

    def movePointer(self, _: int, x: int, y: int) -> bool:
        self.at = (x, y) if self.inside else self.at
        return self.inside

    def getXSize(self) -> int:
        return self.size[0]

    def getYSize(self) -> int:
        return self.size[1]

    def requestProperties(self, wanted: Any) -> None:
        self.hidden.append(wanted.getCursorHidden())


def test_movement_turns_the_wheel_and_the_pointer_stays_in_the_middle() -> None:
    pane = Pane()
    mouse = MouseWheel(pane, 3)
    assert mouse.moved(True) == (0.0, 0.0)
    assert pane.at == (100, 50)
    pane.at = (120, 45)
    dx, dy = mouse.moved(True)
    assert (dx, dy, pane.at) == (20.0, -5.0, (100, 50))
    (event,) = mouse.events(dx, 7)
    assert (event.kind, event.code, event.value, event.src) == ("axis", "steer", -60, "mouse")
    assert mouse.events(0.0, 8) == []
    mapper = Mapper()
    mapper.feed([event])
    assert mapper.controls(0).steer == -60


def test_a_reading_from_before_the_pointer_was_put_back_steers_nothing() -> None:
    pane = Pane()
    mouse = MouseWheel(pane, 3)
    mouse.moved(True)
    pane.told = [(30, 40), (30, 40)]
    assert [mouse.moved(True)[0] for _ in range(3)] == [0.0, 0.0, 0.0]
    pane.at = (180, 50)
    assert mouse.moved(True)[0] == 80.0
    pane.told = [(180, 50)]
    assert [mouse.moved(True)[0] for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pane.at == (100, 50)


def test_a_window_of_another_size_steers_nothing() -> None:
    pane = Pane()
    mouse = MouseWheel(pane, 3)
    mouse.moved(True)
    pane.size = (600, 400)
    assert mouse.moved(True) == (0.0, 0.0)
    pane.at = (110, 50)
    assert mouse.moved(True) == (10.0, 0.0)
    assert pane.at == (300, 200)
    assert mouse.moved(True) == (0.0, 0.0)


def test_a_pointer_that_has_left_steers_nothing_meanwhile() -> None:
    pane = Pane()
    mouse = MouseWheel(pane, 3)
    mouse.moved(True)
    pane.inside, pane.at = False, (0, 0)
    assert mouse.moved(True) == (0.0, 0.0)


def test_it_stops_at_full_lock_and_turns_back_at_once() -> None:
    mouse = MouseWheel(Pane(), 10)
    mouse.moved(True)
    assert mouse.events(-500.0, 0)[0].value == 1000
    assert mouse.events(1.0, 0)[0].value == 990
    mouse.straight()
    assert mouse.events(0.0, 0)[0].value == 0


def test_let_go_it_is_straight_and_the_pointer_is_where_it_was_found() -> None:
    pane = Pane()
    mouse = MouseWheel(pane, 3)
    mouse.moved(True)
    mouse.events(50.0, 0)
    assert mouse.moved(False) == (0.0, 0.0)
    assert pane.at == (30, 40)
    assert pane.hidden == [True, False]
    (event,) = mouse.events(0.0, 1)
    assert (event.value, event.synthetic) == (0, True)


def test_a_pointer_elsewhere_is_not_pulled_in_and_none_is_held_unasked() -> None:
    pane = Pane()
    pane.inside = False
    mouse = MouseWheel(pane, 3)
    mouse.moved(True)
    assert not mouse.held
    assert pane.hidden == []
    unasked = MouseWheel(Pane(), 0)
    unasked.moved(True)
    assert not unasked.held


CHILD = """
import sys, time
from game.view.hud import Hud
from game.view.keys import BINDINGS
from game.view.window import Window
from tests.view.boxes import PROFILE, box_city, state_at

def steered(looks):
    found = []
    for _ in range(looks):
        found += [event.value for event in window.poll() if event.src == "mouse"]
        time.sleep(0.01)
    return found

window = Window(box_city(), PROFILE, mode="window", title="drive here")
for _ in range(3):  # later it hears without drawing
    window.present(window.capture(state_at(-60.0)), Hud())
print("open", flush=True)
sys.stdin.readline()
steered(20)
window.bind(BINDINGS, 3)
while not window._devices._mouse.held:
    steered(1)
print("held", steered(50), flush=True)
sys.stdin.readline()
found = steered(1)
while not found:
    found += steered(1)
print("turned", found + steered(50), flush=True)
window._devices.listen(True)
print("free" if not window._devices._mouse.held else "still held", steered(5), flush=True)
sys.stdin.readline()
window.close()
"""


@pytest.mark.heavy
@pytest.mark.render
@pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")),
    reason="no Xvfb and xdotool here: apt-get install xvfb xdotool runs it",
)
def test_on_a_real_display_the_pointer_is_held_steers_and_is_let_go() -> None:
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "+extension", "GLX"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as pipe:
        env = {**os.environ, "DISPLAY": f":{pipe.readline().strip()}", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], env=env, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None

    def do(*words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=env, check=True, capture_output=True, text=True, timeout=120
        )
        return done.stdout

    def tell() -> None:
        assert child.stdin is not None
        child.stdin.write("go on\n")
        child.stdin.flush()

    try:
        assert child.stdout.readline().strip() == "open"
        do("search", "--sync", "--name", "drive here", "windowfocus", "--sync",
           "mousemove", "--window", "%1", "200", "200")  # fmt: skip
        found = do("getmouselocation").split()[:2]
        tell()
        assert child.stdout.readline().strip() == "held []", "nobody has moved the pointer"
        do("mousemove_relative", "--", "80", "0")
        tell()
        assert child.stdout.readline().strip() == "turned [-240]"
        assert child.stdout.readline().strip() == "free [0]"
        assert do("getmouselocation").split()[:2] == found
        tell()
        assert child.wait(120) == 0
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
        server.terminate()
        server.wait(120)
