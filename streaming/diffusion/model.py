"""The embedded video network, plain PyTorch, to be read from top to bottom.

A frame is folded 4x4 into channels; a small U-Net, told the style and the flow time, predicts for
each fold how the source's colours turn (gain, luma, bias), how much of each grain of a pixel to add
(a pane that is darker than its wall, say), and what detail. What flows from noise to picture is the
frame at a quarter of its size (rectified flow, x0 prediction); what it carries to the next frame is
that small picture and a few features.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FOLD = 4
STYLES = ("day", "dusk", "night", "rain", "noir", "neon")
LUMA = (0.299, 0.587, 0.114)
_TURN = 9  # gain, luma and bias for each of three colours
_SEEN = 4  # of a pixel, by the grain: its colours, and its luma against the wall around it


@dataclass(frozen=True, slots=True)
class TinyParams:
    """Sizes of the network. widths: channels at 1/4, 1/8, 1/16 and 1/32. memory: features kept.

    grain: features of each pixel on its own, which the turn mixes in. labels: planes of what the
    scene is that it is told beside the picture; a stream carries none.
    """

    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    memory: int = 5
    grain: int = 8
    labels: int = 0

    def told(self) -> dict[str, Any]:
        """As a checkpoint keeps it."""
        return {**asdict(self), "fold": FOLD, "styles": list(STYLES)}

    @classmethod
    def of(cls, told: dict[str, Any]) -> "TinyParams":
        """Those that a checkpoint or a card tells of. Raises ValueError: of other styles."""
        if told["styles"] != list(STYLES) or told["fold"] != FOLD:
            raise ValueError("the checkpoint is of other styles or another fold")
        return cls(tuple(told["widths"]), told["memory"], told["grain"], told.get("labels", 0))


class Block(nn.Module):
    """Two convolutions with a skip; the style scales and shifts what lies between them."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(told, 2 * width)
        nn.init.normal_(self.film.weight, std=0.1)
        nn.init.zeros_(self.film.bias)
        self.second.weight.data *= 0.2

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """x (b, width, h, w), told (b, told)."""
        scale, shift = self.film(told)[:, :, None, None].chunk(2, 1)
        return F.relu(x + self.second(F.relu(self.first(x) * (1 + scale) + shift)))


