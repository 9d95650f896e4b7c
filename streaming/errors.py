"""Errors of the `streaming` package. Every message says what is wrong and what to do next.

StreamingError
├── RingError             shared picture memory
│   ├── RingNoSpace       does not fit into what is free                        exit 3
│   └── RingMissing       is gone, or is not a ring of this version             exit 3
├── WireMalformed         a signalling message cannot be understood             exit 4
├── BackendUnknown        no diffusion backend of that name                     exit 2
├── BackendDied           the process that paints is gone, or hung              exit 3
├── PairsMissing          no training pairs where they are looked for           exit 3
├── TrainingClash         a checkpoint of another network or seed               exit 2
├── WeightsBad            the network's files are not the ones that were made   exit 3
├── ExtraMissing          libraries of an extra are not installed               exit 3
│   ├── DiffusionMissing  of the wan backend
│   └── LiveKitMissing    of the livekit transport
├── ModelUnknown          no remote model of that name, or no such size          exit 2
├── PortTaken             the server cannot listen at its address                 exit 4
├── ServerUnreachable     nobody answers at the address                         exit 4
├── ServerRefused         the server said no and will say it again              exit 4
├── TicketRefused         a run ticket is forged, expired or already in use     exit 4
└── JournalBroken         a journal is forged, cut or replayed                  exit 1
"""

import re
from pathlib import Path

_WHERE = re.compile(r"^diffusion server \S+?:? (refused: )?")
_NOBODY = re.compile(r"^(Cannot connect to host|Connect call failed|\[Errno 111\]).*")


def cause_of(message: str) -> str:
    """The cause alone out of a message of these errors: without address and advice, one line."""
    line = message.partition("; ")[0].strip().replace("\n", " ")
    return _NOBODY.sub("nobody answers there", _WHERE.sub("", line))


class StreamingError(Exception):
    """Root of everything that this package raises on purpose. Fields go up, text is built here."""

    exit_code = 1


class RingError(StreamingError):
    """Something is wrong with shared picture memory."""

    exit_code = 3


class RingNoSpace(RingError):
    """The memory file system cannot hold the ring; nothing was created."""

    def __init__(self, path: Path, needed: int, free: int) -> None:
        super().__init__(path, needed, free)
        self.path, self.needed, self.free = path, needed, free

    def __str__(self) -> str:
        return (
            f"{self.path.parent} has {self.free >> 20} MiB free, picture memory needs "
            f"{self.needed >> 20} MiB; close other programs or enlarge it "
            f"(in a container: --shm-size)"
        )


class RingMissing(RingError):
    """No ring of that name, or a file that this version did not make."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name, self.why = name, why

    def __str__(self) -> str:
        return f"shared picture memory {self.name}: {self.why}; start the game again"


class WireMalformed(StreamingError):
    """A message of the signalling protocol that breaks its schema; `kind` is its type if known."""

    exit_code = 4

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(kind, why)
        self.kind, self.why = kind, why

    def __str__(self) -> str:
        return (
            f"malformed '{self.kind}' message: {self.why}; both ends must speak the same protocol"
        )


class BackendUnknown(StreamingError):
    """The settings name a diffusion backend that does not exist."""

    exit_code = 2

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return f"no diffusion backend '{self.name}'; choose one of: {', '.join(self.known)}"


class BackendDied(StreamingError):
    """The process that paints has died, or gave no answer; it is started again by itself."""

    exit_code = 3

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name, self.why = name, why

    def __str__(self) -> str:
        return f"the backend '{self.name}' {self.why}"


class LabelsMissing(StreamingError):
    """Training pairs were made without the labels that a network is told."""

    exit_code = 3

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"{self.folder} holds pairs without labels; make some with: diffusion data --labels"


class PairsMissing(StreamingError):
    """A folder holds no training pairs of a split."""

    exit_code = 3

    def __init__(self, folder: Path, split: str) -> None:
        super().__init__(folder, split)
        self.folder, self.split = folder, split

    def __str__(self) -> str:
        return (
            f"{self.folder} holds no {self.split} pairs; make some (more): "
            f"scale-diffusion diffusion data --out {self.folder}"
        )


class TrainingClash(StreamingError):
    """A checkpoint that this run cannot go on from."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} is of another network or seed; train into a new folder with --out"


class WeightsBad(StreamingError):
    """The embedded network's files are missing, or are not the ones that its card names."""

    exit_code = 3

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}; install the program again, or use --backend filter"


class ExtraMissing(StreamingError):
    """What was chosen needs libraries of an extra that is not installed.

    Of a subclass: needed, what needs what; extra, its name; instead, what works without.
    """

    exit_code = 3
    needed = extra = instead = ""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"{self.needed} ({self.why}); pip install '.[{self.extra}]', or use {self.instead}"


class DiffusionMissing(ExtraMissing):
    """The `wan` backend was chosen and its libraries are not installed."""

    needed = "the wan backend needs torch and diffusers"
    extra, instead = "diffusion", "--backend tiny"


class ModelUnknown(StreamingError):
    """The settings name a remote model that is not in the table, or a size that cannot be."""

    exit_code = 2

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return (
            f"no remote model '{self.name}'; choose one of {', '.join(self.known)}, "
            f"or give its size: --set stream.size=1280x704@30"
        )


class LiveKitMissing(ExtraMissing):
    """The `livekit` transport was chosen and its client library is not installed."""

    needed = "the livekit transport needs the LiveKit client library"
    extra, instead = "livekit", "--set stream.transport=direct"


class PortTaken(StreamingError):
    """The server cannot listen at the address."""

    exit_code = 4

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(host, port, why)
        self.host, self.port, self.why = host, port, why

    def __str__(self) -> str:
        return f"cannot listen on {self.host}:{self.port}: {self.why}; choose another with --port"


class ServerUnreachable(StreamingError):
    """Nobody answers at the address within the time limit. The address carries no secrets."""

    exit_code = 4

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address, self.why = address, why

    def __str__(self) -> str:
        return (
            f"diffusion server {self.address}: {self.why}; "
            f"check the address, or start one: scale-diffusion stream serve"
        )


class ServerRefused(StreamingError):
    """The server refused for good: asking again the same way is of no use."""

    exit_code = 4

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address, self.why = address, why

    def __str__(self) -> str:
        return f"diffusion server {self.address} refused: {self.why}; check key and ticket"


class TicketRefused(StreamingError):
    """A run ticket that opens no seat. The reason goes to the client as it is."""

    exit_code = 4

    def __init__(self, session: str, why: str) -> None:
        super().__init__(session, why)
        self.session, self.why = session, why

    def __str__(self) -> str:
        return (
            f"not allowed: ticket of session {self.session or '?'}: {self.why}; ask for a new one"
        )


class JournalBroken(StreamingError):
    """A journal that cannot be believed from block `n` on; `reason` is machine-readable."""

    def __init__(self, n: int, reason: str, detail: str) -> None:
        super().__init__(n, reason, detail)
        self.n, self.reason, self.detail = n, reason, detail

    def __str__(self) -> str:
        return f"journal block {self.n}: {self.reason} ({self.detail}); the pairs are not attested"
