"""Prompts by a real UMT5 of small size and a real tokenizer, saved and opened from disk."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from streaming.diffusion.wan.errors import WrongCheckpoint  # noqa: E402
from streaming.diffusion.wan.text import TextEncoder, open_text  # noqa: E402

WORDS = ["<pad>", "</s>", "<unk>", "rain", "night", "city", "neon"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    table = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    table.pre_tokenizer = pre_tokenizers.Whitespace()
    table.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=table, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    config = transformers.UMT5Config(
        vocab_size=len(WORDS), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4
    )
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("umt5")
    transformers.UMT5EncoderModel(config).save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def encoder(folder: Path) -> TextEncoder:
    return open_text(folder, tokens=8, dtype=torch.float32)


def test_padding_is_zero_and_words_are_not(encoder: TextEncoder) -> None:
    text = encoder("rain night")
    assert text.shape == (1, 8, 32)
    assert (text[0, :3].abs().sum(-1) > 0).all()
    assert text[0, 3:].abs().sum() == 0


def test_each_text_is_encoded_once(encoder: TextEncoder) -> None:
    before = encoder.encoded
    first = encoder("neon city")
    assert encoder(" neon \n city ") is first
    assert encoder.encoded == before + 1
    assert not torch.equal(encoder("rain city"), first)


def test_the_oldest_text_is_forgotten(folder: Path) -> None:
    encoder = open_text(folder, tokens=8, dtype=torch.float32)
    encoder.room = 2
    for words in ("rain", "night", "rain", "city", "rain"):
        encoder(words)
    assert encoder.encoded == 3
    encoder("night")
    assert encoder.encoded == 4


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="UMT5"):
        open_text(tmp_path)
