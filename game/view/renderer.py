"""Draws any channel of any tick without a window: the Renderer that checks and exports plug in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from game.session.format import CaptureProfile
from game.session.protocols import CHANNELS, Picture
from game.view.boxes import Box, apart, counts, in_view, measured
from game.view.camera import Eye, eye
from game.view.capture import Target
from game.view.device import open_hidden
from game.view.flow import Lens, flow, focal
from game.view.labels import entity_instance
from game.view.scene import Scene
from game.world.city import City
from game.world.state import WorldState

_KEPT = 4  # targets of different sizes that stay open


class SceneRenderer:
    """Implements `game.session.protocols.Renderer`. Raises MissingPart without OpenGL."""

    def __init__(self, city: City, profile: CaptureProfile) -> None:
        self._device = open_hidden()
        self._profile = profile
        self._scene = Scene(city, profile, self._device.number)
        self._targets: dict[tuple[int, int, bool], Target] = {}
        self.family = self._device.family
        self._closed = False

    def render(
        self,
        state: WorldState,
        channels: Sequence[str],
        width: int,
        height: int,
        previous: WorldState | None = None,
    ) -> Mapping[str, Picture]:
        """The channels of one state, as the protocol defines them."""
        before = None if previous is None else (eye(previous), previous)
        return self.render_from(eye(state), state, channels, width, height, before=before)

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
        before: tuple[Eye, WorldState] | None = None,
    ) -> Mapping[str, Picture]:
        """The same seen from an eye of one's own, with or without the ego's car.

        before: eye and state of the frame before, for the flow. Raises ValueError where the flow
        is asked for without them, or a channel that there is not.
        """
        for name in channels:
            if name not in CHANNELS:
                raise ValueError(f"no channel '{name}'; there are {', '.join(CHANNELS)}")
        if "flow" in channels and before is None:
            raise ValueError("flow needs the state of the frame before it (previous=)")
        self._scene.pose(state, view, ego, width / height)
        target = self._target(width, height, any(name != "colour" for name in channels))
        target.draw(view)
        basic = {name: target.channel(name) for name in channels if name != "flow"}
        if "flow" not in channels or before is None:
            return basic
        depth, instance, kinds = (
            basic[name] if name in basic else target.channel(name)
            for name in ("depth", "instance", "class")
        )
        made = flow(
            np.asarray(depth, np.float32),
            np.asarray(instance, np.uint32),
            np.asarray(kinds, np.uint8),
            self._lens(width, height),
            (view, state),
            before,
        )
        return {name: made if name == "flow" else basic[name] for name in channels}

    def boxes(
        self, state: WorldState, width: int | None = None, height: int | None = None
    ) -> tuple[Box, ...]:
        """Boxes of everyone in the picture that `render` draws, parked cars near by included.

        Size [px]: the profile's unless given. Sorted by entity; those of whom nothing at all
        would be seen even alone are left out.
        """
        return self.boxes_from(eye(state), state, width, height)

    def boxes_from(
        self,
        view: Eye,
        state: WorldState,
        width: int | None = None,
        height: int | None = None,
        ego: bool = True,
    ) -> tuple[Box, ...]:
        """The same for an eye of one's own, with or without the ego's car."""
        size = width or self._profile.width, height or self._profile.height
        lens, near = self._lens(*size), self._profile.near
        ids = self.render_from(view, state, ["instance"], *size, ego=ego)["instance"]
        plane = np.asarray(ids, np.uint32)
        everyone = [*((state.ego,) if ego else ()), *state.actors, *self._scene.parked(view)]
        found = in_view(everyone, view, lens, near, self._profile.far)
        alone: dict[int, int] = {}
        target = self._target(*size, True)
        for group in apart(found):
            with self._scene.only(replace(state, actors=tuple(group)), view):
                target.draw(view)
            seen = counts(np.asarray(target.channel("instance"), np.uint32))
            alone.update({e.id: seen.get(entity_instance(e.id), 0) for e in group})
        made = [measured(e, plane, alone[e.id], view, lens, near) for e, _ in found if alone[e.id]]
        return tuple(sorted((box for box in made if box), key=lambda box: box.entity))

    def _lens(self, width: int, height: int) -> Lens:
        return Lens(focal(width, height, self._profile.fov_degrees), width, height)

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
