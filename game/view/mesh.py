"""Triangles in bulk: the one vertex layout, numpy arrays into geometry, a few solid shapes.

Owns the 32-byte vertex. Every solid is flat-shaded and faces outwards; units are metres.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexArrayFormat,
    GeomVertexData,
    GeomVertexFormat,
    InternalName,
)

# place [m], span (two numbers that the shader of the node reads), facing: 127 n + 128 and a
# material, paint: R, G, B and a parameter, label: 24-bit instance (low byte first) and class
VERTEX = np.dtype(
    [
        ("place", "<f4", 3),
        ("span", "<f4", 2),
        ("facing", "u1", 4),
        ("paint", "u1", 4),
        ("label", "u1", 4),
    ]
)
Vertices = NDArray[np.void]
Indices = NDArray[np.uint32]
Mesh = tuple[Vertices, Indices]
Colour = tuple[int, int, int]


@cache
def vertex_format() -> Any:
    """The registered Panda form of VERTEX."""
    columns = GeomVertexArrayFormat()
    columns.addColumn(InternalName.getVertex(), 3, Geom.NTFloat32, Geom.CPoint)
    columns.addColumn(InternalName.make("span"), 2, Geom.NTFloat32, Geom.COther)
    for name in ("facing", "paint", "label"):
        columns.addColumn(InternalName.make(name), 4, Geom.NTUint8, Geom.COther)
    layout = GeomVertexFormat()
    layout.addArray(columns)
    layout = GeomVertexFormat.registerFormat(layout)
    assert layout.getArray(0).getStride() == VERTEX.itemsize
    return layout


def geometry(vertices: Vertices, indices: Indices, usage: int | None = None) -> Any:
    """A Panda Geom holding a copy of both arrays."""
    how = Geom.UHStatic if usage is None else usage
    vertices = np.ascontiguousarray(vertices.reshape(-1))
    data = GeomVertexData("mesh", vertex_format(), how)
    data.uncleanSetNumRows(len(vertices))
    rows = memoryview(data.modifyArray(0)).cast("B")
    np.frombuffer(rows, np.uint8)[:] = vertices.view(np.uint8)
    wide = len(vertices) > 65535
    flat = np.ascontiguousarray(indices.reshape(-1), np.uint32 if wide else np.uint16)
    triangles = GeomTriangles(how)
    triangles.setIndexType(Geom.NTUint32 if wide else Geom.NTUint16)
    target = triangles.modifyVertices()
    target.uncleanSetNumRows(len(flat))
    np.frombuffer(memoryview(target).cast("B"), np.uint8)[:] = flat.view(np.uint8)
    geom = Geom(data)
    geom.addPrimitive(triangles)
    return geom


def geom_node(name: str, mesh: Mesh) -> Any:
    """A GeomNode with one Geom."""
    node = GeomNode(name)
    node.addGeom(geometry(*mesh))
    return node


def join(meshes: Sequence[Mesh]) -> Mesh:
    """All meshes as one, in their order."""
    if not meshes:
        return np.zeros(0, VERTEX), np.zeros(0, np.uint32)
    sizes = [len(v) for v, _ in meshes]
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.uint32)
    lengths = [i.size for _, i in meshes]
    indices = np.concatenate([i.reshape(-1) for _, i in meshes]).astype(np.uint32)
    rows = np.concatenate([v.view(np.uint8) for v, _ in meshes])  # plain bytes: ten times as fast
    return rows.view(VERTEX), indices + np.repeat(starts, lengths)


def parted(mesh: Mesh, chosen: NDArray[np.bool_]) -> tuple[Mesh, Mesh]:
    """The triangles that are `chosen`, one flag each, and the others, both in their order."""
    vertices, indices = mesh
    triangles = indices.reshape(-1, 3)
    found = []
    for keep in (chosen, ~chosen):
        used, index = np.unique(triangles[keep], return_inverse=True)
        found.append((vertices[used], index.reshape(-1).astype(np.uint32)))
    return found[0], found[1]


def faces_to_bytes(normals: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Unit normals (..., 3) as 127 n + 128."""
    return np.asarray(np.rint(normals * 127.0 + 128.0), np.uint8)


def quads(
    corners: NDArray[np.floating[Any]], paint: Sequence[int], kind: int = 0, joint: int = 0
) -> Mesh:
    """Flat quads, corners (n, 4, 3) anticlockwise from outside; paint (r, g, b, parameter)."""
    n = len(corners)
    vertices = np.zeros((n, 4), VERTEX)
    vertices["place"] = corners
    cross = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    size = np.linalg.norm(cross, axis=1, keepdims=True)
    vertices["facing"][..., :3] = faces_to_bytes(cross / np.where(size < 1e-9, 1.0, size))[:, None]
    vertices["facing"][..., 3] = joint
    vertices["paint"] = np.asarray(paint, np.uint8)
    vertices["label"][..., 3] = kind
    return vertices.reshape(-1), quad_indices(n)


def quad_indices(count: int) -> Indices:
    """Two triangles for each of `count` runs of four vertices."""
    first = np.arange(count, dtype=np.uint32)[:, None] * np.uint32(4)
    return (first + np.array([0, 1, 2, 0, 2, 3], np.uint32)).reshape(-1)


def loft(
    rings: NDArray[np.floating[Any]],
    paint: Sequence[int],
    kind: int = 0,
    joint: int = 0,
    caps: bool = True,
) -> Mesh:
    """Skin over cross-sections (m, k, 3), each anticlockwise seen from beyond the last."""
    turned = np.roll(rings, -1, axis=1)
    sides = np.stack([rings[:-1], turned[:-1], turned[1:], rings[1:]], 2).reshape(-1, 4, 3)
    parts = [quads(sides, paint, kind, joint)]
    if caps:
        parts.append(_fan(rings[0][::-1], paint, kind, joint))
        parts.append(_fan(rings[-1], paint, kind, joint))
    return join(parts)


