"""Intake and workers: run tickets a second, and sessions judged by one worker and by four."""

import multiprocessing
import socket
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.atlas.load import load as load_city
from game.session.protocols import Evidence, Finding
from game.session.reader import Session
from rewards import policy, schema
from rewards.graph import Step, run_plain
from rewards.inbox import Inbox
from rewards.intake import IntakeLimits
from rewards.ledger import Ledger
from rewards.queue import QueueSettings
from rewards.s3 import S3Store, open_client
from rewards.service import ApiConfig, run_api
from rewards.settings import RewardsSettings
from rewards.sqs import SqsQueue
from rewards.worker import Bench, Worker
from tests.rewards.handed import hand_in, ticket_for
from tests.rewards.recording import KEYS, make_ticket

TICKETS, CALLERS, SESSIONS = 1_200, 8, 48
WORK_S = 0.25
"""What a check of the scaling row waits for, as for a renderer or a decoder in its own process."""


def rows() -> list[dict[str, Any]]:
    """Rows of the bench table."""
    return [*_tickets(), *_workers()]


def _tickets() -> list[dict[str, Any]]:
    """Against a real intake process with a folder and SQLite that syncs every commit."""
    with tempfile.TemporaryDirectory() as folder:
        settings = RewardsSettings(
            folder=Path(folder), policy="demo", keep_free=0,
            tickets_at_once=10**6, tickets_per_hour=10**6, address_per_hour=10**6,
        )  # fmt: skip
        config = ApiConfig(settings, limits=IntakeLimits(hourly=10**6))
        ours, theirs = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("spawn")
        server = context.Process(target=run_api, args=(config, theirs), daemon=True)
        server.start()
        try:
            url = f"http://127.0.0.1:{ours.recv()}"
            return _ask(url, psutil.Process(server.pid))
        finally:
            server.terminate()
            server.join(20)


def _ask(url: str, server: psutil.Process) -> list[dict[str, Any]]:
    known = make_ticket(load_city())
    names = ("scenario", "driver", "policy", "world_version", "pack_digest")
    ask = {name: known[name] for name in names}

    def caller(number: int) -> None:
        with requests.Session() as http:
            http.trust_env = False
            for _ in range(TICKETS // CALLERS):
                body = ask | {"claim": f"caller-{number}"}
                reply = http.post(f"{url}/v1/run-tickets", json=body, timeout=30)
                if reply.status_code != 201:
                    raise RuntimeError(reply.text)

    caller(0)
    begin, before = time.perf_counter(), server.cpu_times()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(caller, range(CALLERS)))
    wall, after = time.perf_counter() - begin, server.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    asked = TICKETS // CALLERS * CALLERS
    return [
        _row("rewards.tickets_issued", asked / wall, "1/s", "goal 200, with its callers beside it"),
        _row("rewards.tickets_issued_by_core", asked / cpu, "1/s", "per CPU second of the intake"),
    ]


def _workers() -> list[dict[str, Any]]:
    """Against stand-ins of S3 and SQS (moto) over real HTTP."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        return []
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    try:
        with mock.patch.dict("os.environ", keys | {"AWS_EC2_METADATA_DISABLED": "true"}):
            found = {count: _drain(f"http://127.0.0.1:{port}", count) for count in (1, 4)}
    finally:
        server.stop()
    twice = sum(number > 1 for _, seen in found.values() for number in seen.values())
    one, four = (SESSIONS / found[count][0] for count in (1, 4))
    told = f"S3 and SQS stand-ins, a check that waits {WORK_S} s; one worker: {one:.1f}/s"
    return [
        _row("rewards.judged_by_four_workers", four, "1/s", told),
        _row("rewards.judged_scale", four / one, "x of one worker", "4 at best"),
        _row("rewards.judged_twice", twice, "sessions", "must be 0"),
    ]


def _drain(endpoint: str, count: int) -> tuple[float, Counter[str]]:
    """Seconds until `count` workers have judged everything, and who was judged how often."""
    seen: Counter[str] = Counter()

    def check(session: Session, evidence: Evidence) -> Finding:
        seen[evidence.session] += 1
        time.sleep(WORK_S)
        counts = {"ticks": 9, "success": True, "collisions": 0, "attested": 1, "self": 0}
        return Finding("journal", True, 1.0, 1.0, evidence=counts)

    with tempfile.TemporaryDirectory() as folder:
        url, city = f"sqlite:///{folder}/ledger.sqlite", load_city()
        s3 = open_client("s3", endpoint, "us-east-1")
        sqs = open_client("sqs", endpoint, "us-east-1")
        for name in ("raw", "clean"):
            s3.create_bucket(Bucket=f"{name}{count}")
        queue_url, dead_url = (
            sqs.create_queue(QueueName=f"{name}{count}")["QueueUrl"] for name in ("work", "dead")
        )
        raw, clean = S3Store(s3, f"raw{count}"), S3Store(s3, f"clean{count}")
        patience = QueueSettings(30.0, 120.0, 4)

        def bench() -> Bench:
            return Bench(
                inbox=Inbox(schema.open_engine(url)), ledger=Ledger.open(url),
                queue=SqsQueue(sqs, queue_url, dead_url, patience, wait_s=0), raw=raw, clean=clean,
                scratch=Path(folder) / "scratch", cities={city.digest: city}, renderer=None,
                checks=(Step("journal", check),), runner=run_plain, keys=KEYS, sample_secret=b"s",
                policies=policy.load, judge_key=Ed25519PrivateKey.generate(),
            )  # fmt: skip

        first, known = bench(), make_ticket(city)
        for _ in range(SESSIONS):
            name = hand_in(raw, ticket_for("W" * 40, known))
            first.queue.push(name, name)
        begin, done = time.perf_counter(), threading.Event()

        def work(held: Bench) -> None:
            worker = Worker(held)
            while not done.is_set():
                if not worker.step() and len(seen) == SESSIONS:
                    done.set()

        threads = [threading.Thread(target=work, args=(bench(),)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begin, seen


def _row(name: str, value: float, unit: str, against: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": unit, "against": against, "ratio": None}
