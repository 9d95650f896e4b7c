"""The update check against a server of its own: what is signed is brought, all else is refused."""

import dataclasses
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.cli import cli
from game.update.errors import NoAnswer, NoChannel, NotTrusted
from game.update.fetch import Channel, Updates, channel
from game.update.manifest import Release, ReleaseFile, here, numbers, public_hex, read, sign

pytestmark = pytest.mark.network
NOW = 1_800_000_000
CONTENT = bytes(range(256)) * 800


class Site:
    """A release server. pages: path -> (announced length or None, what is really sent)."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int | None, bytes]] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                length, body = site.pages.get(self.path, (None, b""))
                self.send_response(200 if self.path in site.pages else 404)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/release.json"
        self.key = Ed25519PrivateKey.generate()
        self.release = Release("9.1.0", NOW - 100, NOW + 10**6, "quieter tyres", (_file(),))
        self.publish()

    def publish(self, **changes: Any) -> None:
        """Announce the release, changed as asked, signed with the true key; and its file."""
        self.release = dataclasses.replace(self.release, **changes)
        self.pages["/release.json"] = (None, sign(self.release, self.key).encode())
        self.pages["/game.tar.gz"] = (None, CONTENT)

    @property
    def channel(self) -> Channel:
        return Channel(self.url, (public_hex(self.key),))


def _file() -> ReleaseFile:
    return ReleaseFile(here(), "game.tar.gz", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def updates(site: Site, tmp_path: Path) -> Updates:
    return Updates(site.channel, tmp_path, lambda: float(NOW))


def test_a_signed_release_is_brought_whole(site: Site, updates: Updates, tmp_path: Path) -> None:
    release = updates.ask()
    file = release.for_platform(here())
    assert file is not None
    assert updates.bring(file).read_bytes() == CONTENT
    assert sorted(p.name for p in tmp_path.iterdir()) == ["game.tar.gz", "seen.json"]


def test_a_forged_release_is_refused(site: Site, updates: Updates) -> None:
    forger = Ed25519PrivateKey.generate()
    site.pages["/release.json"] = (None, sign(site.release, forger).encode())
    with pytest.raises(NotTrusted) as refused:
        updates.ask()
    assert refused.value.reason == "key"
    # the true key's name over the forger's signature
    body = json.loads(sign(site.release, forger)) | {"key": public_hex(site.key)}
    site.pages["/release.json"] = (None, json.dumps(body).encode())
    with pytest.raises(NotTrusted) as refused:
        updates.ask()
    assert refused.value.reason == "signature"


@pytest.mark.parametrize("field", ["version", "notes", "files", "ends_s", "program"])
def test_no_field_can_be_changed_after_signing(site: Site, updates: Updates, field: str) -> None:
    body = json.loads(sign(site.release, site.key))
    body[field] = [] if field == "files" else str(body[field]) + "1"
    site.pages["/release.json"] = (None, json.dumps(body).encode())
    with pytest.raises(NotTrusted) as refused:
        updates.ask()
    assert refused.value.reason == "signature"


def test_an_older_announcement_is_refused_once_a_later_one_was_seen(
    site: Site, updates: Updates
) -> None:
    updates.ask()
    site.publish(version="9.0.0", made_s=NOW - 1000)
    with pytest.raises(NotTrusted) as refused:
        updates.ask()
    assert refused.value.reason == "older"


def test_an_announcement_that_has_run_out_is_refused(site: Site, updates: Updates) -> None:
    site.publish(ends_s=NOW)
    with pytest.raises(NotTrusted) as refused:
        updates.ask()
    assert refused.value.reason == "expired"


def test_a_file_with_another_hash_leaves_nothing(
    site: Site, updates: Updates, tmp_path: Path
) -> None:
    file = updates.ask().files[0]
    site.pages["/game.tar.gz"] = (None, CONTENT[:-1] + b"\0")
    with pytest.raises(NotTrusted) as refused:
        updates.bring(file)
    assert refused.value.reason == "hash"
    assert [p.name for p in tmp_path.iterdir()] == ["seen.json"]


def test_a_file_that_is_cut_off_leaves_nothing(
    site: Site, updates: Updates, tmp_path: Path
) -> None:
    file = updates.ask().files[0]
    site.pages["/game.tar.gz"] = (len(CONTENT), CONTENT[:1000])  # the connection ends early
    with pytest.raises(NoAnswer):
        updates.bring(file)
    site.pages["/game.tar.gz"] = (None, CONTENT[:1000])  # a shorter file, well formed
    with pytest.raises(NoAnswer):
        updates.bring(file)
    assert [p.name for p in tmp_path.iterdir()] == ["seen.json"]


def test_an_endless_answer_is_given_up(site: Site, updates: Updates) -> None:
    site.pages["/release.json"] = (None, b"{" + b" " * (1 << 17))
    with pytest.raises(NotTrusted) as refused:
        updates.ask()
    assert refused.value.reason == "size"


def test_a_name_that_leaves_the_folder_is_refused(site: Site) -> None:
    site.publish(files=(dataclasses.replace(_file(), name="../outside"),))
    with pytest.raises(NotTrusted) as refused:
        read(site.pages["/release.json"][1], site.channel.keys, NOW)
    assert refused.value.reason == "format"


def test_plain_http_is_for_this_machine_alone() -> None:
    with pytest.raises(NoChannel):
        channel("http://example.org/release.json", ("0" * 64,))
    assert channel("https://example.org/release.json", ("0" * 64,)).keys


def test_versions_compare_as_numbers() -> None:
    assert numbers("0.10.0") > numbers("0.9.9")
    assert numbers("1.0") == numbers("1.0.0")


def _run(site: Site, folder: Path, *words: str, given: str = "") -> Any:
    sets = [f"update.url={site.url}", f"update.keys={public_hex(site.key)}", f"paths.data={folder}"]
    before = [part for each in sets for part in ("--set", each)]
    return CliRunner().invoke(cli, [*before, "update", *words], input=given)


def test_nothing_is_asked_of_the_network_before_the_player_agrees(
    site: Site, tmp_path: Path
) -> None:
    assert _run(site, tmp_path, given="n\n").exit_code == 0
    assert site.asked == []
    _run(site, tmp_path, given="")  # no terminal to answer on
    assert site.asked == []


def test_the_download_is_asked_for_too(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("game.cli.update.time.time", lambda: float(NOW))
    _run(site, tmp_path, given="y\nn\n")
    assert site.asked == ["/release.json"]
    done = _run(site, tmp_path, "--yes", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["newer"] is True
    assert Path(told["downloaded"]).read_bytes() == CONTENT
