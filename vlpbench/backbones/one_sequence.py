"""Picture and words in one sequence through one stack: what the encoder-decoder and the decoder-only share.

Axes: B batch, P image tokens, T text tokens, M = P + T, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.backbones.vectors import Vectors
from vlpbench.plugin import ABILITIES, Context, ImageState, Size, TextState, Visible, parts

__all__ = ["OneSequence", "Seen"]

Seen = tuple[Tensor, tuple[parts.Keys, ...]]
"""B, M, D, what words to come look at, and the keys and values of each layer where they look at those."""


class OneSequence(Vectors):
    """Image tokens, then words; 1D positions for both, and a relative bias between image tokens in each layer."""

    offers = frozenset(ABILITIES)

    def _add_stack(self, size: Size, layers: int, places: int, biases: int) -> None:
        """The word table, `places` positions of words, layers (called "encoder" in both trunks) and as many biases."""
        width, grid = size.width, self.spec.grid
        self.heads = heads = size.heads
        self.words = parts.WordTable(self.spec.vocabulary.size, width, size.word_std)
        self.text_positions = parts.PositionTable(places, width, size.word_std)
        self.image_positions = parts.PositionTable(self._places, width, size.position_std)
        self.biases = nn.ModuleList(parts.RelativeBias(heads, grid) for _ in range(biases))
        self.encoder = nn.ModuleList(parts.EncoderBlock(width, heads) for _ in range(layers))
        self.encoder_norm = nn.LayerNorm(width)

    def _embed(self, tokens: Tensor) -> Tensor:
        return self.words(tokens) + self.text_positions(tokens.shape[-1])

    def _mask(self, images: int, texts: int, present: Tensor | None, visible: Visible, on: Any) -> parts.Mask | None:
        """Who sees whom among `images` image tokens and `texts` words, of which some are present (B, T)."""
        mask = parts.masks.visible(visible, images, texts, on)
        if present is None:
            return mask
        if images:  # which are always there
            return parts.Sight(nn.functional.pad(present, (images, 0), value=True), mask)
        padded = parts.masks.padding(present)
        return padded if mask is None else mask & padded

    def _enter(
        self, image: Tensor | None, text: Tensor | None, present: Tensor | None, visible: Visible
    ) -> tuple[Tensor, int, parts.Mask | None]:
        """B, P, D and B, T, D (one may be None) and the words that are present (B, T) -> B, M, D; P; the mask."""
        x = torch.cat([part for part in (image, text) if part is not None], 1)
        images = 0 if image is None else image.shape[1]
        return x, images, self._mask(images, x.shape[1] - images, present, visible, x.device)

    def _bias(self, number: int) -> nn.Module:
        """The relative bias between image tokens in a layer."""
        return self.biases[number]

    def _layer(
        self, number: int, x: Tensor, images: int, mask: parts.Mask | None, kept: list[parts.Keys] | None = None
    ) -> Tensor:
        """B, M, D -> B, M, D through one layer."""
        near = self._bias(number)(x.shape[1] - images).to(x.dtype) if images else None
        passed: Tensor = self.encoder[number](x, parts.joined(near, mask), kept)
        return passed

    def _encode(
        self, image: Tensor | None, text: Tensor | None, present: Tensor | None, visible: Visible
    ) -> Tensor:
        """B, P, D and B, T, D (one may be None) and the words that are present (B, T) -> B, M, D."""
        x, images, mask = self._enter(image, text, present, visible)
        for number in range(len(self.encoder)):
            x = self._layer(number, x, images, mask)
        return self.encoder_norm(x)

    def _know(self, image: Tensor | None, text: Tensor | None, present: Tensor | None, visible: Visible) -> Seen:
        """The same, as words to come see it."""
        return self._encode(image, text, present, visible), ()

    def _look(self, image: ImageState, visible: Visible) -> Seen:
        """A picture alone, once for each way of looking at it."""
        return image.once(f"seen {visible}", lambda whole: self._know(self._stem(whole), None, None, visible))

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the stack on a picture alone."""
        return self._look(image, "all")[0]

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: the stack on a text alone."""
        return text.once("tokens", lambda whole: self._encode(None, self._embed(whole.tokens), whole.mask, "all"))

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D: the stack on both."""
        both = self._encode(self._stem(image), self._embed(text.tokens), text.mask, "all")
        return both[:, : self._places], both[:, self._places :]

    def context(
        self, image: ImageState | None, prefix: TextState | None = None, visible: Visible = "all"
    ) -> Context:
        """The stack on what is given; BOS stands in, row by row, where there is neither picture nor word."""
        if prefix is None:
            if image is None:
                raise ValueError("context() needs a picture, a prefix, or both")
            memory, keys = self._look(image, visible)
            return self._remember(memory, keys, None, memory.new_zeros(len(memory), dtype=torch.long))
        tokens, present = (prefix.tokens, prefix.mask) if image is not None else self._standing_in(prefix)
        seen = None if image is None else self._stem(image)
        memory, keys = self._know(seen, self._embed(tokens), present, visible)
        ahead = memory.shape[1] - present.shape[1]
        there = nn.functional.pad(present, (ahead, 0), value=True)
        return self._remember(memory, keys, there, present.sum(1))

    def _standing_in(self, prefix: TextState) -> tuple[Tensor, Tensor]:
        """The words (B, T) of a context without a picture and where they are; what stands in where there are none."""
        return prefix.tokens, prefix.mask

    def _remember(
        self, memory: Tensor, keys: tuple[parts.Keys, ...], present: Tensor | None, words: Tensor
    ) -> Context:
        """The context of `memory` (B, M, D), of which some is present, with `words` (B) words in its prefix."""
        made = {f"layer{number}": pair for number, pair in enumerate(keys)}
        return Context(memory, present, made)
