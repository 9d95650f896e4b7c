"""The chunked backend: every frame that enters comes out with its tick, whatever happens."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.backends.base import Finished, StreamBackend  # noqa: E402
from streaming.backends.table import make  # noqa: E402
from streaming.diffusion.wan.backend import Wan  # noqa: E402
from streaming.diffusion.wan.card import CARD, read_card  # noqa: E402
from streaming.diffusion.wan.engine import Engine  # noqa: E402
from streaming.diffusion.wan.errors import NoRoom, WrongCheckpoint  # noqa: E402
from streaming.diffusion.wan.lane import FADE, Lane, to_pixels, to_tensor  # noqa: E402
from streaming.diffusion.wan.rig import Rig  # noqa: E402
from tests.streaming.diffusion.wan.folder import SIDE, write_folder  # noqa: E402

HIGH, WIDE = 48, 40


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    torch.set_num_threads(1)
    return Rig(write_folder(tmp_path_factory.mktemp("card")), "cpu")


def frame(tick: int) -> np.ndarray:
    return np.random.default_rng(tick).integers(0, 255, (HIGH, WIDE, 4), np.uint8)


def still(rig: Rig, at_once: int = 4) -> Engine:
    """An engine whose thread never starts: the test takes its turns."""
    engine = Engine(rig, at_once, now=lambda: 0.0)
    engine._thread = engine  # type: ignore[assignment]
    return engine


def lane_of(engine: Engine) -> Lane:
    return engine.open(lambda: None)


def fill(lane: Lane, ticks: range, style: str = "day", seed: int = 0) -> None:
    for tick in ticks:
        lane.put(tick, frame(tick), "", seed, style)
    assert lane._text is not None
    lane._text.result(120)


def streamed(engine: Engine, lanes: list[Lane], chunks: int) -> list[list[Finished]]:
    """Chunks of all lanes, the same frames for each."""
    out: list[list[Finished]] = [[] for _ in lanes]
    tick = 0
    for _ in range(chunks):
        count = lanes[0].stream.wanted
        for i, lane in enumerate(lanes):
            fill(lane, range(tick, tick + 2 * count, 2), ("day", "night")[i % 2], seed=i)
        tick += 2 * count
        while engine.turn():
            pass
        for lane, got in zip(lanes, out, strict=True):
            got += lane.take()
    return out


def test_ticks_and_shapes_come_back_through_the_chunks(rig: Rig) -> None:
    engine = still(rig)
    got = streamed(engine, [lane_of(engine)], 4)[0]
    assert [one.tick for one in got] == list(range(0, 2 * 13, 2))
    assert all(one.pixels is not None and one.pixels.shape == (HIGH, WIDE, 4) for one in got)


def test_players_in_one_pass_get_what_each_would_get_alone(rig: Rig) -> None:
    """Three players, two styles, three seeds: the same pictures together and one by one."""
    together = still(rig, at_once=3)
    joint = streamed(together, [lane_of(together) for _ in range(3)], 4)
    single = still(rig, at_once=1)
    alone = streamed(single, [lane_of(single) for _ in range(3)], 4)
    for mine, theirs in zip(joint, alone, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            assert a.pixels is not None
            assert b.pixels is not None
            assert np.abs(a.pixels.astype(int) - b.pixels.astype(int)).max() <= 1
    assert not np.array_equal(joint[0][-1].pixels, joint[2][-1].pixels)  # control: the seed shows


def test_a_slow_engine_takes_the_newest_and_counts_the_rest(rig: Rig) -> None:
    engine = still(rig)
    lane = lane_of(engine)
    fill(lane, range(0, 60, 2))
    assert engine.turn()
    assert [one.tick for one in lane.take()] == [52]  # the oldest of the four that are held
    assert lane.dropped == 26


def test_frames_are_thinned_evenly_to_what_the_engine_can_do(rig: Rig) -> None:
    lane = lane_of(still(rig))
    lane._intake.room = 100
    lane.frame_s = 4 / 60  # twice as slow as frames come
    fill(lane, range(100, 180, 2))
    assert [one.tick for one in lane._intake.take(20)] == list(range(100, 180, 4))
    assert lane.dropped == 20


def test_a_new_prompt_flushes_the_queue_and_fades_in(rig: Rig) -> None:
    engine = still(rig)
    lane = lane_of(engine)
    streamed(engine, [lane], 2)
    fill(lane, range(100, 106, 2), "day")
    fill(lane, range(106, 108, 2), "night")
    assert [one.tick for one in lane._intake._waiting] == [106]
    fill(lane, range(108, 114, 2), "night")
    assert engine.turn()
    assert len(lane.stream._fade) == FADE - 1
    wholly = rig.model.prompt(rig.embedding("", "night"))
    assert not torch.allclose(lane.stream.painter.prompt.keys[0], wholly.keys[0])
    for start in range(114, 114 + 8 * FADE, 8):
        fill(lane, range(start, start + 8, 2), "night")
        engine.turn()
    assert torch.allclose(lane.stream.painter.prompt.keys[0], wholly.keys[0])


def test_out_of_memory_halves_the_pass_and_nobody_loses_a_frame(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = still(rig)
    lanes = [lane_of(engine) for _ in range(4)]
    plain = rig.model.forward

    def narrow(x, *more):
        if x.shape[0] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(x, *more)

    monkeypatch.setattr(rig.model, "forward", narrow)
    got = streamed(engine, lanes, 2)
    assert engine.at_once == 2
    assert all([one.tick for one in each] == [0, 2, 4, 6, 8] for each in got)
    assert all(one.pixels is not None for each in got for one in each)


def test_a_chunk_without_room_goes_back_and_the_stream_begins_anew(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = still(rig)
    lanes = [lane_of(engine), lane_of(engine)]
    streamed(engine, lanes, 2)
    ill = lanes[0].stream.vae

    def fails(frames: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ill, "encode", fails)
    for lane in lanes:
        fill(lane, range(100, 108, 2))
    while engine.turn():
        pass
    lost, fine = lanes[0].take(), lanes[1].take()
    assert [(one.tick, one.why) for one in lost] == [
        (t, "out of memory") for t in (100, 102, 104, 106)
    ]
    assert [one.tick for one in fine] == [100, 102, 104, 106]
    assert all(one.pixels is not None for one in fine)
    monkeypatch.undo()
    assert lanes[0].stream.wanted == 1
    fill(lanes[0], range(200, 202, 2))
    engine.turn()
    assert lanes[0].take()[0].pixels is not None


def test_the_backend_warms_up_streams_and_says_what_it_is(rig: Rig, tmp_path: Path) -> None:
    write_folder(tmp_path)
    backend = make("wan", tmp_path)
    assert isinstance(backend, Wan)
    assert isinstance(backend, StreamBackend)
    assert backend.model.startswith("wan/nano/")
    assert Wan(tmp_path).model == backend.model
    backend.warm(HIGH, WIDE)
    assert "32x32, 1 step, nano autoencoder" in backend.told()
    assert backend.style(frame(1), "by night", 3).shape == (HIGH, WIDE, 4)
    idle, used = backend.painter(), backend.painter()
    used.style(frame(2), "", 0)
    assert len(backend.engine._lanes) == 1  # the server has a painter of each player, unused
    del used
    assert not backend.engine._lanes
    idle.close()
    backend.close()


def test_a_stream_batch_comes_out_later_but_whole(tmp_path: Path) -> None:
    from streaming.diffusion.wan.params import SampleParams

    card = write_folder(tmp_path, mode="batched", sample=SampleParams((300, 150), 0.4))
    engine = still(Rig(card, "cpu"))
    got = streamed(engine, [lane_of(engine)], 5)[0]
    assert [one.tick for one in got] == list(range(0, 2 * 13, 2))


def test_no_room_is_said_before_the_first_player(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path)
    backend = Wan(tmp_path)

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(backend.rig, "stream", full)
    with pytest.raises(NoRoom, match="smaller size"):
        backend.warm(HIGH, WIDE)


def test_pictures_there_and_back_keep_colour_and_shape(rig: Rig) -> None:
    flat = np.full((2 * SIDE, 2 * SIDE, 4), 255, np.uint8)
    flat[..., :3] = (10, 120, 230)
    there = to_tensor([flat], rig)
    assert there.shape == (3, 1, SIDE, SIDE)
    assert there[0, 0, 0, 0] == pytest.approx(230 / 127.5 - 1, abs=1e-5)
    assert np.array_equal(to_pixels([there[:, 0]], flat.shape[:2])[0], flat)


@pytest.mark.parametrize(("key", "other", "said"), [
    ('"width"', '"widht"', "did you mean 'width'"), ('"window"', '"windo"', "cache.window"),
    ('"transformer.saf', '"../transformer.saf', "not a file beside it"), ("{", "", "not a card"),
])  # fmt: skip
def test_cards_that_say_nonsense_are_refused(
    tmp_path: Path, key: str, other: str, said: str
) -> None:
    write_folder(tmp_path)
    path = tmp_path / CARD
    path.write_text(path.read_text().replace(key, other, 1))
    with pytest.raises(WrongCheckpoint, match=said):
        Rig(read_card(tmp_path), "cpu")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    path = tmp_path / "autoencoder.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(WrongCheckpoint, match="SHA-256"):
        Rig(read_card(tmp_path), "cpu")
