"""The services of this machine: who their stream server lets in."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from game.play.embedded import Embedded
from game.processes import ServiceSpec, Supervisor
from game.settings import Settings


@pytest.mark.parametrize("recorded", [True, False])
def test_only_drives_that_are_recorded_need_a_ticket(tmp_path: Path, recorded: bool) -> None:
    settings = Settings()
    settings = replace(
        settings,
        paths=replace(settings.paths, data=tmp_path),
        record=replace(settings.record, enabled=recorded),
    )
    spec = Embedded(settings, Supervisor(tmp_path))._stream_spec()
    assert isinstance(spec.config, dict)
    assert bool(spec.config["ticket_keys"]) is recorded


class Child:
    """Stands for a process: up from the beginning, or not yet."""

    def __init__(self, spec: ServiceSpec, up: bool) -> None:
        self.spec, self.up, self.pid = spec, up, 7

    def is_ready(self) -> bool:
        return self.up

    def alive(self) -> bool:
        return True

    def ready(self) -> Any:
        assert self.up, f"{self.spec.name} was waited for"
        told = {"stream": SimpleNamespace(port=1, model="tiny/1", chosen=""), "rewards": 2}
        return told.get(self.spec.name, "up")


class Nursery:
    """Stands for the supervisor; `late` are slow to come up."""

    def __init__(self, *late: str) -> None:
        self.services: dict[str, Child] = {}
        self.late = late

    def start(self, spec: ServiceSpec) -> None:
        self.services[spec.name] = Child(spec, spec.name not in self.late)

    def revive(self) -> list[str]:
        return []


def test_a_player_does_not_wait_for_who_checks_and_pays_later(tmp_path: Path) -> None:
    settings = replace(Settings(), paths=replace(Settings().paths, data=tmp_path))
    children: Any = Nursery("worker", "devnet")
    services = Embedded(settings, children, patient=False)
    services.begin()
    assert services.needed == ("stream", "rewards")
    backing = services.ready()
    assert backing.rewards_url == "http://127.0.0.1:2"
    services.revive()
    assert set(children.services) == {"stream", "rewards"}
    services.finish()
    assert set(children.services) == {"stream", "devnet", "rewards", "worker", "outbox"}
    children.services["devnet"].up = True
    services.revive()
    services.revive()
    assert "payer" in children.services


def test_who_is_patient_waits_for_all(tmp_path: Path) -> None:
    settings = replace(Settings(), paths=replace(Settings().paths, data=tmp_path))
    children: Any = Nursery("worker")
    services = Embedded(settings, children)
    services.begin()
    assert "worker" in children.services
    with pytest.raises(AssertionError, match="worker was waited for"):
        services.ready()


def test_the_game_starts_servers_without_loading_them(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from game.play.embedded import Embedded\n"
        "from game.processes import Supervisor\n"
        "from game.settings import PathSettings, Settings\n"
        "settings = Settings(paths=PathSettings(data=Path(sys.argv[1])))\n"
        "services = Embedded(settings, Supervisor(Path(sys.argv[1])))\n"
        "services._stream_spec(), services._api_spec(), services._worker_spec()\n"
        "heavy = {'fastapi', 'sqlalchemy', 'langgraph', 'aiohttp', 'cv2'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
