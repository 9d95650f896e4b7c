"""What wet ground gives back of the street: its walls and signal lights, upside down beneath it.

Hangs the nodes that are there already a second time below the ground, under a coarse shader; the
ground is then blended over them. Only scenes in the rain have any of it.
"""

from typing import Any

from panda3d.core import ColorBlendAttrib, CullFaceAttrib, NodePath

from game.view.daylight import Look
from game.view.materials import dress

_OVER = 10  # above the priority of what the walls say themselves
BIN = "mirrored"


def mirrored(walls: list[Any], lights: list[Any], look: Look) -> Any:
    """A NodePath with the layers of `walls` and the `lights` standing on their heads."""
    path = NodePath("mirrored")
    path.setScale(1.0, 1.0, -1.0)
    path.setAttrib(CullFaceAttrib.make(CullFaceAttrib.MCullCounterClockwise), _OVER)
    path.setBin(BIN, 0, _OVER)
    below = path.attachNewNode("walls")
    dress(below, "drowned", look.features, _OVER)
    for layer in walls:
        layer.instanceTo(below)
    for light in lights:
        light.instanceTo(path)
    return path


def shine_through(ground: Any) -> None:
    """Let a ground layer cover only the share of what is beneath it that its alpha says."""
    ground.setAttrib(
        ColorBlendAttrib.make(
            ColorBlendAttrib.MAdd, ColorBlendAttrib.OOne, ColorBlendAttrib.OOneMinusIncomingAlpha
        )
    )
