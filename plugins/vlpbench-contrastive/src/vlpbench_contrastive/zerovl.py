"""Pairs are mixed two by two, pixels or text vectors by the toss of a coin (ZeroVL, arXiv 2112.09331).

Axes: B own samples, N samples of all processes, E joint width.

Where this reads the authors' code otherwise:
- a sample is mixed with its neighbour (2i with 2i + 1; an odd last one with itself), theirs with its opposite in the
  reversed batch. Samples come in random order, so both are a random other one, but neighbours share a micro-batch;
- theirs mixes projected text vectors before they are brought to unit length. A backbone's vectors have it already: here
  unit vectors are mixed and brought to unit length again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from vlpbench.plugin import Backbone, Batch, Step, gather, mine, parts
from vlpbench_contrastive.towers import Temperature, Tempered, positives

__all__ = ["Config", "ZeroVL", "mixed", "mixed_columns"]


@dataclass(frozen=True)
class Config(Temperature):
    """Settings of `[objective.zerovl]`."""

    temperature: float = 0.02
    """What cosines are divided by (the authors' configuration)."""
    coldest: float = 0.001
    """Where it is learnt, the temperature never falls below this."""
    hottest: float = 0.5
    """Where it is learnt, nor does it rise above this."""
    learnt: bool = False
    """Whether the temperature is trained."""
    alpha: float = 0.1
    """Both parameters of the beta distribution that a batch's share is drawn from; small ones hardly mix."""
    pixels: float = 0.5
    """Chance that a batch mixes pixels; otherwise it mixes text vectors."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alpha <= 0:
            raise ValueError(f"alpha must be above 0, not {self.alpha}")
        if not 0 <= self.pixels <= 1:
            raise ValueError(f"pixels is a chance between 0 and 1, not {self.pixels}")


class ZeroVL(Tempered):
    """L = 1/2 over both directions of a CE(own) + (1 - a) CE(partner): the shared formula with mixed targets."""

    name, version, config_class = "zerovl", 1, Config
    coupled = (2, "all")
    cites = ("""@inproceedings{cui2022zerovl,
  author = {Cui, Quan and Zhou, Boyan and Guo, Yu and Yin, Weidong and Wu, Hao and Yoshie, Osamu and Chen, Yubo},
  title = {Contrastive Vision-Language Pre-training with Limited Resources},
  booktitle = {European Conference on Computer Vision},
  year = {2022}, eprint = {2112.09331}, archiveprefix = {arXiv}
}""",)

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """image_share, text_share (B): what each keeps of itself; one number for all, and 1 for what is not mixed."""
        share, mixes_pixels = rng.beta(config.alpha, config.alpha), rng.random() < config.pixels
        whole, part = np.ones(len(batch), np.float32), np.full(len(batch), share, np.float32)
        image_share, text_share = (part, whole) if mixes_pixels else (whole, part)
        return {"image_share": image_share, "text_share": text_share}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """image, text (B, E): unit vectors of mixed pictures, and mixed unit vectors of texts."""
        pictures = mixed(batch.image.images, batch["image_share"])
        words = mixed(backbone.text_vector(batch.text), batch["text_share"])
        return {"image": backbone.image_vector(backbone.see(pictures)), "text": normalize(words, dim=-1)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Half of each direction (B), nats: what is mixed belongs to either of its two, by their shares."""
        targets = parts.spread(positives(batch, self.config.equals))
        image_share, text_share = batch["image_share"], batch["text_share"]
        losses = parts.two_sided_cross_entropy(
            *self.logits(features["image"], features["text"]),
            mixed_columns(mixed(targets, image_share), text_share),
            mixed_columns(mixed(targets, text_share), image_share),
        )
        return Step(losses, self.figures())


def mixed(rows: Tensor, share: Tensor) -> Tensor:
    """B, ... and B -> B, ...: so much of each row and the rest of its neighbour."""
    kept = share.view(-1, *[1] * (rows.ndim - 1)).to(rows.dtype)
    return kept * rows + (1 - kept) * rows[_neighbours(rows)]


def mixed_columns(targets: Tensor, share: Tensor) -> Tensor:
    """B, N and B -> B, N: the same of columns, of which each process has equally many, by all processes' shares."""
    numbers = mine(torch.arange(targets.shape[1], device=targets.device))
    partners, kept = gather(numbers[_neighbours(numbers)]), gather(share)
    return kept * targets + (1 - kept) * targets[:, partners]


def _neighbours(rows: Tensor) -> Tensor:
    """B: 1, 0, 3, 2, ...; an odd last one is its own."""
    return (torch.arange(len(rows), device=rows.device) ^ 1).clamp(max=len(rows) - 1)
