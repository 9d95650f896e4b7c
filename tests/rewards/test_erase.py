"""A player deletes a session: over HTTP, from both stores, and never what payment books need."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.cli import session as cli
from game.outbox.job import Job, JobStore, State
from game.outbox.outbox import Outbox, OutboxConfig, files_of
from game.session import framefile
from game.session.format import FRAMES, CaptureProfile, Driver, Manifest, TrackId
from game.session.track import segment_path
from game.session.writer import SessionWriter
from game.world.entity import EntityState
from game.world.state import WorldState
from rewards import schema, tickets
from rewards.desk import open_desk
from rewards.erase import KEPT, KEPT_JUDGED, authorisation, erase_text
from rewards.inbox import Inbox, raw_key
from rewards.intake import Intake, Known
from rewards.ledger import Ledger
from rewards.model import Verdict
from rewards.queue import Queue
from rewards.run_tickets import OFFLINE
from rewards.settings import RewardsSettings
from rewards.storage import FolderStore
from tests.rewards.loopback import listening
from tests.rewards.test_api import PACK, WALLET, Server, put, reason

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An intake with both stores and its desk, on a real socket."""
    folder = tmp_path_factory.mktemp("erase")
    url = f"sqlite:///{folder / 'ledger.sqlite'}"
    engine, key = schema.open_engine(url), Ed25519PrivateKey.from_private_bytes(bytes(32))
    ledger, queue = Ledger.open(url), Queue(folder / "queue.sqlite")
    clean = FolderStore(folder / "clean", b"")
    settings = RewardsSettings(folder=folder, keep_free=0)
    intake = Intake(
        known=Known(
            {"oncoming-traffic": "cd" * 32}, (PACK,), (1,), ("demo", OFFLINE), ("ef" * 32,)
        ),
        key=key,
        inbox=Inbox(engine),
        store=FolderStore(folder / "raw", b"s" * 32),
        queue=queue,
        ledger=ledger,
        desk=open_desk(settings, engine, ledger, queue, clean, key),
    )
    with listening(intake) as address:
        yield Server(address, intake)


def delete(server: Server, session: str, header: str) -> requests.Response:
    return requests.delete(
        f"{server.url}/v1/sessions/{session}", headers={"Authorization": header}, timeout=120
    )


def recorded(root: Path, ticket: dict[str, Any], claim: str = "") -> Path:
    """A small sealed session, with its ticket or without one."""
    manifest = Manifest(
        session=ticket["session"] if ticket else "01M7A2K8QWJ5N0GR2D4E5F6H7J",
        created="2026-11-22T18:00:00Z", build="t", world_version=1, pack="p", pack_digest=PACK,
        scenario="oncoming-traffic", scenario_digest="", seed=1, tick_hz=60, claim=claim,
        driver=Driver("bot", "t"), backend="filter", capture=CaptureProfile(), ticket=ticket,
    )  # fmt: skip
    writer = SessionWriter.create(root / "sessions", manifest)
    writer.tick(WorldState(0, 1, EntityState(0, "sedan", 0.0, 0.0, 0.0, 0.0)))
    (writer.folder / FRAMES).write_bytes(framefile.header())
    segment_path(writer.folder, TrackId.SOURCE, 0).write_bytes(b"s" * 5000)
    writer.finish()
    return writer.folder


def hand_in(server: Server, root: Path, folder: Path) -> None:
    """Through the real outbox, until the server has everything."""
    box = Outbox(OutboxConfig(root / "outbox", server.url, hold=False))
    box.jobs.add(folder)
    for _ in range(2000):
        box.step()
        if box.jobs.get(folder.name).state is State.WAITING:  # type: ignore[union-attr]
            break
        time.sleep(0.01)
    else:
        raise AssertionError(box.jobs.get(folder.name))
    box.close()


