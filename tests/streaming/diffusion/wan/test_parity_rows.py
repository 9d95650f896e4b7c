"""The table of parity holds here, and a row whose control does not show is not believed."""

import pytest

pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan.parity import Parity, rows


def test_every_pair_agrees_and_every_control_shows() -> None:
    found = rows("cpu")
    assert len(found) == 7
    assert [one.what for one in found if not one.holds] == []


def test_a_control_that_does_not_show_fails_its_row() -> None:
    assert Parity("", 0.0, "", 0.1).holds
    assert not Parity("", 0.0, "", 1e-6).holds
    assert not Parity("", 1e-4, "", 0.1).holds
