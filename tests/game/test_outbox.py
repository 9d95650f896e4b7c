"""The outbox against a strict small server that breaks off, says later, says no, and forgets."""

import hashlib
import json
import os
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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

TICKET = {"v": 1, "session": "x", "sig": "00"}


class Service(ThreadingHTTPServer):
    """Keeps what is put with the announced length and hash, nothing else."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.announced, self.stored, self.order = {}, {}, []
        self.script: dict[tuple[str, str], list[object]] = {}
        self.calls = Counter()
        self.state, self.payout = "issued", None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body=None, headers=()):
        data = json.dumps(body or {}).encode()
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def scripted(self, what) -> bool:
        """Do what the test has laid out for this call: break off, or answer with an error."""
        service = self.server
        service.calls[what] += 1
        planned = service.script.get(what, [])
        todo = planned.pop(0) if planned else None
        if todo is None:
            return False
        if todo == "break":
            self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
            self.close_connection = True
            self.connection.shutdown(2)
            return True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(todo, {"detail": {"reason": "planned"}}, [("Retry-After", "3")])
        return True

    def do_POST(self):
        service = self.server
        if self.path == "/v1/upload-tickets":
            if self.scripted(("POST", "tickets")):
                return
            ask = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if service.state not in ("issued", "uploading"):
                self.answer(409, {"detail": {"reason": "ticket.used"}})
                return
            assert ask["ticket"] == TICKET
            service.announced = {f["name"]: f for f in ask["files"]}
            uploads = [
                {"name": n, "method": "PUT", "url": f"/raw/{n}", "headers": {"X-Grant": n}}
                for n in service.announced
                if n not in service.stored
            ]
            self.answer(201, {"uploads": uploads, "complete_url": f"{service.url}/done"})
        else:
            if self.scripted(("POST", "done")):
                return
            self.rfile.read(int(self.headers["Content-Length"]))
            if set(service.stored) != set(service.announced):
                self.answer(409, {"detail": {"reason": "session.incomplete"}})
                return
            service.state = "queued"
            if service.script.get(("POST", "done after")):
                service.script[("POST", "done after")].pop()
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self.answer(200, {"session": "s", "state": "queued"})

    def do_PUT(self):
        service, name = self.server, self.path.split("/")[-1]
        if self.scripted(("PUT", name)):
            return
        assert "Transfer-Encoding" not in self.headers
        data = self.rfile.read(int(self.headers["Content-Length"]))
        want = service.announced[name]
        if self.headers["X-Grant"] != name or len(data) != want["size"]:
            self.answer(403)
        elif hashlib.sha256(data).hexdigest() != want["sha256"]:
            self.answer(422, {"detail": {"reason": "file.hash"}})
        elif name in service.stored:
            self.answer(412)
        else:
            service.stored[name] = data
            service.order.append(name)
            self.answer(200)

    def do_GET(self):
        service = self.server
        if self.scripted(("GET", "state")):
            return
        self.answer(200, {"session": "s", "state": service.state, "payout": service.payout})


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
    config = OutboxConfig(tmp_path / "jobs", service.url, timeout_s=5.0, **more)
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
    assert service.calls[("POST", "tickets")] == 1
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
    assert ours.poll(30)
    assert ours.recv()["folder"] == str(config.folder)
    service.payout = None
    deadline = threading.Event()
    for _ in range(600):
        if service.state == "queued":
            break
        deadline.wait(0.05)
    assert service.state == "queued"
    process.terminate()
    process.join(10)
    assert process.exitcode == 0
    process.close()
    ours.close()
    theirs.close()
