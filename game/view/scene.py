"""The whole scene of one city as a tree of nodes, and its pose in one tick. Draws nothing itself.

All static tiles are there before anything is drawn; nothing depends on time or on what was drawn.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from panda3d.core import CullFaceAttrib, NodePath

from game.session.format import CaptureProfile
from game.view import buildings, kerbs, mouths, streets
from game.view.actors import Actors
from game.view.camera import Eye
from game.view.materials import program
from game.view.mesh import Mesh, geom_node, join
from game.view.room import Room
from game.view.scenery import Scenery
from game.view.signals import Signals
from game.view.sky import sky
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState


class Scene:
    """Owns `root`, under which everything of one city hangs; `pose` puts it into a state."""

    def __init__(self, city: City, profile: CaptureProfile) -> None:
        self.root = NodePath("scene")
        self.root.setShaderInput("far_m", profile.far)
        self.root.setShaderInput("layered", 0.0)
        self.root.setAttrib(CullFaceAttrib.make(CullFaceAttrib.MCullClockwise))
        self._walls = self._layer("facade", "walls", 0)
        self._roofs = self._layer("roof", "walls", 0)
        self._roads = self._layer("road", "ground", 0)
        self._ground = self._layer("ground", "ground", 1)
        for layer in (self._roads, self._ground):
            layer.setShaderInput("layered", 1.0)
        self._fill(city)
        self.actors = Actors()
        self.actors.root.reparentTo(self.root)
        self.actors.shadows.reparentTo(self.root)
        sky().reparentTo(self.root)

    def _layer(self, shader: str, bin_name: str, order: int) -> Any:
        layer = self.root.attachNewNode(shader)
        layer.setShader(program(shader))
        layer.setBin(bin_name, order)
        return layer

    def _fill(self, city: City) -> None:
        tops: dict[int, list[Mesh]] = defaultdict(list)
        for key, wall, roof in buildings.tiles(city.footprints):
            self._walls.attachNewNode(geom_node("walls", wall))
            tops[key].append(roof)
        parts = mouths.halves(city)
        for _, on, off in streets.tiles(city, parts):
            if on is not None:
                self._roads.attachNewNode(geom_node("roads", on))
            self._ground.attachNewNode(geom_node("ground", off))
        room = Room(city)
        for key, kerb in kerbs.tiles(parts, room):
            tops[key].append(kerb)
        self.scenery = Scenery(city, parts, room)
        self.scenery.root.reparentTo(self.root)
        self.signals = Signals(city, parts)
        self.signals.root.reparentTo(self.root)
        for mesh in self.signals.poles:
            at = mesh[0]["place"][:1, :2].astype(np.float64)
            tops[int(buildings.tile_keys(at)[0])].append(mesh)
        for meshes in tops.values():
            self._roofs.attachNewNode(geom_node("roofs", join(meshes)))

    def pose(self, state: WorldState, eye: Eye, ego: bool = True) -> None:
        """Everyone and every light as in `state`, for an eye there; with or without the ego."""
        self.actors.update(state, eye, ego)
        self.scenery.update(state, eye)
        self.signals.update(state, eye.x, eye.y)

    @contextmanager
    def only(self, state: WorldState, eye: Eye) -> Iterator[None]:
        """While it lasts, the actors of `state` and nothing else; pose again afterwards."""
        hidden = [
            child
            for child in self.root.getChildren()
            if child != self.actors.root and not child.isHidden()
        ]
        for child in hidden:
            child.hide()
        self.actors.update(state, eye, ego=False)
        try:
            yield
        finally:
            for child in hidden:
                child.show()

    def parked(self, eye: Eye) -> list[EntityState]:
        """The parked cars near the eye, as entities."""
        return self.scenery.parked(eye)

    def close(self) -> None:
        """Let go of all geometry."""
        self.root.removeNode()
