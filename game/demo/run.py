"""The whole loop on one machine: drive, stream, record, upload, validate, pay, report.

Owns the order of the acts and the result object. Every act is the product's own code.
"""

import dataclasses
import gc
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from game.atlas.load import load as load_city
from game.demo import report
from game.demo.handin import hand_in
from game.errors import UsageError
from game.play.drive import Drive
from game.play.embedded import Embedded
from game.play.intake import Intake, payee
from game.play.opening import Opened, Wanted, open_session
from game.play.prompt import style_named
from game.play.runner import Driven, run, wait_for_stream
from game.processes import Supervisor, only_instance
from game.session.format import CaptureProfile
from game.session.format import Driver as Declared
from game.session.reader import Session
from game.settings import Settings, has_display
from game.view.window import Mode, Window
from game.world.city import City
from scenarios.driver import Bot
from streaming.ring import sweep

Say = Callable[[str], None]

TAIL_TICKS = 30
STREAM_S = 120.0
"""A bot is patient: what is driven before the stream is there makes no pairs."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """scenario: id. seed: of the case. style: first look. out: folder of the report, or None."""

    scenario: str = "busy-intersection"
    seed: int = 1
    style: str = "dusk"
    out: Path | None = None


def demo(settings: Settings, options: DemoOptions, say: Say) -> dict[str, Any]:
    """Run it all and return the result object. Raises whatever stopped it."""
    _refuse_half_a_loop(settings)
    started = time.monotonic()
    data = settings.paths.data
    with only_instance(data, "demo"), Supervisor(data / "logs") as children:
        sweep()
        services = Embedded(settings, children)
        services.begin()
        say(_screen_line(settings))
        city = load_city(settings.paths.pack if settings.paths.pack != Path() else None)
        gc.freeze()  # a full collection would walk the whole city and cost a frame
        window = Window(city, settings.graphics.profile, _mode(settings))
        say(f"Manhattan is built: {len(city.footprints):,} buildings, drawn by {window.family}")
        try:
            backing = services.ready()
            say("stream server, intake, worker, payer and devnet are up")
            if backing.painter:
                say(f"pictures are painted by {backing.painter} {backing.chosen}".rstrip())
            intake = Intake(backing.rewards_url)
            driver, who = Declared("bot", "calm"), payee(_wallet(settings), data)
            wanted = Wanted(options.scenario, options.seed, driver, who)
            opened = open_session(
                settings, city, settings.graphics.profile, window.family, backing, intake, wanted
            )
            _note_children(services, opened)
            driven = _drive(settings, options, city, window, opened, services, say)
        finally:
            window.close()
        result = _result(opened, driven)
        result["seconds"] = {"driven": round(time.monotonic() - started, 1)}
        begun = time.monotonic()
        fate = hand_in(opened, services, intake, data / "logs", say)
        result["verdict"] = fate["verdict"]
        result["payout"].update(fate.get("payout") or {})
        result["seconds"]["server"] = round(time.monotonic() - begun, 1)
        out = options.out or data / "reports" / opened.session
        return _report(settings, opened, city, out, result, started, say)


def _drive(
    settings: Settings,
    options: DemoOptions,
    city: City,
    window: Window,
    opened: Opened,
    services: Embedded,
    say: Say,
) -> Driven:
    """The drive itself, in real time."""
    assert opened.tape is not None
    opened.tape.ready()
    drive = Drive(
        city,
        opened.stage,
        window,
        Bot(opened.stage, city),
        style_named(options.style),
        CaptureProfile().every_ticks,
        writer=opened.writer,
        link=opened.link,
        tape=opened.tape,
    )
    streamed = wait_for_stream(drive, STREAM_S)
    say("the first frame came back" if streamed else "no frame came back yet; driving anyway")

    def each_second(turn: Drive) -> None:
        _note_children(services, opened)
        _progress(turn, services.revive(), say)

    def events(_: Drive) -> tuple[()] | None:
        window.poll()
        return None if window.closed else ()

    return run(drive, opened, events, TAIL_TICKS, each_second)


def _progress(turn: Drive, revived: list[str], say: Say) -> None:
    second = turn.state.tick // 60
    for name in revived:
        say(f"{second:3d} s  {name} had died and was started again")
    if second % 5 == 0 and turn.link is not None:
        reading = turn.link.gauges()
        say(
            f"{second:3d} s  {turn.state.ego.speed * 3.6:3.0f} km/h  "
            f"{turn.counts.frames} frames, {turn.counts.shown} came back, "
            f"round trip {reading.round_trip_ms.p50:.0f} ms"
        )


def _result(opened: Opened, driven: Driven) -> dict[str, Any]:
    outcome = driven.outcome
    assert opened.writer is not None
    with Session.open(opened.writer.folder) as session:
        pairs, frames = len(session.pairs()), len(session.frames())
    gauges = driven.gauges
    return {
        "session": opened.session,
        "path": str(opened.writer.folder),
        "scenario": opened.stage.scenario.id,
        "title": opened.stage.scenario.title,
        "place": opened.stage.scenario.place.at,
        "seed": opened.stage.seed,
        "ticks": driven.ticks,
        "digest": driven.end.get("digest", ""),
        "outcome": dataclasses.asdict(outcome)
        if outcome is not None
        else {"success": False, "collisions": 0, "reason": "ended early"},
        "frames": frames,
        "drawn": driven.frames,
        "skipped": driven.skipped,
        "pairs": pairs,
        "stream": dataclasses.asdict(gauges),
        "recorder": dataclasses.asdict(driven.tape) if driven.tape is not None else {},
        "verdict": {"decision": "none", "findings": []},
        "payout": {
            "amount": 0,
            "wallet": "",
            "mint": "",
            "signature": "",
            "state": "none",
        },
    }


def _report(
    settings: Settings,
    opened: Opened,
    city: City,
    out: Path,
    result: dict[str, Any],
    started: float,
    say: Say,
) -> dict[str, Any]:
    say("drawing the report")
    assert opened.writer is not None
    with Session.open(opened.writer.folder) as session:
        page = report.write(out, session, city, result)
    result["report"] = str(page)
    result["seconds"]["all"] = round(time.monotonic() - started, 1)
    part = out / "result.json.part"
    part.write_text(json.dumps(result, indent=1, default=str), encoding="utf-8")
    part.replace(out / "result.json")
    return result


def _refuse_half_a_loop(settings: Settings) -> None:
    for key, off in (
        ("stream.url", settings.stream.url == "off"),
        ("rewards.url", settings.rewards.url == "off"),
        ("record.enabled", not settings.record.enabled),
    ):
        if off:
            raise UsageError(f"the demo shows the whole loop: leave {key} on, or use play")


def _wallet(settings: Settings) -> str:
    """The player's address, or one of a key made for demos and kept beside the sessions."""
    if settings.wallet.address:
        return settings.wallet.address
    from rewards.signer import FileSigner

    path = settings.paths.data / "demo-wallet.json"
    return str(FileSigner.create(path).address)


def _mode(settings: Settings) -> Mode:
    wanted = cast(Mode, settings.play.window)
    if wanted == "auto" and not has_display():
        return "offscreen"
    return wanted


def _screen_line(settings: Settings) -> str:
    if _mode(settings) == "offscreen":
        return "no screen is used here: the city is drawn off-screen, everything else is the same"
    return "the window shows what is captured"


def _note_children(services: Embedded, opened: Opened) -> None:
    assert opened.link is not None
    assert opened.tape is not None
    services.note(peer=opened.link.pid, recorder=opened.tape.pid)
