"""Presigned uploads against a store that enforces what is signed: Swift's S3 door.

The stand-in of the other tests (moto) takes anything; here each lie is told to a server that looks.
Skipped unless SWIFT_PYTHON names an interpreter that has Swift; `swift.py` says how to make one.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from rewards.s3 import S3Store
from rewards.storage import Grant, Upload
from tests.rewards.swift import ACCESS, SECRET, Swift

PYTHON = os.environ.get("SWIFT_PYTHON", "")
pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="SWIFT_PYTHON names no interpreter that has Swift"),
]
SESSION = "01JABCDEFGHJKMNPQRSTVWXYZ0"
BODY = b"five!"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Store]:
    import boto3
    from botocore.config import Config

    with Swift(Path(PYTHON), tmp_path_factory.mktemp("swift")) as swift:
        client = boto3.client(
            "s3", endpoint_url=swift.endpoint, region_name="us-east-1", aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            config=Config(
                signature_version="s3v4", s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
            ),
        )  # fmt: skip
        client.create_bucket(Bucket="raw")
        yield S3Store(client, "raw")
        client.close()


def upload(store: S3Store, name: str) -> Upload:
    digest = hashlib.sha256(BODY).hexdigest()
    return store.upload(Grant(f"{SESSION}/{name}", len(BODY), digest, int(time.time()) + 300), "")


def put(to: Upload, body: bytes = BODY, drop: str = "", url: str = "") -> int:
    headers = {name: value for name, value in to.headers.items() if name.lower() != drop}
    return requests.put(url or to.url, data=body, headers=headers, timeout=120).status_code


def test_what_was_announced_is_taken_once(store: S3Store) -> None:
    address = upload(store, "ticks.bin")
    assert put(address) == 200
    assert b"".join(store.read(f"{SESSION}/ticks.bin")) == BODY
    assert put(address) == 412, "a second time"


@pytest.mark.parametrize(
    ("body", "expected"), [(b"five?", (400,)), (b"five!!", (400, 403)), (b"five", (400, 403))]
)
def test_another_body_is_refused(store: S3Store, body: bytes, expected: tuple[int, ...]) -> None:
    name = f"events-{len(body)}{body[-1]}.bin"
    assert put(upload(store, name), body) in expected
    assert store.size(f"{SESSION}/{name}") is None


@pytest.mark.parametrize("header", ["if-none-match", "x-amz-checksum-sha256"])
def test_a_signed_header_cannot_be_left_out(store: S3Store, header: str) -> None:
    assert put(upload(store, f"{header}.bin"), drop=header) == 403


def test_a_changed_or_missing_signature_is_refused(store: S3Store) -> None:
    address = upload(store, "signature.bin")
    assert put(address, url=address.url[:-4] + "0000") == 403
    bare = urlsplit(address.url)._replace(query="").geturl()
    assert put(address, url=bare) in (400, 401, 403)
    other = address.url.replace("signature.bin", "../other.bin")
    assert put(address, url=other) in (400, 403)
    assert store.keys(SESSION) == [k for k in store.keys(SESSION) if "signature" not in k]
