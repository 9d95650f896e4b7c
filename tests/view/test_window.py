"""The window class off-screen, on a virtual screen, and at the end of a process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from game.errors import MissingPart
from game.view import device
from game.view.hud import Hud
from game.view.window import Window
from game.world.city import City
from tests.view.boxes import PROFILE, state_at

pytestmark = pytest.mark.render
_ROOT = Path(__file__).parents[2]


def test_off_screen_it_has_no_events_and_presents_nothing(city: City) -> None:
    window = Window(city, PROFILE, mode="offscreen")
    assert not window.has_screen
    assert window.family
    assert window.poll() == []
    window.present(None, Hud(message="nobody sees this"))
    assert window.capture(state_at(-60.0)).shape == (480, 480, 4)
    assert not window.closed
    window.close()
    window.close()
    assert window.closed


def test_without_opengl_the_error_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_pipe", lambda library: None)
    monkeypatch.setattr(device, "_hidden", [])  # nor is any context open already
    with pytest.raises(MissingPart, match="apt-get install libgl1 libegl1") as missing:
        device.open_hidden()
    assert missing.value.exit_code == 3


def _run(script: str, display: str | None) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    env["PYTHONPATH"] = str(_ROOT)
    if display is not None:
        env["DISPLAY"] = display
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=env,
        timeout=600,
        check=False,
    )


_UNCLOSED = """
from tests.view.boxes import PROFILE, box_city, state_at
from game.view.window import Window
window = Window(box_city(), PROFILE)
window.capture(state_at(-60.0))
print(window.has_screen, window.poll(), window.closed)
"""


def test_a_process_that_never_closes_its_window_ends_in_good_order() -> None:
    done = _run(_UNCLOSED, display=None)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False [] False"


@pytest.fixture
def display() -> Iterator[str]:
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb here: apt-get install xvfb runs the tests of the on-screen window")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "+extension", "GLX"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(120)


@pytest.mark.skipif(sys.platform != "linux", reason="only X11 has a first display")
def test_no_window_opens_on_a_display_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(device, "_open", lambda library, *rest: opened.append(library))
    for named, windows in (("", []), (":77", ["pandagl"])):
        told = SimpleNamespace(getEnvironmentVariable={"DISPLAY": named}.get)
        monkeypatch.setattr(device, "ExecutionEnvironment", told)
        device.open_screen("somebody's", 64, 64)
        assert opened == windows


_ON_SCREEN = """
import sys
import numpy as np
from panda3d.core import PNMImage
from tests.view.boxes import PROFILE, box_city, state_at
from game.view.hud import Hud
from game.view.window import Window
window = Window(box_city(), PROFILE, mode="auto")
assert window.has_screen
shown = window._device.host.getProperties()
assert shown.getXSize() == shown.getYSize() <= 600, "taller than the display"
first = window.capture(state_at(-60.0))
styled = np.zeros((64, 64, 4), np.uint8)
styled[:, :, 0], styled[:, :, 3] = 255, 255
styled[:32, :, 2] = 255
for _ in range(3):
    window.present(styled, Hud(lines=("hello",)))
    window.poll()
shown = PNMImage()
window._device.host.getScreenshot(shown)
w, h = shown.getXSize(), shown.getYSize()
top, bottom = shown.getXel(w // 2, h // 3), shown.getXel(w // 2, 2 * h // 3)
assert top[0] > .9 and top[2] > .9 and bottom[0] < .1 and bottom[2] > .9, (top, bottom)
assert np.array_equal(first, window.capture(state_at(-60.0)))
np.save(sys.stdout.buffer, first)
window.close()
"""


def test_on_a_screen_the_styled_picture_is_shown_and_the_capture_stays_the_same(
    display: str, window: Window, tmp_path: Path
) -> None:
    target = tmp_path / "first.npy"
    script = _ON_SCREEN.replace("sys.stdout.buffer", repr(str(target)))
    done = _run(script, display)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(target), window.capture(state_at(-60.0)))
