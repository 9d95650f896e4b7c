"""Turns trained weights into what the player runs: one graph for all sizes, a card with checksums.

The graph takes the small picture and says what changes: `streaming.backends.tiny_planes` brings a
frame to it and lays the change over the frame.
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

from streaming.backends.tiny_files import CARD, DIMS, GRAPH, INPUTS, OUTPUTS, SIZES, SMALL
from streaming.backends.tiny_planes import ONE, ZERO
from streaming.diffusion.model import FOLD, STYLES, Tiny, TinyParams, place_of

OPSET = 17
LARGEST = 12_000_000  # of all graphs together [bytes]


class Streamed(nn.Module):
    """A network behind frames of any size: what it changes, for `Planes.lay`.

    A frame's own detail passes through by the network's own gain; the rest is the change.
    """

    def __init__(self, net: Tiny) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, picture: Tensor, noised: Tensor, time: Tensor, style: Tensor, kept: Tensor,
        place: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """picture (1, 3, h, w) uint8 RGB; the rest as the network's.

        Returns the change and the gain, in whole numbers about ZERO and in parts of ONE, and what
        to keep.
        """
        small = picture.float() * (1 / 255)
        styled, gain, keep = self.net(small, noised, time, style, kept, place)
        gain = gain.clamp(0, 2)
        share = F.interpolate(gain, scale_factor=float(FOLD), mode="bilinear")
        change = (styled - share * small).clamp(-2, 2) * 255 + (ZERO + 1.0)
        return change.to(torch.int32), (gain * ONE + 0.5).to(torch.int32), keep


def blank(params: TinyParams, size: int) -> tuple[Tensor, ...]:
    """Inputs of a graph, in order: a grey picture, noise, time 1, the first style, nothing kept."""
    quarter = size // FOLD
    return (
        torch.full((1, 3, size, size), 128, dtype=torch.uint8),
        torch.randn(1, 3, quarter, quarter, generator=torch.Generator().manual_seed(0)),
        torch.ones(1, 1),
        torch.eye(len(STYLES))[:1],
        torch.zeros(1, 3 + params.memory, quarter, quarter),
        place_of(torch.zeros(1, 1, quarter, quarter)),
    )


def write_graph(net: Tiny, path: Path) -> None:
    """One ONNX file; its weights are stored as float16 and widened when it is loaded."""
    import warnings

    import onnx

    full, quarter = ({2: rows, 3: columns} for rows, columns in (DIMS[:2], DIMS[2:]))
    shapes = {"picture": full, "change": full}
    shapes |= dict.fromkeys(("noised", "kept", "place", "gain", "keep"), quarter)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Streamed(net.eval()), blank(net.params, 128), str(path), input_names=list(INPUTS),
            output_names=list(OUTPUTS), opset_version=OPSET, dynamo=False,
            do_constant_folding=False,  # every weight keeps its name, see weights_of
            dynamic_axes=shapes,
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
    checkpoint: Path, out: Path, told: dict[str, Any], say: Callable[[str], None],
    small: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write the graph and the card that names its checksum. told: what else the card says.

    small: a checkpoint that is better at the smaller half of the sizes; they get its graph. Raises
    ValueError: too large, or told labels.
    """
    state = torch.load(checkpoint, weights_only=True)
    nets = {GRAPH: load_net(state)}
    if small is not None:
        nets[SMALL] = load_net(torch.load(small, weights_only=True))
    net = nets[GRAPH]
    if any(each.params.labels for each in nets.values()):
        raise ValueError("a network that is told labels has no stream: frames carry none")
    out.mkdir(parents=True, exist_ok=True)
    files = _written(nets, out, say)
    card = {
        "name": "tiny", "licence": "Apache-2.0", "styles": list(STYLES), "fold": FOLD,
        "kept": net.kept, "files": files,
        "parameters": sum(p.numel() for p in net.parameters()),
        "training": {"before": state.get("before", []),
                     "step": state["step"], "cpu_s": round(state["cpu_s"]), "seed": state["seed"],
                     "params": state["params"], "held_out": (state["history"] or [{}])[-1]},
        **told,
    }  # fmt: skip
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def _written(
    nets: dict[str, Tiny], out: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Write a graph for each name; what the card says of each. Raises ValueError: too large."""
    files: dict[str, dict[str, Any]] = {}
    half = len(SIZES) // 2
    shares = {GRAPH: SIZES[:half], SMALL: SIZES[half:]} if SMALL in nets else {GRAPH: SIZES}
    for name, net in nets.items():
        write_graph(net, out / name)
        data = (out / name).read_bytes()
        files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
                       "sizes": list(shares[name])}  # fmt: skip
        say(f"{name}: {len(data) / 1e6:.1f} MB")
    total = sum(each["bytes"] for each in files.values())
    if total > LARGEST:
        raise ValueError(f"{total} bytes of graphs, more than the {LARGEST} that may ship")
    return files


def again(folder: Path, out: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Draw a folder's graphs anew around the weights that they hold; the rest of its card stays."""
    card = json.loads((folder / CARD).read_text("utf-8"))
    nets = {}
    for name in card["files"]:
        nets[name] = Tiny(TinyParams.of(card["training"]["params"]))
        nets[name].load_state_dict(weights_of(folder / name), strict=True)
    out.mkdir(parents=True, exist_ok=True)
    card["files"] = _written(nets, out, say)
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return dict(card)


def begin_with(folder: Path, out: Path) -> TinyParams:
    """Write a checkpoint that training and fitting begin with, out of a folder's graph and card."""
    card = json.loads((folder / CARD).read_text("utf-8"))
    told, weights = card["training"], weights_of(folder / GRAPH)
    torch.save({"params": told["params"], "seed": told["seed"], "step": told["step"],
                "cpu_s": told["cpu_s"], "before": told["before"], "average": weights,
                "history": []}, out)  # fmt: skip
    return TinyParams.of(told["params"])


def weights_of(graph: Path) -> dict[str, Tensor]:
    """The network's weights, by name, out of a graph that write_graph made."""
    import onnx
    from onnx import numpy_helper

    found = {}
    for weight in onnx.load(str(graph)).graph.initializer:
        if weight.name.startswith("net."):
            name = weight.name.removeprefix("net.").removesuffix(".half")
            found[name] = torch.from_numpy(numpy_helper.to_array(weight).astype(np.float32))
    return found


def load_net(state: dict[str, Any]) -> Tiny:
    """The averaged network of a checkpoint. A missing or foreign weight raises RuntimeError."""
    net = Tiny(TinyParams.of(state["params"]))
    net.load_state_dict(state["average"], strict=True)
    return net.eval()


def read_net(checkpoint: Path) -> Tiny:
    """The averaged network of a checkpoint's file. Raises as `load_net` does, and OSError."""
    return load_net(torch.load(checkpoint, weights_only=True))
