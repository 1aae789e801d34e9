"""One stack of layers for all there is: pictures, texts, and a picture with its text as one sequence.

Axes: B batch, P image tokens, T text tokens, D width, E width of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from vlpbench.plugin import ImageState, Size, Spec, Stem, TextState, Trunk, hookimpl, parts


class ExampleTrunk(Trunk):
    """Pictures and texts share every layer; their vectors are projected means of tokens."""

    name = "example-trunk"
    api_version = 1  # the plugin contract it was written for
    version = 1  # raise it whenever the same settings give other numbers
    offers = frozenset({"image_tokens", "text_tokens", "image_vector", "text_vector", "fused_tokens"})

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        self.places = spec.grid[0] * spec.grid[1]  # P
        self.words = parts.WordTable(spec.vocabulary.size, size.width, size.word_std)
        self.word_positions = parts.PositionTable(length, size.width, size.word_std)
        self.image_positions = parts.PositionTable(self.places, size.width, size.position_std)
        layers = size.encoder + size.decoder
        self.blocks = nn.ModuleList(parts.EncoderBlock(size.width, size.heads) for _ in range(layers))
        self.norm = nn.LayerNorm(size.width)
        if "image_vector" in abilities:  # a head that nobody asked for is not built
            self.image_head = parts.Projection(size.width, spec.joint_width)
        if "text_vector" in abilities:
            self.text_head = parts.Projection(size.width, spec.joint_width)

    def _through(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)

    def _seen(self, image: ImageState) -> Tensor:
        """B, P, D: what the stem makes of pictures, with positions; once a step, whoever asks."""
        return image.once("seen", lambda whole: self.stem_tokens(whole.images) + self.image_positions(self.places))

    def _read(self, text: TextState) -> Tensor:
        return self.words(text.tokens) + self.word_positions(text.tokens.shape[1])

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: a picture alone."""
        return image.once("tokens", lambda whole: self._through(self._seen(whole), None))

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: a text alone; nobody looks at padding."""
        return text.once("tokens", lambda whole: self._through(self._read(whole), parts.masks.padding(whole.mask)))

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E: the mean image token, projected to unit length."""
        self.demand("image_vector")
        return image.once("vector", lambda whole: self.image_head(self.image_tokens(whole)))

    def text_vector(self, text: TextState) -> Tensor:
        """B, E: the mean token of a text, projected to unit length."""
        self.demand("text_vector")
        return text.once("vector", lambda whole: self.text_head(self.text_tokens(whole), whole.mask))

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D: image tokens, then words, in one sequence; both see each other."""
        there = pad(text.mask, (self.places, 0), value=True)
        both = self._through(torch.cat([self._seen(image), self._read(text)], 1), parts.masks.padding(there))
        return both[:, : self.places], both[:, self.places :]


@hookimpl
def vlpbench_trunks() -> Sequence[type[Trunk]]:
    """What this plugin brings."""
    return [ExampleTrunk]
