"""The source video stays at home until the server asks for it after its verdict."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from game.outbox.outbox import Outbox, OutboxConfig, files_of
from game.session.format import TrackId
from game.session.reader import Session
from game.session.track import segment_path, segments
from rewards import wanted
from rewards.checks.table import CHECKS
from rewards.graph import run_plain
from rewards.model import Verdict
from tests.rewards import tampering
from tests.rewards.recording import JOURNAL_KEY, Made
from tests.rewards.test_api import WALLET, Server, put, reason
from tests.rewards.test_erase import hand_in, judged, recorded, server

__all__ = ["server"]  # the fixture


def entry(path: Path) -> dict[str, Any]:
    body = path.read_bytes()
    return {"name": path.name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@pytest.mark.network
def test_an_appealed_session_sends_its_source_and_only_what_it_recorded(
    server: Server, tmp_path: Path
) -> None:
    ticket = server.ticket()
    folder = recorded(tmp_path, ticket)
    source, session = folder / "source-0000.mkv", folder.name
    hand_in(server, tmp_path, folder)
    intake = server.intake
    assert intake.store.size(f"{session}/source-0000.mkv") is None
    ask = {"session": session, "ticket": ticket, "files": [entry(source)]}
    assert reason(server.post("/v1/upload-tickets", ask)) == "ticket.used"
    intake.ledger.record(Verdict(session, "rejected", "demo", 1, payee=WALLET), 0, 1)
    assert reason(server.post("/v1/upload-tickets", ask)) == "ticket.used"
    assert server.post(f"/v1/sessions/{session}/appeal", {}).status_code == 201
    told = intake.wants.of(session)
    assert told is not None
    assert (told.why, told.state) == (wanted.APPEAL, wanted.ASKED)
    server.offset[0] = 40 * 24 * 3600.0  # long after the ticket has run out
    for other in ({"sha256": "0" * 64}, {"name": "inputs.jsonl"}, {"size": 4999}):
        bad = ask | {"files": [entry(source) | other]}
        assert reason(server.post("/v1/upload-tickets", bad)) == "file.changed"
    box = Outbox(OutboxConfig(tmp_path / "outbox", server.url))
    box.step()
    box.close()
    assert intake.store.size(f"{session}/source-0000.mkv") == source.stat().st_size
    told = intake.wants.of(session)
    assert told is not None
    assert told.state == wanted.HERE
    assert reason(server.post("/v1/upload-tickets", ask)) == "ticket.used", "it came; no more does"
    server.offset[0] = 0.0


@pytest.mark.network
def test_source_of_an_accepted_session_goes_beside_the_rest(server: Server, tmp_path: Path) -> None:
    folder = recorded(tmp_path, server.ticket())
    hand_in(server, tmp_path, folder)
    judged(server, folder.name)
    intake = server.intake
    assert intake.desk is not None
    intake.desk.want_source(folder.name, wanted.RESEARCH)
    box = Outbox(OutboxConfig(tmp_path / "outbox", server.url))
    box.step()
    box.close()
    key = f"sessions/{folder.name}/source-0000.mkv"
    assert b"".join(intake.desk.clean.read(key)) == (folder / "source-0000.mkv").read_bytes()
    assert intake.store.keys(folder.name) == []


@pytest.mark.network
def test_the_client_before_this_one_sends_everything_at_once(
    server: Server, tmp_path: Path
) -> None:
    ticket = server.ticket()
    folder = recorded(tmp_path, ticket)
    files = {f["name"]: (folder / f["name"]).read_bytes() for f in files_of(folder)}
    grant = server.uploads(ticket, files).json()
    for upload in grant["uploads"]:
        assert put(upload, files[upload["name"]]).status_code == 201
    assert server.post(f"/v1/sessions/{folder.name}/complete", {}).json()["state"] == "queued"
    server.intake.ledger.record(Verdict(folder.name, "rejected", "demo", 1, payee=WALLET), 0, 1)
    assert server.post(f"/v1/sessions/{folder.name}/appeal", {}).status_code == 201
    assert server.intake.wants.of(folder.name) is None, "it is here already"


def lean(made: Made, root: Path) -> Made:
    copy = made.copy(root)
    for track in (TrackId.SOURCE, TrackId.CHECK):
        for number in segments(copy.folder)[track]:
            segment_path(copy.folder, track, number).unlink()
    return copy


def reasons(made: Made, scratch: Path, renderer: object) -> list[str]:
    with Session.open(made.folder) as session:
        found = run_plain(CHECKS, session, made.evidence(scratch, renderer))
    return [f.reason for f in found if not f.passed]


@pytest.mark.render
def test_a_session_without_its_source_is_judged_by_our_own_drawing(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    copy = lean(clean, tmp_path / "lean")
    assert reasons(copy, tmp_path / "scratch", renderer) == []

    def elsewhere(block: dict[str, Any]) -> None:
        for frame in block["frames"]:
            frame[3] = bytes(255 - b for b in bytes.fromhex(frame[3])).hex()

    tampering.rewritten_journal(copy.folder, elsewhere, JOURNAL_KEY)
    assert reasons(copy, tmp_path / "scratch", renderer) == ["journal.render"]


@pytest.mark.render
def test_a_styled_track_cannot_be_left_out(clean: Made, tmp_path: Path, renderer: object) -> None:
    copy = clean.copy(tmp_path / "bare")
    segment_path(copy.folder, TrackId.STYLED, 0).unlink()
    assert reasons(copy, tmp_path / "scratch", renderer) == ["integrity.frames"]
