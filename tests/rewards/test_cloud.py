"""S3 and SQS over real HTTP, through a stand-in for the flow: what it does not enforce is said.

The stand-in (moto) keeps objects, events, visibility and dead letters, but takes any body under a
presigned address. That the address binds length, content and 'once' is tested on what is signed;
that a server refuses by it is tested against a strict one in `test_strict_store`.
"""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from rewards.card import read_card, waiting, write_card
from rewards.inbox import FileEntry
from rewards.queue import QueueSettings
from rewards.refusal import UploadRefused
from rewards.s3 import S3Store, open_client
from rewards.sqs import SqsQueue, session_of
from rewards.storage import Grant
from tests.waiting import wait_for

moto_server = pytest.importorskip("moto.server", reason="the S3 stand-in is not installed: moto")
pytestmark = [pytest.mark.network, pytest.mark.heavy]
SESSION = "01JABCDEFGHJKMNPQRSTVWXYZ0"


@dataclass
class Cloud:
    endpoint: str
    s3: Any
    sqs: Any
    queue_url: str
    dead_url: str

    def store(self) -> S3Store:
        return S3Store(self.s3, "raw")

    def queue(self, **settings: float) -> SqsQueue:
        patience = QueueSettings(**({"visibility_s": 60.0} | settings))  # type: ignore[arg-type]
        return SqsQueue(self.sqs, self.queue_url, self.dead_url, patience, wait_s=0)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = moto_server.ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def cloud(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    requests.post(f"{endpoint}/moto-api/reset", timeout=120)
    s3, sqs = (open_client(name, endpoint, "us-east-1") for name in ("s3", "sqs"))
    s3.create_bucket(Bucket="raw")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = {"deadLetterTargetArn": _arn(sqs, dead), "maxReceiveCount": "2"}
    queue = sqs.create_queue(
        QueueName="work", Attributes={"RedrivePolicy": json.dumps(policy)}
    )["QueueUrl"]  # fmt: skip
    rule = {"QueueArn": _arn(sqs, queue), "Events": ["s3:ObjectCreated:*"]}
    rule |= {"Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": "card.json"}]}}}
    s3.put_bucket_notification_configuration(
        Bucket="raw", NotificationConfiguration={"QueueConfigurations": [rule]}
    )
    yield Cloud(endpoint, s3, sqs, queue, dead)
    s3.close()
    sqs.close()


def _arn(sqs: Any, url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def put(store: S3Store, key: str, body: bytes) -> None:
    store.put(key, iter([body]), len(body), hashlib.sha256(body).hexdigest())


def test_the_bucket_behaves_as_the_folder_does(cloud: Cloud) -> None:
    store = cloud.store()
    put(store, f"{SESSION}/ticks.bin", b"abc")
    assert store.size(f"{SESSION}/ticks.bin") == 3
    assert store.size(f"{SESSION}/none.bin") is None
    assert b"".join(store.read(f"{SESSION}/ticks.bin")) == b"abc"
    assert store.keys(SESSION) == [f"{SESSION}/ticks.bin"]
    with pytest.raises(UploadRefused, match=r"object\.exists"):
        put(store, f"{SESSION}/ticks.bin", b"abd")
    with pytest.raises(UploadRefused, match=r"body\.sha256"):
        store.put(f"{SESSION}/x.bin", iter([b"abc"]), 3, "0" * 64)
    with pytest.raises(UploadRefused, match=r"body\.length"):
        store.put(f"{SESSION}/x.bin", iter([b"abc", b"d"]), 3, "0" * 64)
    with pytest.raises(UploadRefused, match=r"key\.unsafe"):
        put(store, "a/../../b", b"")
    with pytest.raises(FileNotFoundError):
        list(store.read(f"{SESSION}/none.bin"))
    store.delete(f"{SESSION}/ticks.bin")
    assert store.keys("") == []


def test_a_presigned_address_signs_length_content_and_once(cloud: Cloud) -> None:
    body = b"five!"
    grant = Grant(
        f"{SESSION}/ticks.bin", 5, hashlib.sha256(body).hexdigest(), int(time.time()) + 60
    )
    upload = cloud.store().upload(grant, "")
    query = parse_qs(urlsplit(upload.url).query)
    signed = query["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "if-none-match", "x-amz-checksum-sha256"} <= set(signed)
    assert int(query["X-Amz-Expires"][0]) <= 60
    assert "test" not in str(upload.headers), "no key leaves"
    reply = requests.put(upload.url, data=body, headers=upload.headers, timeout=120)
    assert reply.status_code == 200, reply.text
    again = requests.put(upload.url, data=body, headers=upload.headers, timeout=120)
    assert again.status_code == 412
    assert cloud.store().size(grant.key) == 5


def test_a_card_in_the_bucket_puts_its_session_into_the_queue(cloud: Cloud) -> None:
    store, queue = cloud.store(), cloud.queue()
    put(store, f"{SESSION}/ticks.bin", b"abc")
    write_card(store, {"session": SESSION}, [FileEntry("ticks.bin", 3, "0" * 64)], "address")
    message = queue.receive()
    assert message is not None
    assert message.name == SESSION
    card = read_card(store, SESSION)
    assert card is not None
    assert (card.tier, card.files[0].size) == ("address", 3)
    assert list(waiting(store)) == [SESSION]
    assert queue.delete(message)
    assert queue.depth() == 0


@pytest.mark.parametrize(
    ("body", "session"),
    [
        ('{"session": "abc"}', "abc"),
        ('{"Event": "s3:TestEvent", "Service": "Amazon S3"}', ""),
        ('{"Records": [{"s3": {"object": {"key": "x%2Fcard.json"}}}]}', "x"),
        ('{"Records": [{"s3": {"object": {"key": "p/x/card.json"}}}]}', "x"),
        ('{"Records": [{"s3": {"object": {"key": "x/ticks.bin"}}}]}', ""),
        ("[1]", ""),
        ("no json", ""),
    ],
)
def test_what_a_message_names(body: str, session: str) -> None:
    assert session_of(body) == session


def test_what_is_received_too_often_lies_dead_until_it_is_redriven(cloud: Cloud) -> None:
    queue = cloud.queue()
    queue.push(SESSION, SESSION)
    for _ in range(2):
        message = queue.receive()
        assert message is not None
        assert queue.give_back(message, "no renderer")
    assert queue.receive() is None
    assert queue.dead() == [(SESSION, "received too often")]
    assert queue.redrive("another") == 0
    wait_for(lambda: queue.redrive() == 1)
    message = queue.receive()
    assert message is not None
    assert message.name == SESSION


def test_heart_beats_end_at_the_deadline(cloud: Cloud) -> None:
    now = [0.0]
    queue = cloud.queue(deadline_s=500.0)
    queue._now = lambda: now[0]
    queue.push(SESSION, SESSION)
    message = queue.receive()
    assert message is not None
    now[0] = 400.0
    assert queue.heartbeat(message)
    now[0] = 500.0
    assert not queue.heartbeat(message)


def test_four_workers_share_the_queue_without_double_work(cloud: Cloud) -> None:
    names = [f"{SESSION[:-2]}{n:02}" for n in range(24)]
    queue = cloud.queue(visibility_s=30.0)
    for name in names:
        queue.push(name, name)
    done: list[str] = []

    def work() -> None:
        mine = cloud.queue(visibility_s=30.0)
        while (message := mine.receive()) is not None:
            done.append(message.name)
            mine.delete(message)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == names
