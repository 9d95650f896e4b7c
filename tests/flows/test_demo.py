"""The whole loop: once with the server side killed, once with the drive side killed.

Both use the same seed, so that the second must repeat the first bit for bit.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from game.session.format import TrackId
from game.session.reader import Session
from streaming import shm
from tests.flows.rig import Command, gone, kill, pid_of, run

pytestmark = [
    pytest.mark.flow,
    pytest.mark.render,
    pytest.mark.network,
    pytest.mark.timeout(420),
]

SEED = "7"
DRIVE = ("demo", "--json", "--scenario", "busy-intersection", "--seed", SEED, "--style", "day")


@dataclass(frozen=True)
class Ran:
    """One finished demo."""

    code: int
    result: dict[str, Any]
    data: Path
    said: str


def kill_when_up(demo: Command, data: Path, name: str) -> None:
    """Kill `name` once it runs, and wait until it is there again under another id."""
    demo.wait_until(lambda: pid_of(data, name) > 0, 60)
    dead = kill(data, name)
    demo.wait_until(lambda: pid_of(data, name) not in (0, dead), 60)


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A drive left in peace, then every process of the server side killed once on the way."""
    data = tmp_path_factory.mktemp("paid")
    demo = Command(*DRIVE, "--data", str(data), log=data / "demo")
    try:
        demo.wait_for("packing and uploading", 180)
        kill_when_up(demo, data, "outbox")
        kill_when_up(demo, data, "rewards")
        kill_when_up(demo, data, "worker")
        kill_when_up(demo, data, "payer")
        demo.wait_for("checking", 120)
        kill_when_up(demo, data, "devnet")
        kill_when_up(demo, data, "worker")
        demo.wait_until(lambda: demo.said("accepted") or demo.said("sent;"), 240)
        kill_when_up(demo, data, "payer")
        code, result = demo.finish(240)
    finally:
        demo.end()
    return Ran(code, result, data, demo.text())


def test_the_demo_ends_with_a_finalized_payout(paid: Ran) -> None:
    assert paid.code == 0, paid.said
    assert paid.result["outcome"]["success"]
    assert paid.result["verdict"]["decision"] == "accepted"
    payout = paid.result["payout"]
    assert payout["state"] == "finalized"
    assert payout["amount"] > 0
    assert len(payout["signature"]) > 80


def test_ninety_five_of_a_hundred_frames_come_back_and_name_their_tick(paid: Ran) -> None:
    with Session.open(Path(paid.result["path"])) as session:
        frames, pairs = session.frames(TrackId.SOURCE), session.pairs()
        ticks = [record.tick for record in frames]
        assert ticks == sorted(set(ticks))
        assert len(pairs) >= 0.95 * len(frames)
        assert {pair.tick for pair in pairs} <= set(ticks)
        assert all(pair.pairing == 1 for pair in pairs)


def test_the_recording_verifies_by_the_command_that_users_have(paid: Ran) -> None:
    code, report = run("session", "verify", paid.result["path"], "--json", log=paid.data / "verify")
    assert (code, report["ok"], report["problems"]) == (0, True, [])
    assert report["pairs"] == paid.result["pairs"]
    assert report["digest"] == paid.result["digest"]


def test_killed_servers_pay_once_and_the_books_agree(paid: Ran) -> None:
    from rewards.audit import audit
    from rewards.devnet import open_devnet
    from rewards.settings import RewardsSettings

    settings = RewardsSettings(folder=paid.data / "server", policy="demo", slot_ms=20)
    server = open_devnet(settings)
    server.start()
    try:
        books = asyncio.run(audit(settings)).to_dict()
    finally:
        server.shutdown()
        server.server_close()
        server.devnet.bank.close()
    assert books["mismatches"] == []
    assert (books["accepted"], books["paid"], books["owed"], books["rejected"]) == (1, 1, 0, 0)


def test_the_report_shows_every_check_and_the_receipt(paid: Ran) -> None:
    page = Path(paid.result["report"]).read_text(encoding="utf-8")
    for finding in paid.result["verdict"]["findings"]:
        assert f"<td>{finding['check']}</td>" in page
    assert paid.result["payout"]["signature"] in page
    assert "data:image/png;base64," in page
    film = Path(paid.result["report"]).parent / "side-by-side.mp4"
    assert film.stat().st_size > 100_000


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """The same drive while peer, recorder and stream server are killed under it."""
    data = tmp_path_factory.mktemp("disturbed")
    demo = Command(*DRIVE, "--data", str(data), log=data / "demo")
    try:
        demo.wait_for("  5 s", 120)
        kill_when_up(demo, data, "peer")
        demo.wait_for(" 10 s", 60)
        kill_when_up(demo, data, "recorder")
        demo.wait_for(" 15 s", 60)
        kill_when_up(demo, data, "stream")
        code, result = demo.finish(300)
    finally:
        demo.end()
    return Ran(code, result, data, demo.text())


def test_kills_under_way_change_no_input_and_no_tick(paid: Ran, disturbed: Ran) -> None:
    assert disturbed.code in (0, 1), disturbed.said
    assert disturbed.result["outcome"] == paid.result["outcome"]
    assert disturbed.result["digest"] == paid.result["digest"]
    paths = (Path(paid.result["path"]), Path(disturbed.result["path"]))
    with Session.open(paths[0]) as calm, Session.open(paths[1]) as rough:
        assert calm.controls() == rough.controls()
        assert calm.checkpoints() == rough.checkpoints()


def test_kills_under_way_lose_at_most_what_the_dead_encoder_held(disturbed: Ran) -> None:
    drawn, stored = disturbed.result["drawn"], disturbed.result["recorder"]["source"]
    dropped = disturbed.result["recorder"]["dropped_source"]
    assert drawn - dropped - stored <= 4
    with Session.open(Path(disturbed.result["path"])) as session:
        late = [pair for pair in session.pairs() if pair.tick > 60 * 20]
        assert len(late) > 30, "the stream did not come back after its server was killed"


def test_killing_the_game_leaves_nothing_behind_and_loses_no_tick(
    tmp_path: Path, paid: Ran
) -> None:
    demo = Command(*DRIVE, "--data", str(tmp_path), log=tmp_path / "demo")
    demo.wait_for("  5 s", 120)
    names = ("stream", "devnet", "rewards", "worker", "payer", "outbox", "peer", "recorder")
    pids = [pid_of(tmp_path, name) for name in names]
    assert all(pids)
    demo.end()
    end = Command("doctor", "--json", log=tmp_path / "doctor")
    end.finish(120)
    assert gone(pids)
    shm.sweep()
    assert not list(shm.folder().glob(f"*-{demo.process.pid}-*"))
    (folder,) = (tmp_path / "sessions").iterdir()
    code, _ = run("session", "recover", str(folder), log=tmp_path / "recover")
    assert code == 0
    code, report = run("session", "verify", str(folder), "--json", log=tmp_path / "verify")
    assert (code, report["problems"]) == (0, [])
    with Session.open(folder) as cut, Session.open(Path(paid.result["path"])) as whole:
        assert len(cut.ticks()) > 5 * 60
        steps = cut.steps
        assert cut.controls() == whole.controls()[:steps]
