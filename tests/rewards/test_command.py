"""`rewards` as an operator meets it: one line for a mistake, and nothing made by looking."""

from pathlib import Path

import pytest

from game.cli import main


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["rewards", *args])
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    "command",
    [("redrive",), ("redrive", "--payouts"), ("appeals",), ("reconcile",), ("rotate-key",),
     ("backup", "copy"), ("policy", "simulate", "--new", "demo")],
)  # fmt: skip
def test_a_mistyped_folder_is_named_and_not_made(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(*command, "--folder", "rewrads") == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip().splitlines() == [
        "scale-diffusion: there is no server folder rewrads; name the right one with --folder"
    ]
    assert list(tmp_path.iterdir()) == []


def test_no_treasury_is_no_nameless_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rotate-key", "--folder", str(tmp_path)) == 3
    assert "there is no treasury here yet" in capsys.readouterr().err