def judged(server: Server, session: str) -> None:
    """What the worker leaves of an accepted session: clean files, pictures, verdict, debt."""
    intake = server.intake
    assert intake.desk is not None
    clean, raw = intake.desk.clean, intake.store
    for key in raw.keys(session):
        data = b"".join(raw.read(key))
        _store(clean, f"sessions/{session}/{key.partition('/')[2]}", data)
        raw.delete(key)
    _store(clean, f"pictures/{session}/sample-0.jpg", b"jpeg")
    _store(clean, f"verdicts/{session}.json", b"{}")
    intake.ledger.record(Verdict(session, "accepted", "demo", 1, payee=WALLET), 12, 1)


def _store(store: Any, key: str, data: bytes) -> None:
    import hashlib

    store.put(key, iter([data]), len(data), hashlib.sha256(data).hexdigest())


def call(root: Path, *args: str) -> dict[str, Any]:
    settings = {"overrides": (f"paths.data={root}", "rewards.url=off")}
    result = CliRunner().invoke(cli.command, ["delete", *args, "--yes", "--json"], obj=settings)
    assert result.exit_code == 0, (result.output, result.exception)
    return dict(json.loads(result.stdout.strip().splitlines()[-1]))


def test_the_command_deletes_here_and_on_the_server(server: Server, tmp_path: Path) -> None:
    folder = recorded(tmp_path, server.ticket())
    hand_in(server, tmp_path, folder)
    judged(server, folder.name)
    for made in (tmp_path / "views" / folder.name, tmp_path / "reports" / folder.name):
        made.mkdir(parents=True)
    sent = len(files_of(folder))  # all but the source video, and its card beside them
    facts = call(tmp_path, folder.name, "--server", server.url)
    assert not folder.exists()
    assert sorted(p.name for p in (tmp_path / "views").iterdir()) == []
    assert facts["server"]["state"] == "deleted"
    assert facts["server"]["erased"]["files"] == sent + 1  # the picture of the verdict
    assert facts["server"]["kept"] == [*KEPT, *KEPT_JUDGED]
    intake = server.intake
    assert intake.desk is not None
    left = [key for key in intake.desk.clean.keys("") if folder.name in key]
    assert left == [f"verdicts/{folder.name}.json"]
    assert intake.store.keys(folder.name) == []
    assert intake.inbox.files(folder.name), "sizes and hashes stay"
    said = requests.get(f"{server.url}/v1/sessions/{folder.name}", timeout=120).json()
    assert (said["payout"]["amount"], said["erased"]["files"]) == (12, sent + 1)
    job = JobStore(tmp_path / "outbox").get(folder.name)
    assert job is not None
    assert (job.state, job.proof, job.folder) == (State.DELETED, {}, "")


def test_without_an_answer_it_is_asked_again_later(server: Server, tmp_path: Path) -> None:
    folder = recorded(tmp_path, server.ticket())
    hand_in(server, tmp_path, folder)
    judged(server, folder.name)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        free = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    facts = call(tmp_path, folder.name, "--server", free)
    assert not folder.exists()
    assert facts["server"]["state"] == "later"
    assert "no answer" in facts["server"]["why"]
    now = time.time() + 3600
    box = Outbox(OutboxConfig(tmp_path / "outbox", server.url), now=lambda: now)
    box.step()
    assert box.jobs.get(folder.name).state is State.DELETED  # type: ignore[union-attr]
    box.close()
    intake = server.intake
    assert intake.desk is not None
    assert intake.desk.clean.keys(f"sessions/{folder.name}") == []


def test_a_session_under_judgement_waits_for_its_verdict(server: Server, tmp_path: Path) -> None:
    folder = recorded(tmp_path, server.ticket())
    hand_in(server, tmp_path, folder)
    facts = call(tmp_path, folder.name, "--server", server.url)
    assert facts["server"]["state"] == "later"
    assert "session.judging" in facts["server"]["why"]
    assert server.intake.store.keys(folder.name)
    judged(server, folder.name)
    box = Outbox(OutboxConfig(tmp_path / "outbox", server.url))
    box.erase_pending()
    assert box.jobs.get(folder.name).state is State.DELETED  # type: ignore[union-attr]
    box.close()


