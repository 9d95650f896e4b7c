"""What the package does on systems other than the one that these tests run on, as far as it can be
seen from here: names, orders of steps, files that it writes.
"""

import argparse
import io
import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image

from tests.packaging.tools import HERE, load_tool


def _finish(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("archive", "inventory", "closure", "notices", "bom"):
        load_tool(name, monkeypatch)
    return load_tool("finish", monkeypatch)


def test_the_icon_is_read_by_others_in_every_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    icon = load_tool("icon", monkeypatch)
    monkeypatch.setattr(icon, "_FINE", 1)
    made = icon.write(tmp_path)
    with Image.open(made["png"]) as plain:
        assert (plain.format, plain.size, plain.mode) == ("PNG", (256, 256), "RGBA")
        assert plain.getchannel("A").getpixel((0, 0)) == 0  # the corner is round
        assert plain.getchannel("A").getpixel((128, 250)) == 255
    with Image.open(made["ico"]) as windows:
        assert windows.format == "ICO"
        assert windows.info["sizes"] == {(n, n) for n in icon.SIZES}
    with Image.open(io.BytesIO(made["icns"].read_bytes())) as mac:
        mac.load()
        assert (mac.format, mac.size) == ("ICNS", (256, 256))


def test_a_path_in_a_signing_command_survives_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = _finish(monkeypatch)
    command = r'signtool sign /f "C:\our certs\key.pfx" {}'
    told = finish._words(command, windows=True)
    assert told == ["signtool", "sign", "/f", r"C:\our certs\key.pfx", "{}"]
    assert finish._words("gpg --local-user 'A B' {}") == ["gpg", "--local-user", "A B", "{}"]


def _app(bundle: Path, finish: ModuleType) -> Path:
    app = bundle.with_name(finish.APP)
    (app / "Contents" / "Resources" / "assets").mkdir(parents=True)
    (bundle / "_internal" / "assets").mkdir(parents=True)
    (bundle / "licences").mkdir()
    for name in ("LICENSE", "sbom.cdx.json"):
        (bundle / name).write_text("text")
    return app


def test_the_mac_bundle_knows_where_to_ask_for_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = _finish(monkeypatch)
    bundle = tmp_path / "frozen" / "scale-diffusion"
    app = _app(bundle, finish)
    found = finish._assets(bundle)
    assert found == [bundle / "_internal/assets", app / "Contents/Resources/assets"]
    shutil.rmtree(app)
    assert finish._assets(bundle) == [bundle / "_internal/assets"]


def test_a_mac_bundle_is_sealed_after_the_last_file_was_laid_into_it_and_before_it_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = _finish(monkeypatch)
    bundle = tmp_path / "frozen" / "scale-diffusion"
    app = _app(bundle, finish)
    calls: list[list[str]] = []

    def run(words: list[str], check: bool) -> None:
        assert check
        assert (app / "Contents" / "Resources" / "LICENSE").is_file()
        calls.append(words)

    monkeypatch.setattr(finish, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(finish, "sys", SimpleNamespace(platform="darwin"))
    monkeypatch.delenv("CODESIGN_IDENTITY", raising=False)
    options = argparse.Namespace(sign_program="", no_deb=False)
    made = finish._pack(tmp_path, tmp_path / "dist", bundle, "name-1-macos-arm64", "1", options)
    assert [words[0] for words in calls] == ["codesign", "codesign", "ditto"]
    assert calls[0][-3:] == ["--sign", "-", str(app)]
    assert calls[1][1] == "--verify"
    assert made == [tmp_path / "dist" / "name-1-macos-arm64.zip"]
    calls.clear()
    monkeypatch.setenv("CODESIGN_IDENTITY", "Developer ID Application: A")
    finish._seal(app)
    assert str(HERE / "entitlements.plist") in calls[0]
    assert plistlib.loads((HERE / "entitlements.plist").read_bytes())


def test_what_does_not_belong_to_the_source_gets_into_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = load_tool("build", monkeypatch)
    checkout, copy = tmp_path / "checkout", tmp_path / "out" / "source"
    (checkout / "assets").mkdir(parents=True)
    (checkout / "build" / "lib").mkdir(parents=True)
    (checkout / "assets" / "kept.txt").write_text("1")
    (checkout / "build" / "lib" / "old.py").write_text("old")
    monkeypatch.setattr(build, "ROOT", checkout)
    assert build._source(copy) == (copy, "")  # no git: a source archive
    assert sorted(p.name for p in copy.rglob("*")) == ["assets", "kept.txt"]
    names = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    git = ["git", "-C", str(checkout)]
    for words in (["init", "-q"], ["add", "assets"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True, env={**os.environ, **names})
    (checkout / "assets" / "in-training.onnx").write_text("2")
    _, commit = build._source(copy)
    assert len(commit) == 40
    assert sorted(p.name for p in copy.rglob("*")) == ["assets", "kept.txt"]
    (checkout / "assets" / "kept.txt").write_text("changed")
    assert build._source(copy)[1] == f"{commit}+changes"


@pytest.mark.parametrize(
    ("words", "command"), [([], ["play"]), (["city", "info"], None), (["--version"], None)]
)
def test_a_click_on_the_icon_begins_the_game(
    words: list[str], command: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, begun = load_tool("entry", monkeypatch), []
    monkeypatch.setattr(sys, "argv", ["scale-diffusion", *words])
    monkeypatch.setattr("game.cli.main", lambda argv=None: begun.append(argv))
    entry.begin()
    assert begun == [command]
