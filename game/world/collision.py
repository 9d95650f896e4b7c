"""Rows of discs against footprints and against each other, exactly, over a uniform grid.

Owns the grid (cells are cut when first visited) and the clearances it remembers. What it
remembers only saves time: every answer is the same without it, and none of it enters a state.
"""

from collections.abc import Iterator
from math import sqrt

from game.world.city import City
from game.world.entity import Body
from game.world.geometry import Edge, edges_of, inside, segment_distance2
from game.world.trig import sincos

CELL = 16.0
CELLS = 8
BLOCK = CELLS * CELL
"""Cells are cut out of blocks of 8 x 8 of them when somebody first comes there [m]."""
PAD = 12.0
"""Edges up to this far outside a cell are listed in it: clearances are known up to here [m]."""
SLACK = 1.0e-6
"""Far above any rounding in a city's coordinates: a remembered clearance never decides closer."""

_DIAGONAL = 0.7071067811865476
SAMPLES = (
    (1.0, 0.0),
    (_DIAGONAL, _DIAGONAL),
    (0.0, 1.0),
    (-_DIAGONAL, _DIAGONAL),
    (-1.0, 0.0),
    (-_DIAGONAL, -_DIAGONAL),
    (0.0, -1.0),
    (_DIAGONAL, -_DIAGONAL),
)
"""Directions of the eight perimeter samples."""

Box = tuple[float, float, float, float]
Near = tuple[int, float, float, float, float, tuple[Edge, ...], tuple[Edge, ...]]
"""Footprint id, its box, its edges near a cell, and all its edges."""


def _meets(edge: Edge, left: float, bottom: float, right: float, top: float) -> bool:
    """True where the edge's own box meets this one."""
    ax, ay, ex, _, _, by = edge
    bx = ax + ex
    return (
        (ax >= left or bx >= left)
        and (ax <= right or bx <= right)
        and (ay >= bottom or by >= bottom)
        and (ay <= top or by <= top)
    )


