"""A driver for tests to plug in, and the smallest client of the socket protocol.

As a program: python steady.py PORT, which needs nothing but the standard library.
"""

import json
import socket
import sys
from typing import Any

THROTTLE = 120


class Steady:
    """Straight on with a light foot."""

    def __init__(self, stage: object, city: object) -> None:
        self.stage, self.city = stage, city

    def controls(self, state: object) -> Any:
        """The same in every tick."""
        from game.world.controls import Controls

        return Controls(throttle=THROTTLE)


class Wrong(Steady):
    """Gives what is no controls."""

    def controls(self, state: object) -> Any:
        """Nothing of use."""
        return "left"


def main(port: int, answer: dict[str, Any]) -> None:
    """Answer every state alike until the other side says goodbye."""
    heard: dict[str, int] = {}
    with socket.create_connection(("127.0.0.1", port), 20) as peer, peer.makefile("rwb") as stream:
        for line in stream:
            message = json.loads(line)
            heard[message["type"]] = heard.get(message["type"], 0) + 1
            if message["type"] == "begin":
                stream.write(b'{"type":"ready"}\n')
            elif message["type"] == "state":
                stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()
    print(json.dumps(heard))


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]))
