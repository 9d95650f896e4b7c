"""Draws any channel of any tick without a window: the Renderer that checks and exports plug in."""

from collections.abc import Mapping, Sequence

from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS, Picture
from game.view.camera import Eye, eye
from game.view.capture import Target
from game.view.device import open_hidden
from game.view.scene import Scene
from game.world.city import City
from game.world.state import WorldState

_KEPT = 4  # targets of different sizes that stay open


class SceneRenderer:
    """Implements `game.session.protocols.Renderer`. Raises MissingPart without OpenGL."""

    def __init__(self, city: City, profile: CaptureProfile) -> None:
        self._device = open_hidden()
        self._profile = profile
        self._scene = Scene(city, profile)
        self._targets: dict[tuple[int, int, bool], Target] = {}
        self.family = self._device.family
        self._closed = False

    def render(
        self, state: WorldState, channels: Sequence[str], width: int, height: int
    ) -> Mapping[str, Picture]:
        """The channels of one state, as the protocol defines them."""
        return self.render_from(eye(state), state, channels, width, height)

    def eye(self, state: WorldState) -> Eye:
        """Where `render` looks from; the protocol asks for it, checks of motion need it."""
        return eye(state)

    def render_from(
        self,
        view: Eye,
        state: WorldState,
        channels: Sequence[str],
        width: int,
        height: int,
        ego: bool = True,
    ) -> Mapping[str, Picture]:
        """The same seen from an eye of one's own, with or without the ego's car."""
        for name in channels:
            if name not in CHANNELS:
                raise ValueError(f"no channel '{name}'; there are {', '.join(CHANNELS)}")
        self._scene.pose(state, view, ego, width / height)
        target = self._target(width, height, any(name != "colour" for name in channels))
        target.draw(view)
        return {name: target.channel(name) for name in channels}

    def _target(self, width: int, height: int, labels: bool) -> Target:
        key = (width, height, labels)
        if key not in self._targets:
            if len(self._targets) >= _KEPT:
                self._targets.pop(next(iter(self._targets))).close()
            self._targets[key] = Target(
                self._device, self._scene, self._profile, width, height, labels
            )
        return self._targets[key]

    def close(self) -> None:
        """Give everything back; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for target in self._targets.values():
            target.close()
        self._targets.clear()
        self._scene.close()
        self._device.close()


def make_renderer(city: City, profile: CaptureProfile) -> SceneRenderer:
    """A `RendererFactory`."""
    return SceneRenderer(city, profile)
