"""A small OpenStack Swift with its S3 door: a store that enforces what presigned addresses bind.

Started from an interpreter of its own, since its packages are nobody else's business:

    python -m venv env && env/bin/pip install swift setuptools
    SWIFT_PYTHON=env/bin/python python -m pytest tests/rewards/test_strict_store.py
"""

import getpass
import os
import socket
import subprocess
import time
from pathlib import Path

LAUNCH = """
import os, sys
import eventlet; eventlet.monkey_patch()
import swift.common.utils as u, swift.common.utils.config as c
u.SWIFT_CONF_FILE = os.path.abspath("swift.conf")
if hasattr(c, "SWIFT_CONF_FILE"): c.SWIFT_CONF_FILE = u.SWIFT_CONF_FILE
import swift.common.storage_policy as sp
sp.SWIFT_CONF_FILE = u.SWIFT_CONF_FILE; sp.reload_storage_policies()
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[1], sys.argv[2]))
"""
RINGS = """
import sys
from swift.common.ring import RingBuilder
name, port = sys.argv[1], int(sys.argv[2])
builder = RingBuilder(6, 1, 1)
builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "sdb1",
                 "weight": 1, "replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
builder.rebalance()
builder.get_ring().save(name + ".ring.gz")
"""
CONF = """[swift-hash]
swift_hash_path_suffix = x
swift_hash_path_prefix = y
[storage-policy:0]
name = gold
default = yes
"""
BASICS = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/dev
mount_check = false
disable_fallocate = true
recon_cache_path = {folder}/cache
log_address = /dev/null
"""
STORAGE = """[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
PIPELINE = (
    "catch_errors proxy-logging cache listing_formats s3api tempauth copy slo dlo proxy-logging"
)
PROXY = f"""[pipeline:main]
pipeline = {PIPELINE} proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin .reseller_admin
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
min_segment_size = 5242880
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:proxy-logging]
use = egg:swift#proxy_logging
""" + "".join(
    f"[filter:{name}]\nuse = egg:swift#{name}\n"
    for name in ("catch_errors", "listing_formats", "copy", "slo", "dlo")
)
ACCESS, SECRET = "test:tester", "testing"


class Swift:
    """Use as a context manager. endpoint: of its S3 door."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._python, self._folder = python.absolute(), folder
        self._running: list[subprocess.Popen[bytes]] = []
        self.endpoint = ""

    def __enter__(self) -> "Swift":
        folder = self._folder
        for part in ("dev/sdb1", "cache"):
            (folder / part).mkdir(parents=True)
        (folder / "swift.conf").write_text(CONF)
        (folder / "launch.py").write_text(LAUNCH)
        (folder / "rings.py").write_text(RINGS)
        ports = {name: _free_port() for name in ("account", "container", "object", "proxy")}
        for name, port in ports.items():
            if name != "proxy":
                words = [str(self._python), "rings.py", name, str(port)]
                subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=300)
            basics = BASICS.format(port=port, user=getpass.getuser(), folder=folder)
            rest = PROXY if name == "proxy" else STORAGE.format(name=name)
            (folder / f"{name}.conf").write_text(basics + rest)
            log = (folder / f"{name}.log").open("wb")
            words = [str(self._python), "launch.py", str(folder / f"{name}.conf"), f"{name}-server"]
            self._running.append(
                subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, env=_plain())
            )
            log.close()
        for port in ports.values():
            self._wait(port)
        self.endpoint = f"http://127.0.0.1:{ports['proxy']}"
        return self

    def _wait(self, port: int) -> None:
        for _ in range(1200):
            if any(each.poll() is not None for each in self._running):
                logs = (path.read_text("utf-8", "replace") for path in self._folder.glob("*.log"))
                raise RuntimeError("\n".join(logs)[-2000:])
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(f"nobody at port {port}")

    def __exit__(self, *_: object) -> None:
        for each in self._running:
            each.terminate()
        for each in self._running:
            each.wait(120)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _plain() -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": "/", "PYTHONUNBUFFERED": "1"}
