"""A small stand-in for the City's server: pages, repeats rows, throttles, fails and cuts short."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Feature = dict[str, Any]


@dataclass
class Town:
    """What the server has, and the trouble it makes: one word for each page it is asked for."""

    tables: dict[str, list[Feature]]
    trouble: list[str] = field(default_factory=list)  # used up from the front
    counts: bool = True  # does it answer count(*)?
    most: int = 50_000  # rows of a page, whatever was asked
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    repeat: int = 0  # each page begins with so many rows of the page before
    edition: str = "1"

    def offsets(self, dataset: str) -> list[int]:
        """The offsets of the pages asked for, in order."""
        return [int(query["$offset"]) for name, query in self.asked if name == dataset]


def _handler(town: Town) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            dataset, _, kind = parts.path.removeprefix("/resource/").partition(".")
            table = town.tables.get(dataset)
            if table is None:
                self.answer(404, {"message": "dataset.missing"})
            elif kind == "json":
                told = [{"rows": str(len(table)), "updated": town.edition}]
                self.answer(200, told) if town.counts else self.answer(400, {"message": "no"})
            else:
                town.asked.append((dataset, query))
                self.page(table, query)

        def page(self, table: list[Feature], query: dict[str, str]) -> None:
            limit, offset = min(int(query["$limit"]), town.most), int(query["$offset"])
            assert query["$order"] == ":id"
            rows = table[offset : offset + limit]
            if town.repeat and offset and rows:
                # Rows that moved: the page begins with some of the last page's.
                rows = (table[max(offset - town.repeat, 0) : offset] + rows)[: len(rows)]
            trouble = town.trouble.pop(0) if town.trouble else ""
            if trouble in ("429", "500", "503", "403"):
                self.answer(int(trouble), {"message": f"trouble {trouble}"})
            else:
                self.answer(200, {"type": "FeatureCollection", "features": rows}, trouble)

        def answer(self, status: int, told: object, trouble: str = "") -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "7")
            if trouble != "cut, no length":
                self.send_header("Content-Length", str(len(body)))
            if trouble:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if trouble == "nonsense":
                body = b"<html>".ljust(len(body), b" ")
            self.wfile.write(body[: len(body) // 2] if trouble.startswith("cut") else body)

    return Handler


@contextmanager
def serving(town: Town) -> Iterator[str]:
    """The base URL of a server of `town` on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(town))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
