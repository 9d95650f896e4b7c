"""`session list --page`: every session as a card, the damaged ones too, and nobody's name on it."""

import base64
import io
import json
import re
import shutil

import av
import pytest
from click.testing import CliRunner

from game.cli import cli
from game.dataset import album
from game.session.format import END, TICKS
from tests.dataset.conftest import SIDE, WALLET


@pytest.fixture
def folders(sessions, tmp_path):
    """A whole session, one that was never sealed, one that cannot be read."""
    root = tmp_path / "sessions"
    found = [shutil.copytree(each, root / each.name) for each in sessions]
    (found[1] / END).unlink()
    (found[2] / TICKS).write_bytes(b"nothing of ours")
    return found


def cards(text):
    return re.findall(r"<figure>.*?</figure>", text, re.DOTALL)


def test_the_newest_comes_first_and_each_says_how_it_stands(folders, tmp_path):
    views = tmp_path / "views"
    (views / folders[0].name).mkdir(parents=True)
    (views / folders[0].name / "index.html").write_text("x")
    out = album.write(folders, views / "index.html", views)
    text = out.read_text(encoding="utf-8")
    found = cards(text)
    assert [next(f.name for f in folders if f.name in card) for card in found] == [
        folder.name for folder in reversed(folders)
    ]
    damaged, torn, whole = found
    assert 'class="bad"' in damaged
    assert "<img" not in damaged
    assert "not sealed: session recover" in torn
    assert "· passed" in whole
    assert f'<a href="{folders[0].name}/index.html">' in whole
    assert "<a " not in torn
    for private in (WALLET, "claim-of-another", str(tmp_path)):
        assert private not in text


def test_both_pictures_of_a_pair_are_inside_the_page(folders, tmp_path):
    out = album.write(folders[:1], tmp_path / "page" / "index.html", tmp_path / "views")
    found = re.findall(r"data:image/jpeg;base64,([^\"]+)", out.read_text(encoding="utf-8"))
    assert len(found) == 2
    for each in found:
        with av.open(io.BytesIO(base64.b64decode(each))) as picture:
            frame = next(picture.decode(video=0))
        assert (frame.width, frame.height) == (album.WIDTH, album.WIDTH)
    assert SIDE < album.WIDTH


def test_the_command_writes_it_beside_the_sessions(folders, tmp_path):
    words = ["session", "list", "--page", "--root", str(tmp_path / "sessions"), "--json"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout.strip().splitlines()[-1])
    assert facts["page"] == str(tmp_path / "views" / "index.html")
    assert sorted(row["state"] for row in facts["sessions"]) == ["damaged", "open", "sealed"]
    assert len(cards((tmp_path / "views" / "index.html").read_text())) == 3
