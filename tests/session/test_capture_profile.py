"""Hour, weather and edges of the captured picture: written, read back, absent from old ones."""

import json

import pytest

from game.errors import SessionCorrupt
from game.session.format import MANIFEST, WEATHERS, CaptureProfile
from game.session.reader import Session


def rewritten(folder, **capture):
    """The manifest of a recording with these fields of its capture replaced, or gone (None)."""
    path = folder / MANIFEST
    document = json.loads(path.read_text())
    document["capture"] |= capture
    document["capture"] = {k: v for k, v in document["capture"].items() if v is not None}
    path.write_text(json.dumps(document))


def test_a_session_from_before_the_hour_was_kept_shows_the_default_light(record):
    folder = record(2)
    rewritten(folder, hour=None, weather=None)
    with Session.open(folder) as session:
        assert session.manifest.capture.hour == CaptureProfile().hour
        assert session.manifest.capture.weather == "clear"


@pytest.mark.parametrize("weather", WEATHERS)
def test_hour_and_weather_read_back(record, weather):
    folder = record(2)
    rewritten(folder, hour=21.25, weather=weather)
    with Session.open(folder) as session:
        assert (session.manifest.capture.hour, session.manifest.capture.weather) == (21.25, weather)


@pytest.mark.parametrize(("written", "read"), [(None, "hard"), ("hard", "hard"), ("smooth",) * 2])
def test_edges_read_back_and_those_of_older_sessions_are_hard(record, written, read):
    folder = record(2)
    rewritten(folder, edges=written)
    with Session.open(folder) as session:
        assert session.manifest.capture.edges == read


@pytest.mark.parametrize(
    "capture",
    [
        {"hour": 25.0}, {"hour": -0.5}, {"hour": "noon"}, {"hour": True}, {"weather": "hail"},
        {"weather": 3}, {"weather": "r" * 999}, {"edges": "soft"}, {"edges": True},
    ],
)  # fmt: skip
def test_an_hour_a_weather_or_edges_that_cannot_be_are_refused(record, capture):
    folder = record(2)
    rewritten(folder, **capture)
    with pytest.raises(SessionCorrupt):
        Session.open(folder)
