"""A reward service as the outbox meets it: on loopback, with troubles to order."""

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TICKET = {"v": 1, "session": "x", "sig": "00"}
"""The only one it takes."""


class Service(ThreadingHTTPServer):
    """Keeps what is put with the announced length and hash, nothing else."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.announced, self.stored, self.order = {}, {}, []
        self.script: dict[tuple[str, str], list[object]] = {}
        self.calls = Counter()
        self.state, self.payout = "issued", None
        self.asks, self.wanted = False, None
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
            if service.state not in ("issued", "uploading") and not service.wanted:
                self.answer(409, {"detail": {"reason": "ticket.used"}})
                return
            assert ask["ticket"] == TICKET
            asked = {f["name"]: f for f in ask["files"]}
            service.announced |= asked
            uploads = [
                {"name": n, "method": "PUT", "url": f"/raw/{n}", "headers": {"X-Grant": n}}
                for n in asked
                if n not in service.stored
            ]
            more = {"source": "when-asked"} if service.asks else {}
            self.answer(201, {"uploads": uploads, "complete_url": f"{service.url}/done"} | more)
        else:
            if self.scripted(("POST", "done")):
                return
            self.rfile.read(int(self.headers["Content-Length"]))
            if set(service.stored) != set(service.announced):
                self.answer(409, {"detail": {"reason": "session.incomplete"}})
                return
            if service.wanted:
                service.wanted = None
            else:
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
        told = {"state": service.state, "payout": service.payout, "wanted": service.wanted}
        self.answer(200, {"session": "s"} | told)
