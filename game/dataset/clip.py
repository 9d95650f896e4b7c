"""A moment of a drive as PNG, GIF or MP4: drawn on the left, dreamt on the right.

Owns the three writers. The file holds pictures alone: no wallet, no id, no path, no date.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from game.dataset.drive import Drive
from game.dataset.errors import DatasetError
from game.dataset.video import Mp4
from game.session.pictures import Rgb
from game.session.reader import Session

KINDS = (".png", ".gif", ".mp4")
_BAR = 8
_GIF_TICKS = 4  # ticks from picture to picture: 15 a second


def write(session: Session, at_s: float, seconds: float, out: Path) -> int:
    """Write the moment at `at_s` [s] (GIF, MP4: `seconds` from there on); returns its frames.

    Raises DatasetError where there is no pair at that time or the name ends in no known kind.
    """
    kind = out.suffix.lower()
    if kind not in KINDS:
        raise DatasetError(f"{out.name}: a clip ends in {', '.join(KINDS)}")
    drive = Drive(session)
    first = round(at_s * drive.hz)
    every = session.manifest.capture.every_ticks
    if kind == ".png":
        near = min(drive.pairs, key=lambda tick: abs(tick - first), default=None)
        ticks = [] if near is None or abs(near - first) > drive.hz else [near]
    else:
        last = first + round(seconds * drive.hz)
        step = max(every, _GIF_TICKS) if kind == ".gif" else every
        ticks = _thinned([t for t in sorted(drive.pairs) if first <= t < last], step)
    if not ticks:
        length = len(session.ticks()) / drive.hz
        raise DatasetError(f"no pair at {at_s:g} s; the drive is {length:.1f} s long")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    try:
        _WRITERS[kind](part, ticks, _beside(drive, ticks), drive.hz)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return len(ticks)


def _thinned(ticks: list[int], step: int) -> list[int]:
    kept: list[int] = []
    for tick in ticks:
        if not kept or tick - kept[-1] >= step:
            kept.append(tick)
    return kept


def _beside(drive: Drive, ticks: list[int]) -> Iterator[Rgb]:
    for _, drawn, styled in drive.pictures(ticks):
        if styled.shape != drawn.shape:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(styled), format="rgb24")
            styled = frame.reformat(drawn.shape[1], drawn.shape[0]).to_ndarray()
        bar = np.full((drawn.shape[0], _BAR, 3), 255, np.uint8)
        yield np.ascontiguousarray(np.hstack([drawn, bar, styled]))


def _png(path: Path, ticks: list[int], pictures: Iterator[Rgb], hz: int) -> None:
    frame = av.VideoFrame.from_ndarray(next(pictures), format="rgb24")
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "rgb24"
    encoder.time_base = Fraction(1, hz)
    frame.pts, frame.time_base = 0, Fraction(1, hz)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def _mp4(path: Path, ticks: list[int], pictures: Iterator[Rgb], hz: int) -> None:
    picture = next(pictures)
    with Mp4(path, hz, (picture.shape[1], picture.shape[0]), crf=20) as film:
        film.put(picture, 0)
        for tick, later in zip(ticks[1:], pictures, strict=True):
            film.put(later, tick - ticks[0])


def _gif(path: Path, ticks: list[int], pictures: Iterator[Rgb], hz: int) -> None:
    """Half size, with one palette of 256 colours made for this clip."""
    base = Fraction(1, 100)  # of a second, as GIF counts
    frames = []
    for tick, picture in zip(ticks, pictures, strict=True):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(frame.width // 4 * 2, frame.height // 4 * 2)
        frame.pts, frame.time_base = round((tick - ticks[0]) * 100 / hz), base
        frames.append(frame)
    graph = av.filter.Graph()
    size = frames[0].width, frames[0].height
    source = graph.add_buffer(
        width=size[0], height=size[1], format=frames[0].format, time_base=base
    )
    split, make = graph.add("split"), graph.add("palettegen", "stats_mode=diff")
    use, sink = graph.add("paletteuse", "dither=bayer:bayer_scale=3"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(make, 1, 0)
    make.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    for frame in frames:
        graph.push(frame)
    graph.push(None)
    with av.open(str(path), "w", format="gif") as container:
        stream = container.add_stream("gif", rate=100)
        stream.width, stream.height, stream.pix_fmt = *size, "pal8"
        stream.codec_context.time_base = base
        for _ in frames:
            found = graph.pull()
            found.time_base = base
            container.mux(stream.encode(found))
        container.mux(stream.encode(None))


_WRITERS = {".png": _png, ".gif": _gif, ".mp4": _mp4}
