"""The livekit transport against a local service: messages, exact pairs, faults in words."""

import asyncio
import sys

import numpy as np
import pytest

from streaming import livekit
from streaming.errors import LiveKitMissing, ModelUnknown
from streaming.livekit_room import LiveKitRoom, library
from streaming.models import CROP, MODELS, Fit, Native, native
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from tests.streaming.rig import CELL, Game, Rings, picture, rings
from tests.streaming.service import FakeRoom, Service
from tests.waiting import wait_for

pytestmark = [pytest.mark.network, pytest.mark.heavy]


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livekit, "_room", FakeRoom)
    FakeRoom.made, FakeRoom.echo, FakeRoom.delay_s = [], True, 0.12


def peer(service: Service, made: Rings, **more: object) -> PeerThread:
    config = PeerConfig(
        service.url, "s", transport="livekit", api_key="sk-secret", prompt="dusk", **more
    )  # type: ignore[arg-type]
    return PeerThread(config, made.source, made.styled, made.encoded)


def wrong(game: Game) -> list[int]:
    """Frames off, of every styled picture whose own barcode reads."""
    return [
        abs(read - (tick & 0xFFFF)) // 2 for tick, read in game.styled.items() if read is not None
    ]


def test_it_joins_says_the_prompt_and_pairs_exactly_by_the_time_stamp() -> None:
    service = Service()
    with rings("lk") as made:
        child, game = peer(service, made), Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 40, what="frames out of the room")
        gauges = child.gauges()
        game.stop()
        child.stop()
    service.stop()
    assert [m["type"] for m in service.heard[:2]] == ["livekit_join", "prompt"]
    assert service.heard[0]["client_capabilities"] == {"frame_timing": True}
    assert service.heard[1] == {"type": "prompt", "prompt": "dusk", "enhance_prompt": False}
    query = service.queries[0]
    assert query["api_key"] == "sk-secret"
    assert query["model"] == "lucy-restyle-latest"
    assert query["livekit_early_room_info"] == "true"
    room = FakeRoom.made[0]
    assert room.joined == ("ws://room.invalid", "room-token")
    assert room.native == MODELS["lucy-restyle-latest"]
    assert room.left
    assert gauges.exact
    assert all(frame.exact for frame in game.encoded)
    assert set(wrong(game)) == {0}
    assert len(wrong(game)) > 30


def test_where_no_stamp_comes_back_pairs_are_estimated_and_say_so() -> None:
    FakeRoom.echo = False
    service = Service()
    with rings("lk") as made:
        child, game = peer(service, made), Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 90, what="frames out of the room")
        gauges = child.gauges()
        game.stop()
        child.stop()
    service.stop()
    assert not gauges.exact
    assert not any(frame.exact for frame in game.encoded)
    errors = wrong(game)[30:]
    assert np.median(errors) <= 1  # how often, and on what, is for test_estimate
    assert np.median([frame.confidence for frame in game.encoded[30:]]) > 0.5


def test_a_lost_control_socket_means_a_new_room_and_the_prompt_again() -> None:
    service = Service()
    with rings("lk") as made:
        child, game = peer(service, made), Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 5, what="first frames")
        child.set_prompt("noir", number=7)
        wait_for(lambda: service.heard[-1].get("prompt") == "noir", what="the new prompt")
        service.hang_up()
        wait_for(lambda: len(FakeRoom.made) > 1 and FakeRoom.made[1].joined, what="a new room")
        seen = len(game.encoded)
        wait_for(lambda: len(game.encoded) > seen + 5, what="frames out of the new room")
        game.stop()
        child.stop()
    service.stop()
    assert FakeRoom.made[0].left
    assert [m["prompt"] for m in service.heard if m["type"] == "prompt"] == ["dusk", "noir", "noir"]
    assert game.encoded[-1].prompt == 7


def test_a_queue_may_last_longer_than_the_room_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livekit, "ROOM_INFO_S", 0.15)
    service = Service(queue=(2, 1), pause_s=0.3)
    with rings("lk") as made:
        child, game = peer(service, made), Game(made)
        child.start()
        game.start()
        wait_for(lambda: child.gauges().state == "queued", what="the queue")
        wait_for(lambda: len(game.styled) > 3, what="frames after the queue")
        game.stop()
        child.stop()
    service.stop()
    assert len(service.queries) == 1


