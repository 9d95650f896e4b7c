"""A direct server that takes one size alone: laid into its frame, and back where it was."""

import numpy as np
import pytest

from streaming import server as server_module
from streaming import wire
from streaming.access import Access, Pass
from streaming.codec import vp8_size
from streaming.errors import ModelUnknown
from streaming.frames import Pixels
from streaming.models import CROP, MODELS, Native, native
from streaming.peer import PeerConfig
from streaming.peer_process import PeerThread
from streaming.server import ServerConfig
from streaming.tailor import Tailor
from streaming.visit import Visit
from tests.streaming.rig import CELL, SIDE, Game, ServerThread, barcode, picture, rings
from tests.waiting import wait_for

MARK = 32


def marked(tick: int) -> Pixels:
    """A picture with its barcode, and a square of its own colour in each lower corner and below."""
    out = picture(tick)
    out[-MARK:, :MARK, :3] = (255, 0, 0)
    out[-MARK:, -MARK:, :3] = (0, 0, 255)
    out[CELL : CELL + MARK, :MARK, :3] = (0, 255, 0)
    out[CELL : CELL + MARK, -MARK:, :3] = 255
    return out


def where(pixels: Pixels, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of what has this colour."""
    far = np.abs(pixels[..., :3].astype(int) - colour).max(axis=-1)
    rows, columns = np.nonzero(far < 60)
    return rows.min(), rows.max(), columns.min(), columns.max()


CORNERS = (
    ((255, 0, 0), (SIDE - MARK, SIDE - 1, 0, MARK - 1)),
    ((0, 0, 255), (SIDE - MARK, SIDE - 1, SIDE - MARK, SIDE - 1)),
    ((0, 255, 0), (CELL, CELL + MARK - 1, 0, MARK - 1)),
)


def in_place(pixels: Pixels, within: int = 1) -> bool:
    """Whether every corner's mark is where it was drawn, to a pixel."""
    found = [where(pixels, colour) for colour, _ in CORNERS]
    return all(
        abs(int(one) - other) <= within
        for seen, (_, drawn) in zip(found, CORNERS, strict=True)
        for one, other in zip(seen, drawn, strict=True)
    )


@pytest.mark.parametrize("name", sorted(MODELS))
def test_corners_and_barcode_come_back_from_every_model(name: str) -> None:
    tailor = Tailor((SIDE, SIDE), MODELS[name], 2_500_000)
    frame, data = tailor.cut(tailor.canvas(marked(1234)), 7)
    back = frame.to_ndarray(format="bgra")
    assert barcode(back) == 1234
    assert in_place(back)
    assert (frame.width, frame.height, frame.pts) == (SIDE, SIDE, 7 * 1500)
    assert data
    tailor.close()


def test_a_picture_returned_at_half_the_size_is_mapped_back_all_the_same() -> None:
    tailor = Tailor((SIDE, SIDE), MODELS["mirage"], 2_500_000)
    half = tailor.picture(marked(9), 9).reformat(640, 352).to_ndarray()
    assert in_place(tailor.cut(half, 1)[0].to_ndarray(format="bgra"), 4)


def test_a_size_names_frame_rate_and_fit() -> None:
    assert native("x", "640x360@25:crop") == Native(640, 360, 25, CROP)
    assert native("mirage", "native") == MODELS["mirage"]
    assert native("mirage", "native:crop").fit == CROP
    for wrong in ("native", "640x360:stretch", "640"):
        with pytest.raises(ModelUnknown):
            native("x", wrong)
    with pytest.raises(ModelUnknown):
        PeerConfig("ws://x", "s", size="wide")


@pytest.mark.network
@pytest.mark.flow
@pytest.mark.heavy
def test_a_foreign_server_gets_its_own_size_and_the_game_gets_its_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shapes: set[tuple[int, ...]] = set()
    asked: list[str] = []

    class Seen:
        """Gives back what it gets, and notes its shape."""

        name, model = "seen", "seen/1"

        def warm(self, height: int, width: int) -> None: ...

        def told(self) -> str:
            return ""

        def painter(self) -> "Seen":
            return self

        def style(self, frame: Pixels, prompt: str, seed: int, style: str = "") -> Pixels:
            shapes.add(frame.shape)
            return frame

    send, admit = Visit.send, Access.admit

    def noted(access: Access, key: str, model: str, origin: str, now: float) -> Pass | None:
        asked.append(model)
        return admit(access, key, model, origin, now)

    async def foreign(visit: Visit, message: wire.Message) -> None:
        if not message.TYPE.startswith("sd."):
            await send(visit, message)

    monkeypatch.setattr(server_module, "make", lambda *_: Seen())
    monkeypatch.setattr(Visit, "send", foreign)
    monkeypatch.setattr(Access, "admit", noted)
    server = ServerThread(ServerConfig())
    with rings("native") as made:
        config = PeerConfig(server.url, "s", size="640x360@30", model="mirage")
        child, game = PeerThread(config, made.source, made.styled, made.encoded), Game(made)
        child.start()
        game.start()
        wait_for(lambda: len(game.styled) > 5, what="pictures")
        frame = made.styled.get(-1)
        gauges = child.gauges()
        child.stop()
        game.stop()
    server.stop()
    assert shapes == {(360, 640, 4)}
    assert set(asked) == {"mirage"}
    assert frame is not None
    assert barcode(frame.pixels) is not None
    assert {vp8_size(item.data) for item in game.encoded if item.key} <= {(SIDE, SIDE)}
    assert not gauges.exact
    assert all(not item.exact for item in game.encoded)