class Tiny(nn.Module):
    """forward paints one frame. All pictures are RGB in 0..1; h and w are multiples of 32."""

    def __init__(self, params: TinyParams | None = None) -> None:
        super().__init__()
        self.params = params or TinyParams()
        a, b, c, d = self.params.widths
        self.kept = 3 + self.params.memory
        told = 32
        self.tell = nn.Sequential(nn.Linear(len(STYLES) + 1, told), nn.ReLU())
        self.stem = nn.Conv2d(3 * FOLD**2 + 3 + self.kept + 2 + self.params.labels, a, 1)
        self.enter = Block(a, told)
        self.down = nn.ModuleList(
            nn.Conv2d(n, m, 3, stride=2, padding=1) for n, m in ((a, b), (b, c), (c, d))
        )
        self.inner = nn.ModuleList(Block(n, told) for n in (b, c, d))
        self.deep = Block(d, told)
        self.up = nn.ModuleList(nn.Conv2d(n, m, 1) for n, m in ((d, c), (c, b), (b, a)))
        self.outer = nn.ModuleList(Block(n, told) for n in (c, b, a))
        self.head = nn.Conv2d(a, 3 * FOLD**2 + _TURN + self.params.memory, 1)
        self.head.weight.data *= 0.1
        self.grain = nn.Conv2d(_SEEN, self.params.grain, 1)
        self.fine = nn.Parameter(torch.zeros(len(STYLES), 3 * FOLD**2, a + 1))
        self.mix = nn.Parameter(torch.zeros(len(STYLES), _TURN + 3 * self.params.grain, a + b + 1))
        begin_grain(self.grain)
        self.base = nn.Parameter(torch.tensor([0.5] * 3 + [0.3] * 3 + [0.0] * 3).repeat(6, 1))

    def told(self) -> list[nn.Parameter]:
        """The parameters that tell styles apart; they learn at a rate of their own."""
        return [p for name, p in self.named_parameters() if name.split(".")[-2:-1] == ["film"]
                or name.startswith(("tell", "base"))]  # fmt: skip

    def forward(
        self,
        picture: Tensor,
        noised: Tensor,
        time: Tensor,
        style: Tensor,
        kept: Tensor,
        place: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The styled picture, its turn's mean gain, and what to keep for the next frame.

        picture (b, 3, h, w); noised (b, 3, h/4, w/4): the small picture at flow time (b, 1), 1 is
        pure noise; style (b, styles): shares; kept (b, kept, h/4, w/4): zeros before the first.
        place (b, 2, h/4, w/4): column and row in -1..1, for what is cut from a larger picture.
        labels (b, labels, h/4, w/4): for a network that is told some.
        """
        return self.seen(picture, noised, time, style, kept, place, labels)[:3]

    def seen(
        self,
        picture: Tensor,
        noised: Tensor,
        time: Tensor,
        style: Tensor,
        kept: Tensor,
        place: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """As forward; and the features that the last layer saw, the finest and the next."""
        folded = fold(picture)
        told = self.tell(torch.cat([style, time], 1))
        place = place_of(folded) if place is None else place
        more = [] if labels is None else [labels]
        x = torch.cat([folded, noised, kept, place, *more], 1)
        x = self.enter(F.relu(self._begun(x)), told)
        levels = [x]
        for down, block in zip(self.down, self.inner, strict=True):
            x = block(F.relu(down(x)), told)
            levels.append(x)
        x = self.deep(levels.pop(), told)
        coarse = x
        for up, block in zip(self.up, self.outer, strict=True):
            coarse = x
            x = F.interpolate(up(x), scale_factor=2.0, mode="nearest") + levels.pop()
            x = block(x, told)
        styled, gain, memory = self.printed(folded, x, coarse, style)
        kept = torch.cat([_mean(styled) * 2 - 1, torch.tanh(memory)], 1)
        return F.pixel_shuffle(styled, FOLD), gain, kept, x, coarse

    def printed(
        self, folded: Tensor, x: Tensor, coarse: Tensor, style: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The folded picture, mean gain and memory. x: the finest features; coarse: the next.

        All that is linear is one product. What the coarse ones add to the turn and the grain's
        shares is made at their own size: it may as well be scaled up after as before.
        """
        deep, turns, grains_ = 3 * FOLD**2, _TURN, 3 * self.params.grain
        a = x.shape[1]
        mix = by_style(style, self.mix)
        head = torch.cat([self.head.weight.flatten(1), _column(self.head.bias)], 1)
        detail, turn, memory = torch.split(head, [deep, turns, self.params.memory])
        own = torch.cat([mix[..., :a], mix[..., -1:]], -1)
        base = F.pad((style @ self.base)[..., None], (a, 0))
        batch = style.shape[0]
        rows = torch.cat([
            by_style(style, self.fine) + detail, own[:, :turns] + turn + base, own[:, turns:],
            memory.expand(batch, *memory.shape),
        ], 1)  # fmt: skip
        detail, wide, memory = (
            _applied(some, x)
            for some in torch.split(rows, [deep, turns + grains_, self.params.memory], 1)
        )
        below = _applied(F.pad(mix[..., a:-1], (0, 1)), coarse)
        below = F.interpolate(below, scale_factor=2.0, mode="bilinear", align_corners=False)
        turn, shares = torch.split(wide + below, [turns, grains_], 1)
        styled, gain = _laid(self.grain, folded, detail, turn, shares)
        return styled, gain, memory

    def _begun(self, x: Tensor) -> Tensor:
        """The stem, which was made for colours in -1..1, on those in 0..1 that x begins with."""
        weight, bias, colours = self.stem.weight, self.stem.bias, 3 * FOLD**2
        assert bias is not None
        wide = torch.cat([2 * weight[:, :colours], weight[:, colours:]], 1)
        return F.conv2d(x, wide, bias - weight[:, :colours].sum((1, 2, 3)))

    def encode(self, picture: Tensor) -> list[Tensor]:
        """Features at 1/4, 1/8, 1/16 and 1/32 of pictures (b, 3, h, w), without noise or style."""
        folded = fold(picture)
        none = folded.new_zeros(folded.shape[0], 3 + self.kept, *folded.shape[2:])
        told = self.tell(folded.new_zeros(folded.shape[0], len(STYLES) + 1))
        blank = folded.new_zeros(folded.shape[0], self.params.labels, *folded.shape[2:])
        x = torch.cat([folded, none, place_of(folded), blank], 1)
        x = self.enter(F.relu(self._begun(x)), told)
        levels = [x]
        for down, block in zip(self.down, self.inner, strict=True):
            x = block(F.relu(down(x)), told)
            levels.append(x)
        return levels


def fold(picture: Tensor) -> Tensor:
    """Pictures (b, c, h, w) as (b, 16 c, h/4, w/4): what pixel_unshuffle gives, to the bit.

    One axis at a time, which runtimes have quick ways for; at once they walk it element by element.
    """
    batch, colours, height, width = picture.shape
    rows = picture.reshape(-1, width // FOLD, FOLD).transpose(1, 2)
    whole = rows.reshape(batch * colours, height // FOLD, FOLD**2, width // FOLD).transpose(1, 2)
    return whole.reshape(batch, colours * FOLD**2, height // FOLD, width // FOLD)


def place_of(folded: Tensor) -> Tensor:
    """Column and row in -1..1, as two channels."""
    batch, _, height, width = folded.shape
    y = torch.linspace(-1, 1, height).view(1, 1, height, 1).expand(batch, 1, height, width)
    x = torch.linspace(-1, 1, width).view(1, 1, 1, width).expand(batch, 1, height, width)
    return torch.cat([x, y], 1)


def by_style(style: Tensor, own: Tensor) -> Tensor:
    """Weights (b, n, a) for shares of the styles (b, s), out of each style's own (s, n, a)."""
    return (style @ own.flatten(1)).view(-1, *own.shape[1:])


def _applied(rows: Tensor, x: Tensor) -> Tensor:
    """A 1x1 convolution of each picture's own. rows (b, n, a + 1), bias last; x (b, a, h, w)."""
    made = rows[..., :-1] @ x.flatten(2) + rows[..., -1:]
    return made.view(-1, rows.shape[1], *x.shape[2:])


def _column(bias: Tensor | None) -> Tensor:
    assert bias is not None
    return bias[:, None]


def begin_grain(grain: nn.Conv2d) -> None:
    """Begin with hinges a painter would look for: panes darker than their wall, by how much, ..."""
    rows = (
        (0, 0, 0, -1, -0.05), (0, 0, 0, -1, -0.25), (0, 0, 0, 1, -0.05), (0, 0, 0, 1, -0.3),
        (0.3, 0.59, 0.11, 0, -0.3), (0.3, 0.59, 0.11, 0, -0.55), (2, 0, -2, 0, 0), (-2, 0, 2, 0, 0),
    )  # fmt: skip
    with torch.no_grad():
        for at, row in enumerate(rows[: grain.out_channels]):
            grain.weight[at, :, 0, 0] = torch.tensor(row[:-1])
            grain.bias[at] = row[-1]  # type: ignore[index]


def _laid(
    grain: nn.Conv2d, folded: Tensor, detail: Tensor, turn: Tensor, shares: Tensor
) -> tuple[Tensor, Tensor]:
    """The folded picture and its mean gain.

    Each fold's colours by its own gain, luma share and bias, plus what the fold's shares
    (b, 3 grain, h, w) make of its pixels' features, plus detail.
    """
    features = grains(grain, folded).unbind(1)
    gain, grey, bias = turn.chunk(3, 1)
    luma = _luma(folded)
    parts = []
    for colour, part, share, at in zip(
        folded.chunk(3, 1), detail.chunk(3, 1), shares.chunk(3, 1), range(3), strict=True
    ):
        one = slice(at, at + 1)
        part = part + colour * gain[:, one] + luma * grey[:, one] + bias[:, one]
        for at, feature in enumerate(features):  # one by one: all would not fit near the processor
            part = part + feature * share[:, at : at + 1]
        parts.append(part)
    return torch.cat(parts, 1), (gain + grey).mean(1, keepdim=True)


def _luma(folded: Tensor) -> Tensor:
    red, green, blue = folded.chunk(3, 1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _mean(folded: Tensor) -> Tensor:
    """Mean of each fold, (b, colours, h, w): as a product, which runtimes are quick at."""
    batch, deep, height, width = folded.shape
    rows = folded.reshape(batch * deep // FOLD**2, FOLD**2, height * width)
    share = torch.full((1, 1, FOLD**2), 1.0 / FOLD**2)
    return (share @ rows).view(batch, -1, height, width)


def grains(grain: nn.Conv2d, folded: Tensor) -> Tensor:
    """Features (b, grain, 16, h, w) of each pixel of a folded picture.

    A pixel is seen as its three colours and its luma against the mean of 20 px around it.
    """
    batch, _, height, width = folded.shape
    colours = folded.view(batch, 3, -1)
    luma = _luma(folded)
    around = F.avg_pool2d(_mean(luma), 5, 1, 2, count_include_pad=False)
    against = (luma - around) / (around + 0.08)
    against = against.reshape(batch, 1, -1)
    seen = torch.cat([colours, against, torch.ones_like(against)], 1)
    features = torch.cat([grain.weight.flatten(1), _column(grain.bias)], 1) @ seen
    return F.relu(features).view(batch, -1, FOLD**2, height, width)
