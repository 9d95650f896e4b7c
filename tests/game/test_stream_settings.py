"""The stream section: what it means for the peer, and what doctor says of it."""

import sys

import pytest

from game.doctor import BAD, GOOD, NOTE, _stream
from game.errors import SettingsError
from game.play.link import dial
from game.settings import load
from streaming.errors import LiveKitMissing, ModelUnknown
from streaming.peer import PeerConfig


def chosen(*overrides: str):  # type: ignore[no-untyped-def]
    return load(overrides=overrides, environ={}).settings


def test_what_is_set_reaches_the_peer() -> None:
    settings = chosen(
        "stream.stun=stun.example:3478",
        "stream.turn=turns:turn.example:5349",
        "stream.turn_user=me",
        "stream.turn_password=geheim",
        "stream.relay_only=true",
        "stream.codec=h264",
        "stream.api_key=sk-1",
    )
    config = PeerConfig("ws://x", "s", **dial(settings.stream))
    assert config.ice.servers == ("stun:stun.example:3478", "turns:turn.example:5349")
    assert (config.ice.username, config.ice.credential) == ("me", "geheim")
    assert config.ice.relay_only
    assert config.codec == "h264"
    assert "geheim" not in repr(config) + repr(settings)
    assert "sk-1" not in repr(config) + repr(settings)


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        (("stream.transport=carrier-pigeon",), "direct, livekit"),
        (("stream.codec=av1",), "vp8, h264"),
        (("stream.transport=livekit",), "stream.url"),
        (("stream.relay_only=true",), "stream.turn"),
        (("play.keys=peek",), "key=deed"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(
    overrides: tuple[str, ...], wanted: str
) -> None:
    with pytest.raises(SettingsError, match=wanted):
        chosen(*overrides)


def test_a_nonsense_server_names_its_setting() -> None:
    with pytest.raises(SettingsError, match=r"stream\.turn"):
        dial(chosen("stream.turn=turn:", "stream.stun=").stream)


LIVEKIT = ("stream.transport=livekit", "stream.url=wss://service.example/v1/stream")


def test_livekit_needs_its_extra_and_a_known_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    with pytest.raises(LiveKitMissing) as missing:
        dial(chosen(*LIVEKIT).stream)
    assert missing.value.exit_code == 3
    answer = _stream(chosen(*LIVEKIT))
    assert answer.state == BAD
    assert "pip install" in answer.remedy
    monkeypatch.undo()
    pytest.importorskip("livekit.rtc", reason="the livekit extra is not installed")
    with pytest.raises(ModelUnknown, match="lucy"):
        dial(chosen(*LIVEKIT, "stream.model=lucy-99").stream)


def test_doctor_tells_where_the_pictures_go_and_never_the_key() -> None:
    assert _stream(chosen("stream.url=off")).state == NOTE
    here = _stream(chosen())
    assert (here.state, "this machine" in here.detail) == (GOOD, True)
    there = _stream(chosen("stream.url=wss://me:pw@far.example/v1/stream", "stream.api_key=sk-9"))
    assert "far.example" in there.detail
    assert "with a key" in there.detail
    assert "stream probe" in there.remedy
    assert "sk-9" not in there.detail + there.remedy
    assert "pw" not in there.detail + there.remedy
