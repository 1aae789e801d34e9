"""The pictures of a split that have a label, the name of their class in `Sample.fields["label"]`, and features of them.

Axes: N pictures with a label, C classes, P image tokens, D width of features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlpbench.contract.abilities import Backbone, ImageState
from vlpbench.data.errors import DataError
from vlpbench.data.labels import label_of
from vlpbench.data.splits import Split
from vlpbench.tasks.trial import Trial
from vlpbench.types import Sample

__all__ = ["Labelled"]

PICTURES = 128
"""How many are seen at once."""


class Labelled:
    """The labelled pictures of a split, in its order; those without a label are left out and counted."""

    def __init__(self, split: Split) -> None:
        """DataError for a split without labelled pictures, and for a label that is not a text."""
        self.split = split
        named = [label_of(sample, split) for sample in split.samples]
        self.rows = [row for row, label in enumerate(named) if label]
        self.labels = [label for label in named if label]
        if not self.rows or not len(split.pixels):
            raise DataError(
                f"the {split.name} split of {split.dataset!r} has no pictures with labels",
                remedy="name a data set with labels in [protocol.classification] data, or take classification "
                "out of tasks",
            )
        self.left_out = len(named) - len(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def samples(self) -> list[Sample]:
        """N."""
        return [self.split.samples[row] for row in self.rows]

    def numbers(self, classes: Sequence[str]) -> NDArray[np.int64]:
        """N: where each label stands among `classes`; -1 for one that is not there."""
        place = {name: at for at, name in enumerate(classes)}
        return np.array([place.get(label, -1) for label in self.labels], np.int64)

    @torch.no_grad()
    def features(
        self, seen: Callable[[ImageState], Tensor], backbone: Backbone, trial: Trial
    ) -> NDArray[np.float64]:
        """N, D: what `seen` makes of the state of some pictures (B, D), in full precision, each picture once."""
        blocks = [
            seen(backbone.see(trial.pictures(self.split, [self.rows[at] for at in block]))).float().cpu()
            for block in trial.blocks(len(self), PICTURES)
        ]
        made: NDArray[np.float64] = torch.cat(blocks).double().numpy()
        if not np.isfinite(made).all():
            raise DataError(f"a feature of a picture of the {self.split.name} split is not a finite number",
                            remedy="look for a pretraining that diverged")
        return made
