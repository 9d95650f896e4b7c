"""Pictures of a recorded session for people: a side-by-side film and a contact sheet.

Reads pairs through the session's own reader; encodes with PyAV. Never touches the recording.
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from game.session.format import TrackId
from game.session.reader import Session
from game.world.version import TICK_HZ

Rgb = NDArray[np.uint8]

_GAP = 8
"""Grey bar between source and styled [px]."""


def film(session: Session, path: Path, every_ticks: int = 2) -> int:
    """Write source and styled side by side as an H.264 MP4 and return the number of frames.

    Each is shown at its tick, so a drive with missing pairs lasts as long as it did.
    """
    part = path.with_suffix(".part.mp4")
    count, last = 0, -1
    with av.open(str(part), "w", options={"movflags": "+faststart"}) as container:
        stream, first = None, 0
        rate = Fraction(TICK_HZ, every_ticks)
        for tick, source, styled in paired_pictures(session):
            picture = _beside(source, styled)
            if stream is None:
                stream, first = container.add_stream("libx264", rate=rate), tick
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"preset": "veryfast", "crf": "20"}
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            last = max(last + 1, (tick - first) // every_ticks)
            frame.pts, frame.time_base = last, 1 / rate
            container.mux(stream.encode(frame))
            count += 1
        if stream is not None:
            container.mux(stream.encode(None))
    if count:
        part.replace(path)
    else:
        part.unlink(missing_ok=True)
    return count


def contact_sheet(session: Session, rows: int = 6) -> bytes:
    """A PNG of moments spread over the drive, source left and styled right; b'' without pairs."""
    ticks = [pair.tick for pair in session.pairs()]
    if not ticks:
        return b""
    chosen = {ticks[(len(ticks) - 1) * i // max(1, 2 * rows - 1)] for i in range(2 * rows)}
    tiles = [
        _beside(source[::2, ::2], styled[::2, ::2])
        for tick, source, styled in paired_pictures(session)
        if tick in chosen
    ]
    if len(tiles) % 2:
        tiles.append(np.full_like(tiles[0], 255))
    lines = [
        np.hstack([tiles[i], np.full_like(tiles[i][:, :_GAP], 255), tiles[i + 1]])
        for i in range(0, len(tiles), 2)
    ]
    return png(np.vstack(lines))


def paired_pictures(session: Session) -> Iterator[tuple[int, Rgb, Rgb]]:
    """(tick, source, styled) of every pair in order of ticks, each picture (h, w, 3) RGB."""
    ticks = tuple(pair.tick for pair in session.pairs())
    sources = session.pictures(TrackId.SOURCE, ticks)
    styles = session.pictures(TrackId.STYLED, ticks)
    for (tick, source), (_, styled) in zip(sources, styles, strict=True):
        yield tick, source, styled


def png(picture: Rgb) -> bytes:
    """Encode (h, w, 3) RGB as a PNG file."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="image2pipe") as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _beside(left: Rgb, right: Rgb) -> Rgb:
    """Two pictures of equal height with a bar between; even sizes, as the encoder wants."""
    if right.shape[0] != left.shape[0]:
        right = np.resize(right, left.shape)
    bar = np.full((left.shape[0], _GAP, 3), 32, np.uint8)
    return np.ascontiguousarray(np.hstack([left, bar, right]))
