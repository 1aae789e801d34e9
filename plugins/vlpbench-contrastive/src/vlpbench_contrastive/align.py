"""CLIP's loss summed over both directions, with smoothed targets and a raw temperature (ALIGN, arXiv 2102.05918)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vlpbench.plugin import Batch, Spec, Step, parts
from vlpbench_contrastive.towers import Equals, TwoTowers, cosines, positives

__all__ = ["ALIGN", "Config"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.align]`. There is no official code: what the paper leaves open is as in COYO-ALIGN."""

    temperature: float = 1.0
    """What cosines are divided by when training starts (section 5; learnt, section 4.1)."""
    learnt: bool = True
    """Whether the temperature is trained: itself and not its logarithm, and without bounds (COYO-ALIGN)."""
    smoothing: float = 0.1
    """Share of each target that is spread evenly over the batch (section 5)."""
    equals: Equals = "positives"
    """What pairs are to each other that share a picture or a string; in the paper each has itself alone."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, not {self.temperature}")
        if not 0 <= self.smoothing <= 1:
            raise ValueError(f"smoothing is a share between 0 and 1, not {self.smoothing}")


class ALIGN(TwoTowers):
    """L = CE(picture to text) + CE(text to picture) of U V^T / tau against (1 - e) I + e / N."""

    name, version, config_class = "align", 1, Config
    cites = ("jia2021align",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.temperature = nn.Parameter(torch.tensor(config.temperature), requires_grad=config.learnt)

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Both directions (B), nats: twice what the halves of the shared formula give."""
        image, text = features["image"], features["text"]
        image_to_text, text_to_image = cosines(image, text) / self.temperature, cosines(text, image) / self.temperature
        targets = parts.spread(positives(batch, self.config.equals), self.config.smoothing)
        losses = 2 * parts.two_sided_cross_entropy(image_to_text, text_to_image, targets, targets)
        return Step(losses, {"temperature": self.temperature.detach()})
