"""One command makes a whole round: from pairs to a graph that says what it gained."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from game.cli.diffusion import command
from streaming.backends.tiny_files import CARD, read_card
from streaming.diffusion.export import begin_with, export
from streaming.diffusion.model import TinyParams
from streaming.diffusion.train import Run, TrainConfig

PARAMS = TinyParams((8, 8, 8, 8))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model")
    torch.manual_seed(3)
    run = Run(TrainConfig(out, out, params=PARAMS))
    run.save()
    export(run.path, out, {"recipe": ["a first round"]}, lambda _: None)
    return out


def test_training_goes_on_from_what_a_graph_holds(model: Path, tmp_path: Path) -> None:
    assert begin_with(model, tmp_path / "begin.pt") == PARAMS
    run = Run(TrainConfig(tmp_path, tmp_path, params=PARAMS))
    run.begin(tmp_path / "begin.pt")
    shipped = torch.load(model / "checkpoint.pt", weights_only=True)["average"]
    own = run.average.state_dict()
    assert own.keys() == shipped.keys()
    assert all(torch.allclose(own[k], shipped[k], atol=2e-3) for k in own)  # float16 in the file
    assert run.before[-1]["step"] == 0


def test_a_round_ends_with_a_model_that_is_nearer_and_a_card_that_says_so(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def drawn(config: Any, say: Any, jobs: int) -> dict[str, Any]:
        """Stands for the bot's drives: the pairs are there already."""
        asked.append((config.seed, config.drives))
        config.out.parent.mkdir(parents=True, exist_ok=True)
        config.out.symlink_to(data)
        return {"drives": 2}

    monkeypatch.setattr("game.dataset.pairs.store.make_pairs", drawn)
    arguments = ["round", "--out", str(tmp_path / "r"), "--model", str(model), "--sizes", "224",
                 "--drives", "2", "--seed", "5", "--folds", "40", "--most", "6"]  # fmt: skip
    done = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert asked == [(5, 2)]
    scores = json.loads(done.stdout.splitlines()[-1])["scores"]["224"]
    assert scores["after"]["psnr"] > scores["before"]["psnr"] + 3.0
    card = json.loads((tmp_path / "r" / "model" / CARD).read_text())
    assert card["rounds"]["224 px"] == [
        round(scores[name]["psnr"], 2) for name in ("before", "after")
    ]
    assert card["recipe"][0] == "a first round"
    assert "2 drives, seed 5" in card["recipe"][1]
    assert read_card(tmp_path / "r" / "model").graph(224)


def test_a_round_at_a_size_that_is_none_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["round", "--out", str(tmp_path), "--sizes", "300"])
    assert done.exit_code != 0
    assert "480, 320, 256, 224" in str(done.exception)
