"""The whole scene of one city as a tree of nodes, and its pose in one tick. Draws nothing itself.

All static tiles are there before anything is drawn; nothing depends on time or on what was drawn.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import cos, radians, sin, sqrt, tan
from typing import Any

from panda3d.core import CullFaceAttrib, NodePath

from game.session.format import CaptureProfile
from game.view import mouths, reflection
from game.view.actors import Actors
from game.view.camera import Eye
from game.view.daylight import look
from game.view.horizon import Sight
from game.view.houses import Houses
from game.view.land import Land
from game.view.materials import dress
from game.view.rehearsal import Rehearsal
from game.view.resident import Turn
from game.view.room import Room
from game.view.scenery import Scenery
from game.view.signals import Signals
from game.view.sky import sky
from game.world.city import City
from game.world.entity import EntityState
from game.world.state import WorldState


class Scene:
    """Owns `root`, under which everything of one city hangs; `pose` puts it into a state."""

    def __init__(self, city: City, profile: CaptureProfile, context: int = 0) -> None:
        """context: number of the graphics context that draws it."""
        self.root = NodePath("scene")
        self._look = look(profile, context)
        self.features = self._look.features
        """What the programs of this scene are built with."""
        self._fov, self._far = profile.fov_degrees, profile.far
        self.root.setShaderInput("layered", 0.0)
        self.root.setAttrib(CullFaceAttrib.make(CullFaceAttrib.MCullClockwise))
        self._walls = self._layer("facade", "walls", 0)
        self._shops = self._layer("shop", "shops", 0)
        self._roofs = self._layer("roof", "roofs", 0)
        self._roads = self._layer("road", "ground", 0)
        self._bikes = self._roads.attachNewNode("bikes")
        dress(self._bikes, "road_bikes", self._look.features)
        self._ground = self._layer("ground", "ground", 1)
        for layer in (self._roads, self._ground):
            layer.setShaderInput("layered", 1.0)
        self._degrees = profile.fov_degrees
        self._fill(city)
        self.actors = Actors(self._look, profile.fov_degrees)
        self.actors.root.reparentTo(self.root)
        self.actors.shadows.reparentTo(self.root)
        sky(self._look).reparentTo(self.root)
        if self._look.wet > 0.5:
            layers = self._walls, self._shops, self.signals.root
            movers = self.actors.beneath, self.scenery.cars.beneath
            reflection.mirrored(*layers, movers, self._look).reparentTo(self.root)
            for layer in (self._roads, self._ground):
                reflection.shine_through(layer)
        self.rehearsal = Rehearsal(self.root)

    def _layer(self, shader: str, bin_name: str, order: int) -> Any:
        layer = self.root.attachNewNode(shader)
        dress(layer, shader, self._look.features)
        layer.setBin(bin_name, order)
        return layer

    def _fill(self, city: City) -> None:
        self.houses = Houses(city, (self._walls, self._shops, self._roofs))
        parts = mouths.halves(city)
        room = Room(city)
        self.scenery = Scenery(city, parts, room, self.houses, self._look, self._degrees)
        self.scenery.root.reparentTo(self.root)
        self.signals = Signals(city, parts, self._look)
        self.signals.root.reparentTo(self.root)
        layers = self._roads, self._bikes, self._ground, self._roofs
        self.land = Land(city, parts, room, self.signals, layers)
        self._turn = Turn()
        for resident in (self.houses.resident, self.land.resident, *self.scenery.tiles):
            resident.turn = self._turn

    def pose(self, state: WorldState, eye: Eye, ego: bool = True, aspect: float = 1.0) -> None:
        """Everyone and every light as in `state`, for an eye there; with or without the ego.

        aspect: width over height of the picture that it is for.
        """
        self._turn.taken = False
        self.actors.update(state, eye, ego, aspect)
        self.scenery.update(state, self._uncover(eye, aspect))
        self.signals.update(state, eye.x, eye.y)

    def _uncover(self, eye: Eye, aspect: float) -> Sight:
        """Show the buildings and the ground in the picture, but for what stands hidden."""
        half = tan(radians(self._fov) / 2)
        up = half if aspect >= 1.0 else half / aspect
        tilt = abs(sin(eye.pitch))  # along the ground a tilted picture shows more, and farther
        spread = half * max(aspect, 1.0) / max(cos(eye.pitch) - up * tilt, 0.1)
        far = self._far * (cos(eye.pitch) + up * tilt)
        corner = self._far * sqrt(1.0 + (half * max(aspect, 1.0)) ** 2 + up * up)
        reach = min(corner, far * sqrt(1.0 + spread * spread))  # nothing farther is in the picture
        sight = self.houses.show(eye, spread, far, reach)
        self.land.show(sight, reach)
        return sight

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
