"""A model that was trained elsewhere, taken through the suite by the same abilities: a few lines of its author's.

Axes: N texts, T tokens, B batch, E joint width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from vlpbench.contract.abilities import Backbone
from vlpbench.types import Spec, Vocabulary

__all__ = ["Outside"]


class Outside(Backbone):
    """Wrap a model: say what it can do (`offers`), what it was trained for (`trains`), and what it wants to be fed.

    Override `cut` and the abilities that it offers, which get states: `image.images` (B, 3, H, W, normalised with
    `mean` and `std`), `text.tokens` and `text.mask` (B, T). Its modules are made in the constructor, after
    `super().__init__()`.
    What decodes gives a `Context` (`memory` B, M, D and `mask`, True on what is there; what it wants kept goes into
    `keys`) from `context`, a `DecodingState` from `begin`, and the next words' log-odds (B, k, V) from `step`; `select`
    of the state picks rows and, of each, beams. `vlpbench/backbones/cache.py` is one of ours.
    """

    name = "outside"
    trains: frozenset[str] = frozenset()
    """What it was trained for, which zero-shot evaluation relies on: "vectors", "similarity", "decode", "match"."""
    pixels: ClassVar[int] = 224
    """H = W of the pictures that it sees; they are squashed to a square."""
    mean: ClassVar[tuple[float, ...]] = (0.5, 0.5, 0.5)
    """Mean of red, green, blue on a scale of 0 to 1 that pictures are normalised with."""
    std: ClassVar[tuple[float, ...]] = (0.5, 0.5, 0.5)
    """Standard deviation of the same."""
    width: ClassVar[int] = 1
    """D, width of its tokens, where it offers any."""
    joint_width: ClassVar[int] = 1
    """E, width of its vectors, where it offers any."""
    grid: ClassVar[tuple[int, int]] = (1, 1)
    """Rows and columns of its image tokens, where it offers any."""
    vocabulary: ClassVar[Vocabulary] = Vocabulary(size=1, pad=0, bos=0, eos=0, unk=0, mask=0)
    """The special ids of its tokenizer; only what decodes is asked for them."""

    def __init__(self) -> None:
        super().__init__(Spec(self.width, self.joint_width, self.grid, self.vocabulary), self.offers)

    def cut(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """N, T ids and N, T bool, True on words and the end: the texts as its tokenizer cuts them (numpy or torch)."""
        raise AttributeError(f"{type(self).__name__} does not say how it cuts texts; override cut()")

    def said(self, ids: Sequence[int]) -> str:
        """The text of ids that it decoded, without special ones."""
        raise AttributeError(f"{type(self).__name__} does not say how its ids read; override said()")

    def match(self, image: Any, text: Any) -> Tensor:
        """B: log-odds that picture and text of a row belong together, where `trains` says "match"."""
        raise AttributeError(f"{type(self).__name__} has no matching head")

    def similarity(self, image: Any, text: Any) -> tuple[Tensor, Tensor]:
        """N, M twice: how well M texts suit each of N pictures, and how well N pictures suit each of M texts.

        For a model whose `trains` says "similarity".
        """
        raise AttributeError(f"{type(self).__name__} has no similarity")

    def logits(self, features: Tensor) -> Tensor:
        """..., D -> ..., V: log-odds of each word."""
        raise self._cannot("decode")

    def word_vectors(self, tokens: Tensor) -> Tensor:
        """... -> ..., D: rows of its word table."""
        raise self._cannot("decode")

    def token_losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """..., D and ... -> ...: -log P(target) in nats."""
        raise self._cannot("decode")
