"""The signalling messages: published names on the wire, garbage refused by name, secrets masked."""

import json
import random
from typing import Any, get_args

import pytest

from streaming import wire
from streaming.errors import WireMalformed

EXAMPLES: tuple[wire.Message, ...] = (
    wire.Offer("v=0"),
    wire.Answer("v=0"),
    wire.IceCandidate(None),
    wire.IceCandidate({"candidate": "candidate:1 ...", "sdpMid": "0", "sdpMLineIndex": 0}),
    wire.SessionId("abc", "127.0.0.1", 9),
    wire.Prompt("rain", False, "rain", 3, 90),
    wire.PromptAck("rain", True, None, 90),
    wire.SetImage(None, None, None),
    wire.SetImageAck(False, "no image here"),
    wire.GenerationStarted(),
    wire.GenerationTick(1.5),
    wire.GenerationEnded(9, "bye"),
    wire.QueuePosition(2, 5),
    wire.Ready(),
    wire.TurnConfig(["turn:turn.example.org:3478"], "user", "word"),
    wire.ErrorMessage("401: Invalid API key"),
    wire.Hello(1, "filter/v1", "00"),
    wire.Ticket({"session": "s"}, "secret", 3, 60),
    wire.Seated("s"),
    wire.Seed(7),
    wire.Inputs(60, "00" * 32),
    wire.JournalBlock("{}"),
    wire.Bye(),
    wire.LiveKitJoin(False, {"frame_timing": True}),
    wire.LiveKitRoomInfo("wss://room", "t", "r", "s"),
    wire.Times("2,3,4 4,5,6"),
)


def test_every_message_survives_the_wire() -> None:
    assert {type(message) for message in EXAMPLES} == set(get_args(wire.Message))
    for message in EXAMPLES:
        assert wire.parse(wire.pack(message)) == message


def test_published_names_and_fields_stand_as_they_were() -> None:
    sent = json.loads(wire.pack(wire.Prompt("rain", False, "rain", 3, 90), ours=False))
    assert sent == {"type": "prompt", "prompt": "rain", "enhance_prompt": False}
    assert json.loads(wire.pack(wire.IceCandidate(None))) == {
        "type": "ice-candidate",
        "candidate": None,
    }
    passthrough = json.loads(wire.pack(wire.SetImage()))
    assert passthrough["image_data"] is None
    assert "image_ref" not in passthrough


def test_what_is_ours_is_kept_apart_by_its_prefix() -> None:
    sent = json.loads(wire.pack(wire.PromptAck("rain", True, None, 90)))
    assert {name for name in sent if name.startswith("sd.")} == {"sd.from_tick"}
    ours = {m.TYPE for m in EXAMPLES if m.TYPE.startswith("sd.")}
    assert ours == {
        "sd.hello",
        "sd.ticket",
        "sd.seated",
        "sd.seed",
        "sd.inputs",
        "sd.journal",
        "sd.times",
        "sd.bye",
    }


def test_unknown_types_are_ignored() -> None:
    assert wire.parse('{"type":"something_new","token":"x"}') is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"type":1}',
        '{"type":"offer"}',
        '{"type":"offer","sdp":3}',
        '{"type":"prompt","prompt":null}',
        '{"type":"prompt","prompt":"x","enhance_prompt":1}',
        '{"type":"queue_position","position":true,"queue_size":1}',
        '{"type":"generation_tick","seconds":1e400}',
        '{"type":"sd.inputs","tick":99999999999999999999,"chain":""}',
        '{"type":"ice-candidate","candidate":{}}',
        '{"type":"ice-candidate","candidate":{"candidate":"x","sdpMid":3}}',
        json.dumps({"type": "prompt", "prompt": "x" * 9000}),
        "[" * 200_000,
    ],
)
def test_malformed_messages_are_refused(text: str) -> None:
    with pytest.raises(WireMalformed):
        wire.parse(text)


def mangled(random_: random.Random) -> str:
    text = wire.pack(random_.choice(EXAMPLES))
    value: Any = json.loads(text)
    for _ in range(random_.randint(1, 3)):
        key = random_.choice(list(value))
        value[key] = random_.choice([None, -1, 1e308, "x" * 100, [], {}, True, {"a": [1]}])
    text = json.dumps(value)
    if random_.random() < 0.3:
        at = random_.randrange(len(text))
        text = text[:at] + chr(random_.randrange(0x2FF)) + text[at + 1 :]
    return text


def test_two_thousand_mangled_messages_raise_nothing_else() -> None:
    random_ = random.Random(7)
    refused = 0
    for _ in range(2000):
        try:
            wire.parse(mangled(random_))
        except WireMalformed:
            refused += 1
    assert refused > 500


def test_secrets_are_masked() -> None:
    line = "wss://host/v1/stream?api_key=sk-123&model=x token=abc"
    assert wire.redacted(line) == "wss://host/v1/stream?api_key=***&model=x token=***"