class Obstacles:
    """All footprints of a city, ready for questions. Footprints with no edge are left out.

    Where a disc touches several footprints, the first in the city's order is the answer.
    """

    def __init__(self, city: City, *, remember: bool = True) -> None:
        self._footprints = city.footprints
        self._remember = remember
        self._boxes: list[Box] = []
        self._edges: dict[int, tuple[Edge, ...]] = {}
        self._cells: dict[int, tuple[Near, ...]] = {}
        self._rough: dict[tuple[int, int], list[int]] = {}
        self._memory: dict[int, tuple[float, float, float]] = {}
        self._x0 = self._y0 = 0.0
        self._columns = self._rows = 0
        self._lay_grid()

    def _lay_grid(self) -> None:
        """List in each block of cells the footprints whose box comes within PAD of it."""
        boxes = self._boxes
        for footprint in self._footprints:
            xs = [p[0] for p in footprint.rings[0]]
            ys = [p[1] for p in footprint.rings[0]]
            boxes.append((min(xs), min(ys), max(xs), max(ys)))
        if not boxes:
            return
        x0 = min([b[0] for b in boxes]) - PAD
        y0 = min([b[1] for b in boxes]) - PAD
        self._x0, self._y0 = x0, y0
        self._columns = int((max([b[2] for b in boxes]) + PAD - x0) / CELL) + 1
        self._rows = int((max([b[3] for b in boxes]) + PAD - y0) / CELL) + 1
        rough = self._rough
        reach = PAD + 2.0 * SLACK
        for index, (left, bottom, right, top) in enumerate(boxes):
            first, last = int((left - reach - x0) / BLOCK), int((right + reach - x0) / BLOCK)
            low, high = int((bottom - reach - y0) / BLOCK), int((top + reach - y0) / BLOCK)
            for row in range(low, high + 1):
                for column in range(first, last + 1):
                    rough.setdefault((column, row), []).append(index)

    def _all_edges(self, index: int) -> tuple[Edge, ...]:
        edges = self._edges.get(index)
        if edges is None:
            edges = self._edges[index] = edges_of(self._footprints[index].rings)
        return edges

    def _cut(self, key: int) -> tuple[Near, ...]:
        """Make the list of one cell: what comes within PAD of any point in it."""
        row, column = divmod(key, self._columns)
        left = self._x0 + column * CELL - PAD - SLACK
        bottom = self._y0 + row * CELL - PAD - SLACK
        right, top = left + CELL + 2.0 * (PAD + SLACK), bottom + CELL + 2.0 * (PAD + SLACK)
        near: list[Near] = []
        for index in self._rough.get((column // CELLS, row // CELLS), ()):
            x0, y0, x1, y1 = self._boxes[index]
            if x1 < left or x0 > right or y1 < bottom or y0 > top:
                continue
            every = self._all_edges(index)
            close = every
            if x0 < left or y0 < bottom or x1 > right or y1 > top:
                close = tuple([edge for edge in every if _meets(edge, left, bottom, right, top)])
            if every:
                near.append((self._footprints[index].id, x0, y0, x1, y1, close, every))
        cell = self._cells[key] = tuple(near)
        return cell

    def _near(self, x: float, y: float) -> tuple[Near, ...]:
        u, v = (x - self._x0) / CELL, (y - self._y0) / CELL
        if not (0.0 <= u < self._columns and 0.0 <= v < self._rows):
            return ()
        key = int(v) * self._columns + int(u)
        cell = self._cells.get(key)
        return self._cut(key) if cell is None else cell

    def _within(self, x: float, y: float, r: float) -> Iterator[Near]:
        """Candidates for a disc wider than PAD, in the city's order."""
        for index, (left, bottom, right, top) in enumerate(self._boxes):
            if left - r <= x <= right + r and bottom - r <= y <= top + r:
                every = self._all_edges(index)
                yield self._footprints[index].id, left, bottom, right, top, every, every

    def hit(self, x: float, y: float, r: float) -> int:
        """Id of the first footprint that the disc touches (centre inside, or edge within r), or -1.

        This is the union rule of `hit_union` in its shortest form: a sample that lies inside
        while the centre lies outside implies an edge between them, nearer than r.
        """
        r2 = r * r
        for fid, left, bottom, right, top, close, every in (
            self._near(x, y) if r <= PAD else self._within(x, y, r)
        ):
            if x < left - r or x > right + r or y < bottom - r or y > top + r:
                continue
            for ax, ay, ex, ey, ll, _ in close:
                px, py = x - ax, y - ay
                along = px * ex + py * ey
                if along <= 0.0:
                    if px * px + py * py <= r2:
                        return fid
                elif along >= ll:
                    qx, qy = px - ex, py - ey
                    if qx * qx + qy * qy <= r2:
                        return fid
                else:
                    across = px * ey - py * ex
                    if across * across <= r2 * ll:
                        return fid
            if left <= x <= right and bottom <= y <= top and inside(x, y, every):
                return fid
        return -1

    def hit_union(self, x: float, y: float, r: float) -> tuple[int, int]:
        """The rule spelt out: (footprint id or -1, side).

        side: 0 the centre is inside, 1..8 that perimeter sample is (counter-clockwise from
        east: where the contact is), -1 only an edge comes within r, or nothing does.
        """
        points = [(x, y)] + [(x + r * c, y + r * s) for c, s in SAMPLES]
        for fid, left, bottom, right, top, _, every in self._within(x, y, r):
            for side, (px, py) in enumerate(points):
                if left <= px <= right and bottom <= py <= top and inside(px, py, every):
                    return fid, side
            for edge in every:
                if segment_distance2(x, y, edge) <= r * r:
                    return fid, -1
        return -1, -1

    def clearance(self, x: float, y: float) -> float:
        """Distance to the nearest footprint, 0 inside one; never more than PAD [m]."""
        best = PAD
        best2 = PAD * PAD
        for _, left, bottom, right, top, close, every in self._near(x, y):
            if x < left - best or x > right + best or y < bottom - best or y > top + best:
                continue
            found = False
            for ax, ay, ex, ey, ll, _ in close:
                px, py = x - ax, y - ay
                along = px * ex + py * ey
                if along <= 0.0:
                    d2 = px * px + py * py
                elif along >= ll:
                    qx, qy = px - ex, py - ey
                    d2 = qx * qx + qy * qy
                else:
                    across = px * ey - py * ex
                    d2 = across * across / ll
                if d2 < best2:
                    best2, found = d2, True
            if left <= x <= right and bottom <= y <= top and inside(x, y, every):
                return 0.0
            if found:
                best = sqrt(best2)
        return best

    def row_hit(self, entity: int, body: Body, x: float, y: float, heading: float) -> int:
        """Id of a footprint that the body touches at this pose, or -1.

        entity: whose last known clearance may answer for a pose near it.
        """
        if not self._remember:
            return self._discs_hit(body, x, y, heading)
        known = self._memory.get(entity)
        if known is not None:
            ox, oy, clear = known
            room = clear - body.cover - SLACK
            dx, dy = x - ox, y - oy
            moved2 = dx * dx + dy * dy
            if room > 0.0 and moved2 < room * room:
                return -1
            if room <= 0.0 and moved2 < 0.0625:
                return self._discs_hit(body, x, y, heading)
        clear = self.clearance(x, y)
        self._memory[entity] = (x, y, clear)
        if clear > body.cover + SLACK:
            return -1
        return self._discs_hit(body, x, y, heading)

    def _discs_hit(self, body: Body, x: float, y: float, heading: float) -> int:
        s, c = sincos(heading)
        for along, r in body.discs:
            fid = self.hit(x + along * c, y + along * s, r)
            if fid >= 0:
                return fid
        return -1

    def row_near(self, body: Body, x: float, y: float, heading: float, margin: float) -> bool:
        """True where any disc of the body, widened by `margin` [m], touches a footprint."""
        s, c = sincos(heading)
        for along, r in body.discs:
            if self.hit(x + along * c, y + along * s, r + margin) >= 0:
                return True
        return False


_known: tuple[tuple[City, Obstacles], ...] = ()


def obstacles_of(city: City) -> Obstacles:
    """The obstacles of a city, made once. The last four cities asked for are kept."""
    global _known
    for known, obstacles in _known:
        if known is city:
            return obstacles
    made = Obstacles(city)
    _known = ((city, made), *_known[:3])
    return made


def overlap(
    a: Body, ax: float, ay: float, ah: float, b: Body, bx: float, by: float, bh: float
) -> float:
    """How deep two rows of discs lie in each other [m]; minus the gap between them where apart.

    Where they are further apart than their covers reach, any smaller value may stand for the gap.
    """

    dx, dy = bx - ax, by - ay
    reach = a.cover + b.cover
    d2 = dx * dx + dy * dy
    if d2 > (reach + 1.0) * (reach + 1.0):
        return -1.0
    sa, ca = sincos(ah)
    sb, cb = sincos(bh)
    deepest = -1.0
    for la, ra in a.discs:
        ox, oy = dx - la * ca, dy - la * sa
        for lb, rb in b.discs:
            gx, gy = ox + lb * cb, oy + lb * sb
            depth = ra + rb - sqrt(gx * gx + gy * gy)
            if depth > deepest:
                deepest = depth
    return deepest
