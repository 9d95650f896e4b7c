"""A checkpoint fits exactly or is refused untouched; nothing in a file is ever run."""

import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from safetensors.torch import save_file  # noqa: E402

from streaming.diffusion.wan.errors import UnsafeFile, WrongCheckpoint  # noqa: E402
from streaming.diffusion.wan.transformer import WanModel  # noqa: E402
from streaming.diffusion.wan.weights import digest, identify, load, original, read  # noqa: E402
from tests.streaming.diffusion.wan.conftest import SMALL, small_model  # noqa: E402


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return dict(small_model().state_dict())


def loaded(path: Path, **told: object) -> WanModel:
    model = WanModel(SMALL)
    load(model, path, **told)
    return model


def same(model: WanModel, state: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("wrap", [
    lambda s: s,
    lambda s: {"state_dict": s},
    lambda s: {"generator": {f"model.{k}": v for k, v in s.items()}},
    lambda s: {"generator_ema": {f"module.model.{k}": v for k, v in s.items()}, "step": {}},
    lambda s: {f"model.diffusion_model.{k}": v for k, v in s.items()},
])  # fmt: skip
def test_the_wrappings_of_public_checkpoints(state, tmp_path: Path, wrap) -> None:
    torch.save(wrap(state), tmp_path / "model.pt")
    assert same(loaded(tmp_path / "model.pt"), state)


def test_safetensors_and_shards(state, tmp_path: Path) -> None:
    names = sorted(state)
    halves = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, held in halves.items():
        save_file({name: state[name].clone() for name in held}, tmp_path / file)
    table = {name: file for file, held in halves.items() for name in held}
    import json

    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": table}))
    assert same(loaded(index), state)
    assert same(loaded(tmp_path), state)
    index.write_text(json.dumps({"weight_map": {"x": "../a.safetensors"}}))
    with pytest.raises(WrongCheckpoint, match="outside"):
        read(index)


def test_a_share_of_the_layers_takes_its_own(state, tmp_path: Path) -> None:
    save_file({k: v.clone() for k, v in state.items()}, tmp_path / "m.safetensors")
    part = WanModel(SMALL, 1, 3)
    load(part, tmp_path / "m.safetensors", partial=True)
    assert same(part, state)


@pytest.mark.parametrize(("bend", "why"), [
    (lambda s: s.pop("blocks.1.self_attn.q.weight"), "missing"),
    (lambda s: s.update(extra=torch.zeros(1)), "another model"),
    (lambda s: s.update({"blocks.0.norm2.weight": s.pop("blocks.0.norm3.weight")}), "missing"),
    (lambda s: s.update({"head.head.bias": torch.zeros(3)}), "shapes"),
])  # fmt: skip
def test_anything_else_is_refused_untouched(state, tmp_path: Path, bend, why: str) -> None:
    bend(state)
    torch.save(state, tmp_path / "m.pt")
    model = small_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(WrongCheckpoint, match=why):
        load(model, tmp_path / "m.pt")
    assert same(model, before)


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"x": Bomb()}, "bomb.pt")
    Path("plain.pt").write_bytes(pickle.dumps({"x": Bomb()}))
    for name in ("bomb.pt", "plain.pt"):
        with pytest.raises((UnsafeFile, WrongCheckpoint)):
            read(Path(name))
    assert not Path("exploded").exists()


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00")
    (tmp_path / "cut.pt").write_bytes(b"not a zip")
    for name in ("cut.safetensors", "cut.pt", "absent.pt"):
        with pytest.raises((WrongCheckpoint, UnsafeFile)):
            read(tmp_path / name)


def test_a_hash_that_differs_is_refused(state, tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    torch.save(state, path)
    assert same(loaded(path, sha256=digest(path).upper()), state)
    with pytest.raises(WrongCheckpoint, match="SHA-256"):
        loaded(path, sha256="0" * 64)


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    from streaming.diffusion.wan.params import MODELS
    from streaming.diffusion.wan.tiny_vae import TinyAutoencoder

    torch.save(WanModel(MODELS["nano"]).bfloat16().state_dict(), tmp_path / "nano.pt")
    told = identify(tmp_path / "nano.pt")
    assert (told.kind, told.model, told.naming, told.dtype) == (
        "transformer", "nano", "original", "bfloat16",
    )  # fmt: skip
    torch.save(TinyAutoencoder().state_dict(), tmp_path / "tiny.pt")
    assert identify(tmp_path / "tiny.pt").kind == "tiny autoencoder"
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    assert identify(tmp_path / "other.pt").kind == "unknown"


def test_names_of_diffusers_are_translated() -> None:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    theirs = diffusers.WanTransformer3DModel(
        num_attention_heads=2, attention_head_dim=32, text_dim=32, freq_dim=32, ffn_dim=128,
        num_layers=4,
    )  # fmt: skip
    assert set(original(theirs.state_dict())) == set(WanModel(SMALL).state_dict())
