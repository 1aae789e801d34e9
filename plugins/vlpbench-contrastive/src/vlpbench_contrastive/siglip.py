"""Each picture with each text is a question of its own: do they belong together? (SigLIP, arXiv 2303.15343)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from vlpbench.plugin import Batch, Spec, Step
from vlpbench_contrastive.towers import Equals, TwoTowers, cosines, positives

__all__ = ["Config", "SigLIP"]


@dataclass(frozen=True)
class Config:
    """Settings of `[objective.siglip]`. Nothing bounds the temperature, as in the authors' code."""

    temperature: float = 0.1
    """What cosines are divided by when training starts (section 3.2: t' = log 10)."""
    bias: float = -10.0
    """What is added to the log-odds when training starts; it outweighs that nearly all pairs are negatives."""
    learnt: bool = True
    """Whether temperature and bias are trained."""
    equals: Equals = "positives"
    """What pairs are to each other that share a picture or a string; in the paper each has itself alone."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, not {self.temperature}")


class SigLIP(TwoTowers):
    """L = 1/N sum_ij softplus(-y_ij (t u_i v_j + b)), where y_ij is 1 for pairs that belong together and -1 for others.

    There is no softmax, so it starts near 10 nats a sample and is not comparable with the logarithm of N.
    """

    name, version, config_class = "siglip", 1, Config
    cites = ("""@inproceedings{zhai2023siglip,
  author = {Zhai, Xiaohua and Mustafa, Basil and Kolesnikov, Alexander and Beyer, Lucas},
  title = {Sigmoid Loss for Language Image Pre-Training},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision},
  year = {2023}, eprint = {2303.15343}, archiveprefix = {arXiv}
}""",)

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.log_scale = nn.Parameter(torch.tensor(-log(config.temperature)), requires_grad=config.learnt)
        self.bias = nn.Parameter(torch.tensor(config.bias), requires_grad=config.learnt)

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Each own picture against all texts (B), nats."""
        odds = self.log_scale.exp() * cosines(features["image"], features["text"]) + self.bias
        signs = 2.0 * positives(batch, self.config.equals) - 1.0
        figures = {"temperature": (-self.log_scale.detach()).exp(), "bias": self.bias.detach()}
        return Step(softplus(-signs * odds).sum(1), figures)
