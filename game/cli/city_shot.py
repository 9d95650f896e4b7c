"""`city shot`: one picture of a place by name, any channel, any size."""

import time
from dataclasses import asdict
from math import degrees
from pathlib import Path

import click

from game.cli.output import emit, stderr
from game.errors import UsageError
from game.session.format import WEATHERS, CaptureProfile

_LARGEST = 8192  # along one side [px]
_CHANNELS = ("colour", "depth", "class", "instance", "normal", "flow")


def _size(_: click.Context, __: click.Parameter, text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise click.BadParameter(f"'{text}' is no size; write it like 832x480") from None
    if not (16 <= width <= 4096 and 16 <= height <= 4096):
        raise click.BadParameter(f"{text}: each side must lie between 16 and 4096 pixels")
    return width, height


@click.command("shot")
@click.option("--at", required=True, help='A junction by name, like "W 42 St & 7 Av".')
@click.option(
    "--heading", type=float, help="Counter-clockwise from east [degree]; else the lane's."
)
@click.option("--channel", type=click.Choice(_CHANNELS), default="colour", show_default=True)
@click.option("--size", callback=_size, default="480x480", show_default=True, metavar="WxH")
@click.option("--eye-height", is_flag=True, help="From someone standing there, not from the car.")
@click.option(
    "--hour", type=click.FloatRange(0, 24), default=13.0, show_default=True, help="Time of day."
)
@click.option("--weather", type=click.Choice(WEATHERS), default="clear", show_default=True)
@click.option("--tick", type=int, default=0, help="The traffic lights' tick.")
@click.option("--boxes", is_flag=True, help="Frame everyone: green in sight, red mostly hidden.")
@click.option(
    "--smooth",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    help="Draw so many times as large and average: smooth edges, for this many squared the time.",
)
@click.option("--pack", type=click.Path(path_type=Path, file_okay=False), help="Folder of a pack.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    at: str,
    heading: float | None,
    channel: str,
    size: tuple[int, int],
    eye_height: bool,
    hour: float,
    weather: str,
    tick: int,
    boxes: bool,
    smooth: int,
    pack: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Draw a place by name into a PNG file."""
    if out.suffix.lower() != ".png":
        raise UsageError(f"{out}: only PNG files are written; end the name in .png")
    from game.atlas.load import load
    from game.view.picture import framed, visible, write_png
    from game.view.shot import shoot

    start = time.monotonic()
    profile = CaptureProfile(hour=hour, weather=weather)
    if smooth * max(size) > _LARGEST:
        raise UsageError(f"--smooth {smooth} of {size[0]}x{size[1]} is more than {_LARGEST} pixels")
    if smooth > 1 and channel != "colour":
        raise UsageError(f"--smooth is for colour alone: {channel} has no edges to soften")
    shot = shoot(load(pack), at, channel, size, heading, eye_height, profile, tick, boxes, smooth)
    shown = [box for box in shot.boxes if box.pixels]
    colours = [(230, 60, 40) if box.occlusion > 0.5 else (60, 230, 90) for box in shown]
    rects = [box.outline for box in shown]
    write_png(out, framed(visible(channel, shot.picture), rects, colours))
    data = {
        "path": str(out),
        "at": at,
        "address": shot.address,
        "channel": channel,
        "size": list(size),
        "smooth": smooth,
        "hour": hour,
        "weather": weather,
        "eye": [round(shot.eye.x, 2), round(shot.eye.y, 2), round(shot.eye.z, 2)],
        "heading_degrees": round(degrees(shot.eye.yaw), 1),
        "renderer": shot.renderer,
        "boxes": [asdict(box) for box in shot.boxes],
        "seconds": round(time.monotonic() - start, 2),
    }
    emit(as_json, data, lambda: stderr().print(f"{out}  {shot.address}  ({shot.renderer})"))
