"""Fits what each style has of its own in the last layer to a folder of pairs, in closed form.

The picture is linear in those weights, so least squares find in a minute what takes descent hours.
All below the last layer stays as it was.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from streaming.diffusion import pairs
from streaming.diffusion.model import FOLD, LUMA, STYLES, Tiny, TinyParams, grains
from streaming.diffusion.train import Run, TrainConfig

Say = Callable[[str], None]
_SUB = FOLD**2


class Sums:
    """Normal equations of one style, for all three colours at once.

    A pixel is `fine[its place in the fold] @ x + (shares @ wide) @ terms`; terms are the three
    colours, the grain's features and one.
    """

    def __init__(self, fine: int, wide: int, terms: int) -> None:
        shared = wide * terms
        self.gram = torch.zeros(fine, fine, dtype=torch.float64)
        self.cross = torch.zeros(_SUB, fine, shared, dtype=torch.float64)
        self.turn = torch.zeros(shared, shared, dtype=torch.float64)
        self.fine_y = torch.zeros(_SUB, fine, 3, dtype=torch.float64)
        self.turn_y = torch.zeros(shared, 3, dtype=torch.float64)

    def add(self, x: Tensor, wide: Tensor, terms: Tensor, rest: Tensor) -> None:
        """x (n, fine); wide (n, wide); terms (n, 16, terms); rest (n, 16, 3): what is missing."""
        z = (terms[..., None] * wide[:, None, None, :]).flatten(2)
        flat = z.flatten(0, 1)
        self.gram += x.T @ x
        self.cross += torch.einsum("nf,nps->pfs", x, z)
        self.turn += flat.T @ flat
        self.fine_y += torch.einsum("nf,npc->pfc", x, rest)
        self.turn_y += flat.T @ rest.flatten(0, 1)

    def solve(self, pick: Tensor, colour: int, ridge: float) -> tuple[Tensor, Tensor]:
        """Fine (16, fine) and shares (shared') of one colour. pick (shared, shared'): its terms."""
        gram = _pulled(self.gram, ridge)
        cross, turn = self.cross @ pick, _pulled(pick.T @ self.turn @ pick, ridge)
        inner = torch.linalg.solve(gram, cross)
        left = turn - torch.einsum("pfs,pft->st", cross, inner)
        right = pick.T @ self.turn_y[:, colour]
        right = right - torch.einsum("pfs,pf->s", inner, self.fine_y[..., colour])
        shares = torch.linalg.solve(left, right)
        fine = torch.linalg.solve(gram, (self.fine_y[..., colour] - cross @ shares).T).T
        return fine.float(), shares.float()


def _pulled(gram: Tensor, ridge: float) -> Tensor:
    """A gram matrix with a pull towards no change."""
    own = gram.diagonal()
    return gram + torch.diag(ridge * own + 1e-7 * own.mean())


@torch.no_grad()
def fit(
    net: Tiny, clips: tuple[pairs.Clip, ...], say: Say, ridge: float = 2e-3, folds: int = 150,
    seed: int = 1, styles: tuple[str, ...] = STYLES, sizes: tuple[int, ...] = (),
) -> None:  # fmt: skip
    """Change `net` in place. folds: drawn from each frame. ridge: pull towards what it does now.

    sizes: sides [px] that clips are scaled to by turns; none: they stay as they are.
    """
    fine, grain = net.params.widths[0] + 1, net.params.grain
    wide = sum(net.params.widths[:2]) + 1
    draw = torch.Generator().manual_seed(seed)
    for style in styles:
        own = [clip for clip in clips if clip.style == style]
        if not own:
            continue
        sums = Sums(fine, wide, 4 + grain)
        for clip, side in zip(own, cycle(sizes or (0,)), strict=False):
            for row in _rows(net, clip, folds, draw, side):
                sums.add(*row)
        for colour in range(3):
            pick = _terms(colour, grain, wide)
            _give(net, STYLES.index(style), colour, *sums.solve(pick, colour, ridge))
        say(f"{style}: fitted to {len(own)} clips")


def fit_checkpoint(
    checkpoint: Path, out: Path, clips: tuple[pairs.Clip, ...], say: Say, folds: int, seed: int,
    sizes: tuple[int, ...] = (),
) -> None:  # fmt: skip
    """Write a checkpoint of the averaged weights with the last layer fitted; descent may go on."""
    params = TinyParams.of(torch.load(checkpoint, weights_only=True)["params"])
    run = Run(TrainConfig(Path(), out.parent, seed=seed, params=params))
    run.begin(checkpoint)
    fit(run.average, clips, say, folds=folds, seed=seed, sizes=sizes)
    run.model.load_state_dict(run.average.state_dict())
    run.before.append({"fitted": len(clips), "folds": folds, "seed": seed,
                       "sizes": list(sizes)})  # fmt: skip
    run.save(out)


def _terms(colour: int, grain: int, wide: int) -> Tensor:
    """From all terms to those of one colour: itself, luma, one, and the grain's features."""
    pick = torch.zeros(4 + grain, 3 + grain, dtype=torch.float64)
    pick[colour, 0] = 1.0
    pick[:3, 1] = torch.tensor(LUMA, dtype=torch.float64)
    pick[3 + grain, 2] = 1.0
    pick[3 : 3 + grain, 3:] = torch.eye(grain, dtype=torch.float64)
    return torch.kron(pick, torch.eye(wide, dtype=torch.float64))


