"""The linear probe: logistic regression on frozen features (CLIP, arXiv 2103.00020, appendix A.3).

The features are those before the projection into the joint space, the mean image token, where the backbone has them,
and are not normalised. The solver is scikit-learn's L-BFGS with at most 1,000 iterations, everything else its default;
only C is chosen (`vlpbench.tasks.strengths`). It runs on one thread, so that the weights depend on no number of cores.
Axes: N pictures, C classes, D width of features.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vlpbench.contract.abilities import Backbone, ImageState
from vlpbench.contract.objective import Objective
from vlpbench.tasks.strengths import STRENGTHS, search
from vlpbench.types import Batch, Spec, Step

__all__ = ["Chosen", "Features", "Probe", "ProbeConfig", "choose", "fit"]

Features = Literal["image_tokens", "image_vector"]

_ITERATIONS = 1_000


@dataclass(frozen=True)
class ProbeConfig:
    """How the probe is built."""

    classes: int = 2
    """C, classes to choose from."""
    features: Features = "image_tokens"
    """The ability that it looks through: the mean of the tokens, or the vector."""


class Probe(Objective):
    """A linear layer whose weights scikit-learn finds; the formula is what it minimises, without the penalty."""

    name, config_class, wants = "probe", ProbeConfig, ("targets",)

    def __init__(self, config: ProbeConfig, spec: Spec) -> None:
        super().__init__(config, spec)
        width = spec.width if config.features == "image_tokens" else spec.joint_width
        self.classify = nn.Linear(width, config.classes)

    @classmethod
    def needs_with(cls, config: ProbeConfig) -> frozenset[str]:
        """What it looks through."""
        return frozenset({config.features})

    def seen(self, backbone: Backbone, image: ImageState) -> Tensor:
        """B, D: the features of some pictures."""
        if self.config.features == "image_tokens":
            return backbone.image_tokens(image).float().mean(1)
        return backbone.image_vector(image)

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """features (B, D)."""
        return {"features": self.seen(backbone, batch.image)}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """-log P(class of the picture) (B), nats; `targets` are the places of the classes."""
        return Step(cross_entropy(self.classify(features["features"]), batch["targets"], reduction="none"))

    @torch.no_grad()
    def take(self, weight: NDArray[Any], bias: NDArray[Any]) -> None:
        """Make these the weights (C, D and C)."""
        self.classify.weight.copy_(torch.from_numpy(weight))
        self.classify.bias.copy_(torch.from_numpy(bias))

    def logits(self, features: NDArray[Any]) -> NDArray[Any]:
        """N, D -> N, C on the host, in double precision: log-odds of each class, up to a constant."""
        weight, bias = (one.detach().cpu().double().numpy() for one in (self.classify.weight, self.classify.bias))
        made: NDArray[Any] = features @ weight.T + bias
        return made


@dataclass(frozen=True)
class Chosen:
    """What the search over C came to."""

    strength: float
    """C: the best of those tried."""
    tried: Mapping[float, float]
    """C -> accuracy on the pictures that it is chosen by, in percent, from the smallest C."""
    unfinished: tuple[float, ...]
    """The C whose fit did not converge."""


def choose(
    features: NDArray[Any], labels: NDArray[Any], held_features: NDArray[Any], held_labels: NDArray[Any]
) -> Chosen:
    """C by the accuracy on held-out pictures of a classifier that was fitted to others.

    `labels` (N) are places of classes; a held-out label that none of them has counts as wrong. Each fit starts from
    nought, as the last one will: one that starts from the solution of a smaller C finds its gradient below the solver's
    tolerance and stays there, so that the score would be that of the smaller C (seen: 97.7 % where the C named has
    95.8 %).
    """
    unfinished: list[float] = []

    def accuracy(place: int) -> float:
        model, converged = _regression(features, labels, STRENGTHS[place])
        if not converged:
            unfinished.append(STRENGTHS[place])
        return 100 * float((model.predict(held_features) == held_labels).mean())

    with threadpool_limits(limits=1):
        best, tried = search(accuracy)
    by_strength = {STRENGTHS[place]: tried[place] for place in sorted(tried)}
    return Chosen(STRENGTHS[best], by_strength, tuple(sorted(unfinished)))


def fit(
    features: NDArray[Any], labels: NDArray[Any], strength: float
) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Weights (C, D), biases (C) and whether the fit converged; `labels` (N) have all C classes.

    Two classes have one row in scikit-learn, the log-odds of the second; here half of it goes to each, with its sign.
    """
    with threadpool_limits(limits=1):
        model, converged = _regression(features, labels, strength)
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return weight, bias, converged


def _regression(features: NDArray[Any], labels: NDArray[Any], strength: float) -> tuple[Any, bool]:
    """The fitted model, and whether it converged: that warning is told as a fact, all others go on as warnings."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=_ITERATIONS)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(features, labels)
    others = [one for one in heard if not issubclass(one.category, ConvergenceWarning)]
    for one in others:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return model, len(others) == len(heard)
