"""Smooth edges at the price of the edges alone: morphological anti-aliasing of a drawn picture.

Each face draws its number into the alpha of its pixels (`face` in common.glsl); where numbers meet
there is an edge. Along a stretch of edge whose ends step up or down the true line is taken to run
from the middle of one step to the middle of the other, and what of a pixel lies beyond the line
takes the neighbour's colour (Reshetov, Morphological Antialiasing, 2009). Pure integers: the same
picture gives the same bytes on every machine. Knows nothing of labels, which are never touched.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint32]
Numbers = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]

_WHOLE = 256  # of a weight
_SLANT = 16  # weight where steps are one pixel long: an eighth, half of it from either direction
_ODD, _EVEN = np.uint32(0x00FF00FF), np.uint32(0xFF00FF00)  # two bytes of a pixel at a time


def soften(picture: Pixels, faces: Numbers) -> None:
    """Smooth the edges of a picture (h, w), four bytes a pixel, in place.

    faces: (h, w), of each pixel the number of what it shows.
    """
    assert picture.flags.c_contiguous, "a copy would be smoothed instead"
    width = faces.shape[1]
    turned = np.ascontiguousarray(faces.T)
    pixels, flat = picture.reshape(-1), np.ascontiguousarray(faces)
    across, down = _sides(flat), _sides(turned)
    _blend(pixels, flat, across, (width, 1))
    _blend(pixels, turned, down, (1, width))


def _sides(faces: Numbers) -> Flags:
    """Of each pixel whether another face begins at it, going along its row. Flat, with two rows
    of nothing before and after."""
    height, width = faces.shape
    found = np.zeros((height + 4) * width + 1, np.bool_)
    whole = faces.reshape(-1)
    first = 2 * width
    np.not_equal(whole[1:], whole[:-1], out=found[first + 1 : first + height * width])
    found[first : first + height * width : width] = False
    return found


def _blend(pixels: Pixels, faces: Numbers, sides: Flags, strides: tuple[int, int]) -> None:
    """Smooth the edges that run along the rows of `faces`.

    strides: how far apart in `pixels` two rows and two columns are.
    """
    width = faces.shape[1]
    whole = faces.reshape(-1)
    edge = np.flatnonzero(whole[width:] != whole[:-width])
    if not len(edge):
        return
    at = edge + 2 * width
    cut = sides[at] | sides[at + width] | (edge % width == 0)  # where another edge meets this one
    cut[0] = True
    cut[1:] |= np.diff(edge) != 1
    start = np.flatnonzero(cut)
    length = np.diff(start, append=len(edge))
    left, right = _step(sides, at[start], width), _step(sides, at[start + length - 1] + 1, width)
    stepped = left != right  # a dent or a bump is as it is: a signal's lamp is two pixels wide
    start, length, left, right = (each[stepped] for each in (start, length, left, right))
    if not len(start):
        return
    run = np.repeat(np.arange(len(start)), length)
    before = np.cumsum(length) - length
    gone = np.arange(len(run)) - before[run]
    long = length[run]
    ahead = long - 2 * gone - 1  # from the middle of the stretch, in half pixels
    share = np.where(ahead > 0, left[run], -right[run]) * ahead * (_WHOLE // 2) // long
    slant = (long == 1) & (left[run] * right[run] < 0)
    place = edge[start[run] + gone]
    upper = place // width * strides[0] + place % width * strides[1]
    lower = upper + strides[0]
    for beyond, here, there in ((share, upper, lower), (-share, lower, upper)):
        weight = np.where(slant, _SLANT, beyond)
        some = weight > 0
        _mix(pixels, here[some], there[some], weight[some].astype(np.uint32))


def _step(sides: Flags, corner: Places, width: int) -> Places:
    """How an edge goes on beyond its end: 1 a pixel up, -1 a pixel down, 0 not, or round a corner.

    corner: index in `sides` of the pixel above the edge and right of the end.
    """
    up = sides[corner] & ~sides[corner - width]
    down = sides[corner + width] & ~sides[corner + 2 * width]
    return up.astype(np.int64) - down


def _mix(pixels: Pixels, here: Places, there: Places, weight: Pixels) -> None:
    """Give pixels the share `weight` [1/256] of others."""
    own, other, rest = pixels[here], pixels[there], np.uint32(_WHOLE) - weight
    low = ((own & _ODD) * rest + (other & _ODD) * weight) >> np.uint32(8)
    high = (own >> np.uint32(8) & _ODD) * rest + (other >> np.uint32(8) & _ODD) * weight
    pixels[here] = (low & _ODD) | (high & _EVEN)
