"""Native picture sizes of remote models, and how a square picture goes in and comes out again.

The table is data that settings may override. A picture is laid into the model's frame by whole,
even pixels, so that taking it out again gives exactly the same part back.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from streaming.errors import ModelUnknown
from streaming.frames import Pixels

NATIVE = "native"
LETTERBOX, CROP = "letterbox", "crop"
BAR = 16  # luma of the bars: black in the video range


@dataclass(frozen=True, slots=True)
class Native:
    """What a model wants. width, height [px], fps. fit: letterbox keeps all, crop fills all."""

    width: int
    height: int
    fps: int
    fit: str = LETTERBOX

    def __post_init__(self) -> None:
        if not all(16 <= side <= 4096 and side % 2 == 0 for side in (self.width, self.height)):
            raise ValueError(f"a model's picture of {self.width}x{self.height} cannot be")
        if self.fit not in (LETTERBOX, CROP) or not 1 <= self.fps <= 120:
            raise ValueError("a model takes 1..120 frames/s, by letterbox or crop")


# from Decart's published clients; where they disagree, the TypeScript one's newest value
MODELS: dict[str, Native] = {
    "lucy-restyle-2": Native(1280, 704, 30),
    "lucy-restyle-latest": Native(1280, 704, 30),
    "lucy-2.1": Native(1088, 624, 30),
    "lucy-latest": Native(1088, 624, 30),
    "lucy-2.5": Native(1280, 720, 30),
    "lucy-2.6": Native(1280, 720, 30),
    "mirage": Native(1280, 704, 25),
    "mirage_v2": Native(1280, 704, 22),
    "lucy_v2v_720p_rt": Native(1280, 704, 25),
    "lucy_2_rt": Native(1280, 720, 20),
}


def native(model: str, size: str = "") -> Native:
    """The table's entry, or `size` as WIDTHxHEIGHT@FPS. Raises ModelUnknown.

    size may be 'native' for the table's own, and may end in ':crop' or ':letterbox'.
    """
    size, _, fit = size.partition(":")
    if size == NATIVE and model in MODELS:
        return replace(MODELS[model], fit=fit or MODELS[model].fit)
    if size:
        try:
            wide, _, rest = size.partition("x")
            high, _, fps = rest.partition("@")
            return Native(int(wide), int(high), int(fps or 30), fit or LETTERBOX)
        except ValueError as error:
            raise ModelUnknown(f"{model} at {size}", tuple(MODELS)) from error
    if model not in MODELS:
        raise ModelUnknown(model, tuple(MODELS))
    return MODELS[model]


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


class Fit:
    """Lays (height, width) pictures into a model's frame and takes them out again."""

    def __init__(self, width: int, height: int, model: Native) -> None:
        self.width, self.height, self.model = width, height, model
        ratios = (model.width / width, model.height / height)
        scale = min(ratios) if model.fit == LETTERBOX else max(ratios)
        self._wide, self._high = _even(width * scale), _even(height * scale)
        # where the scaled picture lies in the frame; negative where the frame is the smaller
        self._left = (model.width - self._wide) // 4 * 2
        self._top = (model.height - self._high) // 4 * 2
        self._in, self._out = VideoReformatter(), VideoReformatter()
        self._canvas = np.full((model.height * 3 // 2, model.width), 128, np.uint8)
        self._canvas[: model.height] = BAR

    def lay(self, pixels: Pixels) -> Pixels:
        """(height, width, 4) BGRA as an I420 frame of the model: (model height * 3 / 2, width).

        The array is used again by the next call.
        """
        frame = VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "bgra")
        scaled: Any = self._in.reformat(frame, self._wide, self._high, "yuv420p", threads=1)
        for ours, theirs in zip(_planes(scaled.to_ndarray()), _planes(self._canvas), strict=True):
            half = 1 if theirs.shape[1] == self.model.width else 2
            here, there = _overlap(ours.shape, theirs.shape, self._top // half, self._left // half)
            theirs[there] = ours[here]
        return self._canvas

    def take(self, frame: Pixels) -> Any:
        """The part of a returned I420 frame, of any size of the same shape, that is ours.

        A video frame of (height, width) in yuv420p. With crop, what was cut away is black.
        """
        high, wide = frame.shape[0] * 2 // 3, frame.shape[1]
        scale_y, scale_x = high / self.model.height, wide / self.model.width
        size = (_even(self._high * scale_y), _even(self._wide * scale_x))
        top, left = int(self._top * scale_y) // 2 * 2, int(self._left * scale_x) // 2 * 2
        part = np.full((size[0] * 3 // 2, size[1]), 128, np.uint8)
        part[: size[0]] = BAR
        for ours, theirs in zip(_planes(part), _planes(frame), strict=True):
            half = 1 if theirs.shape[1] == wide else 2
            here, there = _overlap(ours.shape, theirs.shape, top // half, left // half)
            ours[here] = theirs[there]
        whole = VideoFrame.from_ndarray(part, format="yuv420p")
        return self._out.reformat(whole, self.width, self.height, "yuv420p", threads=1)


def _planes(frame: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Views of the planes of a packed I420 picture (height * 3 / 2, width)."""
    high, wide = frame.shape[0] * 2 // 3, frame.shape[1]
    flat = frame.reshape(-1)
    luma, quarter = high * wide, high * wide // 4
    shape = (high // 2, wide // 2)
    return (
        flat[:luma].reshape(high, wide),
        flat[luma : luma + quarter].reshape(shape),
        flat[luma + quarter : luma + 2 * quarter].reshape(shape),
    )


def _overlap(
    ours: tuple[int, ...], theirs: tuple[int, ...], top: int, left: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a picture at (top, left) of a frame and the frame share pixels: in each of them."""
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(theirs[0], top + ours[0]), min(theirs[1], left + ours[1])
    return (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)), (slice(y0, y1), slice(x0, x1))
