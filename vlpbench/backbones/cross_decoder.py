"""A decoder that looks at a memory: causal over its own words, whose positions start at 0.

Axes: B batch, M tokens of the context, S decoded tokens, C candidates, k beams, D width, V words.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vlpbench.backbones.cache import Cache, log_odds
from vlpbench.backbones.fixed_cache import FixedCache
from vlpbench.plugin import Context, DecodingState, Size, TextState, Trunk, parts

__all__ = ["CrossDecoder", "Pasts", "never_empty"]

Pasts = Sequence[parts.Past | parts.FixedPast]
"""What was said, for each of some layers."""


class CrossDecoder(Trunk):
    """Layers that write while they look at the context; the trunk has `text_positions` for their words."""

    text_positions: parts.PositionTable

    def _add_decoder(self, size: Size, layers: int) -> None:
        self.decoder = nn.ModuleList(parts.DecoderBlock(size.width, size.heads) for _ in range(layers))
        self.decoder_norm = nn.LayerNorm(size.width)

    def _below(self) -> list[nn.Module]:
        """Layers below the decoder that have a past of their own; here none."""
        return []

    def _enter_decoder(self, tokens: Tensor) -> Tensor:
        """B, C, S -> B, C, S, D: words as the decoder's first layer gets them."""
        return self.words(tokens) + self.text_positions(tokens.shape[-1])

    def _enter_decoder_at(
        self, token: Tensor, at: Tensor | int, past: Pasts, mask: Tensor | None
    ) -> Tensor:
        """B, k -> B, k, D: the same for the word at place `at`; `past` is that of the layers below, under `mask`."""
        return self.words(token) + self.text_positions.at(at)

    def _memory(self, context: Context, layer: int) -> tuple[parts.Keys, Tensor | None]:
        """Keys and values of the memory for one layer, made once, and the mask over them."""
        name = f"layer{layer}"
        if name not in context.keys:
            context.keys[name] = self.decoder[layer].cross.keys(context.memory)  # type: ignore[union-attr, operator]
        return context.keys[name], None if context.mask is None else parts.masks.padding(context.mask)

    def _write(self, x: Tensor, context: Context) -> Tensor:
        """B, C, S, D -> B, C, S, D: through the decoder."""
        mask = parts.Sight(shared=parts.masks.causal(x.shape[2], x.device), causal=True)
        for number, block in enumerate(self.decoder):
            x = block(x, *self._memory(context, number), mask)
        features: Tensor = self.decoder_norm(x)
        return features

    def decode(self, context: Context, text: TextState) -> Tensor:
        """B, S, D or B, C, S, D: causal over the text, which starts with BOS; positions restart at 0."""
        self.demand("decode")
        many = text.tokens.ndim == 3
        features = self._write(self._enter_decoder(text.tokens if many else text.tokens[:, None]), context)
        return features if many else features[:, 0]

    def begin(self, context: Context, beams: int, length: int) -> DecodingState:
        """Room for the keys and values of `length` words of each of `beams` rows."""
        self.demand("decode")
        return Cache.empty(context, beams, length, len(self.decoder) + len(self._below()))

    def step(self, state: DecodingState, token: Tensor) -> Tensor:
        """B, k -> B, k, V: one more word for each beam."""
        assert isinstance(state, Cache | FixedCache)
        (at, mask), layers = state.next(), len(self.decoder)
        x = self._enter_decoder_at(token, at, state.past[layers:], mask)
        for number, block in enumerate(self.decoder):
            memory = self._memory(state.context, number)
            x = block.step(x, state.past[number], mask, *memory)  # type: ignore[operator]
        return log_odds(self, self.decoder_norm(x))


def never_empty(text: TextState, bos: int) -> tuple[Tensor, Tensor]:
    """B, T ids and where they are, BOS as the only word of rows that have none: a look at nothing would be NaN."""
    empty = ~text.mask.any(1)
    tokens, present = text.tokens.clone(), text.mask.clone()
    tokens[:, 0] = torch.where(empty, torch.full_like(tokens[:, 0], bos), tokens[:, 0])
    present[:, 0] |= empty
    return tokens, present
