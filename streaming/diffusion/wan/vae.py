"""Frames to latents and back, a chunk at a time, as if the whole clip had been there.

The first frame is a latent of its own, then every four are one: N chunks give 1 + 4N frames. Two
autoencoders behind one interface: Wan's own (by diffusers, its private caches carried by hand) and
the tiny one.
"""

from typing import Any, Protocol

import torch
from torch import Tensor

from streaming.diffusion.wan.errors import BadOption
from streaming.diffusion.wan.params import FRAMES_PER_LATENT

MEAN = (-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921)  # fmt: skip
SPREAD = (2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
          3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160)  # fmt: skip
# Per channel, of Wan 2.1's latents: the config of its autoencoder (Apache-2.0).


class Autoencoder(Protocol):
    """Both ways carry state: frames go in and come out in order, from a reset on.

    encode takes [3, T, H, W] in -1..1, T = 1 + 4n first and 4n after, and gives raw latents
    [16, T', H/8, W/8]. decode gives frames for latents, 1 for the first and 4 for each later one.
    normalised: whether its latents are of zero mean and unit spread by nature.
    """

    normalised: bool

    def encode(self, frames: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...

    def reset(self) -> None: ...


def standard(latents: Tensor, back: bool = False) -> Tensor:
    """Latents [16, ...] to zero mean and unit spread a channel, or back."""
    shape = (-1, *([1] * (latents.dim() - 1)))
    mean = torch.tensor(MEAN, dtype=latents.dtype, device=latents.device).view(shape)
    spread = torch.tensor(SPREAD, dtype=latents.dtype, device=latents.device).view(shape)
    return latents * spread + mean if back else (latents - mean) / spread


def chunks(frames: int, first: bool) -> list[int]:
    """How many frames each latent covers. BadOption where they do not fill their latents."""
    head = 1 if first else 0
    if frames < head or (frames - head) % FRAMES_PER_LATENT:
        need = "1 + 4n frames at first" if first else "4n frames"
        raise BadOption(f"{frames} frames fill no whole latent; the encoder takes {need}")
    return [1] * head + [FRAMES_PER_LATENT] * ((frames - head) // FRAMES_PER_LATENT)


class WanAutoencoder:
    """diffusers' AutoencoderKLWan (pinned: its caches are private), on any device and dtype.

    One instance is one stream over weights that others may share: the caches are kept here, not in
    the module. Encoder and decoder have caches of their own, so both may run in turn.
    """

    normalised = False

    def __init__(self, vae: Any) -> None:
        self.vae = vae
        self.reset()

    def reset(self) -> None:
        """Start a new clip both ways."""
        self.vae.clear_cache()  # makes new lists; the old ones stay with their streams
        self._encoder_map, self._decoder_map = self.vae._enc_feat_map, self.vae._feat_map
        self._encoded = self._decoded = 0

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """See Autoencoder."""
        vae, out, at = self.vae, [], 0
        for count in chunks(frames.shape[1], self._encoded == 0):
            part = frames[None, :, at : at + count].to(vae.dtype)
            vae._enc_conv_idx = [0]
            told = {"feat_cache": self._encoder_map, "feat_idx": vae._enc_conv_idx}
            out.append(vae.quant_conv(vae.encoder(part, **told)).chunk(2, 1)[0])
            at, self._encoded = at + count, self._encoded + count
        return torch.cat(out, 2)[0]

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """See Autoencoder; frames in -1..1."""
        vae, out = self.vae, []
        ready = vae.post_quant_conv(latents[None].to(vae.dtype))
        for i in range(ready.shape[2]):
            vae._conv_idx = [0]
            told = {"feat_cache": self._decoder_map, "feat_idx": vae._conv_idx}
            if self._decoded == 0:
                told["first_chunk"] = True
            out.append(vae.decoder(ready[:, :, i : i + 1], **told))
            self._decoded += 1
        return torch.cat(out, 2)[0].clamp(-1, 1)
