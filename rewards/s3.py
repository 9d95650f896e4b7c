"""Objects in S3, behind the same calls as the folder: presigned PUTs with exact length and content.

The player's machine holds no key: it gets an address that is good for one object, of one length,
with one SHA-256, once. Owns the client and the translation of its errors. boto3 is the extra `aws`.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from rewards.errors import SetUpIncomplete
from rewards.refusal import UploadRefused
from rewards.storage import CHUNK, Grant, Upload, check_key

SPOOL = 8 << 20  # kept in memory while an object is put together


def open_client(service: str, endpoint: str, region: str) -> Any:
    """A boto3 client; credentials come from where boto3 looks. Raises SetUpIncomplete."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise SetUpIncomplete(
            "S3 and SQS need boto3", "install it with: pip install '.[server,aws]'"
        ) from error
    config = Config(
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"max_attempts": 5, "mode": "standard"},
        connect_timeout=10,
        read_timeout=60,
    )
    return boto3.client(service, endpoint_url=endpoint or None, region_name=region, config=config)


class S3Store:
    """One bucket. prefix: below which everything lies, '' = the whole bucket."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client, self.bucket = client, bucket
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def put(self, key: str, chunks: Iterable[bytes], size: int, sha256: str) -> None:
        """Store one object, whole or not at all. Raises UploadRefused."""
        import tempfile

        digest, length = hashlib.sha256(), 0
        with tempfile.SpooledTemporaryFile(SPOOL) as body:
            for chunk in chunks:
                length += len(chunk)
                if length > size:
                    raise UploadRefused("body.length", f"more than {size} bytes", 413)
                digest.update(chunk)
                body.write(chunk)
            if length != size:
                raise UploadRefused("body.length", f"{length} bytes came, {size} were announced")
            if digest.hexdigest() != sha256:
                raise UploadRefused("body.sha256", "the content is not what was announced")
            body.seek(0)
            try:
                self._client.put_object(
                    Bucket=self.bucket, Key=self._name(key), Body=body, ContentLength=size,
                    ChecksumSHA256=_base64(sha256), IfNoneMatch="*",
                )  # fmt: skip
            except self._client.exceptions.ClientError as error:
                if _status(error) in (409, 412):
                    raise UploadRefused("object.exists", "stored already", 412) from error
                raise

    def size(self, key: str) -> int | None:
        """Length of an object [byte], None where it is not there."""
        try:
            reply = self._client.head_object(Bucket=self.bucket, Key=self._name(key))
        except self._client.exceptions.ClientError as error:
            if _status(error) == 404:
                return None
            raise
        return int(reply["ContentLength"])

    def read(self, key: str) -> Iterator[bytes]:
        """The object in pieces. Raises FileNotFoundError."""
        try:
            reply = self._client.get_object(Bucket=self.bucket, Key=self._name(key))
        except self._client.exceptions.ClientError as error:
            if _status(error) == 404:
                raise FileNotFoundError(key) from error
            raise
        yield from reply["Body"].iter_chunks(CHUNK)

    def keys(self, prefix: str) -> list[str]:
        """Every key below `prefix` (whole parts of a key), sorted."""
        below = self._prefix + (prefix.rstrip("/") + "/" if prefix else "")
        pages = self._client.get_paginator("list_objects_v2")
        found = []
        for page in pages.paginate(Bucket=self.bucket, Prefix=below):
            found += [entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", ())]
        return sorted(found)

    def delete(self, key: str) -> None:
        """Forget an object; no error where it is gone already."""
        self._client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def upload(self, grant: Grant, base_url: str) -> Upload:
        """A presigned PUT for this one object; its signature covers length, content and 'once'."""
        import time

        checksum = _base64(grant.sha256)
        url = self._client.generate_presigned_url(
            "put_object",
            ExpiresIn=max(1, grant.expires_s - int(time.time())),
            Params={
                "Bucket": self.bucket, "Key": self._name(grant.key), "ContentLength": grant.size,
                "ChecksumSHA256": checksum, "IfNoneMatch": "*",
            },
        )  # fmt: skip
        headers = {"x-amz-checksum-sha256": checksum, "If-None-Match": "*"}
        return Upload(url, "PUT", headers)

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
