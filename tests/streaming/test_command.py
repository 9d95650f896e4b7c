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
    for seconds in (1, 4, 16, 64):  # where nothing else runs, one is enough
        code = run("probe", server.url, "--seconds", str(seconds), "--json")
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        if told["returned"] and "backend" in told["stages"]:
            break
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
    assert run("serve", "--port", "99999") == 2
    assert run("bench", "--case", "moonshine") == 2
    assert run("bench", "--seconds", "-1") == 2
    assert run("probe", "ftp://somewhere") == 2
    assert "filter" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_server_that_is_not_there_is_said_once_and_the_looking_ends(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run("probe", "ws://127.0.0.1:9", "--seconds", "1") == 4
    told = capfd.readouterr().err
    assert told.count("peer.link") <= 1
    assert "check the address" in told.splitlines()[-1]
