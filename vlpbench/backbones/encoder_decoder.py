"""Encoder-decoder (SimVLM, arXiv 2108.10904): the encoder sees picture and prefix, the decoder says the rest.

Axes: B batch, P image tokens, T text tokens, M = P + T, S decoded tokens, C candidates or beams, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.plugin import (
    ABILITIES,
    Context,
    DecodingState,
    ImageState,
    Size,
    Spec,
    Stem,
    TextState,
    Trunk,
    Visible,
    parts,
)

__all__ = ["EncoderDecoder"]


class EncoderDecoder(Trunk):
    """A relative bias between image tokens in each layer; one table of text positions, which restart in the decoder."""

    name = "encoder-decoder"
    offers = frozenset(ABILITIES)

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        width = size.width
        self.heads = heads = size.heads
        self.words = parts.WordTable(spec.vocabulary.size, width, size.word_std)
        self.text_positions = parts.PositionTable(length, width, size.word_std)
        self.image_positions = parts.PositionTable(spec.grid[0] * spec.grid[1], width, size.position_std)
        self.biases = nn.ModuleList(parts.RelativeBias(heads, spec.grid) for _ in range(size.encoder))
        self.encoder = nn.ModuleList(parts.EncoderBlock(width, heads) for _ in range(size.encoder))
        self.encoder_norm = nn.LayerNorm(width)
        if "decode" in abilities:
            self.decoder = nn.ModuleList(parts.DecoderBlock(width, heads) for _ in range(size.decoder))
            self.decoder_norm = nn.LayerNorm(width)
        if "image_vector" in abilities:
            self.image_head = parts.Projection(width, spec.joint_width)
        if "text_vector" in abilities:
            self.text_head = parts.Projection(width, spec.joint_width)

    def _stem(self, image: ImageState) -> Tensor:
        return image.once("stem", lambda whole: self.stem_tokens(whole.images) + self.image_positions(self._places))

    @property
    def _places(self) -> int:
        return self.spec.grid[0] * self.spec.grid[1]

    def _embed(self, tokens: Tensor) -> Tensor:
        return self.words(tokens) + self.text_positions(tokens.shape[-1])

    def _encode(self, image: Tensor | None, text: Tensor | None, present: Tensor | None, visible: Visible) -> Tensor:
        """B, P, D and B, T, D (one may be None) and the words that are present (B, T) -> B, M, D."""
        x = torch.cat([part for part in (image, text) if part is not None], 1)
        images = 0 if image is None else image.shape[1]
        texts = x.shape[1] - images
        mask = parts.masks.visible(visible, images, texts, x.device)
        if present is not None:
            padded = parts.masks.padding(nn.functional.pad(present, (images, 0), value=True))
            mask = padded if mask is None else mask & padded
        for block, bias in zip(self.encoder, self.biases, strict=True):
            near = bias(texts).to(x.dtype) if images else None
            x = block(x, parts.joined(near, mask))
        return self.encoder_norm(x)

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the encoder on a picture alone."""
        return image.once("tokens", lambda whole: self._encode(self._stem(whole), None, None, "all"))

    def text_tokens(self, text: TextState) -> Tensor:
        """B, T, D: the encoder on a text alone."""
        return text.once("tokens", lambda whole: self._encode(None, self._embed(whole.tokens), whole.mask, "all"))

    def image_vector(self, image: ImageState) -> Tensor:
        """B, E: the mean image token, projected."""
        self.demand("image_vector")
        return image.once("vector", lambda whole: self.image_head(self.image_tokens(whole)))

    def text_vector(self, text: TextState) -> Tensor:
        """B, E: the mean text token, projected."""
        self.demand("text_vector")
        return text.once("vector", lambda whole: self.text_head(self.text_tokens(whole), whole.mask))

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D: the encoder on both."""
        both = self._encode(self._stem(image), self._embed(text.tokens), text.mask, "all")
        return both[:, : self._places], both[:, self._places :]

    def context(
        self, image: ImageState | None, prefix: TextState | None = None, visible: Visible = "all"
    ) -> Context:
        """The encoder on what is given; BOS stands in, row by row, where there is neither picture nor word."""
        if prefix is None:
            if image is None:
                raise ValueError("context() needs a picture, a prefix, or both")
            if visible == "all":
                return Context(self.image_tokens(image), None)
            return Context(self._encode(self._stem(image), None, None, visible), None)
        tokens, present = prefix.tokens, prefix.mask
        if image is None:
            tokens, present = _never_empty(tokens, present, self.spec.vocabulary.bos)
        seen = None if image is None else self._stem(image)
        memory = self._encode(seen, self._embed(tokens), present, visible)
        ahead = memory.shape[1] - present.shape[1]
        return Context(memory, nn.functional.pad(present, (ahead, 0), value=True))

    def _memory(self, context: Context, layer: int) -> tuple[parts.Keys, Tensor | None]:
        """Keys and values of the memory for one layer, made once, and the mask over them."""
        name = f"layer{layer}"
        if name not in context.keys:
            context.keys[name] = self.decoder[layer].cross.keys(context.memory)  # type: ignore[union-attr, operator]
        return context.keys[name], None if context.mask is None else parts.masks.padding(context.mask)

    def decode(self, context: Context, text: TextState) -> Tensor:
        """B, S, D or B, C, S, D: causal over the text, which starts with BOS; positions restart at 0."""
        self.demand("decode")
        many = text.tokens.ndim == 3
        x = self._embed(text.tokens if many else text.tokens[:, None])  # B, C, S, D
        mask = parts.masks.causal(x.shape[2], x.device)
        for number, block in enumerate(self.decoder):
            x = block(x, *self._memory(context, number), mask)
        features = self.decoder_norm(x)
        return features if many else features[:, 0]

    def begin(self, context: Context, beams: int, length: int) -> DecodingState:
        """Room for the keys and values of `length` words of each of `beams` rows."""
        self.demand("decode")
        shape = (context.memory.shape[0] * beams, self.heads, length, self.spec.width // self.heads)
        past = [tuple(context.memory.new_zeros(shape) for _ in range(2)) for _ in self.decoder]
        return _Cache(context, beams, length, 0, past)  # type: ignore[arg-type]

    def step(self, state: DecodingState, token: Tensor) -> Tensor:
        """B, k -> B, k, V: one more word for each beam."""
        assert isinstance(state, _Cache)
        if state.at == state.length:  # writing past the end would change nothing, without a word
            raise ValueError(f"begin() made room for {state.length} words; this is one more")
        x = self.words(token) + self.text_positions(state.at + 1)[state.at]
        for number, block in enumerate(self.decoder):
            x = block.step(x, state.past[number], state.at, *self._memory(state.context, number))  # type: ignore[operator]
        state.at += 1
        return self.logits(self.decoder_norm(x))


@dataclass
class _Cache(DecodingState):
    """Keys and values of the words so far: B*k, N, S, H for each layer."""

    context: Context
    beams: int
    length: int
    at: int
    past: list[parts.Keys]

    def select(self, rows: Tensor, beams: Tensor) -> _Cache:
        """Keep some queries and, of each, some beams; the past is copied, the context only picked."""
        flat = (rows[:, None] * self.beams + beams).flatten()
        past = [(keys[flat], values[flat]) for keys, values in self.past]
        everyone = torch.arange(self.context.memory.shape[0], device=rows.device)
        context = self.context if torch.equal(rows, everyone) else self.context.rows(rows)
        return _Cache(context, beams.shape[1], self.length, self.at, past)


def _never_empty(tokens: Tensor, present: Tensor, bos: int) -> tuple[Tensor, Tensor]:
    """Rows without any word get BOS as their only one: attention over nothing would be NaN."""
    empty = ~present.any(1)
    tokens, present = tokens.clone(), present.clone()
    tokens[:, 0] = torch.where(empty, torch.full_like(tokens[:, 0], bos), tokens[:, 0])
    present[:, 0] |= empty
    return tokens, present
