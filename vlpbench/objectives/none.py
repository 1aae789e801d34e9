"""Teach nothing: the row that shows what pretraining is worth."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from vlpbench.plugin import Backbone, Batch, Objective, Step

__all__ = ["Nothing"]


class Nothing(Objective):
    """The fine-tune starts from the initial weights. A cell that trains nothing takes no pretraining step at all."""

    name, uses = "none", frozenset()

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """Ask for nothing."""
        return {}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """Zero for each sample (B)."""
        return Step(batch.mask.new_zeros(len(batch)).float())
