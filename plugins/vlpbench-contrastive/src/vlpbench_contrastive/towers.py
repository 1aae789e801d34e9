"""What all objectives of two towers share: a vector for each picture and each text, and a temperature of their cosines.

Axes: B own samples, N samples of all processes, E joint width, T tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from vlpbench.plugin import Backbone, Batch, Objective, Spec, gather, own, parts

__all__ = ["Equals", "Tempered", "Temperature", "TwoTowers", "cosines", "positives", "same_texts"]

Equals = Literal["positives", "negatives"]
"""What pairs are to each other that share a picture or a string. The papers know each row's own pair alone."""


@dataclass(frozen=True)
class Temperature:
    """Settings of a temperature within bounds; each objective brings its own defaults."""

    temperature: float = 0.07
    """What cosines are divided by when training starts (CLIP, arXiv 2103.00020, section 2.5)."""
    coldest: float = 0.01
    """The temperature never falls below this (CLIP: cosines are scaled by 100 at most)."""
    hottest: float = 1.0
    """Nor does it rise above this (open_clip: cosines are never shrunk)."""
    learnt: bool = True
    """Whether the temperature is trained."""
    equals: Equals = "positives"
    """What pairs are to each other that share a picture or a string; in the papers each has itself alone."""

    def __post_init__(self) -> None:
        if not 0 < self.coldest <= self.temperature <= self.hottest:
            said = f"{self.coldest}, {self.temperature} and {self.hottest}"
            raise ValueError(f"needs 0 < coldest <= temperature <= hottest, not {said}")


class TwoTowers(Objective):
    """Compares each picture's vector with each text's; what is made of the cosines is a subclass's `loss`."""

    api_version = 1  # the plugin contract it was written for
    needs, trains = frozenset({"image_vector", "text_vector"}), frozenset({"vectors"})
    coupled: ClassVar[Literal["all"] | tuple[int, Literal["all"]]] = "all"

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """image, text (B, E): unit vectors."""
        return {"image": backbone.image_vector(batch.image), "text": backbone.text_vector(batch.text)}


class Tempered(TwoTowers):
    """Its cosines are divided by a temperature that is learnt as a logarithm and kept within bounds."""

    config_class = Temperature

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.log_scale = nn.Parameter(torch.tensor(-log(config.temperature)), requires_grad=config.learnt)

    def logits(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """B, E twice -> B, N twice: own pictures against all texts, and own texts against all pictures."""
        scale = self.log_scale.exp()
        return scale * cosines(image, text), scale * cosines(text, image)

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        """Keep the temperature in its bounds: here, as bounds inside the formula would stop its gradient there."""
        self.log_scale.clamp_(-log(self.config.hottest), -log(self.config.coldest))

    def figures(self) -> dict[str, Tensor]:
        """What is worth logging: the temperature."""
        return {"temperature": (-self.log_scale.detach()).exp()}


def cosines(rows: Tensor, columns: Tensor) -> Tensor:
    """B, E twice -> B, N: own rows against everybody's columns."""
    return own(rows) @ gather(columns).T


def positives(batch: Batch, equals: Equals) -> Tensor:
    """B, N bool: which of all pairs belong to each own sample: itself, and what `equals` it if that is asked for."""
    if equals == "negatives":
        return parts.single(batch.image_ids)
    return parts.same(batch.image_ids) | parts.same(batch.caption_ids)


def same_texts(tokens: Tensor, mask: Tensor) -> Tensor:
    """B, T ids and where they are -> B, N bool: whose text is equal to whose, token by token."""
    words = tokens.masked_fill(~mask, -1)
    return (own(words)[:, None] == gather(words)[None]).all(-1)
