"""Runs the real commands as a person would, watches what they say, and kills what it is told to."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
HANGS_S = 600.0
"""Longer takes only what hangs, on however slow a machine."""


class Command:
    """One `scale-diffusion` command running in a process group of its own."""

    def __init__(self, *arguments: str, log: Path) -> None:
        self.lines: list[str] = []
        self._log = log
        self._out = open(log.with_suffix(".out"), "w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from game.cli import main; main()", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
        self.process.stderr.close()

    def said(self, words: str) -> bool:
        """Whether a line of standard error holds `words`."""
        return any(words in line for line in self.lines)

    def wait_until(self, condition: Callable[[], bool], limit_s: float = HANGS_S) -> None:
        """Wait for a condition; fails with what was said so far."""
        end = time.monotonic() + limit_s
        while not condition():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.02)

    def wait_for(self, words: str, limit_s: float = HANGS_S) -> None:
        """Wait until a line of standard error holds `words`."""
        self.wait_until(lambda: self.said(words), limit_s)

    def finish(self, limit_s: float = HANGS_S) -> tuple[int, dict[str, Any]]:
        """Exit code and the JSON object on the last line of standard output ({} without one)."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(self.text()) from None
        self._reader.join(120)
        self._out.seek(0)
        lines = self._out.read().splitlines()
        self._out.close()
        return code, json.loads(lines[-1]) if lines and lines[-1].startswith(("{", "[")) else {}

    def end(self) -> None:
        """Kill the whole group, if it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def text(self) -> str:
        """Everything said on standard error."""
        return "\n".join(self.lines[-60:])


def run(*arguments: str, log: Path) -> tuple[int, dict[str, Any]]:
    """Run one command to its end."""
    command = Command(*arguments, log=log)
    return command.finish()


def pid_of(data: Path, name: str) -> int:
    """Process id that the running instance noted for `name`, 0 where it has none."""
    try:
        return int(json.loads((data / "processes.json").read_text()).get(name, 0))
    except (OSError, ValueError):
        return 0


def kill(data: Path, name: str) -> int:
    """`kill -9` one process of the instance, which must be running; returns its id."""
    pid = pid_of(data, name)
    assert pid, f"{name} was not noted"
    assert psutil.pid_exists(pid), f"{name} does not run"
    os.kill(pid, signal.SIGKILL)
    return pid


def gone(pids: list[int]) -> bool:
    """True once none of these processes runs (a zombie of somebody else's does not count)."""
    return not any(
        psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        for pid in pids
    )
