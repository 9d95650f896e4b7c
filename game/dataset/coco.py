"""COCO detection: pictures of both tracks and the boxes of everyone in them, counted by drawing.

Owns the layout. Boxes come from the stored states, drawn again: `bbox` is around the pixels that
are to be seen, `occlusion` the share hidden by others, `truncation` the share out of the picture.
Both tracks share one truth, since a styled picture shows the moment of its source.
"""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from game.dataset import card, splits
from game.dataset.drive import Drive
from game.dataset.job import Options, Plan, write_json
from game.dataset.piece import renderer_of
from game.session.pictures import Rgb
from game.world.entity import BODIES

TRACKS = ("source", "styled")
CATEGORIES = tuple(sorted(BODIES))
"""Category id is the place in this list, from 1 on."""


def make(source: Drive, folder: Path, options: Options) -> dict[str, Any]:
    """Pictures and annotations of one session at `fps`, ids counted from 1 within it."""
    manifest = source.session.manifest
    size = options.size or (manifest.capture.width, manifest.capture.height)
    ticks = _thinned(sorted(source.pairs), source.hz / options.fps)
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    if ticks:
        renderer = renderer_of(manifest.pack, manifest.capture)
        for tick, drawn, styled in source.pictures(ticks):
            name = f"{folder.name}-{tick:06d}.png"
            for track, picture in zip(TRACKS, (drawn, styled), strict=True):
                (folder / track).mkdir(exist_ok=True)
                (folder / track / name).write_bytes(_png(picture, size))
            images.append({
                "id": len(images) + 1, "file_name": name, "width": size[0], "height": size[1],
                "session": folder.name, "tick": tick, "style": source.pairs[tick].style,
            })  # fmt: skip
            seen = renderer.boxes(source.state(tick), *size)
            boxes += [
                {**each, "id": len(boxes) + k, "image_id": len(images)}
                for k, each in enumerate(_boxes(seen), 1)
            ]
    (folder / "coco.json").write_text(json.dumps([images, boxes]), encoding="utf-8")
    return {"frames": len(images), "episodes": bool(images) + 0, "format": {"boxes": len(boxes)}}


def _thinned(ticks: list[int], stride: float) -> list[int]:
    """At most one pair in every `stride` ticks."""
    kept: list[int] = []
    for tick in ticks:
        if not kept or tick - kept[-1] >= stride:
            kept.append(tick)
    return kept


def _boxes(seen: Any) -> Iterator[dict[str, Any]]:
    """Annotations of those of whom something is to be seen; the ego's own car is left out."""
    for box in seen:
        if box.seen is None or box.entity == 0:
            continue
        left, top, right, bottom = box.seen
        yield {
            "category_id": CATEGORIES.index(box.body) + 1, "iscrowd": 0,
            "bbox": [left, top, right - left, bottom - top], "area": box.pixels,
            "occlusion": round(float(box.occlusion), 4),
            "truncation": round(float(box.truncation), 4), "track_id": box.entity,
            "centre_m": [round(float(v), 3) for v in box.centre],
            "size_m": [round(float(v), 3) for v in box.size],
            "heading_rad": round(float(box.heading), 5),
        }  # fmt: skip


def _png(picture: Rgb, size: tuple[int, int]) -> bytes:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame = frame.reformat(width=size[0], height=size[1], format="rgb24")
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "rgb24"
    encoder.time_base = frame.time_base = Fraction(1, 1)
    frame.pts = 0
    return b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)])


def finish(plan: Plan) -> None:
    """`<track>/<split>/*.png` and one file of annotations for each track and split."""
    for split in splits.NAMES:
        images: list[dict[str, Any]] = []
        boxes: list[dict[str, Any]] = []
        for part in (p for p in plan.parts if p.split == split):
            mine, found = json.loads((part.folder / "coco.json").read_text(encoding="utf-8"))
            first, at = len(images), len(boxes)
            images += [{**each, "id": each["id"] + first} for each in mine]
            boxes += [
                {**each, "id": each["id"] + at, "image_id": each["image_id"] + first}
                for each in found
            ]
            for track in TRACKS:
                target = plan.folder / track / split
                target.mkdir(parents=True, exist_ok=True)
                for each in mine:
                    name = each["file_name"]
                    (target / name).hardlink_to(part.folder / track / name)
        if images:
            for track in TRACKS:
                write_json(
                    plan.folder / "annotations" / f"{track}_{split}.json",
                    _document(plan, images, boxes),
                )
    write_json(plan.folder / "provenance.json", card.provenance(plan.parts))


def _document(
    plan: Plan, images: list[dict[str, Any]], boxes: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "info": {"description": "Scale Diffusion drives", "version": "1.0"},
        "licenses": [{"id": 1, "name": plan.licence, "url": ""}],
        "categories": [
            {"id": k, "name": name, "supercategory": BODIES[name].kind.name.lower()}
            for k, name in enumerate(CATEGORIES, 1)
        ],
        "images": [{**each, "license": 1} for each in images],
        "annotations": boxes,
    }
