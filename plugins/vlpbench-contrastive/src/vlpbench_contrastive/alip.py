"""A raw text and a synthetic caption, each weighed by how well it suits the picture (ALIP, arXiv 2308.08428).

Axes: B own samples, E joint width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vlpbench.plugin import Backbone, Batch, Spec, Step, gather, parts
from vlpbench_contrastive.towers import Temperature, Tempered, positives, same_texts

__all__ = ["ALIP", "Config", "gates"]


@dataclass(frozen=True)
class Config(Temperature):
    """Settings of `[objective.alip]`."""

    momentum: float = 0.99
    """What a running mean keeps of itself each step (the authors' code)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is a share from 0 to below 1, not {self.momentum}")


class ALIP(Tempered):
    """L = mean_i Ws_i (Wt_i C(picture, text)_i + Wc_i C(picture, caption)_i), where C is CLIP's loss of a sample.

    Ws = min(1, exp(S_tc - H_tc)^2) of the cosine of text and caption. Where Ws < 1, Wt = exp(S_xt - H_xt)^2 and
    Wc = exp(S_xc - H_xc)^2 of the picture's cosines with either; 1 elsewhere. No gradient goes through weights. H are
    running means of batch means, which take in a batch before they weigh it, as in the authors' code. The caption is
    the field `oracle`.
    """

    name, version, config_class = "alip", 1, Config
    wants = ("oracle",)
    cites = ("""@inproceedings{yang2023alip,
  author = {Yang, Kaicheng and Deng, Jiankang and An, Xiang and Li, Jiawei and Feng, Ziyong and Guo, Jia and Yang, Jing
            and Liu, Tongliang},
  title = {{ALIP}: Adaptive Language-Image Pre-Training with Synthetic Caption},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision},
  year = {2023}, eprint = {2308.08428}, archiveprefix = {arXiv}
}""",)
    means: Tensor
    """3: H of text and caption, picture and text, picture and caption; 1 when training starts."""

    def __init__(self, config: Any, spec: Spec) -> None:
        super().__init__(config, spec)
        self.register_buffer("means", torch.ones(3))

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """image, text, caption (B, E): unit vectors, those of texts and captions of one tower."""
        caption = backbone.text_vector(backbone.read(batch["oracle"], batch["oracle_mask"]))
        return {**super().encode(backbone, batch), "caption": caption}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Both texts by their weights (B), nats."""
        image, text, caption = features["image"], features["text"], features["caption"]
        seen = torch.stack([(text * caption).sum(1), (image * text).sum(1), (image * caption).sum(1)], 1).detach()
        for_text, for_caption = gates(seen, self.moved(gather(seen)))
        texts, captions = (parts.spread(one) for one in self.positives(batch))
        losses = (
            parts.two_sided_cross_entropy(*self.logits(image, text), texts, texts, for_text)
            + parts.two_sided_cross_entropy(*self.logits(image, caption), captions, captions, for_caption)
        )
        figures = {"text_weight": for_text.mean(), "caption_weight": for_caption.mean()}
        return Step(losses, {**self.figures(), **figures}, {"seen": seen})

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        """Keep the temperature in its bounds, and the running means, which `loss` has only looked at."""
        super().after_step(carry)
        self.means.copy_(self.moved(carry["seen"]))

    def positives(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """B, N bool twice: which texts, and which captions, belong to each own sample."""
        texts = positives(batch, self.config.equals)
        if self.config.equals == "negatives":
            return texts, texts
        return texts, parts.same(batch.image_ids) | same_texts(batch["oracle"], batch["oracle_mask"])

    def moved(self, seen: Tensor) -> Tensor:
        """3: the running means once they have taken in the mean of all samples (N, 3)."""
        momentum: float = self.config.momentum
        return momentum * self.means + (1 - momentum) * seen.mean(0)


def gates(seen: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    """B, 3 and 3 -> B twice: the weights of the text and of the caption, Ws Wt and Ws Wc."""
    both, text, caption = (2 * (seen - means)).exp().unbind(1)
    doubted = both < 1
    return both.clamp(max=1) * torch.where(doubted, text, 1.0), both.clamp(max=1) * torch.where(doubted, caption, 1.0)
