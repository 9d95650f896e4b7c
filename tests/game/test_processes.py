"""Children start, report, are revived and never outlive their parent; one instance at a time."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from game.errors import AlreadyRunning
from game.processes import ServiceFailed, ServiceSpec, Supervisor, only_instance
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy


def serve(config: object, ready: Connection) -> None:
    """A child that reports its pid and then waits for its end."""
    ready.send({"pid": os.getpid(), "config": config})
    while True:
        time.sleep(1)


def fail(config: object, ready: Connection) -> None:
    """A child that ends before it is ready."""
    raise SystemExit(5)


def spec(function: str = "serve") -> ServiceSpec:
    return ServiceSpec("child", f"tests.game.test_processes:{function}", {"answer": 42})


def test_a_child_reports_and_ends_without_a_zombie(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as children:
        child = children.start(spec())
        info = child.ready()
        assert info["config"] == {"answer": 42}
        assert psutil.pid_exists(info["pid"])
    assert not psutil.pid_exists(info["pid"])
    assert multiprocessing.active_children() == []


def test_a_dead_child_is_started_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as children:
        first = children.start(spec()).ready()["pid"]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: not children.services["child"].alive())
        assert children.revive() == ["child"]
        assert children.services["child"].ready()["pid"] != first


def test_a_child_that_fails_to_start_is_named_with_its_log(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as children:
        child = children.start(spec("fail"))
        with pytest.raises(ServiceFailed, match=r"child process did not start.*child\.log"):
            child.ready()


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from game.processes import ServiceSpec, Supervisor\n"
        "if __name__ == '__main__':\n"
        f"    children = Supervisor(Path({str(tmp_path)!r}))\n"
        "    spec = ServiceSpec('child', 'tests.game.test_processes:serve', None)\n"
        "    print(children.start(spec).ready()['pid'], flush=True)\n"
        "    time.sleep(60)\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_for(lambda: not psutil.pid_exists(child))


def test_the_lock_names_the_other_instance(tmp_path: Path) -> None:
    taken = pytest.raises(AlreadyRunning, match=f"play, process {os.getpid()}")
    with only_instance(tmp_path, "play"), taken, only_instance(tmp_path, "demo"):
        pass
    with only_instance(tmp_path, "demo"):
        pass
