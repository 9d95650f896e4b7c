"""Meshes of bodies and street furniture, made once and kept with the program.

Making one takes some 15 ms of processor time: too long for the frame that first shows a taxi. What
the file lacks, or a damaged file, is made when it is asked for. Owns no shape.
`python -m game.view.stock` makes the file again, after a change of what bodies or furniture look
like; a test compares it with what would be made.
"""

import io
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from game.session.append import write_whole
from game.view import npz
from game.view.mesh import VERTEX, Mesh

Maker = Callable[[], Mesh]
Entry = tuple[str, Maker]
"""The name that a mesh is kept under, and what makes it."""


def mesh(name: str, make: Maker) -> Mesh:
    """The mesh of this name: the one that is kept, else what `make` makes."""
    found = _kept().get(name)
    return make() if found is None else found


def path() -> Path:
    """The file that comes with the program."""
    return Path(str(resources.files("assets"))) / "meshes" / "street.npz"


@cache
def _kept() -> Mapping[str, Mesh]:
    return read(path())


def read(file: Path) -> dict[str, Mesh]:
    """All meshes of a file by name; none where it is missing or damaged."""
    data = npz.read(file)
    if data is None or data.keys() != {"names", "ends", "vertices", "indices"}:
        return {}
    names, ends, indices = data["names"].tolist(), data["ends"].tolist(), data["indices"]
    vertices = data["vertices"].reshape(-1).view(VERTEX)
    last = ends[-1] if ends else None
    if len(names) != len(ends) or last != [len(vertices), len(indices)]:
        return {}
    starts = [[0, 0], *ends[:-1]]
    return {
        name: (vertices[a:c], indices[b:d])
        for name, (a, b), (c, d) in zip(names, starts, ends, strict=True)
    }


def write(file: Path, meshes: Mapping[str, Mesh]) -> None:
    """Keep meshes in a file, whole or not at all."""
    ends = np.cumsum([(len(v), i.size) for v, i in meshes.values()], axis=0)
    made = io.BytesIO()
    np.savez_compressed(
        made, names=np.array(list(meshes)), ends=ends,
        vertices=np.concatenate([v.view(np.uint8) for v, _ in meshes.values()]),
        indices=np.concatenate([i.reshape(-1) for _, i in meshes.values()]).astype(np.uint32),
    )  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, made.getvalue())


def makers() -> dict[str, Maker]:
    """Of every mesh that is kept, by name."""
    from game.view import actors, fittings

    return dict([*actors.entries(), *fittings.entries()])


def _main() -> None:
    write(path(), {name: make() for name, make in makers().items()})
    sys.stdout.write(f"{path().name}  {path().stat().st_size:,} bytes\n")


if __name__ == "__main__":
    _main()
