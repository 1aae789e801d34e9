"""Decoder-only (SimVLM's ablation, arXiv 2108.10904): one stack reads picture and prefix and goes on writing.

Axes: B batch, M = P + T tokens of the context, S decoded tokens, C candidates, k beams, D width, V words.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.backbones.cache import Cache, log_odds
from vlpbench.backbones.fixed_cache import FixedCache
from vlpbench.backbones.one_sequence import OneSequence, Seen
from vlpbench.plugin import (
    Context,
    DecodingState,
    ImageState,
    Size,
    Spec,
    Stem,
    TextState,
    Visible,
    parts,
)

__all__ = ["DecoderOnly", "layers_of"]

_SEEING = ("image_tokens", "image_vector", "fused_tokens")


def layers_of(size: Size) -> int:
    """The most layers whose weight matrices are no larger than those of the encoder-decoder of this size.

    A layer that sees itself has 12 D^2 weights, one that also looks at a memory 16 D^2: 18 layers for 8 + 8.
    """
    return (12 * size.encoder + 16 * size.decoder) // 12


class DecoderOnly(OneSequence):
    """Any mask over [picture; words]; one table of text positions runs on through the prefix and what is said.

    The table has twice as many rows as a text has tokens, since a prefix of full length may be followed by a text of
    full length. A word to be said looks, in each layer, at the context's keys of that layer and at the words said
    before: as one pass over both with a prefix mask, but the context is not computed for each candidate.
    """

    name, version = "decoder-only", 2
    cites = ("vaswani2017attention", "wang2022simvlm")

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        self.length = length
        layers = layers_of(size)
        self._add_stack(size, layers, 2 * length, layers - 1)
        # Words to come look at the keys that enter the last layer: who only writes asks nobody what pictures see there.
        # A part by itself, so that weights of one who writes can be loaded by one who sees, and the other way round.
        if "decode" not in abilities or not abilities.isdisjoint(_SEEING):
            self.last_bias = parts.RelativeBias(size.heads, spec.grid)
        self._add_heads()

    def _bias(self, number: int) -> nn.Module:
        return self.last_bias if number == len(self.encoder) - 1 else super()._bias(number)

    def _embed(self, tokens: Tensor) -> Tensor:
        if tokens.shape[-1] > self.length:
            raise ValueError(f"a prefix of {tokens.shape[-1]} tokens; texts were to have {self.length} at most")
        return super()._embed(tokens)

    def _mask(self, images: int, texts: int, present: Tensor | None, visible: Visible, on: Any) -> parts.Mask | None:
        mask = super()._mask(images, texts, present, visible, on)
        return mask if images or not isinstance(mask, Tensor) else parts.masks.or_itself(mask)

    def _know(self, image: Tensor | None, text: Tensor | None, present: Tensor | None, visible: Visible) -> Seen:
        """What enters the last layer, and the keys of all layers."""
        x, images, mask = self._enter(image, text, present, visible)
        kept: list[parts.Keys] = []
        for number in range(len(self.encoder) - 1):
            x = self._layer(number, x, images, mask, kept)
        return x, (*kept, self.encoder[-1].keys(x)) if "decode" in self.abilities else ()  # type: ignore[operator]

    def image_tokens(self, image: ImageState) -> Tensor:
        """B, P, D: the stack on a picture alone, all but the last layer shared with its context."""
        self.demand(*_SEEING)

        def last(whole: ImageState) -> Tensor:
            x = self._look(whole, "all")[0]
            return self.encoder_norm(self._layer(len(self.encoder) - 1, x, x.shape[1], None))

        return image.once("tokens", last)

    def fused_tokens(self, image: ImageState, text: TextState) -> tuple[Tensor, Tensor]:
        """B, P, D and B, T, D: the stack on both."""
        self.demand(*_SEEING)
        return super().fused_tokens(image, text)

    def _remember(
        self, memory: Tensor, keys: tuple[parts.Keys, ...], present: Tensor | None, words: Tensor
    ) -> Context:
        context = super()._remember(memory, keys, present, words)
        context.keys["words"] = words
        return context

    def _places_of(self, context: Context, first: Tensor | int, many: int) -> Tensor:
        """B, many, D: positions of the words `first` to `first + many` behind each row's prefix."""
        if isinstance(first, int) and first + many > self.length:
            raise ValueError(f"{first + many} words to say; texts were to have {self.length} at most")
        behind = first + torch.arange(many, device=context.memory.device)
        return self.text_positions.at(context.keys["words"][:, None] + behind)

    def decode(self, context: Context, text: TextState) -> Tensor:
        """B, S, D or B, C, S, D: causal over the text, which starts with BOS; positions run on from the prefix's."""
        self.demand("decode")
        many = text.tokens.ndim == 3
        tokens = text.tokens if many else text.tokens[:, None]
        x = self.words(tokens) + self._places_of(context, 0, tokens.shape[-1])[:, None]  # B, C, S, D
        causal = parts.masks.causal(x.shape[2], x.device)
        mask = parts.masks.behind(context.mask, context.memory.shape[1], causal)
        for number, block in enumerate(self.encoder):
            x = block.beyond(x, context.keys[f"layer{number}"], mask)  # type: ignore[operator]
        features = self.encoder_norm(x)
        return features if many else features[:, 0]

    def begin(self, context: Context, beams: int, length: int) -> DecodingState:
        """Room for the keys and values of `length` words of each of `beams` rows."""
        self.demand("decode")
        keys = [context.keys[f"layer{number}"] for number in range(len(self.encoder))]
        known = Context(context.memory, context.mask, {"words": context.keys["words"]})  # the past holds the keys
        return Cache.behind(known, beams, length, keys)

    def step(self, state: DecodingState, token: Tensor) -> Tensor:
        """B, k -> B, k, V: one more word for each beam."""
        assert isinstance(state, Cache | FixedCache)
        at, mask = state.next()
        x = self.words(token) + self._places_of(state.context, at, 1)
        for block, past in zip(self.encoder, state.past, strict=True):
            x = block.step(x, past, mask)  # type: ignore[operator]
        return log_odds(self, self.encoder_norm(x))
