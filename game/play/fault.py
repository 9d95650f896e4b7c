"""The one line about the stream that the player should read now, out of its gauges. Pure."""

from streaming.errors import cause_of
from streaming.gauges import Gauges

_LONGEST = 60


def fault(reading: Gauges, missing: bool, faulted: bool) -> str:
    """'' while all is well. missing: no frame for a while; faulted: back, but not steady yet."""
    why = _short(reading.detail)
    if reading.state == "refused":
        return f"the stream server says no: {why or 'refused'}"
    if reading.state == "queued":
        return f"waiting for the stream server, place {reading.queue_position} in the queue"
    if not missing:
        if faulted:
            return "the stream is back, fading in"
        return why if reading.connected and why else ""
    if reading.state == "connecting":
        return f"connecting to the stream server{_because(why)}; drive on"
    if reading.state == "reconnecting" or reading.reconnects:
        return f"the stream broke off, connecting again{_because(why)}; drive on"
    if reading.state == "starting":
        return "the stream is starting; drive on"
    return f"no dreamt picture is coming back{_because(why)}; drive on"


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _short(detail: str) -> str:
    """The cause alone: the address is in the settings, the advice in the log."""
    line = cause_of(detail)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
