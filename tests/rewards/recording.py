"""Makes sessions as the game makes them: real city, bot, renderer, recorder, filter and journal.

Only the network is left out: what the stream server would receive is encoded and decoded here.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.atlas.load import load as load_city
from game.session import framefile
from game.session.append import AppendFile
from game.session.format import FRAMES, JOURNAL, CaptureProfile, Driver, Manifest, TrackId
from game.session.ids import new_id
from game.session.protocols import Evidence
from game.session.reader import Session
from game.session.track import CHECK, NEAR_LOSSLESS, SourceTrack, StyledTrack
from game.session.writer import SessionWriter
from game.world.city import City
from game.world.step import step
from game.world.version import TICK_HZ, WORLD_VERSION
from rewards import tickets
from rewards.checks.decode import luma_print
from rewards.sample import sample_ticks
from scenarios.driver import Bot
from scenarios.expect import Referee
from scenarios.load import load as load_scenario
from scenarios.model import digest
from scenarios.spawn import stage
from streaming.backends.filter import Filter
from streaming.codec import TickDecoder, TickEncoder, is_key, picture_of
from streaming.journal import JournalWriter

TICKET_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
JOURNAL_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS = {
    "ticket": (tickets.public_hex(TICKET_KEY),),
    "journal": (tickets.public_hex(JOURNAL_KEY),),
}
SCENARIO = "busy-intersection"
BEGAN_NS = 1_700_000_000 * 10**9


@dataclass(frozen=True)
class Made:
    """A session that was made, and what judges it. family: of the renderer that drew it."""

    folder: Path
    city: City
    ticket: dict[str, Any]

    def evidence(self, scratch: Path, renderer: Any, **changes: Any) -> Evidence:
        """What a worker would hand to its checks for the folder as it is now."""
        fields = {
            "city": self.city,
            "renderer": renderer,
            "sample_ticks": changes.get("sample_ticks") or sampled(self.folder),
            "keys": KEYS,
            "scratch": scratch,
            "policy": "demo",
            "session": self.folder.name,
            "files": hashes(self.folder),
        }
        return Evidence(**(fields | changes))

    def copy(self, root: Path) -> "Made":
        """The same session once more, to be tampered with."""
        return replace(self, folder=Path(shutil.copytree(self.folder, root / self.folder.name)))


def sampled(folder: Path, secret: bytes = b"secret") -> tuple[int, ...]:
    """The ticks that a judge with this secret looks at."""
    with Session.open(folder) as session:
        ticks = [frame.tick for frame in session.frames(TrackId.SOURCE)]
        checks = [frame.tick for frame in session.frames(TrackId.CHECK)]
    return sample_ticks(secret, folder.name, ticks, checks)


def hashes(folder: Path) -> dict[str, str]:
    import hashlib

    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


class Line:
    """One way of the stream: the codec of our own peer, at one bitrate [bit/s]."""

    def __init__(self, bitrate: int) -> None:
        self._encoder, self._decoder = TickEncoder(bitrate), TickDecoder()

    def send(self, bgra: np.ndarray, tick: int) -> tuple[bytes, bool]:
        """The bitstream of one picture, and whether it decodes on its own."""
        data = self._encoder.compress(picture_of(np.ascontiguousarray(bgra), tick))
        return data, is_key("vp8", data)

    def renew(self) -> None:
        """What was sent last did not arrive: the next picture decodes on its own."""
        self._encoder._key_wanted = True  # `want_key` would ask the clock

    def receive(self, data: bytes) -> np.ndarray:
        """The picture of what was sent, (h, w, 4) BGRA."""
        (frame,) = self._decoder.decode("vp8", 0, data)
        return np.asarray(frame.to_ndarray(format="bgra"), np.uint8)


def make_ticket(
    city: City, payee: str = "W" * 40, scenario: str = SCENARIO, **changes: Any
) -> dict[str, Any]:
    which = digest(load_scenario(scenario))
    terms = tickets.Terms(
        scenario, which, 7, WORLD_VERSION, city.digest, "demo", "bot", payee=payee
    )
    return tickets.issue(TICKET_KEY, replace(terms, **changes), new_id(), 1_700_000_000, 86_400)


def make(
    root: Path,
    renderer_of: Callable[[City, CaptureProfile], Any],
    seconds: int = 8,
    ticket: Mapping[str, Any] | None = None,
    pace: float = 1.0,
    styled: Callable[[np.ndarray, int], np.ndarray] | None = None,
    bitrate: int = 2_500_000,
    side: int = 480,
    every: int = 2,
    model: str = "filter/test",
    style: str = "calm",
) -> Made:
    """Drive, draw, stream and record. pace: server's clock to the game's. styled: the model.

    model: what the journal calls it.
    """
    city, profile = load_city(), CaptureProfile(side, side, every)
    ticket = dict(ticket or make_ticket(city))
    staged = stage(load_scenario(ticket["scenario"]), city, int(ticket["seed"]))
    renderer, bot, referee = renderer_of(city, profile), Bot(staged, city, style), Referee(staged)
    manifest = Manifest(
        session=ticket["session"], created="2026-11-22T18:00:00Z", build="test",
        world_version=WORLD_VERSION, pack=city.name, pack_digest=city.digest,
        scenario=ticket["scenario"], scenario_digest=ticket["scenario_digest"], seed=ticket["seed"],
        tick_hz=TICK_HZ, driver=Driver("bot", "calm"), backend=model.split("/")[0],
        payee=ticket["payee"],
        claim=ticket["claim"], renderer=renderer.family, capture=profile, ticket=ticket,
    )  # fmt: skip
    writer = SessionWriter.create(root, manifest)
    film = _Film(writer.folder, profile, ticket, pace, styled or _filtered(), bitrate, model)
    state = staged.state
    for _ in range(seconds * TICK_HZ + 1):
        writer.tick(state)
        referee.observe(state)
        if state.tick % every == 0:
            colour = renderer.render(state, ("colour",), profile.width, profile.height)["colour"]
            film.put(colour, state.tick)
        if state.tick % TICK_HZ == 0 and state.tick:
            film.commit(state.tick, state.inputs)
        state = step(city, state, bot.controls(state))
    film.close()
    renderer.close()
    ended = referee.outcome
    outcome = {"success": bool(ended and ended.success), "collisions": state.collisions}
    writer.finish(outcome)
    return Made(writer.folder, city, ticket)


def _filtered() -> Callable[[np.ndarray, int], np.ndarray]:
    backend = Filter()
    return lambda bgra, tick: np.ascontiguousarray(backend.style(bgra, "", 0, "day"))


class _Film:
    def __init__(
        self, folder: Path, profile: CaptureProfile, ticket: dict[str, Any], pace: float,
        styled: Callable[[np.ndarray, int], np.ndarray], bitrate: int, model: str,
    ) -> None:  # fmt: skip
        side = profile.width
        self._folder, self._pace, self._style, self._now_ns = folder, pace, styled, BEGAN_NS
        self._table = AppendFile(folder / FRAMES)
        self._table.put(framefile.header())
        self._source = SourceTrack(folder, side, side, NEAR_LOSSLESS)
        self._check = SourceTrack(folder, side, side, CHECK, TrackId.CHECK)
        self._styled = StyledTrack(folder, side, side)
        self._there, self._back = Line(bitrate), Line(bitrate)
        self._journal = JournalWriter(
            folder.parent / ".journals", ticket["session"], tickets.digest(ticket), model,
            JOURNAL_KEY, lambda: self._now_ns,
        )  # fmt: skip

    def put(self, colour: np.ndarray, tick: int) -> None:
        import hashlib

        bgra = np.dstack([colour[..., ::-1], np.full(colour.shape[:2], 255, np.uint8)])
        bgra = np.ascontiguousarray(bgra)
        received_ns = BEGAN_NS + int(tick * self._pace * 1e9 / TICK_HZ)
        self._now_ns = received_ns + 10**6
        received = self._there.receive(self._there.send(bgra, tick)[0])
        data, key = self._back.send(self._style(received, tick), tick)
        self._table.put(framefile.encode(self._source.put(bgra, tick, tick)))
        if tick % TICK_HZ == 0:
            self._table.put(framefile.encode(self._check.put(bgra, tick, tick)))
        self._table.put(framefile.encode(self._styled.put(data, tick, tick, key=key)))
        luma = luma_print(np.ascontiguousarray(received[..., 2::-1])).tobytes()
        sha256 = hashlib.sha256(data).hexdigest()
        self._journal.frame(tick, received_ns, self._now_ns, luma, sha256)

    def commit(self, tick: int, chain: bytes) -> None:
        self._journal.commit(tick, chain.hex())
        self._journal.seal()

    def close(self) -> None:
        self._journal.seal(end=True)
        self._journal.close()
        shutil.copy(self._journal.path, self._folder / JOURNAL)
        for each in (self._source, self._check, self._styled, self._table):
            each.close()
