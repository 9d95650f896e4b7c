"""A person at the wheel: the window's events become input events, and controls for every tick."""

from collections.abc import Mapping

from game.errors import SettingsError
from game.play.listen import SOURCE, FineTimes
from game.session.format import InputEvent
from game.settings import PlaySettings
from game.view.keys import BINDINGS, Deed, Mapper, RawInput, rebound
from game.world.controls import Controls
from game.world.state import WorldState


def bound(settings: PlaySettings) -> dict[str, Deed]:
    """The keys as the settings change them. Raises SettingsError."""
    try:
        return rebound(settings.keys)
    except ValueError as error:
        raise SettingsError("play.keys", "value", str(error)) from error


class Human:
    """Holds the mapper of one drive. Feed it once a tick, before `controls`."""

    def __init__(
        self, bindings: Mapping[str, Deed] = BINDINGS, finer: FineTimes | None = None
    ) -> None:
        self._mapper, self._finer = Mapper(bindings), finer

    def feed(self, raw: list[RawInput], tick: int) -> list[InputEvent]:
        """Take in what was polled at `tick`; returns it as it is recorded."""
        self._mapper.feed(raw)
        told = [(each, False) for each in raw] if self._finer is None else self._finer.refine(raw)
        return [
            InputEvent(
                seq=0,  # the writer numbers its lines
                t_ns=event.t_ns,
                src=SOURCE if fine else event.src or "panda",
                tick_seen=tick,
                tick_applied=tick,
                kind=event.kind,
                code=event.code,
                value=event.value,
                unit=event.unit,
                synthetic=event.synthetic,
            )
            for event, fine in told
        ]

    def commands(self) -> tuple[str, ...]:
        """What was asked for besides driving, since the last call."""
        return self._mapper.commands()

    def peeking(self) -> bool:
        """Whether the key that shows the game itself is held."""
        return self._mapper.peeking()

    def controls(self, state: WorldState) -> Controls:
        """The controls that the next step consumes."""
        return self._mapper.controls(state.tick)
