"""The keeper starts again what dies and what hangs, and the report names no visitor."""

import json
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from game.errors import MissingPart
from game.kiosk.booth import BoothConfig
from game.kiosk.keeper import Keeper, waits_s
from game.kiosk.machine import Rules
from game.kiosk.spool import Orders, Slip, Spool
from game.processes import ServiceSpec, Supervisor
from game.settings import PathSettings, ServerSettings, Settings, StreamSettings
from tests.waiting import wait_for

pytestmark = pytest.mark.heavy


def sleeper(config: str, ready: Connection) -> None:
    """A part that says once that it is there, and then nothing."""
    Spool(Path(config)).tell("booth", {"mode": "attract", "opened": 1})
    ready.send("up")
    time.sleep(600)


def opener(config: BoothConfig, ready: Connection) -> None:
    """A booth that says which rewards service it was told of."""
    ready.send(config.settings.rewards.url)
    time.sleep(600)


def waiter(config: str, ready: Connection) -> None:
    """A part that is warm, and takes over when it is told where."""
    ready.send("warm")
    sleeper(ready.recv(), ready)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    settings = Settings(
        paths=PathSettings(data=tmp_path),
        stream=StreamSettings(url="off"),
        rewards=ServerSettings(url="off"),
    )
    return Keeper(settings, Supervisor(tmp_path / "logs"), Rules(), "offscreen")


def _start(keeper: Keeper, name: str) -> int:
    spec = ServiceSpec(name, f"{__name__}:sleeper", str(keeper.root))
    service = keeper._children.start(spec)
    service.ready()
    return service.pid


def test_a_part_that_died_is_started_again_at_the_next_look(keeper: Keeper) -> None:
    old = _start(keeper, "booth")
    try:
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: not keeper._children.services["booth"].alive())
        assert keeper.turn() == ["booth"]
        service = keeper._children.services["booth"]
        assert service.ready() == "up"
        assert service.pid != old
        assert keeper.report()["parts"]["booth"]["restarts"] == 1
    finally:
        keeper._children.stop()


def test_a_booth_that_dies_is_replaced_by_the_one_that_waits(keeper: Keeper) -> None:
    children = keeper._children
    keeper._booth = ServiceSpec("booth", f"{__name__}:sleeper", str(keeper.root))
    waiting = ServiceSpec("booth", f"{__name__}:waiter", str(keeper.root))
    old = _start(keeper, "booth")
    spare = children.start(waiting, "spare")
    try:
        wait_for(spare.is_ready)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: keeper.turn() == ["booth"])
        assert children.services["booth"].pid == spare.pid  # nothing was started in its place
        assert children.services["booth"].ready() == "up"
        assert keeper.spool.told("booth") == {"mode": "attract", "opened": 1}
        assert keeper.turn() == []
        assert children.services["spare"].pid not in (old, spare.pid)  # the next one gets ready
        os.kill(children.services["booth"].pid, signal.SIGKILL)  # and this one is not warm yet
        wait_for(lambda: keeper.turn() == ["booth"])
        assert children.services["booth"].ready() == "up"
    finally:
        children.stop()


def test_a_part_that_falls_silent_is_started_again(keeper: Keeper) -> None:
    old = _start(keeper, "booth")
    try:
        assert keeper.turn() == []  # it has just spoken
        past = time.time() - 40
        os.utime(keeper.root / "booth-status.json", (past, past))
        assert keeper.turn() == ["booth"]
        service = keeper._children.services["booth"]
        assert service.ready() == "up"
        assert service.pid != old
        assert keeper.report()["parts"]["booth"]["hung"] == 1
        assert keeper.turn() == []
    finally:
        keeper._children.stop()


def test_the_report_says_nothing_of_visitors(keeper: Keeper) -> None:
    slip = Slip("01M82WCQG7DCEG22SXPDZ7E28Z", "c" * 64, "d" * 64, 0, 1, reason="http 503")
    keeper.spool.add(slip)
    said = json.dumps(keeper.report())
    assert slip.session not in said
    assert slip.code not in said
    assert slip.claim not in said
    assert keeper.report()["codes_waiting"] == 1


def test_what_staff_wants_survives_a_restart(keeper: Keeper) -> None:
    keeper.close(True)
    keeper.send_off()
    assert Spool(keeper.root).orders() == Orders(closed=True, sent_off=1)
    keeper.close(False)
    assert Spool(keeper.root).orders() == Orders(closed=False, sent_off=1)


def test_a_torn_slip_stops_nobody(keeper: Keeper) -> None:
    (keeper.root / "slips" / "01M82WCQG7DCEG22SXPDZ7E28Z.json").write_text('{"session": 1')
    assert list(keeper.spool.slips()) == []
    assert list(keeper.spool.slips()) == []


@pytest.mark.parametrize(
    ("silent", "waited", "hangs"),
    [(40, 0, True), (40, 35, False), (100, 35, True), (200, 200, True)],
)
def test_a_part_that_the_machine_does_not_let_run_does_not_hang(
    silent: int, waited: int, hangs: bool, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = {7: 500.0, 8: 3.0}
    monkeypatch.setattr("game.kiosk.keeper.waits_s", lambda _pid: dict(waits))
    old = _start(keeper, "booth")
    clock = [time.time()]
    monkeypatch.setattr(keeper, "_now", lambda: clock[0])
    try:
        assert keeper.turn() == []
        clock[0] += silent
        waits[7] += waited / 2  # the one draws while the other waits for it
        waits[8] += waited / 2
        assert keeper.turn() == (["booth"] if hangs else [])
        assert (keeper._children.services["booth"].pid != old) == hangs
    finally:
        keeper._children.stop()


def test_the_system_says_how_long_a_thread_waited() -> None:
    waits = waits_s(os.getpid())
    assert waits[threading.get_native_id()] >= 0.0
    assert waits_s(2**22 + 1) == {}


def test_a_kiosk_without_the_packages_of_a_rewards_service_opens_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingPart("the rewards service needs fastapi", "pip install '.[server]'")

    monkeypatch.setattr("game.play.embedded.need_server_extra", missing)
    settings = Settings(paths=PathSettings(data=tmp_path), stream=StreamSettings(url="off"))
    assert settings.rewards.url == ""
    keeper = Keeper(settings, Supervisor(tmp_path / "logs"), Rules(), "offscreen")
    monkeypatch.setattr("game.kiosk.keeper.BOOTH", f"{__name__}:opener")
    try:
        keeper.start()
        assert sorted(keeper._children.services) == ["booth", "courier"]
        assert keeper._children.services["booth"].info == "off"  # the booth knows it, too
        assert "fastapi" in keeper.report()["last_problem"]
    finally:
        keeper._children.stop()
