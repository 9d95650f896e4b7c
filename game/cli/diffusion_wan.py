"""What the `diffusion` commands do for the wan network: look at files, paint films, measure."""

from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from game.cli.output import emit, narrator, stderr
from game.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def identified(as_json: bool, paths: tuple[Path, ...]) -> bool:
    """Print what each path is; whether all of them are known and will run here."""
    from streaming.diffusion.wan.inspect import inspect

    seen = [inspect(path) for path in paths]

    def lines() -> None:
        for one in seen:
            click.echo(f"{one.path}: {one.what}")
            for line in one.details:
                click.echo(f"  {line}")
            click.echo(f"  {'runs here' if one.runs else 'will not run here'}: {one.why}")

    emit(as_json, {"files": [asdict(one) for one in seen]}, lines)
    return all(one.runs for one in seen)


def train_nano(as_json: bool, folder: Path, out: Path, options: dict[str, Any]) -> None:
    """Train the nano configuration; model/ in `out` is a folder for --weights."""
    from streaming.diffusion.wan.nano_train import NanoConfig, train

    renamed = {"steps": "transformer", "width": "crop", "unroll": "latents"}
    given = {renamed.get(k, k): v for k, v in options.items() if v not in (None, ())}
    try:
        config = NanoConfig(folder, out, **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except TypeError as error:  # an option of the other presets
        raise UsageError(f"the nano preset cannot be told this: {error}") from error
    done = train(config, narrator())
    last = done.history[-1] if done.history else {}
    model = out / "model"
    emit(as_json, {"model": str(model), **last}, lambda: click.echo(str(model)))


def show_judged(as_json: bool, card: Path, data: Path, split: str, most: int) -> None:
    """PSNR against the target with the cache, without it, and without memory."""
    from streaming.diffusion import pairs
    from streaming.diffusion.wan.card import read_card
    from streaming.diffusion.wan.judge import judge
    from streaming.diffusion.wan.rig import Rig

    rig = Rig(read_card(card))
    clips = pairs.spread(pairs.find(data, split), most)
    scores = judge(rig, clips, 21, narrator())
    table = Table(title=f"{rig.card.name}, {split}, {len(clips)} clips of 21 frames")
    for name in ("way", "psnr [dB]", "ssim", "CPU s a clip", "apart [levels]"):
        table.add_column(name)
    for name, one in scores.items():
        cells = f"{one.psnr:.2f}", f"{one.ssim:.3f}", f"{one.seconds:.2f}", f"{one.apart:.0f}"
        table.add_row(name, *cells)
    told = {
        "split": split,
        "clips": len(clips),
        "scores": {k: asdict(v) for k, v in scores.items()},
    }
    emit(as_json, told, lambda: _print(table))


def show_precision(as_json: bool, folder: Path | None, frames: int, patience_s: float) -> None:
    """What bf16, int8, fp8, channels-last and compiling cost in accuracy here."""
    from streaming.diffusion.wan.card import bundled, read_card
    from streaming.diffusion.wan.precision import WAYS, costs
    from streaming.measure import machine

    card = read_card(folder or bundled())
    rows = costs(card, max(frames, 5), tuple(WAYS), narrator(), patience_s=patience_s)
    table = Table(title=machine())
    for name in ("way", "rms [levels]", "worst", "psnr [dB]", "CPU ms a frame", "weights [MB]"):
        table.add_column(name)
    for one in rows:
        cells = (f"{one.rms:.3f}", f"{one.worst:.0f}", f"{one.psnr:.1f}", f"{one.cpu_ms:.0f}",
                 f"{one.weights_mb:.1f}")  # fmt: skip
        table.add_row(one.way, *(cells if not one.why else (f"not here: {one.why}",)))
    told = {"machine": machine(), "rows": [asdict(one) for one in rows]}
    emit(as_json, told, lambda: _print(table))


def show_parity(as_json: bool) -> bool:
    """Hold what streams against whole clips, each with its control; whether every row does."""
    from streaming.diffusion.wan.parity import rows
    from streaming.diffusion.wan.rig import best_device
    from streaming.measure import machine

    device = best_device()
    found = rows(device)
    table = Table(title=f"{machine()}, {device}, float32: largest difference, relative")
    for name in ("what", "apart", "control", "apart", "holds"):
        table.add_column(name)
    for one in found:
        holds = "yes" if one.holds else "NO"
        table.add_row(one.what, f"{one.apart:.1e}", one.slip, f"{one.slipped:.1e}", holds)
    told = {"machine": machine(), "device": device,
            "rows": [{**asdict(one), "holds": one.holds} for one in found]}  # fmt: skip
    emit(as_json, told, lambda: _print(table))
    return all(one.holds for one in found)


def show_long(as_json: bool, folder: Path | None, minutes: float) -> bool:
    """Stream for so long; whether the memory is sound at the end."""
    from streaming.diffusion.wan.card import bundled, read_card
    from streaming.diffusion.wan.endure import endure
    from streaming.diffusion.wan.rig import Rig

    say = narrator()
    rows, end = endure(
        Rig(read_card(folder or bundled())), minutes,
        lambda m: say(f"minute {m.minute}: chunk {m.cpu_ms_p50:.1f} ms CPU, p95 {m.cpu_ms_p95:.1f},"
                      f" memory {m.memory_mb:.1f} MB, latent {m.latent}"),
    )  # fmt: skip
    told = {"minutes": [asdict(row) for row in rows], **asdict(end)}

    def lines() -> None:
        first, last = rows[min(1, len(rows) - 1)], rows[-1]
        click.echo(f"{last.frames} frames, {end.latent + 1} latents")
        click.echo(f"chunk {first.cpu_ms_p50:.1f} ms CPU at first, {last.cpu_ms_p50:.1f} at last")
        click.echo(f"memory {first.memory_mb:.1f} MB at first, {last.memory_mb:.1f} at last")
        click.echo(f"positions brought back change the next block by {end.shifted:.1e}")
        click.echo("; ".join(end.faults) or "the memory is sound")

    emit(as_json, told, lines)
    return not end.faults


def show_wan(as_json: bool, chunks: int, compiled: bool) -> None:
    """Time Wan's shapes with random weights; beside each, what an H100 allows and the goal."""
    from streaming.diffusion.wan.bench import measure
    from streaming.diffusion.wan.expected import cases, expected, small_cases
    from streaming.diffusion.wan.rig import best_device
    from streaming.measure import machine

    device, say, rows = best_device(), narrator(), []
    on_card = device.startswith("cuda")
    for case in cases() if on_card else small_cases():
        rows.append(asdict(measure(case, device, chunks or (20 if on_card else 3), compiled)))
        say(f"{case.model} {case.width}x{case.height} {case.steps} steps {case.autoencoder}: "
            f"{rows[-1]['fps']:.1f} frames/s")  # fmt: skip
    wanted = [asdict(one) for one in expected()]
    note = "" if on_card else "not measured: no GPU here; the rows above are small shapes"
    table = Table(title=f"{machine()}, {rows[0]['device'] if rows else device}")
    names = ("model", "size", "steps", "autoencoder", "fps", "first ms", "p50 ms", "p95 ms",
             "encode", "dit", "decode", "GB", "TFLOP/s", "of peak")  # fmt: skip
    for name in names:
        table.add_column(name)
    for row in rows:
        share = f"{row['peak_share']:.0%}" if row["peak_share"] else "-"
        table.add_row(
            row["model"], f"{row['width']}x{row['height']}", str(row["steps"]), row["autoencoder"],
            *(f"{row[k]:.1f}" for k in ("fps", "first_frame_ms", "chunk_ms_p50", "chunk_ms_p95",
              "encode_ms", "transformer_ms", "decode_ms", "memory_gb")),
            f"{row['tflops']:.2f}", share,
        )  # fmt: skip
    more = Table(title=f"One H100: limit by arithmetic, and goal{'; ' + note if note else ''}")
    for name in ("model", "size", "steps", "autoencoder", "limit fps", "goal fps", "measured"):
        more.add_column(name)
    for one in wanted:
        found = next((r for r in rows if all(r[k] == one[k] for k in ("model", "width", "height",
                     "steps", "autoencoder"))), None)  # fmt: skip
        more.add_row(one["model"], f"{one['width']}x{one['height']}", str(one["steps"]),
                     one["autoencoder"], f"{one['limit_fps']:.0f}",
                     f"{one['goal_fps']:.0f}" if one["goal_fps"] else "-",
                     f"{found['fps']:.1f}" if found else "not measured")  # fmt: skip
    told = {"machine": machine(), "rows": rows, "expected": wanted, "note": note}
    emit(as_json, told, lambda: _print(table, more))


def paint_films(
    as_json: bool, things: tuple[str, ...], *, style: str, prompt: str, weights: Path | None,
    seed: int, out: Path | None, root: Path | None, jobs: int, gpus: float, address: str | None,
    device: str, overlap: bool,
) -> None:  # fmt: skip
    """Videos to a file each, sessions to a further styled track each."""
    from game.dataset.dream import Wish
    from streaming.diffusion.wan.launch import ranks

    wish = Wish(weights, device, prompt, style, seed)
    videos = [Path(one) for one in things if Path(one).is_file()]
    if videos and len(videos) != len(things):
        raise UsageError("name videos or sessions, not both")
    if len(videos) > 1 or (videos and out is None):
        raise UsageError("name one video and the MP4 to write with --out")
    if videos and out is not None:
        told = _video(videos[0], out, wish, overlap)
        if told:
            emit(as_json, told, lambda: click.echo(f"{out}: {told['frames']} frames"))
        return
    if ranks()[1] > 1:
        raise UsageError("torchrun paints one video; for sessions take --jobs or --ray without it")
    done = _sessions(things, wish, root, jobs, gpus, address)

    def lines() -> None:
        for one in done:
            there = " (was there)" if one.before else ""
            click.echo(f"{one.folder}: track {one.track}, {one.frames} frames, {one.model}{there}")

    emit(as_json, {"sessions": [asdict(one) for one in done]}, lines)


def _sessions(
    names: tuple[str, ...], wish: Any, root: Path | None, jobs: int, gpus: float,
    address: str | None,
) -> list[Any]:  # fmt: skip
    from rich.progress import Progress

    from game.cli.session import find, folders, sessions_root
    from game.dataset.dream import dream, dream_here
    from game.dataset.pool import Workers, run

    where = sessions_root(root)
    chosen = folders(where) if names == ("all",) else [find(name, where) for name in names]
    if jobs < 1 or gpus < 0:
        raise UsageError("--jobs is 1 or more, --gpus not below 0")
    done: list[Any] = []
    with Progress(console=stderr(), transient=True) as bar:
        if jobs == 1 and address is None:
            for number, folder in enumerate(chosen, 1):
                task = bar.add_task(f"{number} of {len(chosen)}: {folder.name}", total=None)
                done.append(dream(folder, wish, partial(_told, bar, task)))
                bar.remove_task(task)
            return done
        task = bar.add_task("sessions", total=len(chosen))
        workers = Workers(jobs, address is not None, address or "auto", gpus)
        for one in run(dream_here, [(folder, wish) for folder in chosen], workers):
            done.append(one)
            bar.update(task, completed=len(done))
    return done


def _told(bar: "Progress", task: "TaskID", at: int, of: int) -> None:
    bar.update(task, completed=at, total=of)


def _video(path: Path, out: Path, wish: Any, overlap: bool) -> dict[str, Any]:
    """Paint a video file; {} in processes that only help. Appears whole or not at all."""
    from rich.progress import Progress

    from game.dataset.video import Mp4
    from streaming.diffusion.wan.card import bundled, read_card
    from streaming.diffusion.wan.offline import Alone, Ranks, launched

    card, part = read_card(wish.weights or bundled()), out.with_suffix(f".part{out.suffix}")
    painter: Any = Ranks(card, wish.device) if launched() else Alone(card, wish.device, overlap)
    try:
        if not painter.leads:
            painter.serve()
            return {}
        rate, total, size = _facts(path)
        with Progress(console=stderr(), transient=True) as bar:
            task = bar.add_task(path.name, total=total or None)
            with Mp4(part, rate, size) as film:
                for _, pixels in painter.paint(_frames(path, wish), wish.seed):
                    film.put(pixels[..., 2::-1])
                    bar.update(task, completed=film.count)
                count = film.count
        part.replace(out)
        return {"path": str(out), "frames": count, "model": painter.rig.card.model,
                "seed": wish.seed}  # fmt: skip
    finally:
        painter.close()
        if painter.leads:
            part.unlink(missing_ok=True)


def _facts(path: Path) -> tuple[Fraction, int, tuple[int, int]]:
    """Frames a second, frames if the file says, and width and height."""
    import av

    try:
        with av.open(str(path)) as container:
            film = container.streams.video[0]
            rate = Fraction(film.average_rate or 30)
            return rate, film.frames, (film.codec_context.width, film.codec_context.height)
    except (av.FFmpegError, IndexError) as error:
        raise UsageError(f"{path} is no video that can be read ({error})") from error


def _frames(path: Path, wish: Any) -> Iterator[Any]:
    import av

    from streaming.diffusion.wan.offline import Shot

    count = 0
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                yield Shot(count, frame.to_ndarray(format="bgra"), wish.prompt, wish.style)
                count += 1
        except av.FFmpegError as error:
            raise UsageError(f"{path} is broken after {count} frames ({error})") from error


def _print(*tables: Table) -> None:
    from rich.console import Console

    screen = Console()
    for table in tables:
        wide = Console(width=400).measure(table).maximum  # rather wrapped than cut off
        Console(width=max(screen.width, wide)).print(table)
