"""Exports come whole, go on where they stopped, keep groups together and give nobody away."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from game.dataset import ids, job, licence, splits
from game.dataset.errors import FolderTaken, LicenceClash, NothingToExport
from tests.dataset.conftest import WALLET, record
from tests.session.conftest import manifest_of

pytest.importorskip("pyarrow")


def test_resumes_session_by_session(sessions, tmp_path, options, monkeypatch):
    out, made = tmp_path / "set", []
    module = __import__("game.dataset.parquet", fromlist=["make"])
    real = module.make

    def make(*args):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(args[1].name)
        return real(*args)

    monkeypatch.setattr(module, "make", make)
    with pytest.raises(KeyboardInterrupt):
        job.export("parquet", sessions, out, options)
    assert not out.exists()
    monkeypatch.setattr(module, "make", real)
    told = []
    result = job.export("parquet", sessions, out, options, lambda *each: told.append(each))
    assert result.reused == 2
    assert [each[1:] for each in told] == [(1, 3), (2, 3), (3, 3)]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]  # the work folder is gone
    with pytest.raises(FolderTaken):
        job.export("parquet", sessions, out, options)


def test_other_options_start_anew(sessions, tmp_path, options):
    work = tmp_path / "part"
    task = ("parquet", sessions[0], work, options)
    job._make(task)
    assert job._is_done(task) is not None
    assert job._is_done((*task[:3], replace(options, fps=10.0))) is None
    assert job._is_done((*task[:3], replace(options, salt=b"x" * 32))) is None


def test_no_wallet_no_session_id_no_path(sessions, tmp_path, options):
    out = tmp_path / "set"
    job.export("lerobot", sessions, out, options)
    bad = [
        WALLET,
        "claim-of-another",
        *(folder.name for folder in sessions),
        str(sessions[0].parent),
    ]
    for path in out.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [text for text in bad if text.encode() in data], path
    for line in (out / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest


def test_aliases_need_the_salt(tmp_path):
    salt = ids.load_salt(tmp_path)
    assert ids.load_salt(tmp_path) == salt
    assert (tmp_path / ids.SALT_FILE).stat().st_mode & 0o077 == 0
    assert ids.alias(salt, "player", WALLET) == ids.alias(salt, "player", WALLET)
    assert ids.alias(salt, "player", WALLET) != ids.alias(b"0" * 32, "player", WALLET)
    assert ids.alias(salt, "player", "a") != ids.alias(salt, "session", "a")


def _traits(name: str, frames: int, *keys: str) -> splits.Traits:
    return splits.Traits(name, frozenset(keys), frames)


def test_splits_never_leak():
    many = [
        _traits("a", 50, "player:1", "tile:0,0", "seed:1"),
        _traits("b", 50, "player:1", "tile:9,9", "seed:2"),
        _traits("c", 50, "player:2", "tile:9,9", "seed:3"),
        _traits("d", 10, "player:3", "tile:4,4", "seed:4"),
        _traits("e", 10, "player:4", "tile:5,5", "seed:5"),
        _traits("f", 10, "player:5", "tile:6,6", "seed:5"),
    ]
    chosen, groups = splits.assign(many)
    assert groups == 3
    assert splits.leaks(many, chosen) == []
    assert chosen["a"] == chosen["b"] == chosen["c"] == "train"
    assert chosen["e"] == chosen["f"] != chosen["d"]
    assert set(chosen.values()) == set(splits.NAMES)
    assert splits.assign(many[::-1])[0] == chosen
    bridge = [_traits(name, 9, *keys) for name, *keys in (("x", "a"), ("y", "b"), ("z", "a", "b"))]
    assert splits.assign(bridge)[1] == 1
    assert splits.leaks(many, {**chosen, "b": "test"}) == ["player:1", "tile:9,9"]


@pytest.mark.parametrize(
    ("mix", "whole"),
    [
        (["CC-BY-4.0"], "CC-BY-4.0"),
        (["CC-BY-4.0", "Apache-2.0"], "CC-BY-4.0"),
        (["CC-BY-4.0", "CC-BY-NC-4.0"], "CC-BY-NC-4.0"),
        (["CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"], "CC-BY-NC-SA-4.0"),
        (["CC0-1.0", "CC-BY-SA-4.0"], "CC-BY-SA-4.0"),
        (["CC-BY-NC-4.0", "CC-BY-SA-4.0"], None),
        (["CC-BY-NC-SA-4.0", "CC-BY-SA-4.0"], None),
        (["CC-BY-ND-4.0", "CC-BY-4.0"], None),
    ],
)
def test_licences_that_exclude_each_other_are_refused(mix, whole):
    if whole is None:
        with pytest.raises(LicenceClash):
            licence.combine(mix)
    else:
        assert licence.combine(mix) == whole


def test_a_model_without_terms_is_refused_until_they_are_stated():
    wan = manifest_of(backend="wan")
    with pytest.raises(LicenceClash, match="--licence styled="):
        licence.tracks(wan)
    found = licence.tracks(wan, {"styled": "CC-BY-NC-4.0", "source": "CC0-1.0"})
    assert [t.licence for t in found] == ["CC-BY-4.0", "CC-BY-NC-4.0"]
    assert [t.licence for t in licence.tracks(manifest_of(backend="filter"))] == ["CC-BY-4.0"] * 2


def test_what_was_painted_later_stands_under_its_models_terms_not_the_drives():
    later = {"model": "wan/1.3b/ab", "licence": "CC-BY-NC-4.0", "notice": "(c) its makers"}
    found = licence.tracks(manifest_of(backend="filter"), None, later)[1]
    assert (found.licence, found.provenance) == (
        "CC-BY-NC-4.0", "painted after the drive; (c) its makers (backend wan/1.3b/ab)",
    )  # fmt: skip
    with pytest.raises(LicenceClash, match=r"wan/1\.3b/ab"):
        licence.tracks(manifest_of(backend="filter"), None, {**later, "licence": "who knows"})


def test_nothing_long_enough_is_said(sessions, tmp_path, options):
    with pytest.raises(NothingToExport, match="the longest has 31"):
        job.export("lerobot", sessions, tmp_path / "set", replace(options, shortest=99))


def test_a_mix_over_sessions_is_refused(sessions, tmp_path, options):
    other = record(
        tmp_path / "more", seed=3, tracks={"source": {"licence": "CC-BY-SA-4.0"},
                                           "styled": {"licence": "CC-BY-NC-4.0"}}
    )  # fmt: skip
    with pytest.raises(LicenceClash):
        job.export("lerobot", [sessions[0], other], Path(tmp_path / "set"), options)
    assert not (tmp_path / "set").exists()
