"""Part of what a pair should be told comes from an optimal transport plan of its batch (OTTER, arXiv 2112.09445).

What the paper leaves open is as in facebookresearch/OTTER (models/model.py, models/model_util.py, loss/), with three
exceptions. Its diagonals are right: the code takes each process's first columns for the diagonal, so that in all
processes but the first other pairs than a sample's own are removed. The gradient goes through the columns of other
processes, too. And scales are held in bounds after each step, not inside the formula, which ends their gradient there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

import torch
from torch import Tensor, nn

from vlpbench.plugin import Backbone, Batch, Spec, Step, gather, mine, parts
from vlpbench_contrastive.sinkhorn import sinkhorn
from vlpbench_contrastive.towers import Temperature, Tempered, cosines, positives

__all__ = ["OTTER", "Config"]

_FAR = 100.0
"""What is taken from the cosine of a sample with itself where the plan shall pass it by."""


@dataclass(frozen=True)
class Config(Temperature):
    """Settings of `[objective.otter]`; `temperature` is what both temperatures start from."""

    temperature: float = exp(-3.9)
    """What cosines are divided by when training starts: both logarithms of a scale start at 3.9."""
    pairs: float = 0.5
    """Share of the loss whose targets are the pairs as given; the rest is told by the plan."""
    blur: float = 0.15
    """What costs are divided by in the plan: near 0 all mass goes the cheapest way (`sinkhorn_lambda`)."""
    turns: int = 5
    """How often rows and columns of the plan are scaled to their sums."""
    remove_diag: bool = True
    """Whether the plan passes by each row's own pair, which the other share of the loss knows already."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.pairs <= 1:
            raise ValueError(f"pairs is a share between 0 and 1, not {self.pairs}")
        if not self.blur > 0 or self.turns < 1:
            raise ValueError(f"blur is above 0 and turns are 1 or more, not {self.blur} and {self.turns}")


class OTTER(Tempered):
    """a (CE_i + CE_t) + (1 - a) (KL_i + KL_t): sums of the two directions, as in its code, not means."""

    name, version, config_class = "otter", 1, Config
    teacher, teacher_warms_up = 0.999, True
    cites = ("""@inproceedings{wu2022otter,
  author    = {Wu, Bichen and Cheng, Ruizhe and Zhang, Peizhao and Gao, Tianren and Vajda, Peter and
               Gonzalez, Joseph E.},
  title     = {Data Efficient Language-Supervised Zero-Shot Recognition with Optimal Transport Distillation},
  booktitle = {International Conference on Learning Representations (ICLR)},
  year      = {2022},
  eprint    = {2112.09445},
  eprinttype = {arXiv},
}""",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        start = torch.tensor(-log(config.temperature))
        self.log_scale_of_plan = nn.Parameter(start, requires_grad=config.learnt and config.pairs < 1)
        self.log_scale.requires_grad_(config.learnt and config.pairs > 0)  # a share of nothing teaches nothing

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """image, text, and the teacher's slow_image, slow_text (B, E): unit vectors."""
        slow = {
            "slow_image": backbone.teacher.image_vector(batch.image),
            "slow_text": backbone.teacher.text_vector(batch.text),
        }
        return {**super().encode(backbone, batch), **slow}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Two terms (B), nats: cross-entropy of the pairs, and divergence from the plan's targets."""
        image, text, share = features["image"], features["text"], self.config.pairs
        targets = parts.spread(positives(batch, self.config.equals))
        given = parts.two_sided_cross_entropy(*self.logits(image, text), targets, targets)
        scale = self.log_scale_of_plan.exp()
        planned = _divergence(scale * cosines(image, text), scale * cosines(text, image), *self.plans(features))
        return Step({"pairs": share * 2 * given, "plan": (1 - share) * 2 * planned}, self.figures())

    @torch.no_grad()
    def plans(self, features: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """B, N twice: targets of own pictures over all texts, and of own texts over all pictures; rows sum to 1.

        The plan is over all samples. As in the code, texts have one of their own, with rows scaled first there, too;
        after a few turns it is not quite the other one transposed.
        """
        image, text = gather(features["slow_image"]), gather(features["slow_text"])
        alike = image @ image.T + text @ text.T
        if self.config.remove_diag:
            alike = alike - 2 * _FAR * torch.eye(len(alike), device=alike.device)
        across = image @ text.T
        return self._targets(-(alike + across)), self._targets(-(alike + across.T))

    def _targets(self, cost: Tensor) -> Tensor:
        """N, N -> B, N: own rows of the plan, each made a distribution."""
        return mine(sinkhorn(cost, self.config.blur, self.config.turns)).softmax(1)

    def after_step(self, carry: Mapping[str, Tensor]) -> None:
        """Keep both temperatures in their bounds."""
        super().after_step(carry)
        self.log_scale_of_plan.clamp_(-log(self.config.hottest), -log(self.config.coldest))

    def figures(self) -> dict[str, Tensor]:
        """Both temperatures."""
        return {**super().figures(), "plan_temperature": (-self.log_scale_of_plan.detach()).exp()}


def _divergence(image_to_text: Tensor, text_to_image: Tensor, image_targets: Tensor, text_targets: Tensor) -> Tensor:
    """B: half of KL(target || said) of each direction: cross-entropy less what is uncertain in the target itself."""
    said = parts.two_sided_cross_entropy(image_to_text, text_to_image, image_targets, text_targets)
    uncertain: Tensor = torch.special.entr(image_targets).sum(1) + torch.special.entr(text_targets).sum(1)
    return said - uncertain / 2
