"""Everything that has to be there before somebody drives, brought up while the terminal runs.

A thread imports, looks at the machine, reads the city and builds its scene; the services are
started from the main thread, because they live and die with it. Owns the real diagnostics.
"""

import importlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from game.errors import GameError
from game.play.app.memory import Memory
from game.settings import Settings

log = logging.getLogger(__name__)
HEAVY = ("game.play.session_loop", "game.play.watch")
"""What takes long to import; the services come up in their own processes meanwhile."""


class Boot:
    """`start` it, `pump` it from the main thread at every picture, until `done`.

    say: is called from both threads with a line for the terminal and whether it is important.
    """

    def __init__(
        self, settings: Settings, renderer: str, say: Callable[[str, bool], None], context: int = 0,
        now: Callable[[], float] = time.monotonic, memory: Memory = Memory(),  # noqa: B008 - frozen
    ) -> None:  # fmt: skip
        self._memory = memory
        self._settings, self._renderer, self._say = settings, renderer, say
        self._context, self._now = context, now
        self._begun = now()
        self.loaded = threading.Event()
        self.error: BaseException | None = None
        self.city: Any = None
        self.scene: Any = None
        self.first: Any = None
        """A state where the first drive begins, None where nobody knows yet."""
        self.streets: tuple[str, ...] = ()
        self.took: dict[str, float] = {}
        self._thread = threading.Thread(target=self._guarded, name="boot", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._tell("graphics", "ok", self._renderer)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the thread has finished, well or not."""
        return self.loaded.is_set() or self.error is not None

    def _tell(self, what: str, state: str, detail: str, remedy: str = "") -> None:
        self._say(f"{what:<16}{state:<9}{detail}", state != "ok")
        if remedy:
            self._say(f"{'':<25}{remedy}", False)

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error

    def _work(self) -> None:
        self._look()
        for name in HEAVY:
            try:
                importlib.import_module(name)
            except ImportError as error:  # the server extra is missing: one drives all the same
                self._tell("services", "note", f"{error}; drives are kept on this machine")
        self.took["imports"] = self._now() - self._begun
        self._city()
        self._surroundings()
        self.loaded.set()
        self._exact()

    def _look(self) -> None:
        """The doctor's quick questions, one terminal line each."""
        from game.doctor import GOOD, ask

        titles = {"stream": "stream server", "disk": "recorder", "shared memory": "recorder",
                  "streaming": "webrtc", "loopback": "loopback"}  # fmt: skip
        for answer in ask(self._settings, ("disk", "memory", "loopback", "stream", "streaming")):
            state = "ok" if answer.state == GOOD else answer.state
            title = titles.get(answer.name, answer.name)
            self._tell(title, state, answer.detail, "" if state == "ok" else answer.remedy)
        self._network()

    def _network(self) -> None:
        """The way to payment: a service elsewhere is asked, one on this machine will be started."""
        url = self._settings.rewards.url
        if url == "off":
            self._tell("wallet network", "off", "drives are kept here, unpaid; hand them in later")
        elif not url:
            told = "a Solana devnet on this machine starts with the first drive"
            self._tell("wallet network", "ok", told)
        else:
            self._remote(url)

    def _remote(self, url: str) -> None:
        import requests

        before = self._now()
        try:
            answer = requests.get(f"{url.rstrip('/')}/health", timeout=(2.0, 3.0))
            trip = (self._now() - before) * 1000
            state = "ok" if answer.ok else "note"
            self._tell(
                "wallet network", state, f"{url} answers {answer.status_code}, {trip:.0f} ms"
            )
        except requests.RequestException as error:
            why = type(error).__name__
            self._tell(
                "wallet network", "away", f"{url}: {why}",
                "driving works; what you drive is uploaded when it answers, later",
            )  # fmt: skip

    def _city(self) -> None:
        from game.atlas.load import load
        from game.view.scene import Scene

        began = self._now()
        pack = self._settings.paths.pack
        city = load(pack if pack != Path() else None)
        self.streets = tuple(dict.fromkeys(each.name for each in city.streets if each.name))
        self.took["city"] = self._now() - began
        detail = (
            f"{city.name}: {len(city.footprints)} buildings, {len(city.streets)} streets, "
            f"{len(city.junctions)} crossings  {city.digest[:12]}"
        )
        self._tell("city pack", "ok", detail)
        began = self._now()
        self.scene = Scene(city, self._settings.graphics.profile, self._context)
        self.took["scene"] = self._now() - began
        self._tell("scene", "ok", f"built in {self.took['scene']:.2f} s")
        self.city = city

    def _surroundings(self) -> None:
        """Make what is seen where the first drive begins: seconds that would else be waited for
        once the services are up."""
        from game.play.app.first import standing
        from game.view.camera import eye

        began = self._now()
        self.first = standing(self._settings, self._memory, self.city)
        if self.first is None:
            return
        self.scene.pose(self.first, eye(self.first))
        self.took["surroundings"] = self._now() - began
        self._tell("street", "ok", f"made in {self.took['surroundings']:.2f} s")

    def _exact(self) -> None:
        """The promise of replay: a few hundred ticks, compared bit for bit."""
        from game.world.golden import prove

        began = self._now()
        proofs = prove()
        wrong = [name for name, expected, got in proofs if expected != got]
        state = "ok" if not wrong else "missing"
        if wrong:  # somebody may be driving by now
            log.warning("app.inexact differ=%s", ",".join(wrong))
        said = ", ".join(wrong) + " differ" if wrong else f"{len(proofs)} of {len(proofs)} equal"
        self.took["golden"] = self._now() - began
        self._tell("golden ticks", state, f"{said}, bit for bit")


def told(error: BaseException) -> str:
    """What an error says to a player."""
    known = isinstance(error, GameError) or hasattr(error, "exit_code")
    return str(error) if known else f"{type(error).__name__}: {error}"
