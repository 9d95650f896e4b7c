"""Finer times on a real display: bound keys alone, and deaf while the window has no focus."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.render,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")),
        reason="no Xvfb and xdotool here: apt-get install xvfb xdotool runs it",
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("pynput") is None,
        reason="needs the extra pynput",
    ),
]

CHILD = """
import json, sys, time
from Xlib import X, display
from game.play import listen
from game.play.human import Human
from game.play.listen import FineTimes
from game.view.hud import Hud
from game.view.keys import BINDINGS
from game.view.window import Window
from tests.view.boxes import PROFILE, box_city, state_at

window = Window(box_city(), PROFILE, mode="window", title="drive here")
screen = display.Display()
other = screen.screen().root.create_window(0, 0, 80, 80, 0, X.CopyFromParent)
other.set_wm_name("somewhere else")
other.map()
screen.sync()
listen.FORGET_NS = 10**12  # how soon the window says so is another test's
heard, finer = [], FineTimes(BINDINGS)
take = finer.hear

def hear(key, down):
    before = len(finer._heard)
    take(key, down)
    heard.append(len(finer._heard) > before)

finer.hear = hear
if sys.argv[1] == "agreed":
    finer.start()
human = Human(finer=finer)
for _ in range(3):  # later it hears without drawing
    window.present(window.capture(state_at(-60.0)), Hud())
print("ready", flush=True)
for line in sys.stdin:  # how many keys pynput hears first, and the event to look out for then
    wanted, at_least = json.loads(line), len(heard)
    while finer._listener is not None and len(heard) < wanted["heard"]:
        time.sleep(0.01)
    print(json.dumps(["kept", sum(heard[at_least:])]), flush=True)
    found = []
    while wanted["event"] is not None and wanted["event"] not in found:
        for event in human.feed(window.poll(), 0):
            found.append([event.kind, event.code, event.value])
            print(json.dumps([*found[-1], event.src, event.t_ns, time.monotonic_ns()]), flush=True)
        time.sleep(0.01)
    print(json.dumps(["done"]), flush=True)
finer.stop()
window.close()
"""


@pytest.fixture
def display():
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "+extension", "GLX"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(120)


def pressed(display, how):
    """Keys typed into the game's window, then into another one; what the game says it saw."""
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": os.getcwd()}

    def do(*words):
        subprocess.run(["xdotool", *words], env=env, check=True, capture_output=True, timeout=60)

    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, how], env=env, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout.readline() == "ready\n", child.stderr.read()
    found, kept, typed = [], [], 0

    def until(*event):
        """Let it look until it says so; what it saw, and how many of the keys typed it kept."""
        words = {"heard": typed, "event": list(event) or None}
        child.stdin.write(json.dumps(words) + "\n")
        child.stdin.flush()
        for line in child.stdout:
            told = json.loads(line)
            if told[0] == "done":
                return
            (kept if told[0] == "kept" else found).append(told)
        pytest.fail(child.stderr.read())

    def type_(*keys):
        nonlocal typed
        for key in keys:
            do("key", "--delay", "20", key)
            typed += 2  # down and up

    do("search", "--name", "drive here", "windowfocus", "--sync")
    type_("z", "F7", "w", "Left")  # z and F7 are bound to nothing
    until("key", "arrow_left", 0.0)
    do("search", "--name", "somewhere else", "windowfocus", "--sync")
    until("focus", "window", 0.0)
    type_("w", "s")
    until()
    elsewhere = kept[-1][1]
    do("search", "--name", "drive here", "windowfocus", "--sync")
    type_("Right")  # deaf until the window has heard a key: this one's times are the window's
    until("key", "arrow_right", 0.0)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 0, said
    return found, elsewhere


def test_with_the_players_word_times_are_finer_and_nothing_else_is_kept(display):
    found, elsewhere = pressed(display, "agreed")
    keys = [(code, value, src) for kind, code, value, src, *_ in found if kind == "key"]
    assert [(code, value) for code, value, _ in keys] == [
        ("w", 1.0), ("w", 0.0), ("arrow_left", 1.0), ("arrow_left", 0.0),
        ("arrow_right", 1.0), ("arrow_right", 0.0),
    ]  # fmt: skip
    assert {src for code, _, src in keys if code != "arrow_right"} == {"pynput"}
    assert all(0 < t <= told for kind, _, _, _, t, told in found if kind == "key")
    assert elsewhere == 0, "deaf without the focus"


def test_without_it_only_the_window_is_heard(display):
    found, elsewhere = pressed(display, "not asked")
    keys = [(code, src) for kind, code, _, src, *_ in found if kind == "key"]
    assert keys == [(code, "panda") for code in ("w", "arrow_left", "arrow_right") for _ in "du"]
    assert elsewhere == 0
