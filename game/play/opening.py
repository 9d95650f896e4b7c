"""Opens a session: ticket, manifest, writer, recorder, stream, ready for its first tick."""

import dataclasses
import importlib.metadata
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from game.play.embedded import Backing
from game.play.intake import Intake, Payee
from game.play.link import Link, dial
from game.play.tape import Tape
from game.session.format import CaptureProfile, Driver, Manifest
from game.session.ids import new_id
from game.session.replay import said
from game.session.writer import SessionWriter
from game.settings import Settings
from game.world.chance import integer
from game.world.city import City
from game.world.version import TICK_HZ, WORLD_VERSION
from scenarios.cases import case
from scenarios.spawn import Stage

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
    drives, who is paid.
    """

    scenario: str
    seed: int | None
    driver: Driver
    payee: Payee


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
) -> Opened:
    """Everything up to the first tick. Raises what the services say, before anything is written."""
    ticket = _ticket(settings, city, intake, wanted)
    seed = int(ticket["seed"]) if ticket else _own_seed(wanted)
    scene = case(wanted.scenario, city, seed)
    session = str(ticket["session"]) if ticket else new_id()
    writer, tape = None, None
    if settings.record.enabled:
        manifest = _manifest(settings, city, capture, renderer, backing, wanted, scene, ticket)
        manifest = dataclasses.replace(manifest, session=session)
        writer = SessionWriter.create(settings.paths.sessions, manifest)
        writer.event("scenario", 0, said=said(scene.scenario))
        log = settings.paths.data / "logs" / "recorder.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        tape = Tape(writer.folder, capture, settings.record.source, log)
        tape.start()
    link = _link(settings, capture, backing, session, ticket, writer, tape)
    if link is not None:
        link.start()
    return Opened(scene, session, ticket, writer, tape, link)


def _ticket(
    settings: Settings, city: City, intake: Intake | None, wanted: Wanted
) -> dict[str, Any]:
    if intake is None or not settings.record.enabled:
        return {}
    return intake.run_ticket(
        wanted.payee,
        wanted.scenario,
        wanted.seed,
        wanted.driver.kind,
        settings.rewards.policy,
        city.digest,
    )


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
    writer: SessionWriter | None,
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
        folder=writer.folder if writer is not None else None,
        dial=dial(settings.stream),
        thread=settings.stream.mode == "thread",
        restart=settings.play.restart_children,
    )


def _backend(settings: Settings, backing: Backing) -> str:
    """What paints, as the settings declare it; the journal, where there is one, proves it."""
    if not backing.stream_url:
        return "none"
    remote = settings.stream.transport == "livekit"
    return f"livekit/{settings.stream.model}" if remote else settings.stream.backend


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
        scenario=wanted.scenario,
        scenario_digest=scene.digest,
        seed=scene.seed,
        tick_hz=TICK_HZ,
        driver=wanted.driver,
        backend=_backend(settings, backing),
        payee=wanted.payee.wallet,
        claim=wanted.payee.claim,
        renderer=renderer,
        capture=capture,
        devices=() if wanted.driver.kind == "bot" else ("keyboard", "mouse"),
        consent="none" if wanted.driver.kind == "bot" else "2026-11",
        source_codec=settings.record.source,
        ticket=dict(ticket),
        tracks=_tracks(settings),
        clock={"monotonic_ns": time.monotonic_ns(), "unix_ns": time.time_ns()},
    )