def _rows(
    net: Tiny, clip: pairs.Clip, folds: int, draw: torch.Generator, side: int
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """What `Sums.add` wants of each frame, played in order with what the network keeps."""
    source, target = (pairs.sized(p, side) for p in (clip.source(), clip.target()))
    style = pairs.one_hot([STYLES.index(clip.style)])
    kept = torch.zeros(1, net.kept, source.shape[2] // FOLD, source.shape[3] // FOLD)
    noise = torch.randn(1, 3, *kept.shape[2:], generator=draw)
    labels = clip.labels() if net.params.labels else None
    for number, (frame, wanted) in enumerate(zip(source, target, strict=True)):
        more = None if labels is None else _at(labels[number : number + 1], kept)
        styled, _, kept, x, coarse = net.seen(
            frame[None], noise, torch.ones(1, 1), style, kept, None, more
        )
        smooth = F.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        wide = torch.cat([x, smooth], 1)
        folded = F.pixel_unshuffle(frame[None], FOLD)
        area = folded.shape[2] * folded.shape[3]
        some = torch.randperm(area, generator=draw)[:folds]
        one = torch.ones(len(some), 1)
        terms = torch.cat([
            folded.view(3, _SUB, area), grains(net.grain, folded)[0].flatten(2),
            torch.ones(1, _SUB, area),
        ])[..., some]  # fmt: skip
        rest = F.pixel_unshuffle(wanted[None] - styled, FOLD).view(3, _SUB, area)[..., some]
        yield (
            torch.cat([x[0].flatten(1).T[some], one], 1),
            torch.cat([wide[0].flatten(1).T[some], one], 1),
            terms.permute(2, 1, 0), rest.permute(2, 1, 0),
        )  # fmt: skip


def _at(labels: Tensor, like: Tensor) -> Tensor:
    """Labels at the size of what is kept."""
    return F.interpolate(labels, like.shape[2:], mode="area")


def _give(net: Tiny, style: int, colour: int, fine: Tensor, shares: Tensor) -> None:
    """Add one colour's solution to what the style has of its own."""
    net.fine[style, colour * _SUB : (colour + 1) * _SUB] += fine
    rows = shares.view(3 + net.params.grain, -1)
    for at, row in enumerate((colour, 3 + colour, 6 + colour)):
        net.mix[style, row] += rows[at]
    first = 9 + colour * net.params.grain
    net.mix[style, first : first + net.params.grain] += rows[3:]
