"""The sky: one triangle over the whole picture, drawn last, behind everything."""

from typing import Any

import numpy as np
from panda3d.core import NodePath, OmniBoundingVolume

from game.view.daylight import Look
from game.view.materials import dress
from game.view.mesh import VERTEX, geom_node


def sky(look: Look) -> Any:
    """A NodePath to hang anywhere; it follows the camera by itself."""
    vertices = np.zeros(3, VERTEX)
    vertices["place"] = [(-1, -1, 0), (3, -1, 0), (-1, 3, 0)]
    node = geom_node("sky", (vertices, np.arange(3, dtype=np.uint32)))
    node.setBounds(OmniBoundingVolume())
    node.setFinal(True)
    path = NodePath(node)
    dress(path, "sky", look.features)
    path.setBin("sky", 0)
    path.setDepthWrite(False)
    return path
