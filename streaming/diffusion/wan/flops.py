"""Floating point operations of one pass and one chunk, by formula; for shares of a card's peak."""

from streaming.diffusion.wan.params import PATCH, PIXELS_PER_LATENT, CacheParams, WanParams

# Dense bf16 tensor peaks in FLOP/s, from the makers' data sheets.
PEAKS = {"H100": 989.4e12, "H200": 989.4e12, "A100": 312e12, "RTX 4090": 165.2e12, "L40S": 362e12}

# Of the autoencoders: FLOP for each pixel of the picture and latent (four frames) in steady state,
# counted with torch's own counter on meta tensors at 480x832.
_PIXELS = 480 * 832
AUTOENCODERS = {
    "wan": (8.05e12 / _PIXELS, 13.55e12 / _PIXELS),
    "tiny": (0.24e12 / _PIXELS, 0.54e12 / _PIXELS),
    "nano": (16.5e3, 31.8e3),  # counted by hand, its default widths
}


def tokens(height: int, width: int) -> int:
    """Tokens of one latent frame of a picture."""
    side = PIXELS_PER_LATENT * PATCH[1]
    return (height // side) * (width // side)


def pass_flops(wan: WanParams, cache: CacheParams, height: int, width: int) -> float:
    """One pass over a block with a full window: linear layers, self-attention and text."""
    new = tokens(height, width) * cache.block
    seen = tokens(height, width) * cache.window
    linear = 2 * new * wan.layers * (6 * wan.dim**2 + 2 * wan.dim * wan.ffn_dim)
    return linear + 4 * new * (seen + wan.text_tokens) * wan.dim * wan.layers


def autoencoder_flops(name: str, height: int, width: int) -> tuple[float, float]:
    """Encoding and decoding one latent, four frames."""
    encode, decode = AUTOENCODERS[name]
    return encode * height * width, decode * height * width


def peak_of(device: str) -> float | None:
    """Dense bf16 peak of a card by its name, FLOP/s; None for one that is not in the table."""
    return next((peak for name, peak in PEAKS.items() if name in device), None)
