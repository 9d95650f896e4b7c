"""Which stores and which queue the settings name: the server's folder, or S3 and SQS."""

from rewards.premises import Premises, load_secret
from rewards.queue import Queue, QueueSettings, Work
from rewards.s3 import S3Store, open_client
from rewards.settings import RewardsSettings
from rewards.sqs import SqsQueue
from rewards.storage import FolderStore

Stores = FolderStore | S3Store


def raw_store(settings: RewardsSettings) -> Stores:
    """Where uploads come in."""
    if settings.raw_bucket:
        client = open_client("s3", settings.s3_endpoint, settings.aws_region)
        return S3Store(client, settings.raw_bucket)
    premises = Premises(settings.folder)
    return FolderStore(premises.raw, load_secret(premises.upload_secret))


def clean_store(settings: RewardsSettings) -> Stores:
    """Where accepted sessions, verdicts, bindings and pictures are kept."""
    if settings.clean_bucket:
        client = open_client("s3", settings.s3_endpoint, settings.aws_region)
        return S3Store(client, settings.clean_bucket)
    return FolderStore(Premises(settings.folder).clean, b"")


def open_queue(settings: RewardsSettings, patience: QueueSettings | None = None) -> Work:
    """Sessions that wait for their verdict."""
    if settings.queue_url:
        client = open_client("sqs", settings.sqs_endpoint, settings.aws_region)
        return SqsQueue(client, settings.queue_url, settings.dead_queue_url, patience)
    return Queue(Premises(settings.folder).queue, patience)
