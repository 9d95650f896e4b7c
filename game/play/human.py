"""A person at the wheel: the window's events become input events, and controls for every tick."""

from game.session.format import InputEvent
from game.view.keys import Mapper, RawInput
from game.world.controls import Controls
from game.world.state import WorldState


class Human:
    """Holds the mapper of one drive. Feed it once a tick, before `controls`."""

    def __init__(self) -> None:
        self._mapper = Mapper()

    def feed(self, raw: list[RawInput], tick: int) -> list[InputEvent]:
        """Take in what was polled at `tick`; returns it as it is recorded."""
        self._mapper.feed(raw)
        return [
            InputEvent(
                seq=0,  # the writer numbers its lines
                t_ns=event.t_ns,
                src="panda",
                tick_seen=tick,
                tick_applied=tick,
                kind=event.kind,
                code=event.code,
                value=event.value,
                unit=event.unit,
                synthetic=event.synthetic,
            )
            for event in raw
        ]

    def commands(self) -> tuple[str, ...]:
        """What was asked for besides driving, since the last call."""
        return self._mapper.commands()

    def controls(self, state: WorldState) -> Controls:
        """The controls that the next step consumes."""
        return self._mapper.controls(state.tick)
