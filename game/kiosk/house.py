"""From the command to a kiosk that runs for days: lock, parts, staff page, and its end."""

import contextlib
import dataclasses
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from game.atlas.load import load as load_city
from game.errors import MissingPart
from game.kiosk import staff
from game.kiosk.keeper import Keeper, folder_of
from game.kiosk.machine import Rules
from game.play.link import dial
from game.processes import Supervisor, only_instance
from game.settings import Settings, has_display, service_socket
from scenarios.load import load as load_scenario
from streaming.ring import sweep

Say = Callable[[str], None]


def rules_of(settings: Settings) -> Rules:
    """The machine's times, from the settings."""
    kiosk = settings.kiosk
    return Rules(
        run_ms=kiosk.run_s * 1000, idle_ms=kiosk.idle_s * 1000, claim_ms=kiosk.claim_s * 1000
    )


def keep_house(
    settings: Settings, say: Say, *, headless: bool = False, rules: Rules | None = None,
    script: int = 0, watch: Callable[[Keeper], bool] | None = None,
) -> Keeper:  # fmt: skip
    """Run until SIGTERM, Ctrl-C, the staff's shut-down, or `watch` says stop; returns the keeper.

    headless: without a window, for tests. Raises MissingPart without a display.
    """
    if settings.play.scenario:
        load_scenario(settings.play.scenario)
    dial(settings.stream)
    load_city(settings.paths.pack if str(settings.paths.pack) != "." else None)
    if not headless and not has_display():
        raise MissingPart(
            "there is no display for the kiosk",
            "start it in a graphical session (docs/kiosk.md has the unit for it)",
        )
    root = folder_of(settings.paths.data)
    inside = dataclasses.replace(settings, paths=dataclasses.replace(settings.paths, data=root))
    ended = threading.Event()
    mode = "offscreen" if headless else "window"
    with only_instance(root, "kiosk"), Supervisor(root / "logs") as children, _signals(ended):
        sweep()
        keeper = Keeper(inside, children, rules or rules_of(settings), mode, script)
        keeper.start()
        if keeper.lacking:
            say(f"{keeper.lacking}; recordings stay in {root}/handin and visitors get no code")
        _notify("READY=1")
        desk = staff.Desk(staff.staff_token(root), keeper.report, _actions(keeper, ended))
        server = staff.serve(desk, settings.kiosk.staff_host, settings.kiosk.staff_port)
        host, port = server.server_address[0], server.server_port
        say(f"the kiosk is up; staff page http://{host!s}:{port}/, token in {root}/staff.token")
        try:
            keeper.keep(lambda: _over(keeper, ended, watch))
        finally:
            server.shutdown()
            server.server_close()
    return keeper


def _over(keeper: Keeper, ended: threading.Event, watch: Callable[[Keeper], bool] | None) -> bool:
    _notify("WATCHDOG=1")
    return ended.is_set() or (watch is not None and watch(keeper))


def _actions(keeper: Keeper, ended: threading.Event) -> dict[str, Callable[[], None]]:
    return {
        "close": lambda: keeper.close(True),
        "open": lambda: keeper.close(False),
        "next-visitor": keeper.send_off,
        "shut-down": ended.set,
    }


@contextlib.contextmanager
def _signals(ended: threading.Event) -> Iterator[None]:
    """SIGTERM ends the kiosk in good order, as a service manager expects."""

    def told(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {each: signal.signal(each, told) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _notify(text: str) -> None:
    """Tell systemd, where it asked to be told (sd_notify(3): a datagram to its socket)."""
    path = service_socket()
    if not path:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as talk:
        talk.sendto(text.encode(), b"\0" + os.fsencode(path[1:]) if path[0] == "@" else path)
