"""One more round of the embedded network's training, from the bot's drives to graph and card."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from game.cli.output import emit, narrator
from game.errors import MissingPart, UsageError

if TYPE_CHECKING:
    from streaming.diffusion import pairs

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SIZES = "320,256,224"


@click.command("round")
@click.option("--out", type=_FOLDER, required=True, help="All that it makes; continued if there.")
@click.option("--model", type=_FOLDER, help="Weights to begin with; the bundled ones if left out.")
@click.option("--also", type=_FOLDER, multiple=True, help="Pairs of earlier rounds. Repeatable.")
@click.option("--drives", default=40, show_default=True, help="Of the bot in the living city.")
@click.option("--clips", default=5, show_default=True, help="Clips taken of a drive.")
@click.option(
    "--steps", default=0, show_default=True, help="Of descent; 0 fits the last layer only."
)
@click.option("--folds", default=150, show_default=True, help="Drawn from each frame, to fit to.")
@click.option("--sizes", default=_SIZES, show_default=True, help="Sides it is fitted at [px].")
@click.option("--most", default=24, show_default=True, help="Held-out clips to judge by.")
@click.option("--seed", default=2, show_default=True, help="A new one: the first round's was 1.")
@click.option("--jobs", default=1, show_default=True, help="Processes that render.")
@click.option("--json", "as_json", is_flag=True)
def round_(
    as_json: bool, out: Path, model: Path | None, also: tuple[Path, ...], drives: int, clips: int,
    steps: int, folds: int, sizes: str, most: int, seed: int, jobs: int,
) -> None:  # fmt: skip
    """Drives of the bot, pairs, descent, fit, held-out figures before and after, graph and card.

    Writes OUT/model, which `stream serve --weights` and `diffusion check --model` take. What is
    there already is kept, so a round that was cut short goes on.
    """
    import importlib.util

    if missing := [m for m in ("torch", "onnx") if importlib.util.find_spec(m) is None]:
        raise MissingPart(f"{', '.join(missing)} is not installed", "pip install '.[diffusion]'")
    from game.dataset.pairs.store import PairsConfig, make_pairs
    from streaming.backends.tiny_files import bundled
    from streaming.diffusion import pairs
    from streaming.diffusion.export import begin_with, export
    from streaming.diffusion.fit import fit_checkpoint
    from streaming.diffusion.train import TrainConfig, train

    say, before, wanted = narrator(), model or bundled(), _sides(sizes)
    try:
        config = PairsConfig(out / "pairs", drives, seed, clips)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    made = make_pairs(config, say, jobs)
    params = begin_with(before, out / "begin.pt")
    plan = TrainConfig(
        out / "pairs", out / "run", out / "begin.pt", steps=max(steps, 1), params=params
    )
    last = train(plan, say).path if steps else out / "begin.pt"
    folders = (out / "pairs", *also)
    known, unseen = (tuple(_all(folders, split)) for split in ("train", "validation"))
    if not known or not unseen:
        raise UsageError("too few drives: none in a street that is held out; ask for more --drives")
    fit_checkpoint(last, out / "fitted.pt", known, say, folds=folds, seed=seed, sizes=wanted)
    drawn = f"{made['drives']} drives, seed {seed}"
    line = f"round of {drawn}, {steps} steps, fitted to {len(known)} clips at {sizes} px"
    told: dict[str, Any] = {"recipe": [*_recipe(before), line]}
    export(out / "fitted.pt", out / "model", told, say)
    some = pairs.spread(unseen, most)
    scores = {side: _judged(side, before, out, known, some) for side in wanted}
    told["rounds"] = {
        "unit": f"PSNR [dB], {len(some)} clips of validation streets, before and after"
    }
    told["rounds"] |= {f"{side} px": _pair(row) for side, row in scores.items()}
    export(out / "fitted.pt", out / "model", told, lambda _: None)
    shown = {"model": str(out / "model"), "clips": len(some), "scores": scores}
    emit(as_json, shown, lambda: _show(scores, len(some)))


def _sides(sizes: str) -> tuple[int, ...]:
    from streaming.backends.tiny_files import SIZES

    wanted = tuple(int(size) for size in sizes.split(",") if size.strip().isdigit())
    if not wanted or set(wanted) - set(SIZES):
        raise UsageError(f"no sizes '{sizes}'; choose some of: {', '.join(map(str, SIZES))}")
    return wanted


def _all(folders: tuple[Path, ...], split: str) -> "list[pairs.Clip]":
    """Clips of all folders; a folder that has none of a split adds none."""
    from streaming.diffusion import pairs
    from streaming.errors import PairsMissing

    found: list[pairs.Clip] = []
    for folder in folders:
        try:
            found += pairs.find(folder, split)
        except PairsMissing:
            continue
    return found


def _recipe(folder: Path) -> list[str]:
    from streaming.backends.tiny_files import CARD

    return list(json.loads((folder / CARD).read_text("utf-8")).get("recipe", ()))


def _judged(
    side: int, before: Path, out: Path, known: "tuple[pairs.Clip, ...]",
    unseen: "tuple[pairs.Clip, ...]",
) -> dict[str, Any]:  # fmt: skip
    """What both networks and the best colour map score at one size, as the stream paints."""
    from streaming.backends.tiny import Choice, Tiny
    from streaming.backends.tiny_files import read_card
    from streaming.diffusion import judge
    from streaming.diffusion.export import read_net

    def painter(folder: Path) -> judge.Paint:
        tiny = Tiny(read_card(folder), budget_ms=1e9)
        tiny.choice = Choice(side, 1)
        return judge.through(tiny)

    net = read_net(out / "fitted.pt")
    who = {"before": painter(before), "after": painter(out / "model")}
    return judge.compare(known, unseen, who, net, narrator())


def _pair(row: dict[str, Any]) -> list[float]:
    return [round(float(row[name]["psnr"]), 2) for name in ("before", "after")]


def _show(scores: dict[int, dict[str, Any]], clips: int) -> None:
    from rich.console import Console

    table = Table(title=f"{clips} clips of streets that were never learned from")
    for name in ("size", "painter", "psnr", "ssim", "features", "edges", "warp"):
        table.add_column(name)
    for side, row in scores.items():
        for name in ("before", "after", "colour map"):
            cells = (f"{row[name][k]:.3f}" for k in ("psnr", "ssim", "features", "edges", "warp"))
            table.add_row(str(side), name, *cells)
    Console().print(table)
