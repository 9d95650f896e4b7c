"""The staff's page: how every part is, and three buttons. For this machine or the staff's network.

Owns the token, its cookie, and the slowing down of who guesses it. Shows nothing of any visitor.
"""

import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from html import escape
from http import cookies
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

_COOKIE = "staff"
_MOST_BYTES = 4096
_TRIES, _LOCK_S = 10, 60.0
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Kiosk</title>
<meta http-equiv="refresh" content="5"><style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;
max-width:44rem;color:#111;background:#fff}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}
button{font:inherit;padding:.7rem 1.2rem;margin:.4rem .4rem .4rem 0}
.bad{color:#a00;font-weight:bold}</style></head><body><h1>Kiosk</h1>"""
_LOGIN = """<form method="post" action="/enter"><label>Staff token
<input name="token" type="password" autocomplete="off" required></label>
<button>Enter</button></form></body></html>"""


def staff_token(root: Path) -> str:
    """The token of this kiosk, made on first use, readable by its owner alone."""
    path = root / "staff.token"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    return path.read_text("ascii").strip()


class Desk:
    """What the page may do: ask how everything is, and act. actions: name -> what it does."""

    def __init__(
        self,
        token: str,
        report: Callable[[], dict[str, Any]],
        actions: dict[str, Callable[[], None]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.report, self.actions = report, actions
        self._token, self._now = token, now
        self._wrong: list[float] = []
        self._lock = threading.Lock()

    def knows(self, token: str) -> bool:
        """Whether this is the token; after ten wrong ones in a minute none is."""
        with self._lock:
            now = self._now()
            self._wrong = [at for at in self._wrong if now - at < _LOCK_S]
            if not token or len(self._wrong) >= _TRIES:
                return False
            right = hmac.compare_digest(token.encode(), self._token.encode())
            if not right:
                self._wrong.append(now)
            return right


def serve(desk: Desk, host: str, port: int) -> ThreadingHTTPServer:
    """Listen in a thread of its own until `shutdown`. Raises OSError where the port is taken."""

    class Handler(_Handler):
        pass

    Handler.desk = desk
    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="staff", daemon=True
    )
    thread.start()
    return server


class _Handler(BaseHTTPRequestHandler):
    desk: Desk
    timeout = 10
    server_version, sys_version = "kiosk", ""

    def do_GET(self) -> None:
        """The page, or /status as JSON."""
        if not self._allowed():
            self._send(401, _PAGE + _LOGIN)
        elif self.path == "/status":
            self._send(200, json.dumps(self.desk.report()), "application/json")
        elif self.path == "/":
            self._send(200, _page(self.desk.report(), tuple(self.desk.actions)))
        else:
            self._send(404, "no such page", "text/plain")

    def do_POST(self) -> None:
        """Enter with the token, or do one of the actions."""
        form = self._form()
        if self.path == "/enter":
            token = form.get("token", "")
            if not self.desk.knows(token):
                self._send(401, _PAGE + "<p class=bad>Not that one.</p>" + _LOGIN)
                return
            self._redirect(f"{_COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/")
            return
        name = self.path.removeprefix("/do/")
        if not self._allowed() or not self._same_site():
            self._send(401, _PAGE + _LOGIN)
        elif name not in self.desk.actions:
            self._send(404, "no such action", "text/plain")
        else:
            self.desk.actions[name]()
            self._redirect("")

    def _allowed(self) -> bool:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if bearer:
            return self.desk.knows(bearer)
        jar: cookies.SimpleCookie = cookies.SimpleCookie()
        try:
            jar.load(self.headers.get("Cookie", ""))
        except cookies.CookieError:
            return False
        return _COOKIE in jar and self.desk.knows(jar[_COOKIE].value)

    def _same_site(self) -> bool:
        """No other page may press the buttons of who is logged in."""
        origin = self.headers.get("Origin", "")
        return not origin or origin.split("://", 1)[-1] == self.headers.get("Host", "")

    def _form(self) -> dict[str, str]:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if 0 < size <= _MOST_BYTES else b""
        return {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}

    def _send(self, status: int, text: str, kind: str = "text/html; charset=utf-8") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Referrer-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(data)

    def _redirect(self, cookie: str) -> None:
        self.send_response(303)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: a token in an address must not end in a log."""


def _page(report: dict[str, Any], actions: tuple[str, ...]) -> str:
    booth = report.get("booth") or {}
    state = "closed" if report.get("closed") else str(booth.get("mode", "starting"))
    facts = [("state", state), ("up", f"{int(report.get('up_s', 0)) // 60} min")]
    facts += [(k, str(v)) for k, v in booth.items() if k not in ("mode", "at_s")]
    names = ("codes_waiting", "clips_waiting", "disk_free_gb", "last_problem")
    facts += [(name.replace("_", " "), str(report.get(name, ""))) for name in names]
    rows = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in facts)
    words = {True: "running", False: "<b class=bad>gone</b>"}
    parts = "".join(
        f"<tr><th>{escape(name)}</th><td>{words[p['alive']]}</td>"
        f"<td>{p['memory_mb']:.0f} MB</td><td>{p['restarts']} restarts</td></tr>"
        for name, p in (report.get("parts") or {}).items()
    )
    buttons = "".join(
        f'<form method="post" action="/do/{escape(name)}" style="display:inline">'
        f"<button>{escape(name.replace('-', ' '))}</button></form>"
        for name in actions
    )
    return (
        f"{_PAGE}<table>{rows}</table><h2>Parts</h2><table>{parts}</table>{buttons}</body></html>"
    )
