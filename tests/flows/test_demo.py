"""The whole loop: once with the server side killed, once with the drive side killed.

Both use the same seed, so that the second must repeat the first bit for bit.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from game.session.format import JOURNAL, Pairing, TrackId
from game.session.reader import Session
from streaming import shm
from streaming.journal import verify
from tests.flows.rig import Command, gone, kill, pid_of, run

pytestmark = [
    pytest.mark.flow,
    pytest.mark.render,
    pytest.mark.network,
    pytest.mark.timeout(1800),  # only a hang takes so long, on however slow a machine
]

SEED = "7"
DRIVE = (
    "--set", "stream.backend=filter",  # whatever the machine's pace
    "demo", "--json", "--scenario", "busy-intersection", "--seed", SEED, "--style", "day",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """One finished demo."""

    code: int
    result: dict[str, Any]
    data: Path
    said: str


def kill_when_up(demo: Command, data: Path, name: str) -> None:
    """Kill `name` once it runs, and wait until it is there again under another id.

    A demo that has its payout already needs nobody any more, and starts nobody again.
    """
    demo.wait_until(lambda: pid_of(data, name) > 0)
    dead = kill(data, name)
    demo.wait_until(lambda: pid_of(data, name) not in (0, dead) or demo.said("paid, and final"))


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A drive left in peace, then every process of the server side killed once on the way."""
    data = tmp_path_factory.mktemp("paid")
    demo = Command(*DRIVE, "--data", str(data), log=data / "demo")
    try:
        demo.wait_for("packing and uploading")
        kill_when_up(demo, data, "outbox")
        kill_when_up(demo, data, "rewards")
        kill_when_up(demo, data, "worker")
        kill_when_up(demo, data, "payer")
        demo.wait_for("checking")
        kill_when_up(demo, data, "devnet")
        kill_when_up(demo, data, "worker")
        demo.wait_until(lambda: demo.said("accepted") or demo.said("sent;"))
        kill_when_up(demo, data, "payer")
        code, result = demo.finish()
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


def test_every_frame_is_paired_with_its_own_tick_or_missing_for_a_counted_reason(
    paid: Ran,
) -> None:
    """How many come back is for `make bench ARGS=stream`; that each is accounted for, is for here.

    drawn = sent + dropped; sent = passed over by the server + journalled; journalled = returned +
    lost on the way back; returned = stored + refused by the recorder's ring.
    """
    stream, tape = paid.result["stream"], paid.result["recorder"]
    assert stream["foreign"] == tape["failed"] == tape["stopped"] == 0
    with Session.open(Path(paid.result["path"])) as session:
        source, styled = session.frames(TrackId.SOURCE), session.frames(TrackId.STYLED)
        pairs, blocks = session.pairs(), session.journal()
        lines = (session.folder / JOURNAL).read_text("ascii").splitlines()
    made = verify(lines).frames
    assert len(blocks) == len(lines) > 0
    ticks, back = [frame.tick for frame in source], [frame.tick for frame in styled]
    assert ticks == sorted(set(ticks))
    assert back == sorted(set(back))
    assert len(source) + tape["dropped_source"] == paid.result["drawn"]
    assert stream["sent"] + stream["dropped"] == paid.result["drawn"]
    assert stream["sent"] >= len(made) >= stream["returned"]
    assert len(styled) + stream["lost"] == stream["returned"]
    assert stream["lost"] == tape["dropped_styled"]
    for frame in styled:  # what is stored for a tick is what the server made of that tick
        assert frame.sha256.hex() == made[frame.tick].sha256
    sound = {frame.tick for frame in styled if frame.pairing == Pairing.EXACT}
    assert {frame.pairing for frame in styled} <= {Pairing.EXACT, Pairing.NONE}
    assert [pair.tick for pair in pairs] == sorted(sound & set(ticks))
    assert len(pairs) == paid.result["pairs"] >= len(source) / 3, "most never came back"


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
        demo.wait_for("  5 s")
        kill_when_up(demo, data, "peer")
        demo.wait_for(" 10 s")
        kill_when_up(demo, data, "recorder")
        demo.wait_for(" 15 s")
        kill_when_up(demo, data, "stream")
        code, result = demo.finish()
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
    assert disturbed.result["recorder"]["restarts"] >= 1
    assert "stream had died and was started again" in disturbed.said
    with Session.open(Path(disturbed.result["path"])) as session:
        assert session.events("gauges")[-1]["restarts"] >= 1, "the peer was not started again"
        made = verify((session.folder / JOURNAL).read_text("ascii").splitlines(), whole=False)
        known = [pair for pair in session.pairs() if pair.tick in made.frames]
        assert known  # a killed server takes its last unsigned second with it
        for pair in known:
            assert pair.styled.sha256.hex() == made.frames[pair.tick].sha256


def test_killing_the_game_leaves_nothing_behind_and_loses_no_tick(
    tmp_path: Path, paid: Ran
) -> None:
    demo = Command(*DRIVE, "--data", str(tmp_path), log=tmp_path / "demo")
    demo.wait_for("  5 s")
    names = ("stream", "devnet", "rewards", "worker", "payer", "outbox", "peer", "recorder")
    pids = [pid_of(tmp_path, name) for name in names]
    assert all(pids)
    demo.end()
    end = Command("doctor", "--json", log=tmp_path / "doctor")
    end.finish()
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
