"""Opens a session: ticket, manifest, writer, recorder, stream, ready for its first tick."""

import dataclasses
import importlib.metadata
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from game.play.embedded import Backing
from game.play.intake import TICKET_S, Intake, Payee
from game.play.link import Link, dial
from game.play.tape import Tape
from game.play.waiting import SEED, TICKET, Alive, nobody, pumped
from game.session.format import CaptureProfile, Driver, Manifest
from game.session.ids import new_id
from game.session.replay import said
from game.session.writer import SessionWriter
from game.settings import Settings
from game.world.chance import integer
from game.world.city import City
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.cases import case, is_known
from scenarios.spawn import Stage
from streaming.seed import is_late

TRACKS = {
    "source": {
        "licence": "CC-BY-4.0",
        "provenance": "rendered by this program; building outlines: City of New York; "
        "streets: OpenStreetMap contributors, ODbL 1.0",
    },
    "styled": {
        "licence": "as the backend's model allows; see `backend`",
        "provenance": "the stream server's bitstream as it was received",
    },
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to drive: a scenario or a free drive by name, seed (None: drawn by the service), who
    drives, who is paid. devices: kinds of what it is driven with. consent: version of the text
    that the person agreed to; without it nothing of a person is recorded.
    """

    scenario: str
    seed: int | None
    driver: Driver
    payee: Payee
    devices: tuple[str, ...] = ("keyboard", "mouse")
    consent: str = "none"

    @property
    def recordable(self) -> bool:
        """Whether it may be recorded: a bot, or a person who agreed."""
        return self.driver.kind == "bot" or self.consent != "none"


@dataclass(slots=True)
class Opened:
    """The parts of a session that is about to be driven. None where it is off."""

    stage: Stage
    session: str
    ticket: Mapping[str, Any]
    writer: SessionWriter | None
    tape: Tape | None
    link: Link | None


def open_session(
    settings: Settings,
    city: City,
    capture: CaptureProfile,
    renderer: str,
    backing: Backing,
    intake: Intake | None,
    wanted: Wanted,
    alive: Alive = nobody,
    staged: Stage | None = None,
    stream_later: bool = False,
) -> Opened:
    """Everything up to the first tick. Raises what the services say, before anything is written.

    alive: called while a service is waited for; what it raises ends the opening, without a trace.
    staged: what is wanted, where somebody made it beforehand; never for a run with a ticket.
    stream_later: whoever asked starts the link. A person who did not agree to it is not recorded,
    whatever the settings say. A ticket without a seed gets it over the stream, which therefore
    begins before the scene is set.
    """
    if not wanted.recordable:
        record = dataclasses.replace(settings.record, enabled=False)
        settings = dataclasses.replace(settings, record=record)
    ticket = pumped(
        lambda: _ticket(settings, city, backing, intake, wanted), TICKET, TICKET_S, alive
    )
    session = str(ticket["session"]) if ticket else new_id()
    folder, tape = settings.paths.sessions / session, None
    if settings.record.enabled:
        log = settings.paths.data / "logs" / "recorder.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        tape = Tape(folder, capture, settings.record.source, log)
    link = _link(settings, capture, backing, session, ticket, folder, tape)
    try:
        scene = staged or case(wanted.scenario, city, _seed(ticket, wanted, link, alive))
    except BaseException:
        if link is not None:
            link.close()
        if tape is not None:
            tape.close()
        raise
    writer = None
    if tape is not None:
        manifest = _manifest(settings, city, capture, renderer, backing, wanted, scene, ticket)
        manifest = dataclasses.replace(manifest, session=session)
        writer = SessionWriter.create(settings.paths.sessions, manifest)
        writer.event("scenario", 0, said=said(scene.scenario))
        tape.start()
    if link is not None and not stream_later:
        link.start()
    return Opened(scene, session, ticket, writer, tape, link)


def _ticket(
    settings: Settings, city: City, backing: Backing, intake: Intake | None, wanted: Wanted
) -> dict[str, Any]:
    if intake is None or not settings.record.enabled or not is_known(wanted.scenario):
        return {}  # no service could judge a file of the player's own
    return intake.run_ticket(
        wanted.payee,
        wanted.scenario,
        wanted.seed,
        wanted.driver.kind,
        settings.rewards.policy,
        city.digest,
        late=bool(backing.stream_url) and settings.stream.transport == "direct",
    )


def _seed(
    ticket: Mapping[str, Any], wanted: Wanted, link: Link | None, alive: Alive = nobody
) -> int:
    """The seed of the ticket, or the one that the stream server releases, or our own."""
    if not ticket:
        return _own_seed(wanted)
    if link is None or not is_late(ticket):
        return int(ticket["seed"])
    link.start()
    return link.released_seed(alive=partial(alive, SEED))


def _own_seed(wanted: Wanted) -> int:
    if wanted.seed is not None:
        return wanted.seed
    return integer(time.time_ns() & 0x7FFFFFFF, 0, 0, "session seed", 1, 2**31 - 1)


def _link(
    settings: Settings,
    capture: CaptureProfile,
    backing: Backing,
    session: str,
    ticket: Mapping[str, Any],
    folder: Path,
    tape: Tape | None,
) -> Link | None:
    if not backing.stream_url:
        return None
    return Link(
        backing.stream_url,
        session,
        ticket,
        capture,
        tape.encoded if tape is not None else None,
        folder=folder if tape is not None else None,
        dial=dial(settings.stream),
        thread=settings.stream.mode == "thread",
        restart=settings.play.restart_children,
    )


def _backend(settings: Settings, backing: Backing) -> str:
    """What paints, as the server of this machine says, or else as the settings declare it; the
    journal, where there is one, proves it."""
    if not backing.stream_url:
        return "none"
    remote = settings.stream.transport == "livekit"
    if remote:
        return f"livekit/{settings.stream.model}"
    declared = settings.stream.backend
    return backing.painter or ("unknown" if declared == "auto" else declared)


def _tracks(settings: Settings) -> dict[str, dict[str, str]]:
    if settings.stream.transport != "livekit":
        return TRACKS
    told = "the service's pictures, cut to the game's and encoded again on this machine"
    return {**TRACKS, "styled": {**TRACKS["styled"], "provenance": told}}


def _manifest(
    settings: Settings,
    city: City,
    capture: CaptureProfile,
    renderer: str,
    backing: Backing,
    wanted: Wanted,
    scene: Stage,
    ticket: Mapping[str, Any],
) -> Manifest:
    return Manifest(
        session="",
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        build=importlib.metadata.version("scale-diffusion"),
        world_version=WORLD_VERSION,
        pack=city.name,
        pack_digest=city.digest,
        scenario=wanted.scenario if is_known(wanted.scenario) else scene.scenario.id,
        scenario_digest=scene.digest,
        seed=scene.seed,
        tick_hz=TICK_HZ,
        driver=wanted.driver,
        backend=_backend(settings, backing),
        payee=wanted.payee.wallet,
        claim=wanted.payee.claim,
        renderer=renderer,
        capture=capture,
        devices=() if wanted.driver.kind == "bot" else wanted.devices,
        consent="none" if wanted.driver.kind == "bot" else wanted.consent,
        source_codec=settings.record.source,
        ticket=dict(ticket),
        tracks=_tracks(settings),
        clock={"monotonic_ns": time.monotonic_ns(), "unix_ns": time.time_ns()},
    )
