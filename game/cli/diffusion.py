"""The embedded network: make its data, train it, export it, run it, measure it."""

import time
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from game.cli.output import emit, narrator, stderr
from game.errors import MissingPart, UsageError

command = click.Group("diffusion", help="Make data for the embedded network; train and measure it.")

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


def _need_torch() -> None:
    """Raises MissingPart where the training library is not installed."""
    import importlib.util

    missing = [m for m in ("torch", "onnx") if importlib.util.find_spec(m) is None]
    if missing:
        raise MissingPart(f"{', '.join(missing)} is not installed", "pip install '.[diffusion]'")


@command.command()
@click.option("--out", type=_FOLDER, required=True, help="Folder of pairs; continued if there.")
@click.option("--drives", default=60, show_default=True, help="How many drives it shall hold.")
@click.option("--seed", default=1, show_default=True)
@click.option("--clips", default=5, show_default=True, help="Clips taken of a drive.")
@click.option("--frames", default=2, show_default=True, help="Neighbouring frames of a clip.")
@click.option("--styles", default=3, show_default=True, help="Styles that each clip is painted in.")
@click.option("--size", default=320, show_default=True, help="Side of the pictures [px].")
@click.option("--samples", default=2, show_default=True, help="Per side of a pixel.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True)
def data(as_json: bool, jobs: int, **options: Any) -> None:
    """Render training pairs: the captured picture, and a far richer one of the same view.

    About one second of CPU a frame. Stop and start again as you like.
    """
    from game.dataset.pairs.store import PairsConfig, make_pairs

    try:
        config = PairsConfig(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    made = make_pairs(config, narrator(), jobs)
    emit(as_json, made, lambda: click.echo(f"{made['drives']} drives in {made['path']}"))


@command.command()
@click.option("--data", "folder", type=_FOLDER, required=True, help="Folder of `diffusion data`.")
@click.option("--out", type=_FOLDER, required=True, help="Checkpoint, log, sheets; continued.")
@click.option("--preset", default="tiny", show_default=True, help="tiny, or smoke for a test.")
@click.option("--steps", type=int, help="In all; the last fifth cools down.")
@click.option("--batch", type=int)
@click.option("--width", type=int, help="Of the columns that pictures are cut into [px].")
@click.option("--unroll", type=int, help="Frames that a clip is played for.")
@click.option("--every", type=int, help="Steps between checkpoints.")
@click.option("--threads", type=int, help="0 leaves it to torch.")
@click.option("--seed", type=int)
@click.option("--json", "as_json", is_flag=True)
def train(as_json: bool, folder: Path, out: Path, preset: str, **options: Any) -> None:
    """Train the network, from its checkpoint where there is one."""
    _need_torch()
    from streaming.diffusion.train import PRESETS, TrainConfig
    from streaming.diffusion.train import train as run

    if preset not in PRESETS:
        raise UsageError(f"no preset '{preset}'; choose one of: {', '.join(PRESETS)}")
    given = {k: v for k, v in options.items() if v is not None}
    try:
        config = TrainConfig(folder, out, **{**PRESETS[preset], **given})
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    done = run(config, narrator())
    last = done.history[-1] if done.history else {}
    emit(as_json, {"checkpoint": str(done.path), **last}, lambda: click.echo(str(done.path)))


@command.command()
@click.option("--checkpoint", type=_FILE, required=True)
@click.option("--out", type=_FOLDER, required=True, help="Such as assets/models/tiny.")
@click.option("--note", default="", help="A line for the card.")
@click.option("--json", "as_json", is_flag=True)
def export(as_json: bool, checkpoint: Path, out: Path, note: str) -> None:
    """Write what the player runs: one ONNX graph a size, and the card with their checksums."""
    _need_torch()
    from streaming.diffusion.export import export as run

    card = run(checkpoint, out, {"note": note} if note else {}, narrator())
    emit(as_json, card, lambda: click.echo(f"{out}: {len(card['files'])} graphs"))


@command.command()
@click.option("--data", "folder", type=_FOLDER, required=True)
@click.option("--checkpoint", type=_FILE, required=True, help="Its encoder measures features.")
@click.option("--model", type=_FOLDER, help="Folder of graphs; the bundled one if left out.")
@click.option("--split", default="test", show_default=True)
@click.option("--most", default=60, show_default=True, help="Clips to judge at most.")
@click.option("--json", "as_json", is_flag=True)
def check(
    as_json: bool, folder: Path, checkpoint: Path, model: Path | None, split: str, most: int
) -> None:
    """Judge the network on streets and hours that it never saw, beside the baselines."""
    _need_torch()
    import torch

    from streaming.backends.filter import Filter
    from streaming.backends.tiny import Choice, Tiny
    from streaming.backends.tiny_files import read_card
    from streaming.diffusion import judge, pairs
    from streaming.diffusion.export import load_net

    tiny = Tiny(read_card(model), budget_ms=1e9)
    tiny.choice = Choice(320, 1)
    test = pairs.find(folder, split)
    test = test[:: max(1, len(test) // most)][:most]
    painters = {"tiny": judge.through(tiny), "filter": judge.through(Filter())}
    net = load_net(torch.load(checkpoint, weights_only=True))
    told = judge.compare(pairs.find(folder, "train"), test, painters, net, narrator())
    emit(as_json, {"split": split, "model": tiny.model, "scores": told}, lambda: _scores(told))


def _scores(told: dict[str, dict[str, Any]]) -> None:
    from rich.console import Console

    table = Table()
    names = ("psnr", "ssim", "features", "edges", "warp", "clips")
    for name in ("painter", *names):
        table.add_column(name)
    for painter, row in told.items():
        table.add_row(painter, *(f"{row[name]:.3f}" for name in names))
    Console().print(table)


@command.command()
@click.option("--model", type=_FOLDER, help="Folder of graphs; the bundled one if left out.")
@click.option("--frames", default=30, show_default=True, help="Painted for each row.")
@click.option("--json", "as_json", is_flag=True)
def bench(as_json: bool, model: Path | None, frames: int) -> None:
    """Time the network on this machine, one thread, a captured frame in and a styled one out."""
    from streaming.backends.tiny_bench import rows
    from streaming.measure import machine

    measured = rows(model, frames)
    told = {"machine": machine(), "rows": measured}

    def table() -> None:
        from rich.console import Console

        out = Table(title=str(told["machine"]))
        for name in ("size", "steps", "ms a frame", "CPU ms", "frames/s"):
            out.add_column(name)
        for row in measured:
            cells = (row["width"], row["steps"], row["ms_per_frame"], row["cpu_ms"], row["fps"])
            out.add_row(*(str(cell) for cell in cells))
        Console().print(out)

    emit(as_json, told, table)


@command.command()
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--style", default="night", show_default=True)
@click.option("--size", default=480, show_default=True, help="That the network runs at [px].")
@click.option("--model", type=_FOLDER, help="Folder of graphs; the bundled one if left out.")
@click.option("--out", type=_FILE, required=True, help="A PNG file.")
@click.option("--json", "as_json", is_flag=True)
def run(as_json: bool, picture: Path, style: str, size: int, model: Path | None, out: Path) -> None:
    """Paint one picture, such as one of `city shot`."""
    import av
    import numpy as np

    from game.view.picture import write_png
    from streaming.backends.tiny import Choice, Tiny
    from streaming.backends.tiny_files import SIZES, read_card

    tiny = Tiny(read_card(model), budget_ms=1e9)
    if style not in tiny.card.styles:
        raise UsageError(f"no style '{style}'; choose one of: {', '.join(tiny.card.styles)}")
    if size not in SIZES:
        raise UsageError(f"no size {size}; choose one of: {', '.join(map(str, SIZES))}")
    tiny.choice = Choice(size, 1)
    with av.open(str(picture)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="bgra")
    painter, begin = tiny.painter(), time.perf_counter()
    for _ in range(2):
        styled = painter.style(frame, "", 0, style)
    write_png(out, np.ascontiguousarray(styled[..., 2::-1]))
    took = (time.perf_counter() - begin) * 500
    told = {"path": str(out), "style": style, "size": size, "ms": round(took, 1)}
    emit(as_json, told, lambda: stderr().print(f"{out}  {style}, {took:.0f} ms"))
