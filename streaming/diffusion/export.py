"""Turns trained weights into what the player runs: a graph for each size, a card with checksums.

Pre- and postprocessing are in the graph: a captured frame in, a styled frame out, both BGRA bytes.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streaming.backends.tiny_files import CARD, INPUTS, OUTPUTS, SIZES, graph_name
from streaming.diffusion.model import FOLD, STYLES, Tiny, TinyParams

OPSET = 17
LARGEST = 12_000_000  # of all graphs together [bytes]


class Streamed(nn.Module):
    """A network at one size behind frames of any size.

    The network sees the frame scaled to size x size. What it changed is scaled back and laid over
    the frame itself, whose own detail passes through by the network's own gain.
    """

    def __init__(self, net: Tiny, size: int) -> None:
        super().__init__()
        self.net, self.size = net, size

    def forward(
        self, frame: Tensor, noised: Tensor, time: Tensor, style: Tensor, kept: Tensor
    ) -> tuple[Tensor, Tensor]:
        """frame (h, w, 4) uint8 BGRA; the rest as the network's. Returns BGRA and what to keep."""
        rgb = frame[..., :3].permute(2, 0, 1).float()[None] * (1 / 255)
        rgb = torch.cat([rgb[:, 2:3], rgb[:, 1:2], rgb[:, 0:1]], 1)
        size = (self.size, self.size)
        small = F.interpolate(rgb, size, mode="bilinear")
        styled, gain, keep = self.net(small, noised, time, style, kept)
        share = F.interpolate(gain.clamp(0, 2), size, mode="bilinear")
        change = torch.cat([styled - share * small, share], 1)
        wide = F.interpolate(change, frame.shape[:2], mode="bilinear")
        out = wide[:, :3] + wide[:, 3:] * rgb
        out = torch.cat([out[:, 2:3], out[:, 1:2], out[:, 0:1], torch.ones_like(out[:, :1])], 1)
        bytes_ = (out.clamp(0, 1) * 255 + 0.5)[0].permute(1, 2, 0).to(torch.uint8)
        return bytes_, keep


def blank(params: TinyParams, size: int, side: int = 480) -> tuple[Tensor, ...]:
    """Inputs of a graph, in order: a grey frame, noise, time 1, the first style, nothing kept."""
    quarter = size // FOLD
    return (
        torch.full((side, side, 4), 128, dtype=torch.uint8),
        torch.randn(1, 3, quarter, quarter, generator=torch.Generator().manual_seed(0)),
        torch.ones(1, 1),
        torch.eye(len(STYLES))[:1],
        torch.zeros(1, 3 + params.memory, quarter, quarter),
    )


def write_graph(net: Tiny, size: int, path: Path) -> None:
    """One ONNX file; its weights are stored as float16 and widened when it is loaded."""
    import warnings

    import onnx

    whole = Streamed(net.eval(), size)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole, blank(net.params, size), str(path), input_names=list(INPUTS),
            output_names=list(OUTPUTS), opset_version=OPSET, dynamo=False,
            dynamic_axes={"frame": {0: "height", 1: "width"}, "styled": {0: "height", 1: "width"}},
        )  # fmt: skip
    graph = onnx.load(str(path))
    _halve(graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def _halve(graph: Any) -> None:
    """Weights as float16 with a cast behind each, which the runtime folds away."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for weight in graph.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 64:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=1))
    nodes = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*casts, *nodes])


def export(
    checkpoint: Path, out: Path, told: dict[str, Any], say: Callable[[str], None]
) -> dict[str, Any]:
    """Write all graphs and the card that names their checksums. told: what else the card says."""
    state = torch.load(checkpoint, weights_only=True)
    net = load_net(state)
    out.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, Any]] = {}
    for size in SIZES:
        path = out / graph_name(size)
        write_graph(net, size, path)
        data = path.read_bytes()
        files[path.name] = {
            "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "size": size,
        }  # fmt: skip
        say(f"{path.name}: {len(data) / 1e6:.1f} MB")
    total = sum(each["bytes"] for each in files.values())
    if total > LARGEST:
        raise ValueError(f"{total} bytes of graphs, more than the {LARGEST} that may ship")
    card = {
        "name": "tiny", "licence": "Apache-2.0", "styles": list(STYLES), "fold": FOLD,
        "kept": net.kept, "files": files,
        "parameters": sum(p.numel() for p in net.parameters()),
        "training": {"step": state["step"], "cpu_s": round(state["cpu_s"]), "seed": state["seed"],
                     "params": state["params"], "held_out": (state["history"] or [{}])[-1]},
        **told,
    }  # fmt: skip
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def load_net(state: dict[str, Any]) -> Tiny:
    """The averaged network of a checkpoint. A missing or foreign weight raises RuntimeError."""
    params = state["params"]
    if params["styles"] != list(STYLES) or params["fold"] != FOLD:
        raise ValueError("the checkpoint is of other styles or another fold")
    net = Tiny(TinyParams(tuple(params["widths"]), params["memory"]))
    net.load_state_dict(state["average"], strict=True)
    return net.eval()
