"""Keys and secrets: private on disk, silent in print, useless to others."""

import json
import pickle
from pathlib import Path

import pytest

from rewards.errors import KeyRefused
from rewards.secret import Secret
from rewards.signer import FileSigner, ReceiptSecret


def test_a_key_is_made_once_private_and_signs(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "treasury.json"
    signer = FileSigner.create(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert FileSigner.create(file).address == signer.address
    assert signer.sign(b"text").verify(signer.address, b"text")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "treasury.json"
    FileSigner.create(file)
    file.chmod(0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        FileSigner.load(file)


@pytest.mark.parametrize("content", ["", "[1, 2]", "{}", "no"])
def test_a_damaged_key_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "treasury.json"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(KeyRefused):
        FileSigner.load(file)


def test_secrets_print_as_stars_and_do_not_travel(tmp_path: Path) -> None:
    signer = FileSigner.create(tmp_path / "k")
    secret = Secret("hush")
    shown = f"{secret} {secret!r} {signer!r} {[secret]}"
    assert "hush" not in shown
    assert "***" in shown
    assert json.dumps(list((tmp_path / "k").read_bytes()))[:20] not in shown
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(secret)


def test_receipt_seeds_follow_from_secret_and_session(tmp_path: Path) -> None:
    one, two = ReceiptSecret.create(tmp_path / "1"), ReceiptSecret.create(tmp_path / "2")
    assert one.seed("a") == ReceiptSecret.load(tmp_path / "1").seed("a")
    assert len({one.seed("a"), one.seed("b"), two.seed("a"), two.seed("b")}) == 4
    assert len(one.seed("a")) == 32
    assert one.id != two.id
    assert one.id not in (tmp_path / "1").read_text()
