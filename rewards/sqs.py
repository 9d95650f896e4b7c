"""The queue in SQS, behind the same calls as the file: S3's own events, or what the intake pushes.

A message is a session's name. Heart-beats prolong its visibility up to a hard deadline counted
from the receipt; the service's redrive policy lays aside what was received too often. Delivers at
least once and in any order, which the workers expect.
"""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from rewards.card import CARD
from rewards.queue import Message, QueueSettings


class SqsQueue:
    """One queue and its dead-letter queue, by address."""

    def __init__(
        self,
        client: Any,
        url: str,
        dead_url: str = "",
        settings: QueueSettings | None = None,
        now: Callable[[], float] = time.time,
        wait_s: int = 1,
    ) -> None:
        self.settings = settings or QueueSettings()
        self._client, self._url, self._dead_url = client, url, dead_url
        self._now, self._wait_s = now, wait_s
        self._deadlines: dict[str, float] = {}  # handle -> no heart-beat goes past it

    def push(self, name: str, body: str) -> bool:
        """Add a message. A second one of the same name is harmless: its verdict stands."""
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"session": name}))
        return True

    def receive(self) -> Message | None:
        """The next session, or None. What names no session (a test event) is thrown away."""
        while True:
            reply = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=self._wait_s,
                VisibilityTimeout=int(self.settings.visibility_s) or 1,
                AttributeNames=["ApproximateReceiveCount"],
            )
            found = reply.get("Messages", ())
            if not found:
                return None
            raw, handle = found[0], str(found[0]["ReceiptHandle"])
            name = session_of(str(raw["Body"]))
            if name:
                break
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=handle)
        self._deadlines[handle] = self._now() + self.settings.deadline_s
        receives = int(raw.get("Attributes", {}).get("ApproximateReceiveCount", 1))
        return Message(name, str(raw["Body"]), receives, handle)

    def heartbeat(self, message: Message) -> bool:
        """Keep it invisible a while longer; False where it is out of time or no longer ours."""
        left = self._deadlines.get(message.handle, 0.0) - self._now()
        if left <= 0:
            return False
        return self._visible_in(message, min(self.settings.visibility_s, left))

    def delete(self, message: Message) -> bool:
        """Done with it."""
        self._deadlines.pop(message.handle, None)
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.handle)
        return True

    def give_back(self, message: Message, why: str, delay_s: float = 0.0) -> bool:
        """It comes again after `delay_s`; the service counts how often."""
        self._deadlines.pop(message.handle, None)
        return self._visible_in(message, delay_s)

    def dead(self) -> list[tuple[str, str]]:
        """Name of what was given up, as far as one look shows; nothing is taken away."""
        if not self._dead_url:
            return []
        found: dict[str, str] = {}
        reply = self._client.receive_message(
            QueueUrl=self._dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0
        )
        for raw in reply.get("Messages", ()):
            found[session_of(str(raw["Body"]))] = "received too often"
        rest = self._count(self._dead_url, "ApproximateNumberOfMessages") - len(found)
        return [*found.items(), *((f"and {n + 1} more", "") for n in range(max(0, rest)))]

    def redrive(self, name: str | None = None) -> int:
        """Move dead messages (one, or all) back; how many. Sent before it is deleted."""
        moved = 0
        while self._dead_url:
            reply = self._client.receive_message(
                QueueUrl=self._dead_url, MaxNumberOfMessages=10, VisibilityTimeout=30,
                WaitTimeSeconds=0,
            )  # fmt: skip
            messages = reply.get("Messages", ())
            if not messages:
                break
            for raw in messages:
                if name is None or session_of(str(raw["Body"])) == name:
                    self._client.send_message(QueueUrl=self._url, MessageBody=raw["Body"])
                    self._client.delete_message(
                        QueueUrl=self._dead_url, ReceiptHandle=raw["ReceiptHandle"]
                    )
                    moved += 1
        return moved

    def depth(self) -> int:
        """Messages waiting or in work, as the service estimates."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(self._count(self._url, name) for name in names)

    def age(self, now_s: float) -> float:
        """SQS tells this to its own monitoring alone (ApproximateAgeOfOldestMessage)."""
        return 0.0

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _visible_in(self, message: Message, seconds: float) -> bool:
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.handle,
                VisibilityTimeout=max(0, int(seconds)),
            )  # fmt: skip
        except self._client.exceptions.ClientError:  # received by somebody else since
            return False
        return True

    def _count(self, url: str, name: str) -> int:
        reply = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(reply["Attributes"][name])


def session_of(body: str) -> str:
    """The session that a message names: ours, or S3's event of a card; '' = none (a test event)."""
    try:
        data = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(data, dict):
        return ""
    if isinstance(data.get("session"), str):
        return str(data["session"])
    for record in data.get("Records", ()):
        key = unquote_plus(str(record.get("s3", {}).get("object", {}).get("key", "")))
        folder, _, name = key.rpartition("/")
        if name == CARD:
            return folder.rpartition("/")[2]
    return ""
