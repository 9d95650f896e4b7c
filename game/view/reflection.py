"""What wet ground gives back of the street: its walls and signal lights, upside down beneath it.

Hangs the nodes that are there already a second time below the ground, under a coarse shader; the
ground is then blended over them. Only scenes in the rain have any of it.
"""

from collections.abc import Sequence
from typing import Any

from panda3d.core import ColorBlendAttrib, CullFaceAttrib, NodePath

from game.view.daylight import Look
from game.view.materials import blend, dress

_OVER = 10  # above the priority of what the walls say themselves


def mirrored(walls: Any, shops: Any, lights: Any, movers: Sequence[Any], look: Look) -> Any:
    """A NodePath with these layers standing on their heads.

    movers: what hangs nowhere else, with programs of its own.
    """
    path = NodePath("mirrored")
    path.setScale(1.0, 1.0, -1.0)
    path.setAttrib(CullFaceAttrib.make(CullFaceAttrib.MCullCounterClockwise), _OVER)
    path.setBin("mirrored", 0, _OVER)
    for layer, program, bin_name in (
        (walls, "drowned", "mirrored"),
        (shops, "drowned_shop", "mirrored_shops"),
    ):
        below = path.attachNewNode(program)
        below.setBin(bin_name, 0, _OVER)
        dress(below, program, look.features, _OVER)
        layer.instanceTo(below)
    lights.instanceTo(path)
    for each in movers:
        each.reparentTo(path)
        each.setBin("beneath", 0, _OVER + 1)
    return path


def shine_through(ground: Any) -> None:
    """Let a ground layer cover only the share of what is beneath it that its alpha says.

    In the alpha of the picture stays the face that is seen in it.
    """
    blend(ground, ColorBlendAttrib.OOne, ColorBlendAttrib.OOneMinusIncomingAlpha)
