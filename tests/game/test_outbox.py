"""The outbox against a strict small server that breaks off, says later, says no, and forgets."""

import os
import threading
from collections import Counter

import pytest

from game.outbox.job import Job, JobStore, State
from game.outbox.outbox import Outbox, OutboxConfig, files_of
from game.outbox.process import run_outbox
from game.session.format import CaptureProfile, Driver, Manifest, TrackId
from game.session.ids import new_id
from game.session.protocols import Evidence, Finding
from game.session.track import segment_path
from game.session.writer import SessionWriter
from game.world.entity import EntityState
from game.world.state import WorldState
from tests.fakes.service import TICKET, Service


@pytest.fixture
def service():
    server = Service()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path):
    manifest = Manifest(
        session=new_id(), created="2026-11-22T18:00:00Z", build="t", world_version=1, pack="p",
        pack_digest="", scenario="s", scenario_digest="", seed=1, tick_hz=60,
        driver=Driver("bot", "t"), backend="filter", capture=CaptureProfile(), ticket=TICKET,
    )  # fmt: skip
    writer = SessionWriter.create(tmp_path / "sessions", manifest)
    writer.tick(WorldState(0, 1, EntityState(0, "sedan", 0.0, 0.0, 0.0, 0.0)))
    (writer.folder / "journal.jsonl").write_bytes(b"")  # an empty file has a length, too
    for track in (TrackId.SOURCE, TrackId.STYLED):
        segment_path(writer.folder, track, 0).write_bytes(os.urandom(300_000))
    (writer.folder / "notes.txt").write_text("mine")
    writer.finish()
    return writer.folder


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def outbox_of(tmp_path, service, clock, **more):
    config = OutboxConfig(tmp_path / "jobs", service.url, timeout_s=60.0, **more)
    return Outbox(config, now=clock, chance=lambda: 1.0)


def run(outbox, clock, until, turns=900):
    """Step with a fake clock until the one job is in a state of `until`."""
    for _ in range(turns):
        clock.now += outbox.step()
        job = outbox.jobs.all()[0]
        if job.state in until:
            return job
    raise AssertionError(job)


def test_everything_arrives_small_files_first(tmp_path, service, folder):
    clock = Clock()
    outbox = outbox_of(tmp_path, service, clock)
    outbox.jobs.add(folder)
    job = run(outbox, clock, {State.WAITING})
    assert service.order[0] == "session.json"
    assert service.order[-2:] == ["styled-0000.mkv", "source-0000.mkv"]
    assert "notes.txt" not in service.stored
    assert "journal.jsonl" in service.stored
    for name, data in service.stored.items():
        assert data == (folder / name).read_bytes()
    service.state = "accepted"
    clock.now += outbox.step()
    assert outbox.jobs.get(job.session).state == State.WAITING
    service.payout = {"state": "finalized", "amount": 5}
    job = run(outbox, clock, {State.DONE})
    assert job.server["payout"]["amount"] == 5
    outbox.step()
    assert service.calls[("POST", "tickets")] == 3, "small files, styled video, source video"
    outbox.close()


def test_source_video_stays_here_until_it_is_asked_for(tmp_path, service, folder):
    clock, service.asks = Clock(), True
    outbox = outbox_of(tmp_path, service, clock)
    outbox.jobs.add(folder)
    run(outbox, clock, {State.WAITING})
    assert "source-0000.mkv" not in service.stored
    assert "styled-0000.mkv" in service.stored
    service.wanted = {"files": ["source-0000.mkv", "inputs.jsonl"], "why": "review"}
    service.state, service.payout = "accepted", {"state": "owed"}
    clock.now += outbox.step() + 1
    outbox.step()
    assert service.stored["source-0000.mkv"] == (folder / "source-0000.mkv").read_bytes()
    assert service.wanted is None
    service.payout = {"state": "finalized"}
    run(outbox, clock, {State.DONE})
    outbox.close()


def test_an_appeal_is_noticed_after_the_end_and_one_without_the_folder_is_no_trouble(
    tmp_path, service, folder
):
    clock, service.asks = Clock(), True
    outbox = outbox_of(tmp_path, service, clock, look_again_s=3600.0, looks=3)
    outbox.jobs.add(folder)
    run(outbox, clock, {State.WAITING})
    service.state = "rejected"
    job = run(outbox, clock, {State.DONE})
    asked = service.calls[("GET", "state")]
    outbox.step()
    assert service.calls[("GET", "state")] == asked, "not before an hour has passed"
    service.wanted = {"files": ["source-0000.mkv"], "why": "appeal"}
    away = folder.rename(tmp_path / "away")
    clock.now += 3600
    outbox.step()
    assert "source-0000.mkv" not in service.stored
    away.rename(folder)
    clock.now += 3600
    outbox.step()
    assert "source-0000.mkv" in service.stored
    for _ in range(5):
        clock.now += 3600
        outbox.step()
    assert service.calls[("GET", "state")] == asked + 2, "it has been sent: nothing more to ask"
    assert outbox.jobs.get(job.session).state is State.DONE
    outbox.close()


