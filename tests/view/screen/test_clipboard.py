"""The clipboard of a display without one, and of no display, is empty and raises nothing."""

import pytest

from game.view import clipboard


def test_without_a_display_there_is_nothing_to_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr(clipboard.sys, "platform", "linux")
    assert clipboard.read() == ""


def test_what_is_pasted_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard.sys, "platform", "darwin")
    monkeypatch.setattr(clipboard, "_mac", lambda: "x" * 100_000)
    assert len(clipboard.read()) == clipboard.LONGEST
    monkeypatch.setattr(clipboard, "_mac", lambda: (_ for _ in ()).throw(OSError("no pbpaste")))
    assert clipboard.read() == ""
