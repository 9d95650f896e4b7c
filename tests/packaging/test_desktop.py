"""The tools that make a package: what is listed, what is packed, what is signed."""

import hashlib
import json
import os
import re
import tarfile
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from game.update.manifest import public_hex, read
from tests.packaging.tools import HERE, load_tool


def _distribution(site: Path, name: str, needs: tuple[str, ...] = (), text: str = "") -> None:
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    lines = [f"Name: {name}", "Version: 1.0", "License-Expression: MIT"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", *lines, ""]))
    records = [f"{folder.name}/METADATA,,"]
    if text:
        (folder / "LICENSE").write_text(text)
        records.append(f"{folder.name}/LICENSE,,")
    (folder / "RECORD").write_text("\n".join(records))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    _distribution(folder, "scale-diffusion", ("one", "three; extra == 'server'"), "ours")
    _distribution(folder, "one", ("Two.part>=0.5",), "text of one")
    _distribution(folder, "two-part")
    _distribution(folder, "three")
    _distribution(folder, "pyinstaller")
    return folder


def test_only_what_the_game_requires_is_listed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = load_tool("closure", monkeypatch)
    found = [each.metadata["Name"] for each in tool.closure(tool.installed(site))]
    assert found == ["one", "scale-diffusion", "two-part"]


def test_a_requirement_that_is_missing_ends_the_build(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = load_tool("closure", monkeypatch)
    _distribution(site, "four", ("absent",))
    with pytest.raises(LookupError, match="absent"):
        tool.closure(tool.installed(site), "four")


def test_every_part_has_a_licence_file_or_says_what_it_declares(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closure, inventory = load_tool("closure", monkeypatch), load_tool("inventory", monkeypatch)
    parts = inventory.python_parts(closure.closure(closure.installed(site)))
    bare = inventory.gather(parts, tmp_path / "licences")
    assert bare == ["two-part"]
    assert (tmp_path / "licences/one-1.0/LICENSE").read_text() == "text of one"
    assert "MIT" in (tmp_path / "licences/two-part-1.0/DECLARED.txt").read_text()
    declared = inventory.Part("four", "1.0", "pypi", "Apache License 2.0")
    assert inventory.gather([declared], tmp_path / "licences") == []
    assert "TERMS AND CONDITIONS" in (tmp_path / "licences/four-1.0/Apache-2.0").read_text()


def test_parts_under_the_gpl_are_named_with_their_source_and_who_offers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory, notices = load_tool("inventory", monkeypatch), load_tool("notices", monkeypatch)
    table = tomllib.loads((HERE / "vendored.toml").read_text())["libraries"]
    parts = [
        inventory.Part(told["name"], "1", "library", told["licence"], source=told.get("source", ""))
        for told in table.values()
    ]
    assert notices.write(parts, tmp_path, "") == []  # each of them has a source in the table
    text = (tmp_path / "SOURCE-OFFER.txt").read_text()
    assert "Nobody has signed this offer" in text
    for name in ("x264", "x265", "FFmpeg", "Nettle"):
        assert f"- {name} (" in text
    assert "dav1d" not in text
    notices.write(parts, tmp_path, "A. Person, Street 1")
    assert "A. Person, Street 1 gives to anybody" in (tmp_path / "SOURCE-OFFER.txt").read_text()
    listed = (tmp_path / "NOTICE.txt").read_text()
    assert all(part.name in listed for part in parts)
    stranger = inventory.Part("odd", "1", "library", "LGPL-2.1-only")
    assert notices.write([stranger], tmp_path, "") == ["odd"]


def test_libraries_inside_wheels_are_listed_and_strangers_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = load_tool("inventory", monkeypatch)
    folder = tmp_path / "site" / "av.libs"
    folder.mkdir(parents=True)
    names = (
        "libx264-d6533a8d.so.165",
        "libavcodec-5e6b.so.62",
        "libavutil-58.so.60",
        "libnew.so.1",
    )
    entries = []
    for name in names:
        (folder / name).write_bytes(name.encode())
        entries.append((f"av.libs/{name}", str(folder / name), "BINARY"))
    toc = tmp_path / "COLLECT-00.toc"
    toc.write_text(repr((entries, [("a.py", "/b", "DATA")])))
    found, unknown = inventory.vendored_parts(tmp_path / "site", toc, HERE)
    told = {part.name: (part.licence, len(part.files)) for part in found}
    assert told == {"FFmpeg": ("LGPL-3.0-or-later", 2), "x264": ("GPL-2.0-or-later", 1)}
    assert unknown == ["libnew.so.1"]
    table = tomllib.loads((HERE / "vendored.toml").read_text())["libraries"].values()
    assert all((HERE / "texts" / row["text"]).is_file() for row in table if row.get("text"))
    texts = {part.name: [text.name for text in part.texts] for part in found}
    assert texts == {"FFmpeg": ["LGPL-3", "GPL-3"], "x264": ["GPL-2"]}
    assert all(text.is_file() for part in found for text in part.texts)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("av.libs/libx264-165-0a1b.dll", "GPL-2.0-or-later"),
        ("av.libs/avcodec-62-0a1b.dll", "LGPL-3.0-or-later"),
        ("av/.dylibs/libx265.215.dylib", "GPL-2.0-or-later"),
        ("panda3d/OpenAL32.dll", "LGPL-2.0-or-later"),
        ("panda3d/libp3openal_audio.so", "LGPL-2.0-or-later"),
        ("panda3d/libpanda.so.1.10", "BSD-3-Clause"),
    ],
)
def test_the_licence_of_a_library_is_known_by_its_name_on_every_system(
    file: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = load_tool("inventory", monkeypatch)
    path = tmp_path / "site" / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"library")
    _distribution(tmp_path / "site", "Panda3D", text="text of Panda3D")
    toc = tmp_path / "COLLECT-00.toc"
    toc.write_text(repr(([(file, str(path), "BINARY")],)))
    found, unknown = inventory.vendored_parts(tmp_path / "site", toc, HERE)
    assert [part.licence for part in found] == [told]
    assert found[0].texts
    assert not unknown


def test_the_bill_of_materials_is_valid_and_names_data_and_hashes(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closure, inventory = load_tool("closure", monkeypatch), load_tool("inventory", monkeypatch)
    bom = load_tool("bom", monkeypatch)
    parts = inventory.python_parts(closure.closure(closure.installed(site)))
    assets = HERE.parents[1] / "assets"
    parts += [inventory.runtime_part(), *inventory.data_parts(assets)]
    listed = bom.write(parts, "scale-diffusion", "1.0", tmp_path / "sbom.json")
    told = json.loads((tmp_path / "sbom.json").read_text())
    names = {each["name"] for each in told["components"]}
    assert listed == len(told["components"]) == len(parts) - 1
    assert {"one", "two-part", "python", "city-midtown", "city-manhattan"} <= names
    assert "DejaVu Sans Mono" in names
    assert "meshes-street" in names
    assert all(part.texts for part in parts if part.name.startswith("city-"))
    midtown = next(each for each in told["components"] if each["name"] == "city-midtown")
    digests = {file["name"]: file["hashes"][0]["content"] for file in midtown["components"]}
    streets = (assets / "city/midtown/streets.bin").read_bytes()
    assert digests["assets/city/midtown/streets.bin"] == hashlib.sha256(streets).hexdigest()
    with pytest.raises(bom.BadBom):
        bom.check((tmp_path / "sbom.json").read_text().replace('"bomFormat"', '"format"'))


def test_the_archive_depends_on_content_alone_and_the_sums_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = load_tool("archive", monkeypatch)
    folder, dist = tmp_path / "game", tmp_path / "dist"
    (folder / "inner").mkdir(parents=True)
    dist.mkdir()
    (folder / "inner" / "a").write_text("text")
    (folder / "link").symlink_to("inner/a")
    first = archive.tar(folder, dist / "one.tar.gz").read_bytes()
    later = time.time() + 100
    os.utime(folder / "inner" / "a", (later, later))
    assert archive.tar(folder, dist / "one.tar.gz").read_bytes() == first
    with tarfile.open(dist / "one.tar.gz") as packed:
        assert packed.getmember("game/link").issym()
    sums = archive.checksums(dist)
    assert sums == {"one.tar.gz": hashlib.sha256(first).hexdigest()}
    assert (dist / "SHA256SUMS").read_text() == f"{sums['one.tar.gz']}  one.tar.gz\n"


def test_a_release_can_be_made_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = load_tool("release", monkeypatch)
    key = release.new_key(tmp_path / "release.key")
    assert (tmp_path / "release.key").stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        release.new_key(tmp_path / "release.key")
    package = tmp_path / "scale-diffusion_0.2.0_amd64.deb"
    package.write_bytes(b"deb")
    text = release.announce([package], key, "notes", 1000, 1)
    found = read(text.encode(), (public_hex(key),), 2000.0)
    assert (found.version, found.files[0].platform) == ("0.2.0", "linux-x86_64")
    other = tmp_path / "scale-diffusion-0.1.0-macos-arm64.zip"
    other.write_bytes(b"zip")
    with pytest.raises(SystemExit, match="several versions"):
        release.announce([package, other], key, "", 1000, 1)


def test_the_pinned_versions_are_what_the_game_asks_for() -> None:
    pins = {}
    for line in (HERE / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pins[canonicalize_name(name)] = version
    setup = (HERE.parents[1] / "setup.py").read_text()
    block = setup[setup.index("install_requires=[") : setup.index("extras_require")]
    wanted = [Requirement(text) for text in re.findall(r'"([^"]+)"', block)]
    assert len(wanted) > 10
    for need in wanted:
        assert canonicalize_name(need.name) in pins, need.name
        assert need.specifier.contains(pins[canonicalize_name(need.name)]), str(need)
    for never in ("pynput", "torch", "boto3"):
        assert never not in pins