def _fan(ring: NDArray[np.floating[Any]], paint: Sequence[int], kind: int, joint: int) -> Mesh:
    last = len(ring) - 1  # two triangles of the fan at a time; an odd one repeats its last corner
    corners = [[ring[0], ring[i], ring[i + 1], ring[min(i + 2, last)]] for i in range(1, last, 2)]
    return quads(np.array(corners), paint, kind, joint)


def box(
    low: Sequence[float],
    high: Sequence[float],
    paint: Sequence[int],
    kind: int = 0,
    joint: int = 0,
    taper: float = 1.0,
) -> Mesh:
    """A box between two corners; its top is `taper` as large as its foot."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    foot = np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]], float)
    top = foot.copy()
    top[:, 0] = cx + (foot[:, 0] - cx) * taper
    top[:, 1] = cy + (foot[:, 1] - cy) * taper
    top[:, 2] = z1
    return loft(np.stack([foot, top]), paint, kind, joint)


def turned(mesh: Mesh, x: float, y: float, ux: float, uy: float, z: float = 0.0) -> Mesh:
    """A mesh made along +x, stood at (x, y) so that its +x lies along (ux, uy)."""
    vertices, indices = mesh
    vertices = vertices.copy()
    a, b = vertices["place"][:, 0].copy(), vertices["place"][:, 1].copy()
    vertices["place"][:, 0] = x + a * ux - b * uy
    vertices["place"][:, 1] = y + a * uy + b * ux
    vertices["place"][:, 2] += z
    n = vertices["facing"][:, :2].astype(float) - 128.0
    vertices["facing"][:, 0] = np.rint(n[:, 0] * ux - n[:, 1] * uy + 128.0).astype(np.uint8)
    vertices["facing"][:, 1] = np.rint(n[:, 0] * uy + n[:, 1] * ux + 128.0).astype(np.uint8)
    return vertices, indices


def thrifty(mesh: Mesh) -> Mesh:
    """The same triangles with far fewer vertices.

    Facing, paint and label of a triangle are those of its last vertex (the provoking one of every
    flat shader input), so corners that agree in place, span and joint are shared, and each
    triangle is turned until a vertex of its own look comes last.
    """
    vertices, indices = mesh
    place = [(p.tobytes(), s.tobytes(), int(f[3])) for p, s, f in
             zip(vertices["place"], vertices["span"], vertices["facing"], strict=True)]  # fmt: skip
    look = [v[20:].tobytes() for v in vertices.view(np.uint8).reshape(-1, VERTEX.itemsize)]
    rows: list[int] = []  # of `vertices`: where each kept one comes from
    claims: list[bytes | None] = []
    at: dict[tuple[bytes, bytes, int], list[int]] = {}
    claimed: dict[tuple[tuple[bytes, bytes, int], bytes], int] = {}
    found: list[int] = []

    def some(corner: int) -> int:
        if place[corner] not in at:
            at[place[corner]] = [len(rows)]
            rows.append(corner)
            claims.append(None)
        return at[place[corner]][0]

    def own(corner: int) -> int:
        free = [k for k in at.get(place[corner], ()) if claims[k] is None]
        if not free:
            free = [len(rows)]
            at.setdefault(place[corner], []).append(len(rows))
            rows.append(corner)
            claims.append(None)
        rows[free[0]], claims[free[0]] = corner, look[corner]
        claimed[place[corner], look[corner]] = free[0]
        return free[0]

    for a, b, c in indices.reshape(-1, 3).tolist():
        turns = ((b, c, a), (a, b, c), (c, a, b))
        ready = [t for t in turns if (place[t[2]], look[t[2]]) in claimed]
        open_ = [t for t in turns if any(claims[k] is None for k in at.get(place[t[2]], ()))]
        first, second, last = (ready or open_ or turns)[0]
        if ready:
            end = claimed[place[last], look[last]]
        else:
            end = own(last)
        found += [some(first), some(second), end]
    return vertices[rows], np.array(found, np.uint32)


def disc_ring(radius: float, sides: int = 10) -> NDArray[np.float64]:
    """(sides, 2) points of a circle, anticlockwise."""
    turn = np.arange(sides) * (2 * np.pi / sides)
    return np.stack([np.cos(turn), np.sin(turn)], 1) * radius


def post(
    at: Sequence[float],
    height: float,
    radius: float,
    paint: Sequence[int],
    kind: int = 0,
    sides: int = 6,
    taper: float = 1.0,
    caps: bool = True,
) -> Mesh:
    """An upright prism on `at`."""
    ring = disc_ring(radius, sides)
    foot = np.column_stack([ring, np.zeros(sides)]) + np.asarray(at, float)
    top = np.column_stack([ring * taper, np.full(sides, height)]) + np.asarray(at, float)
    return loft(np.stack([foot, top]), paint, kind, caps=caps)


def with_span(mesh: Mesh, x: float, y: float) -> Mesh:
    """The same mesh with one span on all of its vertices."""
    vertices, indices = mesh
    vertices["span"] = (x, y)
    return vertices, indices


def mirrored(mesh: Mesh) -> Mesh:
    """The same solid on the other side of the x-z plane, still facing outwards."""
    vertices, indices = mesh
    vertices = vertices.copy()
    vertices["place"][:, 1] *= -1
    vertices["span"][:, 1] *= 1
    side = vertices["facing"][:, 1].astype(np.int16)
    vertices["facing"][:, 1] = np.clip(256 - side, 0, 255).astype(np.uint8)
    return vertices, indices.reshape(-1, 3)[:, ::-1].reshape(-1)
