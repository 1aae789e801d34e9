"""Two towers that never see each other (CLIP, arXiv 2103.00020): one for pictures, one for texts.

Axes: B batch, P image tokens, T text tokens, D width, E joint width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from vlpbench.backbones.text_tower import TextTower
from vlpbench.plugin import ImageState, Size, Spec, Stem, TextState, Trunk, parts

__all__ = ["DualConfig", "DualEncoder"]

_IMAGE, _TEXT = ("image_tokens", "image_vector"), ("text_tokens", "text_vector")


@dataclass(frozen=True)
class DualConfig:
    """`[trunk.dual]`."""

    text_norm: Literal["pre", "post"] = "pre"
    """Where the text tower's norms stand: "post" is BERT's computation (arXiv 1810.04805), for `init.text`."""


class DualEncoder(Trunk):
    """The picture tower has as many layers as an encoder of this size, the text tower as many as a decoder."""

    name, version, config_class = "dual", 2, DualConfig
    offers = frozenset({*_IMAGE, *_TEXT})

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        width, heads = size.width, size.heads
        self.words = parts.WordTable(spec.vocabulary.size, width, size.word_std)
        if not abilities.isdisjoint(_IMAGE):
            self.image_positions = parts.PositionTable(spec.grid[0] * spec.grid[1], width, size.position_std)
            self.biases = nn.ModuleList(parts.RelativeBias(heads, spec.grid) for _ in range(size.encoder))
            self.image_tower = nn.ModuleList(parts.EncoderBlock(width, heads) for _ in range(size.encoder))
            self.image_norm = nn.LayerNorm(width)
        if not abilities.isdisjoint(_TEXT):
            post = self.config.text_norm == "post"
            self.text_tower = TextTower(length, width, heads, size.decoder, size.word_std, post)
        if "image_vector" in abilities:
            self.image_head = parts.Projection(width, spec.joint_width)
        if "text_vector" in abilities:
            self.text_head = parts.Projection(width, spec.joint_width)

    def _see(self, images: Tensor) -> Tensor:
        x = self.stem_tokens(images)
        x = x + self.image_positions(x.shape[1])
        for block, bias in zip(self.image_tower, self.biases, strict=True):
            x = block(x, bias().to(x.dtype))
        return self.image_norm(x)

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the picture tower."""
        self.demand(*_IMAGE)
        return image.once("tokens", lambda whole: self._see(whole.images))

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: the text tower, all words visible."""
        self.demand(*_TEXT)
        return text.once("tokens", lambda whole: self.text_tower(self.words(whole.tokens), whole.mask))

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E: the mean image token, projected."""
        self.demand("image_vector")
        return image.once("vector", lambda whole: self.image_head(self.image_tokens(whole)))

    def text_vector(self, text: TextState) -> Tensor:
        """B, E: the mean text token, projected."""
        self.demand("text_vector")
        return text.once("vector", lambda whole: self.text_head(self.text_tokens(whole), whole.mask))
