"""Windows of an exported LeRobot data set at random access: numpy alone, no torch.

`Windows(folder, length)[i]` gives geometry, styled, action and state of `length` frames in a row.
Films are demuxed once into an index of packets; a window decodes from the key frame before it.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

SOURCE, STYLED = "observation.images.source", "observation.images.styled"


@dataclass(frozen=True, slots=True)
class Window:
    """geometry, styled: (length, h, w, 3) uint8 RGB; action (length, 3); state (length, 7).

    geometry[i] and styled[i] show the state before action[i].
    """

    geometry: NDArray[np.uint8]
    styled: NDArray[np.uint8]
    action: NDArray[np.float32]
    state: NDArray[np.float32]


class Film:
    """One MP4 of a data set with its packets in memory; decodes any stretch of frames."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            self._setup = stream.codec_context.extradata
            self._name = stream.codec_context.name
            packets = [p for p in container.demux(stream) if p.pts is not None]
            self._packets = [bytes(p) for p in packets]
            self._keys = [i for i, p in enumerate(packets) if p.is_keyframe]
        self._decoder: Any = None
        self._reformatter = VideoReformatter()
        self._next = -1

    def __len__(self) -> int:
        return len(self._packets)

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """(stop - start, h, w, 3) RGB of frames start .. stop - 1. Raises IndexError."""
        if not 0 <= start < stop <= len(self):
            raise IndexError(f"frames {start}..{stop} of {len(self)}")
        key = self._keys[bisect_right(self._keys, start) - 1]
        if not key <= self._next <= start:
            self._next = key
            self._decoder = av.CodecContext.create(self._name, "r")
            self._decoder.extradata, self._decoder.thread_count = self._setup, 1
            self._decoder.options = {"flags": "low_delay"}
        found = []
        while self._next < stop:
            (frame,) = self._decoder.decode(av.Packet(self._packets[self._next]))
            if self._next >= start:
                picture = self._reformatter.reformat(frame, format="rgb24", threads=1)
                found.append(picture.to_ndarray())
            self._next += 1
        return np.stack(found)


class Windows:
    """All windows of `length` frames that lie inside one episode, `every` frames apart."""

    def __init__(
        self, folder: Path, length: int, every: int = 1, split: str | None = None, films: int = 64
    ) -> None:
        """split: only episodes of it. films: how many pairs of films stay in memory."""
        self.length, self._folder, self._limit = length, folder, films
        info = json.loads((folder / "meta/info.json").read_text(encoding="utf-8"))
        self.fps = float(info["fps"])
        self._video = str(info["video_path"])
        tables = [pq.read_table(p, columns=["action", "observation.state"])
                  for p in sorted((folder / "data").rglob("*.parquet"))]  # fmt: skip
        self._action = np.concatenate([_matrix(t["action"]) for t in tables])
        self._state = np.concatenate([_matrix(t["observation.state"]) for t in tables])
        episodes = sorted((folder / "meta/episodes").rglob("*.parquet"))
        rows = [row for path in episodes for row in pq.read_table(path).to_pylist()]
        self._rows = [row for row in rows if split in (None, row["split"])]
        self._starts = [
            (number, offset)
            for number, row in enumerate(self._rows)
            for offset in range(0, row["length"] - length + 1, every)
        ]
        self._films: dict[tuple[str, int, int], Film] = {}

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Window:
        number, offset = self._starts[index]
        row = self._rows[number]
        first = row["dataset_from_index"] + offset
        rows = slice(first, first + self.length)
        geometry, styled = (self._pictures(row, camera, offset) for camera in (SOURCE, STYLED))
        return Window(geometry, styled, self._action[rows], self._state[rows])

    def __iter__(self) -> Iterator[Window]:
        return (self[index] for index in range(len(self)))

    def _pictures(self, row: dict[str, Any], camera: str, offset: int) -> NDArray[np.uint8]:
        place = (
            camera, row[f"videos/{camera}/chunk_index"], row[f"videos/{camera}/file_index"],
        )  # fmt: skip
        if place not in self._films:
            while len(self._films) >= 2 * self._limit:
                self._films.pop(next(iter(self._films)))
            name = self._video.format(video_key=camera, chunk_index=place[1], file_index=place[2])
            self._films[place] = Film(self._folder / name)
        start = round(row[f"videos/{camera}/from_timestamp"] * self.fps) + offset
        return self._films[place].read(start, start + self.length)


def _matrix(column: Any) -> NDArray[np.float32]:
    """(n, d) of a column of fixed-size lists."""
    whole = column.combine_chunks()
    flat = whole.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(len(whole), -1)


def torch_dataset(folder: Path, length: int, **options: Any) -> Any:
    """The same as a map-style torch Dataset of dicts of tensors; needs torch, opened per worker."""
    import importlib

    torch = importlib.import_module("torch")
    data = importlib.import_module("torch.utils.data")

    class Adapter(data.Dataset):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self._count = len(Windows(folder, length, **options))
            self._windows: Windows | None = None

        def __len__(self) -> int:
            return self._count

        def __getitem__(self, index: int) -> dict[str, Any]:
            if self._windows is None:  # after a fork: decoders are not shared
                self._windows = Windows(folder, length, **options)
            found = self._windows[index]
            return {name: torch.from_numpy(getattr(found, name).copy())
                    for name in ("geometry", "styled", "action", "state")}  # fmt: skip

    return Adapter()