def test_it_goes_on_after_every_kind_of_trouble(tmp_path, service, folder):
    clock = Clock()
    service.script = {
        ("POST", "tickets"): [500, 429, "break"],
        ("PUT", "ticks.bin"): ["break", 503],
        ("PUT", "source-0000.mkv"): ["break", "break", 403, 429],
        ("POST", "done"): [409, "break", 502],
        ("GET", "state"): [500],
    }
    outbox = outbox_of(tmp_path, service, clock)
    outbox.jobs.add(folder)
    run(outbox, clock, {State.WAITING})
    assert all(not planned for key, planned in service.script.items() if key[0] != "GET")
    assert len(service.order) == len(set(service.order)) == len(files_of(folder))
    service.state = "rejected"
    assert run(outbox, clock, {State.DONE}).server["state"] == "rejected"
    outbox.close()


def test_a_new_process_goes_on_where_the_old_one_stopped(tmp_path, service, folder):
    clock = Clock()
    service.script = {("PUT", "source-0000.mkv"): ["break"]}
    first = outbox_of(tmp_path, service, clock)
    first.jobs.add(folder)
    first.step()
    first.step()
    job = first.jobs.all()[0]
    assert job.state == State.UPLOADING
    assert "styled-0000.mkv" in job.sent
    assert job.attempts == 1
    first.close()
    before = Counter(service.calls)
    second = outbox_of(tmp_path, service, clock)
    second.jobs.add(folder)  # again, as a restart does
    run(second, clock, {State.WAITING})
    put = {k[1] for k in (service.calls - before) if k[0] == "PUT"}
    assert put == {"source-0000.mkv"}
    second.close()


def test_a_lost_answer_to_completion_is_no_refusal(tmp_path, service, folder):
    clock = Clock()
    service.script = {("POST", "done after"): [True]}
    outbox = outbox_of(tmp_path, service, clock)
    outbox.jobs.add(folder)
    job = run(outbox, clock, {State.WAITING})
    assert job.server["state"] == "queued"
    outbox.close()


@pytest.mark.parametrize("where", [("POST", "tickets"), ("PUT", "inputs.jsonl")])
def test_a_refusal_is_final_and_shown(tmp_path, service, folder, where):
    clock = Clock()
    service.script = {where: [422]}
    outbox = outbox_of(tmp_path, service, clock)
    outbox.jobs.add(folder)
    job = run(outbox, clock, {State.REFUSED})
    assert (job.status, "planned" in job.reason) == (422, True)
    calls = sum(service.calls.values())
    for _ in range(5):
        clock.now += 1000
        outbox.step()
    assert sum(service.calls.values()) == calls
    outbox.jobs.retry(job.session)
    run(outbox, clock, {State.WAITING})
    outbox.close()


def test_patience_doubles_up_to_a_limit(tmp_path, service, folder):
    clock = Clock()
    service.script = {("POST", "tickets"): [500] * 30}
    outbox = outbox_of(tmp_path, service, clock, longest_delay_s=60.0)
    outbox.jobs.add(folder)
    outbox.step()
    waits = []
    for _ in range(10):
        outbox.step()
        job = outbox.jobs.all()[0]
        waits.append(job.due - clock.now)
        clock.now = job.due
    assert waits == [3.0, 3.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]
    clock.now -= 86_400.0  # the clock is set back a day
    calls = service.calls[("POST", "tickets")]
    outbox.step()
    assert service.calls[("POST", "tickets")] == calls + 1
    outbox.close()


def test_no_service_at_all(tmp_path, folder):
    clock = Clock()
    config = OutboxConfig(tmp_path / "jobs", "http://127.0.0.1:9", timeout_s=1.0)
    outbox = Outbox(config, now=clock)
    outbox.jobs.add(folder)
    for _ in range(4):
        clock.now += outbox.step()
    job = outbox.jobs.all()[0]
    assert job.state == State.UPLOADING
    assert "no answer" in job.reason
    outbox.close()


def failing_checks(folder):
    def check(session, evidence):
        return Finding("blur", False, 0.1, 0.5, "blur.low")

    return [check], Evidence(None, None, (), {}, folder)


def test_own_checks_hold_a_session_back(tmp_path, service, folder, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("game.outbox.outbox._imported", lambda path: failing_checks)
    outbox = outbox_of(tmp_path, service, clock, checks="here:failing_checks")
    outbox.jobs.add(folder)
    job = run(outbox, clock, {State.HELD})
    assert job.reason == "blur.low"
    assert job.findings[0]["score"] == 0.1
    assert not service.calls
    (folder / "end.json").unlink()
    outbox.jobs.retry(job.session)
    assert run(outbox, clock, {State.HELD}).reason.startswith("not sealed")
    outbox.close()


def test_jobs_read_back_or_are_left_alone(tmp_path):
    store = JobStore(tmp_path)
    job = Job(new_id(), "/f", State.WAITING, 3, 7.5, "why", 429, ("a",), ({"x": 1},), {"s": 2})
    store.put(job)
    assert store.get(job.session) == job
    (tmp_path / f"{job.session}.json").write_text("{")
    assert store.all() == []
    with pytest.raises(ValueError, match="no session folder"):
        store.add(tmp_path)


@pytest.mark.network
def test_the_process_ends_when_told(tmp_path, service, folder):
    import multiprocessing

    config = OutboxConfig(tmp_path / "jobs", service.url, poll_s=0.05)
    JobStore(config.folder).add(folder)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_outbox, args=(config, theirs))
    process.start()
    assert ours.poll(120)
    assert ours.recv()["folder"] == str(config.folder)
    service.payout = None
    deadline = threading.Event()
    for _ in range(6000):
        if service.state == "queued":
            break
        deadline.wait(0.05)
    assert service.state == "queued"
    process.terminate()
    process.join(120)
    assert process.exitcode == 0
    process.close()
    ours.close()
    theirs.close()
