"""The kiosk's unit: systemd's own reader takes it, and it says what the program relies on."""

import configparser
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from game.kiosk import house

UNIT = Path(__file__).resolve().parents[2] / "packaging" / "kiosk" / "scale-diffusion-kiosk.service"


def _unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser


def test_it_is_started_again_whatever_happens_and_watched() -> None:
    service = _unit()["Service"]
    assert service["Restart"] == "always"
    assert float(service["RestartSec"]) <= 5
    assert _unit()["Unit"]["StartLimitIntervalSec"] == "0"
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_reads_it() -> None:
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(UNIT)], capture_output=True, text=True
    )
    wrong = [
        line
        for line in done.stderr.splitlines()
        if UNIT.name in line and "is not executable" not in line and "not found" not in line
    ]
    assert wrong == []


def test_the_program_tells_systemd_that_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(5)
        monkeypatch.setattr(house, "service_socket", lambda: path)
        house._notify("WATCHDOG=1")
        assert listener.recv(100) == b"WATCHDOG=1"
    monkeypatch.setattr(house, "service_socket", lambda: "")
    house._notify("READY=1")  # nobody asked: nothing happens
