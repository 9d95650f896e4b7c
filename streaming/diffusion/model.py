"""The embedded video network, plain PyTorch, to be read from top to bottom.

A frame is folded 4x4 into channels; a small U-Net, told the style and the flow time, predicts for
each fold how the source's colours turn (gain, luma, bias) and the detail to add. What flows from
noise to picture is the frame at a quarter of its size (rectified flow, x0 prediction); what it
carries to the next frame is that small picture and a few features.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FOLD = 4
STYLES = ("day", "dusk", "night", "rain", "noir", "neon")
_LUMA = (0.299, 0.587, 0.114)
_TURN = 9  # gain, luma and bias for each of three colours


@dataclass(frozen=True, slots=True)
class TinyParams:
    """Sizes of the network. widths: channels at 1/4, 1/8, 1/16 and 1/32. memory: features kept."""

    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    memory: int = 5

    def told(self) -> dict[str, Any]:
        """As a checkpoint keeps it."""
        return {**asdict(self), "fold": FOLD, "styles": list(STYLES)}


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
        self.stem = nn.Conv2d(3 * FOLD**2 + 3 + self.kept + 2, a, 1)
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
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The styled picture, its turn's mean gain, and what to keep for the next frame.

        picture (b, 3, h, w); noised (b, 3, h/4, w/4): the small picture at flow time (b, 1), 1 is
        pure noise; style (b, styles): shares; kept (b, kept, h/4, w/4): zeros before the first.
        place (b, 2, h/4, w/4): column and row in -1..1, for what is cut from a larger picture.
        """
        folded = F.pixel_unshuffle(picture, FOLD)
        told = self.tell(torch.cat([style, time], 1))
        x = torch.cat([folded * 2 - 1, noised, kept, _place(folded) if place is None else place], 1)
        x = self.enter(F.relu(self.stem(x)), told)
        levels = [x]
        for down, block in zip(self.down, self.inner, strict=True):
            x = block(F.relu(down(x)), told)
            levels.append(x)
        x = self.deep(levels.pop(), told)
        for up, block in zip(self.up, self.outer, strict=True):
            x = F.interpolate(up(x), scale_factor=2.0, mode="nearest") + levels.pop()
            x = block(x, told)
        detail, turn, memory = self.head(x).split([3 * FOLD**2, _TURN, self.params.memory], 1)
        turn = turn + (style @ self.base)[:, :, None, None]
        styled, gain = _turned(folded, turn, detail)
        small = styled.reshape(-1, 3, FOLD**2, *styled.shape[2:]).mean(2)
        return (
            F.pixel_shuffle(styled, FOLD),
            gain,
            torch.cat([small * 2 - 1, torch.tanh(memory)], 1),
        )

    def encode(self, picture: Tensor) -> list[Tensor]:
        """Features at 1/4, 1/8, 1/16 and 1/32 of pictures (b, 3, h, w), without noise or style."""
        folded = F.pixel_unshuffle(picture, FOLD)
        none = folded.new_zeros(folded.shape[0], 3 + self.kept, *folded.shape[2:])
        told = self.tell(folded.new_zeros(folded.shape[0], len(STYLES) + 1))
        x = self.enter(
            F.relu(self.stem(torch.cat([folded * 2 - 1, none, _place(folded)], 1))), told
        )
        levels = [x]
        for down, block in zip(self.down, self.inner, strict=True):
            x = block(F.relu(down(x)), told)
            levels.append(x)
        return levels


def _place(folded: Tensor) -> Tensor:
    """Column and row in -1..1, as two channels."""
    batch, _, height, width = folded.shape
    y = torch.linspace(-1, 1, height).view(1, 1, height, 1).expand(batch, 1, height, width)
    x = torch.linspace(-1, 1, width).view(1, 1, 1, width).expand(batch, 1, height, width)
    return torch.cat([x, y], 1)


def _turned(folded: Tensor, turn: Tensor, detail: Tensor) -> tuple[Tensor, Tensor]:
    """Each fold's colours by its own gain, luma share and bias, plus detail; the mean gain."""
    red, green, blue = folded.chunk(3, 1)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    gain, grey, bias = turn.chunk(3, 1)
    parts = [
        colour * gain[:, i : i + 1] + luma * grey[:, i : i + 1] + bias[:, i : i + 1]
        for i, colour in enumerate((red, green, blue))
    ]
    return torch.cat(parts, 1) + detail, (gain + grey).mean(1, keepdim=True)
