"""How an end wants to be found: servers and a login, checked when they are named.

Loads the library only where there is something to check: the game carries this without it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IceConfig:
    """How to be found. Picklable.

    servers: stun:host:port, turn:host:port?transport=udp, turns:...; at most one of each kind.
    username, credential: of the TURN server. relay_only: through TURN or not at all. private:
    whether the far side may name inner addresses; None: where it is itself at one.
    """

    servers: tuple[str, ...] = ()
    username: str = ""
    credential: str = field(default="", repr=False)
    relay_only: bool = False
    private: bool | None = None

    def __post_init__(self) -> None:
        if not self.servers and not self.relay_only:
            return
        from aiortc.rtcicetransport import parse_stun_turn_uri

        kinds = []
        for uri in self.servers:
            try:
                kinds.append(str(parse_stun_turn_uri(uri)["scheme"])[:4])
            except (ValueError, KeyError) as error:
                raise ValueError(
                    f"'{uri}' is no ICE server: write stun:host:3478 or turn:host:3478"
                ) from error
        if len(kinds) != len(set(kinds)):
            raise ValueError("name at most one STUN and one TURN server")
        if self.relay_only and "turn" not in kinds:
            raise ValueError("relay only needs a TURN server")

    @property
    def turn(self) -> tuple[str, ...]:
        """The TURN servers among the servers."""
        return tuple(uri for uri in self.servers if uri.startswith("turn"))

    def told(self, urls: tuple[str, ...], username: str, credential: str) -> "IceConfig":
        """With the TURN server that the far side offers, where we have none. ValueError if bad."""
        if self.turn:
            return self
        stun = tuple(uri for uri in self.servers if uri.startswith("stun"))
        return IceConfig((*stun, *urls), username, credential, self.relay_only, self.private)
