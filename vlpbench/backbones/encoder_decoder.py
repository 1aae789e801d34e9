"""Encoder-decoder (SimVLM, arXiv 2108.10904): the encoder sees picture and prefix, the decoder says the rest."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from vlpbench.backbones.cross_decoder import CrossDecoder, never_empty
from vlpbench.backbones.one_sequence import OneSequence
from vlpbench.plugin import Size, Spec, Stem, TextState

__all__ = ["EncoderDecoder"]


class EncoderDecoder(CrossDecoder, OneSequence):
    """A relative bias between image tokens in each layer; one table of text positions, which restart in the decoder."""

    name = "encoder-decoder"
    cites = ("vaswani2017attention", "wang2022simvlm")

    def __init__(
        self, spec: Spec, abilities: frozenset[str], stem: Stem, size: Size, length: int, config: Any = None
    ) -> None:
        super().__init__(spec, abilities, stem, size, length, config)
        self._add_stack(size, size.encoder, length, size.encoder)
        if "decode" in abilities:
            self._add_decoder(size, size.decoder)
        self._add_heads()

    def _standing_in(self, prefix: TextState) -> tuple[Tensor, Tensor]:
        """Rows without any word get BOS as their only one: attention over nothing would be NaN."""
        return never_empty(prefix, self.spec.vocabulary.bos)