def test_no_room_at_all_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livekit, "ROOM_INFO_S", 0.15)
    service = Service()
    service.silent = True
    with rings("lk") as made:
        child = peer(service, made)
        child.start()
        wait_for(lambda: "no answer" in child.gauges().detail, what="the reason")
        assert child.gauges().state in ("reconnecting", "connecting")
        child.stop()
    service.stop()


def test_a_wrong_key_is_refused_for_good_and_never_shown() -> None:
    service = Service(key="another")
    with rings("lk") as made:
        child = peer(service, made)
        child.start()
        wait_for(lambda: child.gauges().state == "refused", what="the refusal")
        assert "401" in child.gauges().detail
        assert "sk-secret" not in child.gauges().detail
        assert "sk-secret" not in repr(child.config)
        child.stop()
    service.stop()


@pytest.mark.parametrize("echo", [True, False])
def test_the_real_client_in_a_real_room_pairs_by_the_stamps_that_come_back(
    monkeypatch: pytest.MonkeyPatch, echo: bool
) -> None:
    pytest.importorskip("livekit.rtc", reason="the livekit extra is not installed")
    pytest.importorskip("livekit.protocol", reason="livekit-protocol is not installed")
    from tests.streaming.room_server import RoomServer

    monkeypatch.setattr(livekit, "_room", LiveKitRoom)
    service, room = Service(), RoomServer(echo_stamps=echo)
    service.room_url = room.url
    with rings("lk") as made:
        child, game = peer(service, made, size="480x480@30"), Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 30, what="frames")
        game.stop()
        child.stop()
    room.stop()
    service.stop()
    assert {frame.exact for frame in game.encoded[3:]} == {echo}
    assert "add_track" in room.log
    if echo:
        assert set(wrong(game)) == {0}
        assert len(wrong(game)) > 20


def test_the_real_library_takes_what_we_give_it_and_names_a_room_that_is_not_there() -> None:
    pytest.importorskip("livekit", reason="the livekit extra is not installed")

    async def tried() -> str:
        room = LiveKitRoom(lambda got: None, lambda why: None, "h264")
        options = room.options(MODELS["lucy-restyle-2"], 2_000_000)
        assert options.video_encoding.max_bitrate == 2_000_000
        assert len(options.frame_metadata_features) == 2
        room._source = room._rtc.VideoSource(1280, 704)
        canvas = Fit(480, 480, MODELS["lucy-restyle-2"]).lay(picture(4))
        for number in range(3):
            room.put(canvas, 1_000_000 + number * 33_333, number)
        try:
            await room.join("ws://127.0.0.1:9", "token")
        except Exception as error:
            return str(error)
        finally:
            await room.leave()
        return ""

    assert asyncio.run(asyncio.wait_for(tried(), 20))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    with pytest.raises(LiveKitMissing, match=r"pip install '\.\[livekit\]'") as told:
        library()
    assert told.value.exit_code == 3


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_square_picture_comes_back_from_every_model_where_it_was(name: str) -> None:
    fit, drawn = Fit(480, 480, native(name)), picture(10)
    back = fit.take(fit.lay(drawn)).to_ndarray(format="bgra")
    rows = slice(2 * CELL, 460)
    error = back[rows, 10:470, :3].astype(float) - drawn[rows, 10:470, :3]
    assert back.shape == drawn.shape
    assert abs(error.mean()) < 4
    steps = np.abs(np.diff(drawn[300, :, 2].astype(float))) > 60
    found = np.abs(back[300, 2:, 2].astype(float) - back[300, :-2, 2]) > 60
    assert steps.sum() > 5
    assert all(found[max(0, at - 2) : at + 2].any() for at in np.flatnonzero(steps)[1:-1])


def test_crop_fills_the_model_and_leaves_black_what_was_cut() -> None:
    fit = Fit(480, 480, Native(1280, 704, 30, CROP))
    sent = fit.lay(picture(10))
    assert sent[:704].std(axis=0).min() > 0  # no bars at the sides
    back = fit.take(sent).to_ndarray(format="bgra")
    assert back[:90, :, :3].max() < 40
    assert back[240].mean() > 60


def test_an_unknown_model_names_the_known_ones_and_a_size_makes_it_known() -> None:
    with pytest.raises(ModelUnknown, match="lucy-restyle-2"):
        native("lucy-9")
    assert native("lucy-9", "640x480@25") == Native(640, 480, 25)
    with pytest.raises(ModelUnknown):
        PeerConfig("ws://x", "s", transport="livekit", model="nothing")
