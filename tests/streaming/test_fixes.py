"""What we mend in the library is still broken there; a release that changed is told by name."""

import pytest
from aiortc.jitterbuffer import JitterBuffer

from streaming import fixes


def test_the_installed_release_still_needs_every_fix() -> None:
    obsolete = {name: found for name, found in fixes.report().items() if found is not True}
    assert obsolete == {}, f"aiortc {fixes.installed()} changed: look at streaming/fixes.py"


def test_a_release_that_mended_a_fault_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stock = JitterBuffer._remove_frame

    def prompt(self, sequence_number):  # type: ignore[no-untyped-def]
        packet = self._packets[sequence_number % self._capacity]
        return packet if packet is not None and packet.marker else stock(self, sequence_number)

    monkeypatch.setattr(JitterBuffer, "_remove_frame", prompt)
    assert fixes.report()["held frame"] is not True


def test_a_probe_that_cannot_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("aiortc.rtcrtpsender.RTCRtpSender._retransmit")
    assert "AttributeError" in str(fixes.report()["resending"])
