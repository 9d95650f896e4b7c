"""Importing any module of the view changes nothing."""

import json
import subprocess
import sys
from pathlib import Path

import game.view

_SCRIPT = """
import builtins, importlib, json, os, sys, threading, signal
def look():
    return [sorted(dir(builtins)), threading.active_count(), dict(os.environ), os.getcwd(),
            [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)]]
before = look()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([before == look(), "direct" in sys.modules]))
"""


def test_importing_the_view_is_free() -> None:
    folder = Path(game.view.__path__[0])
    names = [f"game.view.{p.stem}" for p in sorted(folder.glob("*.py")) if p.stem != "__init__"]
    assert len(names) > 15
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *names],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder.parents[1],
        timeout=600,
    )
    same, has_direct = json.loads(done.stdout.splitlines()[-1])
    assert same
    assert not has_direct
