"""The embedded network: make its data, train it, export it, run it, measure it."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from game.cli.diffusion_film import film
from game.cli.diffusion_round import round_
from game.cli.diffusion_wan import (
    identified,
    paint_films,
    show_judged,
    show_long,
    show_parity,
    show_precision,
    show_wan,
    train_nano,
)
from game.cli.output import emit, narrator, stderr
from game.cli.session_options import on_ray
from game.errors import MissingPart, UsageError

command = click.Group(
    "diffusion", help="The diffusion networks: make data, train, check, run and measure them."
)

command.add_command(film)
command.add_command(round_)

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
@click.option("--labels", is_flag=True, help="Depth and normals too, for `train --labels`.")
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
@click.option(
    "--preset",
    default="tiny",
    show_default=True,
    help="tiny, nano (the wan backend's configuration for processors), or smoke for a test.",
)
@click.option("--begin", type=_FILE, help="A checkpoint whose weights it begins with.")
@click.option("--steps", type=int, help="In all; the last half cools down.")
@click.option("--rate", type=float, help="Of learning, at its highest.")
@click.option("--batch", type=int)
@click.option("--width", type=int, help="Of the columns that pictures are cut into [px].")
@click.option("--unroll", type=int, help="Frames that a clip is played for.")
@click.option("--size", "sizes", type=int, multiple=True, help="By turns, to scale to [px].")
@click.option("--every", type=int, help="Steps between checkpoints.")
@click.option("--threads", type=int, help="0 leaves it to torch.")
@click.option("--labels", is_flag=True, help="Tell it class, depth and normals; not for streams.")
@click.option("--seed", type=int)
@click.option("--json", "as_json", is_flag=True)
def train(
    as_json: bool, folder: Path, out: Path, preset: str, labels: bool, **options: Any
) -> None:
    """Train the network, from its checkpoint where there is one."""
    _need_torch()
    if preset == "nano":
        if labels:
            raise UsageError("the nano preset is told no labels")
        train_nano(as_json, folder, out, options)
        return
    from streaming.diffusion.pairs import LABELS
    from streaming.diffusion.train import PRESETS, TrainConfig
    from streaming.diffusion.train import train as run

    if preset not in PRESETS:
        raise UsageError(f"no preset '{preset}'; choose one of: nano, {', '.join(PRESETS)}")
    given = {k: v for k, v in options.items() if v not in (None, ())}
    try:
        config = TrainConfig(folder, out, **{**PRESETS[preset], **given})
        if labels:
            config = replace(config, params=replace(config.params, labels=LABELS))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    done = run(config, narrator())
    last = done.history[-1] if done.history else {}
    emit(as_json, {"checkpoint": str(done.path), **last}, lambda: click.echo(str(done.path)))


@command.command()
@click.option("--data", "folders", type=_FOLDER, required=True, multiple=True, help="Repeatable.")
@click.option("--checkpoint", type=_FILE, required=True)
@click.option("--out", type=_FILE, required=True, help="The checkpoint with the last layer fitted.")
@click.option("--folds", default=150, show_default=True, help="Drawn from each frame.")
@click.option("--most", default=0, help="Clips, spread over all that there are; 0: every one.")
@click.option("--size", "sizes", type=int, multiple=True, help="To scale to [px]. Repeatable.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def fit(
    as_json: bool, folders: tuple[Path, ...], checkpoint: Path, out: Path, folds: int, most: int,
    seed: int, sizes: tuple[int, ...],
) -> None:  # fmt: skip
    """Fit what each style has of its own in the last layer, in closed form: minutes, not hours."""
    _need_torch()
    from streaming.diffusion import pairs
    from streaming.diffusion.fit import fit_checkpoint

    clips = tuple(clip for folder in folders for clip in pairs.find(folder, "train"))
    clips = pairs.spread(clips, most) if most else clips
    try:
        pairs.whole_folds(sizes)
    except ValueError as error:
        raise UsageError(str(error)) from error
    fit_checkpoint(checkpoint, out, clips, narrator(), folds=folds, seed=seed, sizes=sizes)
    emit(as_json, {"checkpoint": str(out), "clips": len(clips)}, lambda: click.echo(str(out)))


@command.command()
@click.option("--checkpoint", type=_FILE, help="Of `diffusion train` or `diffusion fit`.")
@click.option("--small", type=_FILE, help="Another, for 256 and 224 px alone.")
@click.option("--model", type=_FOLDER, help="Or a folder of graphs, to draw anew with its weights.")
@click.option("--out", type=_FOLDER, required=True, help="Such as assets/models/tiny.")
@click.option("--note", default="", help="A line for the card.")
@click.option("--json", "as_json", is_flag=True)
def export(
    as_json: bool, checkpoint: Path | None, small: Path | None, model: Path | None, out: Path,
    note: str,
) -> None:  # fmt: skip
    """Write what the player runs: the ONNX graph or two, and the card with their checksums."""
    _need_torch()
    from streaming.diffusion.export import again
    from streaming.diffusion.export import export as run

    if (checkpoint is None) == (model is None):
        raise UsageError("name either --checkpoint or --model")
    told = {"note": note} if note else {}
    try:
        made = again(model, out, narrator()) if model else None
        card = made or run(checkpoint or out, out, told, narrator(), small)
    except ValueError as error:
        raise UsageError(str(error)) from error
    emit(as_json, card, lambda: click.echo(f"{out}: {len(card['files'])} graphs"))


@command.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--data", "folder", type=_FOLDER, help="Pairs of `diffusion data` to judge on.")
@click.option("--checkpoint", type=_FILE, help="Of the embedded network: measures features.")
@click.option("--model", type=_FOLDER, help="Folder of graphs; the bundled one if left out.")
@click.option("--split", default="test", show_default=True)
@click.option("--most", default=60, show_default=True, help="Clips to judge at most.")
@click.option("--json", "as_json", is_flag=True)
def check(
    as_json: bool, paths: tuple[Path, ...], folder: Path | None, checkpoint: Path | None,
    model: Path | None, split: str, most: int,
) -> None:  # fmt: skip
    """Tell what PATHS (checkpoints, or folders of a card) are and whether they run here.

    With --data, judge on streets that it never saw: the network of one card's folder, or with
    --checkpoint the embedded one. Exit 1 where a file is not one of ours or will not run.
    """
    _need_torch()
    if paths and folder is None:
        if not identified(as_json, paths):
            raise click.exceptions.Exit(1)
        return
    if folder is not None and len(paths) == 1:
        show_judged(as_json, paths[0], folder, split, most)
        return
    if folder is None or checkpoint is None:
        raise UsageError("name a file or folder to look at, or --data and --checkpoint to judge")
    from streaming.backends.filter import Filter
    from streaming.backends.tiny import Choice, Tiny
    from streaming.backends.tiny_files import read_card
    from streaming.diffusion import judge, pairs
    from streaming.diffusion.export import read_net

    tiny = Tiny(read_card(model), budget_ms=1e9)
    tiny.choice = Choice(320, 1)
    test = pairs.spread(pairs.find(folder, split), most)
    painters = {"tiny": judge.through(tiny), "filter": judge.through(Filter())}
    net = read_net(checkpoint)
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
@click.option("--model", type=_FOLDER, help="Folder of graphs or card; bundled if left out.")
@click.option("--frames", default=30, show_default=True, help="Painted for each row.")
@click.option(
    "--of",
    "what",
    type=click.Choice(["tiny", "wan", "precision", "long", "parity"]),
    default="tiny",
    show_default=True,
    help="tiny: the embedded network. wan: shapes of Wan 2.1 with random weights, stage by stage, "
    "small ones on a processor. precision: what each way to run faster costs in accuracy. long: "
    "a stream of --minutes, whether memory and latency stay flat. parity: whether what is streamed "
    "is what the whole clip would give, beside controls that must not be.",
)
@click.option("--minutes", default=60.0, show_default=True, help="Simulated, of long.")
@click.option("--chunks", default=0, help="Of wan, for each row. [default: 20 on a GPU, else 3]")
@click.option("--compile", "compiled", is_flag=True, help="Of wan: compile the transformer.")
@click.option(
    "--patience",
    default=180.0,
    show_default=True,
    type=click.FloatRange(min=1.0),
    help="Of precision: seconds that compiling may take before its row is given up.",
)
@click.option("--json", "as_json", is_flag=True)
def bench(
    as_json: bool, model: Path | None, frames: int, what: str, chunks: int, compiled: bool,
    minutes: float, patience: float,
) -> None:  # fmt: skip
    """Time the networks on this machine; tiny with one thread, a captured frame in and out."""
    if what == "wan":
        _need_torch()
        show_wan(as_json, chunks, compiled)
        return
    if what == "long":
        _need_torch()
        if not show_long(as_json, model, minutes):
            raise click.exceptions.Exit(1)
        return
    if what == "parity":
        _need_torch()
        if not show_parity(as_json):
            raise click.exceptions.Exit(1)
        return
    if what == "precision":
        _need_torch()
        show_precision(as_json, model, frames, patience)
        return
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
@click.argument("things", nargs=-1, required=True, metavar="VIDEO|SESSION|PICTURE...")
@click.option("--style", default="", help="day, dusk, night, rain, noir, neon.")
@click.option("--prompt", default="", help="For films; of a session: instead of its own prompts.")
@click.option("--weights", type=_FOLDER, help="Folder of wan's card; left out: the bundled nano.")
@click.option("--seed", default=0, show_default=True, help="Of the noise, for films.")
@click.option("--out", type=_FILE, help="The PNG of a picture, the MP4 of a video.")
@click.option("--root", type=_FOLDER, help="Folder of the sessions.")
@click.option("--jobs", default=1, show_default=True, help="Processes, for several sessions.")
@click.option("--gpus", default=0.0, show_default=True, help="That a worker of Ray takes.")
@on_ray
@click.option("--device", default="", help="cpu, cuda, cuda:1. [default: the first that is there]")
@click.option("--overlap", is_flag=True, help="On a GPU: encode, paint and decode side by side.")
@click.option("--size", default=480, show_default=True, help="Of a picture's network [px].")
@click.option("--model", type=_FOLDER, help="A picture's graphs; the bundled ones if left out.")
@click.option("--json", "as_json", is_flag=True)
def run(
    as_json: bool, things: tuple[str, ...], style: str, size: int, model: Path | None,
    out: Path | None, **films: Any,
) -> None:  # fmt: skip
    """Paint videos and recorded sessions with the wan network, or one picture with the tiny one.

    A session (id, folder, 'last' or 'all') gets the film as a further styled track; one that has
    it already is passed over, so a run that was cut short goes on. A video is written to --out.
    Under torchrun a video is painted by all processes together.
    """
    if len(things) == 1 and Path(things[0]).suffix.lower() in (".png", ".jpg", ".jpeg"):
        if out is None:
            raise UsageError("where to? name the picture with --out")
        _picture(as_json, Path(things[0]), style or "night", size, model, out)
        return
    _need_torch()
    paint_films(as_json, things, style=style, out=out, **films)


def _picture(
    as_json: bool, picture: Path, style: str, size: int, model: Path | None, out: Path
) -> None:
    """Paint one picture, such as one of `city shot`."""
    if not picture.is_file():
        raise UsageError(f"{picture}: there is no such file")
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
