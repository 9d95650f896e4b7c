"""The public pages in a real browser without scripts, and by the rules of accessible pages."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from solders.keypair import Keypair

from game.session.ids import new_id
from game.session.protocols import Finding
from rewards.model import Verdict
from rewards.service import ApiConfig, open_intake
from rewards.settings import RewardsSettings
from rewards.web import pages
from tests.rewards.loopback import listening
from tests.rewards.outline import sound

pytestmark = [pytest.mark.network, pytest.mark.heavy]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")


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
    with listening(intake) as address:
        yield {
            "front": f"{address}/",
            "accepted": f"{address}/sessions/{names['accepted']}",
            "rejected": f"{address}/sessions/{names['rejected']}",
            "wallet": f"{address}/wallet",
            "code": f"{address}/c",
        }


@pytest.mark.parametrize("name", ["front", "accepted", "rejected", "wallet", "code"])
def test_a_page_is_well_formed_and_names_what_it_holds(
    addresses: dict[str, str], name: str
) -> None:
    page = sound(requests.get(addresses[name], timeout=120).text)
    known = {"wallet": ["/wallet.js"], "code": ["/code.js"]}
    assert [s.get("src") for s in page.all("script")] == known.get(name, [])


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
    reply = requests.get(addresses[name], timeout=120)
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
    subprocess.run(command, capture_output=True, timeout=600, check=True)
    picture = np.asarray(Image.open(file).convert("RGB"))
    assert 0.005 < (picture.mean(axis=2) < 128).mean() < 0.5, "something is written on it"
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50, "and the style sheet came"
