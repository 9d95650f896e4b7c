"""Renderers as a judge uses them: opened once, since opening one takes seconds."""

from game.session.format import CaptureProfile
from game.session.protocols import Renderer, RendererFactory
from game.world.city import City


class KeptRenderer:
    """A renderer factory that keeps its last renderer, since opening one takes seconds."""

    def __init__(self, factory: RendererFactory) -> None:
        self._factory = factory
        self._kept: tuple[str, CaptureProfile, Renderer] | None = None

    def __call__(self, city: City, profile: CaptureProfile) -> Renderer:
        if self._kept is None or self._kept[:2] != (city.digest, profile):
            self.close()
            self._kept = (city.digest, profile, self._factory(city, profile))
        return _Borrowed(self._kept[2])

    def close(self) -> None:
        """Give the renderer back."""
        if self._kept is not None:
            self._kept[2].close()
            self._kept = None


class _Borrowed:
    """The kept renderer, whose close does nothing."""

    def __init__(self, renderer: Renderer) -> None:
        self.family, self.render, self.eye = renderer.family, renderer.render, renderer.eye

    def close(self) -> None:
        """Stays open for the next session."""
