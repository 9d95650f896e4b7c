"""`stream probe` and `stream serve` as a person meets them."""

import json

import pytest

from game.cli import main
from streaming.server import ServerConfig
from tests.streaming.rig import ServerThread

pytestmark = pytest.mark.network


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["stream", *args])
    return int(left.value.code or 0)


def test_probe_gives_a_verdict_on_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    server = ServerThread(ServerConfig())
    code = run("probe", server.url, "--seconds", "1", "--json")
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    server.stop()
    assert told["verdict"] in ("fit", "usable", "unfit")
    assert code == (1 if told["verdict"] == "unfit" else 0)
    assert told["backend"].startswith("filter/")
    assert 0 < told["p50"] <= told["p95"] <= told["p99"]
    assert 0 < told["returned"] <= 1
    assert set(told["bands"].values()) <= {"good", "fair", "poor"}
    assert told["stages"]["backend"] > 0  # our server tells its part


def test_senseless_options_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("serve", "--players", "0") == 2
    assert run("serve", "--backend", "magic") == 2
    assert run("bench", "--case", "moonshine") == 2
    assert "filter" in capsys.readouterr().err
