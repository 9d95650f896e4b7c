"""Every program of a scene drawn once, unseen, so that no later picture waits for a compiler.

A driver compiles a program when it is first drawn: 100 ms and more, in the midst of a drive, when
the first street sign comes into sight. What is drawn here has no area, so no picture shows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from panda3d.core import GeomNode, OmniBoundingVolume, PTA_LVecBase4f

from game.view.materials import TAG
from game.view.mesh import VERTEX, geometry, quad_indices

_ARRAYS = {"crew": 160, "stand": 150, "patches_": 160}
"""Rows of what programs read beside vertices, as the shaders declare them; zeros do."""


class Rehearsal:
    """A quad without area under each node of a scene that names a program."""

    def __init__(self, root: Any) -> None:
        """root: of the whole scene, with all of its layers."""
        node = GeomNode("rehearsal")
        node.addGeom(geometry(np.zeros(4, VERTEX), quad_indices(1)))
        node.setBounds(OmniBoundingVolume())
        node.setFinal(True)
        named = {path.node(): path for path in root.findAllMatches(f"**/={TAG}")}
        self._paths = [path.attachNewNode(node) for path in named.values()]  # instances once
        for path in self._paths:
            path.stash()
        for name, rows in _ARRAYS.items():
            self._paths[0].setShaderInput(name, PTA_LVecBase4f.emptyArray(rows))

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """While it lasts, a picture draws them too."""
        for path in self._paths:
            path.unstash()
        try:
            yield
        finally:
            for path in self._paths:
                path.stash()
