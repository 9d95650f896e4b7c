"""Reads a session. Treats every file as written by an enemy: bounded, finite, never followed.

Owns the joining of files by tick. Loads what is asked for, when it is asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from game.errors import SessionCorrupt, SessionTooNew
from game.session import framefile, hostile, lines
from game.session.format import (
    END,
    EVENTS,
    FORMAT_VERSION,
    FRAMES,
    INPUTS,
    JOURNAL,
    MANIFEST,
    TICKS,
    FramePair,
    FrameRecord,
    InputEvent,
    Manifest,
    Pairing,
    TrackId,
)
from game.session.pictures import Pictures, Rgb
from game.session.ticks import Ticks
from game.world.controls import Controls
from game.world.digest import checkpoint
from game.world.state import Checkpoint
from game.world.version import DIGEST_TICKS


class Session:
    """One recording on disk, sealed or not. Open it with `open`, close it after use."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._pictures: dict[int, Pictures] = {}

    @classmethod
    def open(cls, folder: Path) -> "Session":
        """Read the manifest of the session in `folder`. Raises SessionCorrupt, SessionTooNew."""
        try:
            document = hostile.parse(hostile.read_bounded(folder / MANIFEST, hostile.MAX_DOCUMENT))
            version = hostile.integer(document, "format_version", 0, 65535)
            if version > FORMAT_VERSION:
                raise SessionTooNew(folder, "format version", version, FORMAT_VERSION)
            return cls(folder, lines.manifest(document))
        except (ValueError, TypeError, OSError) as error:
            raise SessionCorrupt(folder, 0, f"{MANIFEST}: {error}") from error

    @cached_property
    def end(self) -> dict[str, Any] | None:
        """What `end.json` holds; None where the session was not sealed."""
        if not (self.folder / END).exists():
            return None
        try:
            return hostile.parse(hostile.read_bounded(self.folder / END, hostile.MAX_DOCUMENT))
        except (ValueError, OSError) as error:
            raise SessionCorrupt(self.folder, 0, f"{END}: {error}") from error

    @cached_property
    def _ticks(self) -> Ticks:
        try:
            return Ticks(self.folder / TICKS)
        except (ValueError, OSError) as error:
            raise SessionCorrupt(self.folder, 0, f"{TICKS}: {error}") from error

    def ticks(self) -> Ticks:
        """The stored states as a lazy array: `ticks()[t]`, `len`, iteration. Their cast is ().

        Taking out a state that cannot be raises SessionCorrupt.
        """
        return self._ticks

    @cached_property
    def _chain(self) -> lines.InputChain:
        data = self._read(INPUTS, lines.MAX_INPUTS)
        try:
            return lines.InputChain(data)
        except lines.BadLine as error:
            raise SessionCorrupt(self.folder, error.tick, f"{INPUTS} {error}") from error

    @property
    def steps(self) -> int:
        """Steps recorded: one less than the states stored, or what the inputs say without them."""
        if (self.folder / TICKS).exists():
            return max(0, len(self.ticks()) - 1)
        return max(0, self._chain.last)

    def controls(self) -> tuple[Controls, ...]:
        """Controls that step t -> t + 1 consumed, for each t. The authority on the drive."""
        return self._chain.expand(self.steps)

    def inputs(self) -> tuple[InputEvent, ...]:
        """The raw device events."""
        return tuple(self._chain.events)

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The stored digest of every sixtieth tick and of the last one."""
        ticks = self.ticks()
        wanted = list(range(0, len(ticks), DIGEST_TICKS))
        if len(ticks) and wanted[-1] != len(ticks) - 1:
            wanted.append(len(ticks) - 1)
        return tuple(checkpoint(ticks[tick]) for tick in wanted)

    @cached_property
    def _events(self) -> tuple[dict[str, Any], ...]:
        if not (self.folder / EVENTS).exists():
            return ()
        data = self._read(EVENTS, lines.MAX_EVENTS)
        try:
            return tuple(found for _, found in lines.objects(data))
        except lines.BadLine as error:
            raise SessionCorrupt(self.folder, error.tick, f"{EVENTS} {error}") from error

    def events(self, kind: str | None = None) -> tuple[dict[str, Any], ...]:
        """Event lines, all or of one kind ('k')."""
        return tuple(each for each in self._events if kind is None or each.get("k") == kind)

    def scenario_text(self) -> dict[str, Any]:
        """What the scenario says, as the recording states it; {} where it does not."""
        for each in self.events("scenario"):
            if isinstance(each.get("said"), dict):
                return dict(each["said"])
        return {}

    def journal(self) -> tuple[dict[str, Any], ...]:
        """The stream server's signed blocks, parsed, unjudged; () where there are none."""
        if not (self.folder / JOURNAL).exists():
            return ()
        blocks = []
        for number, line in enumerate(self._read(JOURNAL, lines.MAX_JOURNAL).splitlines()):
            try:
                if len(line) > hostile.MAX_DOCUMENT:
                    raise ValueError("too long")
                blocks.append(hostile.parse(line))
            except ValueError as error:
                raise SessionCorrupt(
                    self.folder, 0, f"{JOURNAL} line {number + 1}: {error}"
                ) from error
        return tuple(blocks)

    @cached_property
    def _frames(self) -> tuple[FrameRecord, ...]:
        if not (self.folder / FRAMES).exists():
            return ()
        limit = framefile.HEADER.size + framefile.MAX_FRAMES * framefile.RECORD_BYTES
        try:
            return tuple(framefile.sound(self._read(FRAMES, limit))[0])
        except ValueError as error:
            raise SessionCorrupt(self.folder, 0, f"{FRAMES}: {error}") from error

    @cached_property
    def _shown(self) -> dict[int, int]:
        shown: dict[int, int] = {}
        for each in self.events("shown"):
            frame, tick = each.get("frame"), each.get("tick")
            if type(frame) is int and type(tick) is int:
                shown.setdefault(frame, tick)
        return shown

    def tracks(self) -> tuple[int, ...]:
        """Tracks that have frames."""
        return tuple(sorted({record.track for record in self._frames}))

    def frames(self, track: int = TrackId.SOURCE) -> tuple[FrameRecord, ...]:
        """Frames of one track in order of storage, `shown` filled in for the first styled one."""
        found = tuple(record for record in self._frames if record.track == track)
        if track != TrackId.STYLED or not self._shown:
            return found
        return tuple(replace(each, shown=self._shown.get(each.tick, -1)) for each in found)

    def pairs(self, track: int = TrackId.STYLED) -> tuple[FramePair, ...]:
        """Source and styled frames of the same tick, ascending, each tick once."""
        source = {record.tick: record for record in self.frames(TrackId.SOURCE)}
        prompts = self._prompts()
        pairs: dict[int, FramePair] = {}
        for styled in self.frames(track):
            if styled.tick not in source or styled.pairing == Pairing.NONE:
                continue
            text, style = prompts.get(styled.prompt, ("", ""))
            pairs.setdefault(
                styled.tick,
                FramePair(
                    styled.tick, source[styled.tick], styled, Pairing(styled.pairing),
                    styled.confidence, text, style,
                ),
            )  # fmt: skip
        return tuple(pairs[tick] for tick in sorted(pairs))

    def _prompts(self) -> dict[int, tuple[str, str]]:
        return {
            each["number"]: (str(each.get("prompt", "")), str(each.get("style", "")))
            for each in self.events("prompt")
            if type(each.get("number")) is int
        }

    def encoded(self, track: int, tick: int) -> bytes:
        """The stored bytes of one frame. Raises SessionCorrupt where there is none."""
        try:
            return self._track(track).encoded(tick)
        except (ValueError, OSError) as error:
            raise SessionCorrupt(self.folder, tick, str(error)) from error

    def picture(self, track: int, tick: int) -> Rgb:
        """(height, width, 3) uint8 RGB of one frame. Raises SessionCorrupt."""
        return next(self.pictures(track, (tick,)))[1]

    def pictures(self, track: int, ticks: Sequence[int] | None = None) -> Iterator[tuple[int, Rgb]]:
        """Tick and RGB picture of each of `ticks` (all, when None). Raises SessionCorrupt."""
        wanted = tuple(r.tick for r in self.frames(track)) if ticks is None else tuple(ticks)
        for tick in wanted:
            try:
                found = next(self._track(track).pictures((tick,)))
            except (ValueError, OSError) as error:
                raise SessionCorrupt(self.folder, tick, str(error)) from error
            yield found

    def _track(self, track: int) -> Pictures:
        if track not in self._pictures:
            self._pictures[track] = Pictures(self.folder, track, self.frames(track))
        return self._pictures[track]

    def _read(self, name: str, limit: int) -> bytes:
        try:
            return hostile.read_bounded(self.folder / name, limit)
        except (ValueError, OSError) as error:
            raise SessionCorrupt(self.folder, 0, str(error)) from error

    def close(self) -> None:
        """Unmap everything."""
        for pictures in self._pictures.values():
            pictures.close()
        self._pictures = {}
        if "_ticks" in self.__dict__:
            self._ticks.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
