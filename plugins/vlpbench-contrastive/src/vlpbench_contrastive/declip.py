"""Supervision from everywhere: two views each, near texts, views of a picture, hidden words (DeCLIP, arXiv 2110.05208).

The terms and their weights are those of Sense-GVT/DeCLIP (prototype/model/declip.py, prototype/solver/declip_solver.py,
experiments/declip_experiments/yfcc15m/yfcc15m_vit_declip/config.yaml); what differs is said where it does.

Axes: B own samples, N samples of all processes, K hidden words, E joint width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import exp, log
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlpbench.plugin import Backbone, Batch, Spec, Step, gather, parts
from vlpbench_contrastive.bank import Bank
from vlpbench_contrastive.simsiam import Siamese
from vlpbench_contrastive.text_views import hidden_words, swapped_or_deleted
from vlpbench_contrastive.towers import Temperature, Tempered, cosines, positives

__all__ = ["Config", "DeCLIP"]

Views = tuple[Tensor, Tensor]
"""B, E twice: the two views of each picture, or of each text."""

_FARTHEST = 6.0
"""The logarithm of the scale goes on to here, though scales are cut off before, as in the code."""


@dataclass(frozen=True)
class Config(Temperature):
    """Settings of `[objective.declip]`; a weight of 0 takes its term out of the sum."""

    temperature: float = exp(-3.0)
    """What cosines are divided by when training starts: the code starts at 0.07 and bounds it before its first step."""
    hottest: float = exp(-3.0)
    """The temperature never rises above this: the logarithm of the scale stays between 3 and 6."""
    pairs: float = 0.4
    """Weight of the mean of four CLIP losses, of each view of a picture with each view of its text."""
    near: float = 0.2
    """Weight of finding, from a picture, the text of the bank that is nearest to its own."""
    siamese: float = 0.2
    """Weight of telling one view of a picture from the other."""
    words: float = 0.2
    """Weight of telling the hidden words."""
    bank: int = 2_048
    """How many texts the bank holds (the code: 65,536 for batches of thousands)."""
    hidden: int = 0
    """Width of the siamese projection (the code: 1,024); 0 for twice the joint width, as there."""
    bottleneck: int = 0
    """Width inside of the siamese prediction (the code: 512); 0 for the joint width, as there."""
    rate: float = 0.15
    """Share of a text's words that must be told, rounded, half to even; at least one of them."""
    masked: float = 0.8
    """Of these, the share that is replaced by the mask token."""
    swapped: float = 0.1
    """Of these, the share that is replaced by a random word; the rest stays as it is."""
    deleted: float = 0.1
    """Chance of a word to be deleted, in the half of the texts from which words are (as in textaugment, used there)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.pairs, self.near, self.siamese, self.words) < 0:
            raise ValueError("weights are 0 or more")
        if self.bank < 1 or min(self.hidden, self.bottleneck) < 0:
            raise ValueError("bank is 1 or more, hidden and bottleneck are 0 or more")
        if not 0 < self.rate <= 1 or not 0 <= self.deleted <= 1:
            raise ValueError(f"rate and deleted are shares between 0 and 1, not {self.rate} and {self.deleted}")
        if min(self.masked, self.swapped) < 0 or self.masked + self.swapped > 1:
            raise ValueError(f"masked and swapped are shares of one whole, not {self.masked} and {self.swapped}")


class DeCLIP(Tempered):
    """0.4 L_clip + 0.2 L_nn + 0.2 L_ss + 0.2 L_mlm."""

    name, version, config_class = "declip", 1, Config
    needs = frozenset({"image_vector", "text_vector", "text_tokens"})
    views = 2
    cites = ("""@inproceedings{li2022declip,
  author    = {Li, Yangguang and Liang, Feng and Zhao, Lichen and Cui, Yufeng and Ouyang, Wanli and
               Shao, Jing and Yu, Fengwei and Yan, Junjie},
  title     = {Supervision Exists Everywhere: A Data Efficient Contrastive Language-Image Pre-training Paradigm},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year      = {2022},
  eprint    = {2110.05208},
  eprinttype = {arXiv},
}""",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        joint = spec.joint_width
        self.words = nn.Linear(spec.width, spec.width)
        self.siamese = Siamese(joint, config.hidden or 2 * joint, config.bottleneck or joint)
        self.bank = Bank(config.bank, joint)
        self.log_scale.requires_grad_(config.learnt and config.pairs + config.near > 0)
        self.words.requires_grad_(config.words > 0)  # what is out of the sum would never move
        self.siamese.requires_grad_(config.siamese > 0)

    @staticmethod
    def corrupt(batch: Batch, rng: np.random.Generator, config: Config) -> Mapping[str, Any]:
        """hidden (B, T) with places, targets, said (B, K); eased, eased_mask (B, T): words swapped or deleted."""
        hidden = hidden_words(batch, rng, config.rate, config.masked, config.swapped)
        eased, mask = swapped_or_deleted(batch, rng, config.deleted)
        return {**hidden, "eased": eased, "eased_mask": mask}

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """first, second, hidden, eased (B, E): unit vectors of the views; nll (B, K): nats for each hidden word.

        The text with hidden words is read once: for its vector and for its words, by a linear head before the word
        table (the code has a table of its own).
        """
        hidden = backbone.read(batch["hidden"], batch.mask)
        features = torch.take_along_dim(backbone.text_tokens(hidden), batch["places"][..., None], 1)
        return {
            "first": backbone.image_vector(batch.views[0]),
            "second": backbone.image_vector(batch.views[1]),
            "hidden": backbone.text_vector(hidden),
            "eased": backbone.text_vector(backbone.read(batch["eased"], batch["eased_mask"])),
            "nll": backbone.token_losses(self.words(features), batch["targets"]),
        }

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """The four weighted terms (B), in nats but for the siamese one; vectors of texts go to the bank."""
        images = features["first"], features["second"]
        texts = features["hidden"], features["eased"]
        targets = parts.spread(positives(batch, self.config.equals))
        terms = {
            "pairs": self.config.pairs * self.pairs(images, texts, targets),
            "near": self.config.near * self.near(images, texts, targets),
            "siamese": self.config.siamese * self.siamese(*images),
            "words": self.config.words * mean_of_words(features["nll"], batch["said"]),
        }
        return Step(terms, self.figures(), {"hidden": features["hidden"], "eased": features["eased"]})

    def pairs(self, images: Views, texts: Views, targets: Tensor) -> Tensor:
        """B: the mean of the four CLIP losses."""
        four = [
            parts.two_sided_cross_entropy(*self.logits(image, text), targets, targets)
            for image, text in product(images, texts)
        ]
        return torch.stack(four).mean(0)

    def near(self, images: Views, texts: Views, targets: Tensor) -> Tensor:
        """B: the mean over views U of 1/2 [CE(s U NN(hidden)^T) + CE(s U NN(eased)^T)], pictures to texts alone."""
        hidden, eased = map(self.bank.nearest, texts)
        both = [
            parts.two_sided_cross_entropy(
                self.scale() * cosines(image, hidden), self.scale() * cosines(image, eased), targets, targets
            )
            for image in images
        ]
        return torch.stack(both).mean(0)

    def logits(self, image: Tensor, text: Tensor) -> Views:
        """B, E twice -> B, N twice: own pictures against all texts, and own texts against all pictures."""
        return self.scale() * cosines(image, text), self.scale() * cosines(text, image)

    def scale(self) -> Tensor:
        """0-d: never above 1 / coldest, though the gradient still reaches its logarithm there, as in the code."""
        over = (self.log_scale + log(self.config.coldest)).clamp_min(0).detach()
        return (self.log_scale - over).exp()

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        """Keep the logarithm of the scale in its bounds; put the new texts into the bank, first those of EDA."""
        cold = -log(self.config.coldest)
        self.log_scale.clamp_(-log(self.config.hottest), max(cold, _FARTHEST))
        self.bank.push(torch.cat([carry["eased"], carry["hidden"]]))

    def figures(self) -> dict[str, Tensor]:
        """The temperature."""
        return {"temperature": 1 / self.scale().detach()}


def mean_of_words(nll: Tensor, said: Tensor) -> Tensor:
    """B, K twice -> B: sums over hidden words, weighted so that the mean over N samples is that over words."""
    told = gather(said.sum(1))
    return (nll * said).sum(1) * len(told) / told.sum().clamp_min(1)
