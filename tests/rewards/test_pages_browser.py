"""The public pages in a real browser without scripts, and by the rules of accessible pages."""

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import uvicorn
from PIL import Image
from solders.keypair import Keypair

from game.session.ids import new_id
from game.session.protocols import Finding
from rewards.api import make_app
from rewards.model import Verdict
from rewards.service import ApiConfig, open_intake
from rewards.settings import RewardsSettings
from rewards.web import pages

pytestmark = [pytest.mark.network, pytest.mark.heavy]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
VOID = {"meta", "link", "img", "input", "br"}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Name -> address of every public page, on a server with one drive of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    intake = open_intake(ApiConfig(RewardsSettings(folder=folder, policy="demo", keep_free=0)))
    names = {}
    for decision in ("accepted", "rejected"):
        names[decision] = session = new_id()
        failed = decision == "rejected"
        found = Finding("blur", not failed, 0.4, 0.85, "blur.soft" if failed else "", 120, "soft")
        payee = str(Keypair().pubkey())
        verdict = Verdict(session, decision, "demo", 1, payee=payee, findings=(found,))
        intake.ledger.record(verdict, 0 if failed else 1_234_500, 1)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = uvicorn.Server(uvicorn.Config(make_app(intake), log_config=None, lifespan="off"))
    thread = threading.Thread(target=serving.run, args=([listener],), daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield {
        "front": f"{base}/",
        "accepted": f"{base}/sessions/{names['accepted']}",
        "rejected": f"{base}/sessions/{names['rejected']}",
        "wallet": f"{base}/wallet",
    }
    serving.should_exit = True
    thread.join(10)
    intake.queue.close()
    intake.ledger.close()
    intake.inbox.engine.dispose()


class Outline(HTMLParser):
    """Tags with their attributes, in order; complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", ["front", "accepted", "rejected", "wallet"])
def test_a_page_is_well_formed_and_names_what_it_holds(
    addresses: dict[str, str], name: str
) -> None:
    page = Outline(requests.get(addresses[name], timeout=20).text)
    assert page.open == []
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert all(image.get("alt") for image in page.all("img"))
    assert all(cell.get("scope") for cell in page.all("th"))
    labelled = {label["for"] for label in page.all("label")}
    assert all(field["id"] in labelled for field in page.all("input"))
    assert len(page.all("caption")) == len(page.all("table"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert ("#main") in [link.get("href") for link in page.all("a")], "keyboards skip the menu"
    scripts = page.all("script")
    assert [s.get("src") for s in scripts] == (["/wallet.js"] if name == "wallet" else [])


def test_colours_have_the_contrast_that_small_text_needs() -> None:
    css = (Path(pages.__file__).parent / "style.css").read_text()
    for block in re.findall(r":root \{(.*?)\}", css, flags=re.S):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for ink in ("ink", "link", "good", "bad"):
            for paper in ("paper", "soft"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


def contrast(one: str, other: str) -> float:
    """Ratio of WCAG 2, 1 .. 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium")
@pytest.mark.parametrize("name", ["front", "rejected"])
def test_a_browser_that_may_run_no_script_draws_all_of_it(
    addresses: dict[str, str], name: str, tmp_path: Path
) -> None:
    """The page's own policy forbids every script, and the browser obeys it."""
    reply = requests.get(addresses[name], timeout=20)
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert not re.search(r"<[^>]+\son[a-z]+=", reply.text)
    file = tmp_path / "page.png"
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1000,900",
        f"--screenshot={file}", addresses[name],
    ]  # fmt: skip
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    picture = np.asarray(Image.open(file).convert("RGB"))
    assert 0.005 < (picture.mean(axis=2) < 128).mean() < 0.5, "something is written on it"
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50, "and the style sheet came"
