"""Street-name signs: green boards on the signal arms, and on posts where there are no signals.

The names are those of the junction's own streets, shortened as the City does. Letters come from
one page of the built-in font and are drawn only where they can be read.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import DynamicTextFont, NodePath, SamplerState, TextProperties

from game.view.daylight import Look
from game.view.houses import Houses
from game.view.labels import Train, furniture_instance, instance_bytes
from game.view.materials import dress
from game.view.mesh import Mesh, box, geom_node, join, post, quads, turned
from game.view.mouths import Half
from game.view.resident import Nearby
from game.view.room import Bands, Room, Walls
from game.view.signals import approaches
from game.world.city import City, Junction

_CORNER, _FROM_WALL = 80.0, 0.4  # of a post from its junction at most, from walls at least [m]
_SIGHT = 60.0  # boards and letters are drawn up to here [m]
_GREEN = (18, 92, 60, 0)
_BACK = (148, 152, 150, 0)
_POST = (70, 74, 72, 0)
_WHITE = (240, 243, 240, 1)  # paint[3]: letters
_TALL, _PAD = 0.52, 0.12  # of a board; beside its text [m]
_LETTER = 0.50  # of a line of text [m]
_ON_ARM, _ON_POST = 4.62, (2.65, 3.22)  # lower edges [m]
_SHORT = {
    "west": "W", "east": "E", "north": "N", "south": "S", "street": "St", "avenue": "Av",
    "place": "Pl", "boulevard": "Blvd", "drive": "Dr", "square": "Sq", "plaza": "Plz",
    "road": "Rd", "lane": "La", "highway": "Hwy", "terrace": "Ter",
}  # fmt: skip
_NUMBER = re.compile(r"(\d+)(?:st|nd|rd|th)", re.IGNORECASE)


def short(name: str) -> str:
    """'West 42nd Street' as it stands on a sign: 'W 42 St'."""
    words = name.split()
    found = []
    for place, word in enumerate(words):
        number = _NUMBER.fullmatch(word)
        alone = word.lower() in ("north", "south", "east", "west") and place not in (
            0,
            len(words) - 1,
        )
        plain = word if alone else _SHORT.get(word.lower(), word)
        found.append(number[1] if number else plain)
    return " ".join(found)


@cache
def _font() -> Any:
    """The built-in font, its glyphs drawn large enough to be made smaller on the way."""
    font = DynamicTextFont(TextProperties.getDefaultFont())
    font.setPixelsPerUnit(40)
    font.setPageSize(512, 512)
    font.setMinfilter(SamplerState.FT_linear_mipmap_linear)
    font.setMagfilter(SamplerState.FT_linear)
    for code in range(32, 127):
        font.getGlyph(code)
    return font


def page() -> Any:
    """The texture that holds every letter; its alpha is the ink."""
    return _font().getPage(0)


def text(line: str) -> tuple[Mesh, float]:
    """A line of text and its width [m]: along -y from 0, in the plane x = 0, facing -x."""
    font = _font()
    corners, spots = [], []
    x = 0.0
    for letter in line:
        glyph = font.getGlyph(ord(letter))
        if glyph.hasQuad():
            left, bottom, right, top = (
                glyph.getLeft(), glyph.getBottom(), glyph.getRight(), glyph.getTop(),
            )  # fmt: skip
            u0, v0, u1, v1 = (
                glyph.getUvLeft(), glyph.getUvBottom(), glyph.getUvRight(), glyph.getUvTop(),
            )  # fmt: skip
            a, b = x + left, x + right
            corners.append([(0, -a, bottom), (0, -b, bottom), (0, -b, top), (0, -a, top)])
            spots.append([(u0, v0), (u1, v0), (u1, v1), (u0, v1)])
        x += glyph.getAdvance()
    mesh = quads(np.array(corners) * _LETTER, _WHITE, Train.TRAFFIC_SIGN)
    mesh[0]["span"] = np.array(spots).reshape(-1, 2)
    return mesh, x * _LETTER


def board(name: str, low: float, both: bool) -> Mesh:
    """A sign with its text, in the plane x = 0 and centred on y = 0, to be read by who comes
    along +x; or from both sides."""
    letters, width = text(name)
    half, z = width / 2 + _PAD, low + 0.14
    parts = [box((-0.02, -half, low), (0.02, half, low + _TALL), _GREEN, Train.TRAFFIC_SIGN)]
    parts.append(turned(letters, -0.028, width / 2, 1.0, 0.0, z))
    if both:
        parts.append(turned(letters, 0.028, -width / 2, -1.0, 0.0, z))
    else:
        parts[0][0]["paint"][:4] = _GREEN
    return join(parts)


class Signs:
    """All name signs of a city; those near the eye are built when first needed. Hang up `root`."""

    def __init__(
        self, city: City, parts: list[Half], room: Room, houses: Houses, first: int, look: Look
    ) -> None:
        """first: the furniture number of junction 0's signs; each junction has one number."""
        self.root = NodePath("signs")
        dress(self.root, "sign", look.features)
        self.root.setShaderInput("page", page())
        self.root.setBin("actors", 0)
        self._parts: dict[int, list[Half]] = defaultdict(list)
        for half in parts:
            self._parts[half.junction].append(half)
        self._junctions = [j for j in city.junctions if len(names(j, self._parts[j.id])) > 1]
        places = np.array([(j.x, j.y) for j in self._junctions], float).reshape(-1, 2)
        self._near = Nearby(places, _SIGHT)
        self._room, self._houses, self._first = room, houses, first
        self._made: dict[int, Any] = {}
        self._shown: set[int] = set()

    def update(self, x: float, y: float) -> None:
        """Show the signs near (x, y)."""
        rows, dx, dy = self._near.offsets(x, y)
        wanted = set(rows[dx * dx + dy * dy < _SIGHT * _SIGHT].tolist())
        for row in self._shown - wanted:
            self._made[row].stash()
        for row in wanted - self._shown:
            self._sign(row).unstash()
        self._shown = wanted

    def _sign(self, row: int) -> Any:
        if row not in self._made:
            junction = self._junctions[row]
            meeting, roads = self._parts[junction.id], self._room.roads
            meshes = boards(junction, meeting, roads, lambda: self._walls(junction))
            mesh = join(meshes)
            number = furniture_instance(self._first + junction.id)
            mesh[0]["label"][:, :3] = instance_bytes(number)
            self._made[row] = self.root.attachNewNode(geom_node("signs", mesh))
        return self._made[row]

    def _walls(self, junction: Junction) -> Walls:
        """Those near a junction: the whole city's would take long, in the midst of a drive."""
        return Walls(self._houses.about(junction.x, junction.y, _CORNER), _FROM_WALL)


