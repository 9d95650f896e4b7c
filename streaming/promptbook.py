"""Which prompt is in force, which was asked for, and which number and seed a tick was painted with.

Kept by the player's end over all its links: a reconnect asks for the prompt again. Sends nothing.
"""

from collections import deque

from streaming import wire


class PromptBook:
    """number: what frames made from the first prompt carry."""

    def __init__(self, first: wire.Prompt, number: int) -> None:
        self._prompt, self._number = first, number
        self._numbers: deque[tuple[int, int, int]] = deque([(-1, number, first.seed)], maxlen=16)
        self._unacknowledged: deque[tuple[wire.Prompt, int]] = deque(maxlen=16)

    def choose(self, prompt: wire.Prompt, number: int) -> None:
        """From now on this is asked for. number: -1 counts on from the last one."""
        self._prompt = prompt
        self._number = self._number + 1 if number < 0 else number

    def ask(self, from_tick: int) -> wire.Prompt:
        """What to send now; its acknowledgement is waited for."""
        prompt = self._prompt
        self._unacknowledged.append((prompt, self._number))
        return wire.Prompt(
            prompt.prompt, prompt.enhance_prompt, prompt.style, prompt.seed, from_tick
        )

    def anew(self) -> None:
        """A new link: nothing that was asked for before will be acknowledged."""
        self._unacknowledged.clear()

    @property
    def stale(self) -> bool:
        """Whether what was asked for last is no longer what is wanted."""
        return bool(self._unacknowledged) and self._unacknowledged[-1][0] is not self._prompt

    def acknowledged(self, message: wire.PromptAck) -> None:
        """The server paints with it from the tick that it names, or refused it."""
        while self._unacknowledged:
            prompt, number = self._unacknowledged.popleft()
            if prompt.prompt == message.prompt:
                if message.success and self._numbers[-1][1:] != (number, prompt.seed):
                    self._numbers.append((max(message.from_tick, 0), number, prompt.seed))
                return

    def painted(self, tick: int) -> tuple[int, int]:
        """Number and seed that the frame of this tick was painted with."""
        _, number, seed = next(e for e in reversed(self._numbers) if e[0] <= tick or e[0] == -1)
        return number, seed
