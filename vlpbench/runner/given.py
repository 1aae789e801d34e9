"""A model that is there already, in the parts that a trained one is made of: a plan, a tokenizer, its heads."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from vlpbench.contract.abilities import Backbone, ImageState, TextState
from vlpbench.contract.objective import Objective
from vlpbench.contract.outside import Outside
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.files import digest
from vlpbench.tasks.trial import Head
from vlpbench.types import Batch, Spec, Step

__all__ = ["HEADS", "Cutter", "Given", "Match", "Similar"]


@dataclass(frozen=True)
class Given:
    """The plan of a backbone that is there already; a task that trains gets a copy."""

    model: Outside

    @property
    def offers(self) -> frozenset[str]:
        """What it says that it offers."""
        return self.model.offers

    @property
    def spec(self) -> Spec:
        """What it says of its widths."""
        return self.model.spec

    def build(self, abilities: Iterable[str]) -> Backbone:
        """A copy, so that one task's fine-tune is not another's start."""
        return copy.deepcopy(self.model)


class _Asked(Objective):
    """What an outside model brings beside its abilities: it is asked, not taught."""

    def encode(self, backbone: Backbone, batch: Batch) -> Mapping[str, Tensor]:
        """Nothing."""
        return {}

    def loss(self, features: Mapping[str, Tensor], batch: Batch) -> Step:
        """None."""
        raise RuntimeError("what an outside model brings is not taught here")


class Match(_Asked):
    """The matching head that an outside model brings."""

    name, trains = "match", frozenset({"match"})

    def match(self, backbone: Backbone, image: ImageState, text: TextState) -> Tensor:
        """As the model says."""
        assert isinstance(backbone, Outside)
        return backbone.match(image, text)


class Similar(_Asked):
    """The similarity that an outside model brings."""

    name, trains = "similarity", frozenset({"similarity"})

    def similarity(self, backbone: Backbone, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """As the model says."""
        assert isinstance(backbone, Outside)
        return backbone.similarity(image, text)


HEADS: Mapping[Head, type[Objective]] = {"match": Match, "similarity": Similar}
"""What an outside model's `trains` says -> what asks it."""


class Cutter(Tokenizer):
    """An outside model's tokenizer: rows as long as it makes them."""

    is_settled = False

    def __init__(self, model: Outside) -> None:
        super().__init__((), (), lowercase=False)
        self.model, self.vocabulary = model, model.vocabulary

    def encode(self, texts: Sequence[str], length: int) -> tuple[np.ndarray, np.ndarray]:
        """N, T: as the model cuts them; `length` is its own business."""
        tokens, mask = self.model.cut(list(texts))
        return np.asarray(tokens, np.int64), np.asarray(mask, np.bool_)

    def lengths(self, texts: Sequence[str]) -> np.ndarray:
        """N: tokens of each text, as far as the model keeps them."""
        found: np.ndarray = self.encode(texts, 0)[1].sum(1)
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids."""
        return self.model.said([int(one) for one in ids])

    @property
    def digest(self) -> str:
        """Of the class alone: what it does is the model's."""
        return digest({"outside": type(self.model).__name__})
