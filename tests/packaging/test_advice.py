"""What a copy says to do next: pip can add nothing to the desktop package."""

import sys
from pathlib import Path

import pytest

from game import doctor
from game.errors import MissingPart, fitting
from game.settings import PathSettings, Settings
from streaming.errors import LiveKitMissing

ADVICE = (
    "the server needs fastapi; install it with: pip install '.[server]'",
    "no rerun here; install the extra: pip install 'scale-diffusion[rerun]', or leave it out",
    "the backend needs a library; pip install onnxruntime",
    str(LiveKitMissing("no module")),
    "held frames; pip install 'aiortc==1.16.*'",
)


@pytest.mark.parametrize("advice", ADVICE)
def test_a_package_never_sends_anybody_to_pip(monkeypatch: pytest.MonkeyPatch, advice: str) -> None:
    assert fitting(advice) == advice
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/there", raising=False)
    said = fitting(advice)
    assert "pip install" not in said
    assert said.startswith(advice.split("; ")[0] + "; this package leaves it out")
    assert said.endswith(advice.partition(", or ")[2])


def test_a_missing_part_speaks_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = MissingPart("no gymnasium here", "pip install 'scale-diffusion[standards]'")
    assert "pip install" in str(missing)
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/there", raising=False)
    assert "pip install" not in str(missing)


def test_the_doctor_of_a_package_speaks_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/there", raising=False)
    monkeypatch.setattr("game.doctor._EXTRAS", {"server": ("no_such_module_anywhere",)})
    old = doctor.Answer("streaming", doctor.NOTE, "does not fit", "pip install 'aiortc==1.16.*'")
    monkeypatch.setattr("game.doctor._streaming", lambda _: old)
    settings = Settings(paths=PathSettings(data=tmp_path))
    answers = [doctor._asked(doctor._streaming, settings), doctor._extra("server")]
    assert all("this package leaves it out" in each.remedy for each in answers)
    assert not any("pip install" in each.remedy for each in answers)