def names(junction: Junction, meeting: list[Half]) -> list[str]:
    """Of the streets that meet there, each once, in the order of their ids."""
    ordered = sorted(meeting, key=lambda half: half.street.id)
    return list(dict.fromkeys(half.street.name for half in ordered if half.street.name))


def boards(
    junction: Junction, meeting: list[Half], roads: Bands, walls: Callable[[], Walls]
) -> list[Mesh]:
    """The crossing street's name on each signal arm; both names on a post where there is none."""
    found: list[Mesh] = []
    every = names(junction, meeting)
    for half, at, (ux, uy), _ in approaches(junction, meeting):
        other = [name for name in every if name != half.street.name][:1]
        for name in other:
            sign = board(short(name), _ON_ARM, both=False)
            wide = float(sign[0]["place"][:, 1].max()) + 0.25
            found.append(turned(sign, at[0] - uy * wide, at[1] + ux * wide, ux, uy))
    return found or _posts(meeting, every, roads, walls())


def _posts(meeting: list[Half], every: list[str], roads: Bands, walls: Walls) -> list[Mesh]:
    """Two crossed boards on a post at one corner, if there is a corner with room."""
    for half in meeting:
        ux, uy = half.inwards
        x, y = half.points[0]
        for side in (1.0, -1.0):
            reach = (half.street.width / 2 + 0.9) * side
            at = np.array([[x - uy * reach + ux * 0.6, y + ux * reach + uy * 0.6]])
            if roads.touched(at, 0.35)[0] or walls.near(at, _FROM_WALL)[0]:
                continue
            return _post(at[0], half, meeting, every)
    return []


def _post(at: NDArray[np.float64], half: Half, meeting: list[Half], every: list[str]) -> list[Mesh]:
    found = [turned(post((0, 0, 0), 3.8, 0.045, _POST, Train.POLE, 5), at[0], at[1], 1.0, 0.0)]
    for name, low in zip(every[:2], _ON_POST, strict=False):
        own = next(h for h in meeting if h.street.name == name)
        # a board lies along its own street, so it is read by who comes on the other one
        vx, vy = own.inwards
        size = sqrt(vx * vx + vy * vy) or 1.0
        sign = board(short(name), low, both=True)
        found.append(turned(sign, at[0], at[1], vy / size, -vx / size))
    return found
