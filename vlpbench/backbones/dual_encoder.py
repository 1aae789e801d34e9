"""Two towers that never see each other (CLIP, arXiv 2103.00020): one for pictures, one for texts.

Axes: B batch, P image tokens, T text tokens, D width, E joint width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from vlpbench.backbones.picture_tower import PictureTower
from vlpbench.backbones.text_tower import TextTower
from vlpbench.plugin import ImageState, Size, Spec, Stem, TextState, parts

__all__ = ["DualConfig", "DualEncoder"]

_IMAGE, _TEXT = ("image_tokens", "image_vector"), ("text_tokens", "text_vector")


@dataclass(frozen=True)
class DualConfig:
    """`[trunk.dual]`."""

    text_norm: Literal["pre", "post"] = "pre"
    """Where the text tower's norms stand: "post" is BERT's computation (arXiv 1810.04805), for `init.text`."""


class DualEncoder(PictureTower):
    """The picture tower has as many layers as an encoder of this size, the text tower as many as a decoder."""

    name, version, config_class = "dual", 2, DualConfig
    cites = ("vaswani2017attention", "radford2021clip")
    offers = frozenset({*_IMAGE, *_TEXT})

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        self.words = parts.WordTable(spec.vocabulary.size, size.width, size.word_std)
        if not abilities.isdisjoint(_IMAGE):
            self._add_picture_tower(size)
        if not abilities.isdisjoint(_TEXT):
            post = self.config.text_norm == "post"
            self.text_tower = TextTower(length, size.width, size.heads, size.decoder, size.word_std, post)
        self._add_heads()

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the picture tower."""
        self.demand(*_IMAGE)
        return super().image_tokens(image)

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: the text tower, all words visible."""
        self.demand(*_TEXT)
        return text.once("tokens", lambda whole: self.text_tower(self.words(whole.tokens), whole.mask))