def test_one_driven_offline_proves_itself_again(server: Server, tmp_path: Path) -> None:
    folder = recorded(tmp_path, {}, claim="ab" * 10)
    hand_in(server, tmp_path, folder)
    judged(server, folder.name)
    facts = call(tmp_path, folder.name, "--server", server.url)["server"]
    assert facts["state"] == "deleted", facts


def test_what_no_server_has_is_just_removed(server: Server, tmp_path: Path) -> None:
    folder = recorded(tmp_path, {}, claim="cd" * 10)
    assert call(tmp_path, folder.name)["server"] == {"state": "never handed in"}
    assert JobStore(tmp_path / "outbox").all() == []
    ticket = {**server.ticket(), "session": "01M7A2K8QWJ5N0GR2D4E5F6H7K"}
    folder = recorded(tmp_path, ticket)
    state = call(tmp_path, folder.name, "--server", server.url)["server"]["state"]
    assert state == "never handed in"


def test_nobody_else_can_delete(server: Server) -> None:
    mine, other = server.ticket(), server.ticket()
    session = mine["session"]
    assert delete(server, session, "").status_code == 401
    assert reason(delete(server, session, "Ticket %%%")) == "ticket.shape"
    assert reason(delete(server, session, authorisation(other))) == "ticket.foreign"
    forged = {**other, "session": session}
    assert reason(delete(server, session, authorisation(forged))) == "ticket.signature"
    unknown = tickets.issue(
        server.intake.key,
        tickets.Terms("oncoming-traffic", "cd" * 32, 7, 1, PACK, "demo", "bot", payee=WALLET),
        session, time.time() - 5, 60,
    )  # fmt: skip
    assert reason(delete(server, session, authorisation(unknown))) == "ticket.unknown"
    assert reason(delete(server, "01M7A2K8QWJ5N0GR2D4E5F6H7X", "")) == "session.unknown"


def test_a_claim_that_is_a_key_signs(server: Server) -> None:
    key = Ed25519PrivateKey.generate()
    ticket = server.ticket(wallet="", claim=tickets.public_hex(key))
    session = ticket["session"]
    assert reason(delete(server, session, authorisation(ticket))) == "claim.signature"
    good = authorisation(ticket, key.sign(erase_text(session).encode()).hex())
    assert delete(server, session, good).json()["erased"]["files"] == 0


def test_nothing_more_comes_in_afterwards(server: Server) -> None:
    ticket = server.ticket()
    files = {"events.jsonl": b"hello", "inputs.jsonl": b"world"}
    first, second = server.uploads(ticket, files).json()["uploads"]
    assert put(first, files[first["name"]]).status_code == 201
    answer = delete(server, ticket["session"], authorisation(ticket)).json()
    assert (answer["erased"]["files"], answer["erased"]["bytes"]) == (1, 5)
    assert answer["kept"] == list(KEPT)
    assert reason(put(second, files[second["name"]])) == "session.erased"
    assert reason(server.uploads(ticket, files)) == "session.erased"
    again = delete(server, ticket["session"], authorisation(ticket)).json()
    assert again["erased"] == answer["erased"], "asked twice, the same answer"
    assert server.intake.store.size(raw_key(ticket["session"], first["name"])) is None


def test_a_running_upload_cannot_undo_the_wish(tmp_path: Path) -> None:
    jobs = JobStore(tmp_path)
    busy = Job("01M7A2K8QWJ5N0GR2D4E5F6H7J", "/x", State.UPLOADING)
    jobs.put(busy)
    jobs.delete(busy, {"ticket": {"v": 1}, "offline": {}})
    jobs.put(busy)
    jobs.retry(busy.session)
    found = jobs.get(busy.session)
    assert found is not None
    assert (found.state, found.proof["ticket"]) == (State.DELETING, {"v": 1})
