"""A picture and its text lie closer than all other pairs of the batch (CLIP, arXiv 2103.00020, figure 3).

Pairs that share a picture or a string are no negatives, unless asked for: a row's target is spread over all positives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Literal

import torch
from torch import Tensor, nn

from vlpbench.plugin import Backbone, Batch, Objective, Spec, Step, gather, own, parts

__all__ = ["Config", "Contrastive"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.contrastive]`."""

    temperature: float = 0.07
    """What cosines are divided by when training starts (CLIP, section 2.5)."""
    coldest: float = 0.01
    """The temperature never falls below this (CLIP: logits are scaled by 100 at most)."""
    learnt: bool = True
    """Whether the temperature is trained."""
    smoothing: float = 0.0
    """Share of each target that is spread evenly over the batch (ALIGN, arXiv 2102.05918, takes 0.1)."""

    equals: Literal["positives", "negatives"] = "positives"
    """What pairs are to each other that share a picture or a string; CLIP's own code has each row's own pair alone as
    positive, which at its size rarely matters."""

    def __post_init__(self) -> None:
        if not 0 < self.coldest <= self.temperature:
            raise ValueError(f"needs 0 < coldest <= temperature, not {self.coldest} and {self.temperature}")
        if not 0 <= self.smoothing <= 1:
            raise ValueError(f"smoothing is a share between 0 and 1, not {self.smoothing}")


class Contrastive(Objective):
    """Soft-target, two-sided cross-entropy over cosines divided by a learnt temperature."""

    name, version, config_class = "contrastive", 1, Config
    needs, trains, coupled = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"}), "all"
    cites = ("radford2021clip",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.log_scale = nn.Parameter(torch.tensor(-log(config.temperature)), requires_grad=config.learnt)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """image, text (B, E): unit vectors."""
        return {"image": backbone.image_vector(batch.image), "text": backbone.text_vector(batch.text)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Half of picture to text and half of text to picture (B), nats."""
        scale = self.log_scale.exp()
        image, text = features["image"], features["text"]
        image_to_text = scale * own(image) @ gather(text).T
        text_to_image = scale * own(text) @ gather(image).T
        targets = self.targets(batch)
        losses = parts.two_sided_cross_entropy(image_to_text, text_to_image, targets, targets)
        return Step(losses, {"temperature": 1 / scale.detach()})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        """Keep the temperature above its floor: here, as a bound inside the formula would stop its gradient there."""
        self.log_scale.clamp_(max=-log(self.config.coldest))

    def targets(self, batch: Batch) -> Tensor:
        """B, N: each row spread evenly over its positives."""
        if self.config.equals == "negatives":
            positives = parts.single(batch.image_ids)
        else:
            positives = parts.same(batch.image_ids) | parts.same(batch.caption_ids)
        return parts.spread(positives, self.config.smoothing)
