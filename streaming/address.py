"""Where a stream server is, as people write it and as it is dialled."""

from urllib.parse import urlsplit, urlunsplit

PATH = "/v1/stream"


def address_of(url: str) -> str:
    """The address with its path and without anything secret, for messages and for dialling."""
    parts = urlsplit(url if "://" in url else f"ws://{url}")
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((scheme, host, parts.path if parts.path not in ("", "/") else PATH, "", ""))
