"""Prompts to embeddings by UMT5, each text once: the encoder is large and prompts repeat."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from streaming.diffusion.wan.errors import WrongCheckpoint


class TextEncoder:
    """Embeddings [1, tokens, text_dim] of prompts, zero where padded; the last `room` are kept.

    model: a transformers UMT5EncoderModel. tokenizer: its own. Both are handed in loaded.
    """

    def __init__(self, model: Any, tokenizer: Any, tokens: int = 512, room: int = 64) -> None:
        self.model, self.tokenizer, self.tokens, self.room = model.eval(), tokenizer, tokens, room
        self._known: OrderedDict[str, Tensor] = OrderedDict()
        self.encoded = 0

    @torch.no_grad()
    def __call__(self, prompt: str) -> Tensor:
        """On the model's device; the same tensor for the same words, white space folded."""
        words = " ".join(prompt.split())
        if words in self._known:
            self._known.move_to_end(words)
            return self._known[words]
        told = self.tokenizer(
            words,
            padding="max_length",
            max_length=self.tokens,
            truncation=True,
            add_special_tokens=True,
            return_tensors="pt",
        )
        ids, mask = (told[key].to(self.model.device) for key in ("input_ids", "attention_mask"))
        hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        self._known[words] = hidden * mask[..., None].to(hidden.dtype)
        self.encoded += 1
        if len(self._known) > self.room:
            self._known.popitem(last=False)
        return self._known[words]


def open_text(folder: Path, tokens: int = 512, dtype: torch.dtype = torch.bfloat16) -> TextEncoder:
    """From a folder on disk, model and tokenizer as transformers saves them; never a download."""
    from transformers import AutoTokenizer, UMT5EncoderModel

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = UMT5EncoderModel.from_pretrained(folder, local_files_only=True, dtype=dtype)
    except (OSError, ValueError) as error:
        raise WrongCheckpoint(str(folder), "holds no UMT5 encoder with its tokenizer") from error
    return TextEncoder(model, tokenizer, tokens)
