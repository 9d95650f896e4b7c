"""What others plug into a recording: a renderer of its states, and checks of its claims.

Owns the two protocols and the value that a check returns. Knows no renderer and no check.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from game.session.format import CaptureProfile
from game.world.city import City
from game.world.state import WorldState

if TYPE_CHECKING:
    from game.session.reader import Session

Picture = NDArray[np.generic]

CHANNELS = ("colour", "class", "instance", "depth", "normal", "flow")


class Viewpoint(Protocol):
    """Where a picture is taken from: position [m], yaw from east, pitch upwards [rad]; no roll."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def z(self) -> float: ...
    @property
    def yaw(self) -> float: ...
    @property
    def pitch(self) -> float: ...


class Renderer(Protocol):
    """Draws any channel of any tick, as a function of the state alone.

    family: the renderer as named in manifests and tolerances, 'llvmpipe (LLVM 15.0.6, 256 bits)'.
    render returns one array per channel, top row first: colour uint8 (h, w, 3) RGB,
    class uint8 (h, w) Cityscapes train ids, instance uint32 (h, w), depth float32 (h, w) [m],
    normal float32 (h, w, 3), flow float32 (h, w, 2): how far each pixel's point has moved since the
    frame before [px], right and up positive, NaN where it was not to be seen then. Flow needs
    `previous`, the state of that frame. An unknown channel raises ValueError.
    Depth is along the viewing axis; the profile's fov spans the shorter side of the picture.
    """

    family: str

    def render(
        self,
        state: WorldState,
        channels: Sequence[str],
        width: int,
        height: int,
        previous: WorldState | None = None,
    ) -> Mapping[str, Picture]: ...

    def eye(self, state: WorldState) -> Viewpoint: ...

    def close(self) -> None: ...


RendererFactory = Callable[[City, CaptureProfile], Renderer]


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check. passed: score against threshold in the check's own sense.

    reason: machine-readable code of a failure ('replay.state'), '' when it passed.
    tick: the worst frame, -1 where none applies. detail: one line for people.
    """

    check: str
    passed: bool
    score: float
    threshold: float
    reason: str = ""
    tick: int = -1
    detail: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check may use besides the session: tools handed in by composition.

    city: loaded from the pack that the manifest names. sample_ticks: the frames this judge chose.
    keys: enrolled Ed25519 public keys (hex) by role: 'ticket', 'journal'. scratch: writable folder.
    session: id under which the recording was handed in. files: name -> SHA-256 (hex) as announced.
    memo: what one check worked out and others use; a cache, never a result.
    """

    city: City
    renderer: RendererFactory | None
    sample_ticks: tuple[int, ...]
    keys: Mapping[str, tuple[str, ...]]
    scratch: Path
    policy: str = "default"
    session: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


class Check(Protocol):
    """A pure function of a recording. Raises only when it could not judge."""

    name: str

    def __call__(self, session: "Session", evidence: Evidence) -> Finding: ...
