"""What stands at the end: one vector for a sequence, and words for features.

Axes: B batch, S tokens, D width, E joint width, V words.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize
from torch.utils.checkpoint import checkpoint

from vlpbench.parts.precision import full_precision
from vlpbench.parts.seeds import are_together

__all__ = ["Projection", "WordTable", "masked_mean", "pooled_pair"]


def masked_mean(tokens: Tensor, present: Tensor | None = None) -> Tensor:
    """B, S, D (and B, S bool) -> B, D: the mean of the tokens that are present."""
    if present is None:
        return tokens.mean(1)
    weight = present.to(tokens.dtype)[..., None]
    return (tokens * weight).sum(1) / weight.sum(1).clamp_min(1.0)


def pooled_pair(image: Tensor, text: Tensor, mask: Tensor) -> Tensor:
    """B, P, D and B, T, D (and B, T bool) -> B, 2 D: what a head that judges a picture and a text together is given."""
    return torch.cat([image.mean(1), masked_mean(text, mask)], 1)


class Projection(nn.Module):
    """Pooled tokens to a vector of unit length."""

    def __init__(self, width: int, joint_width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, joint_width, bias=False)

    def forward(self, tokens: Tensor, present: Tensor | None = None) -> Tensor:
        """B, S, D -> B, E, in fp32 even under autocast: mixed precision would make ties in a ranking."""
        with full_precision(tokens):
            return normalize(self.linear(masked_mean(tokens.float(), present)), dim=-1)


class WordTable(nn.Module):
    """One table for reading and for writing words (tied, arXiv 1608.05859)."""

    def __init__(self, words: int, width: int, std: float) -> None:
        super().__init__()
        self.std = std
        self.weight = nn.Parameter(torch.empty(words, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        nn.init.normal_(self.weight, std=self.std)

    def forward(self, tokens: Tensor) -> Tensor:
        """... -> ..., D: the vectors of token ids."""
        return nn.functional.embedding(tokens, self.weight)

    def logits(self, features: Tensor) -> Tensor:
        """..., D -> ..., V in fp32: log-odds of each word, up to a constant."""
        return linear(features, self.weight).float()

    def losses(self, features: Tensor, targets: Tensor, rows: int = 8192) -> Tensor:
        """..., D and ... -> ...: -log P(target) in nats.

        `rows` positions at a time, and beyond the first block computed again for the gradient, so that the logits of
        all positions never exist at once. Softmax and its sum are in fp32. Several models that run as one, which are
        small, take all at once: a block cannot be computed again outside of vmap.
        """
        flat, aims = features.flatten(0, -2), targets.flatten()
        if len(flat) <= rows or are_together():
            return self._losses(flat, aims).view(targets.shape)
        blocks = [
            checkpoint(self._losses, some, aim, use_reentrant=False, preserve_rng_state=False)
            for some, aim in zip(flat.split(rows), aims.split(rows), strict=True)
        ]
        return torch.cat(blocks).view(targets.shape)

    def _losses(self, features: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(self.logits(features), targets, reduction="none")
