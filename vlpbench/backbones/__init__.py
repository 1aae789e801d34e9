"""The built-in stems and trunks; they register through the same hooks as a stranger's."""

from __future__ import annotations

from vlpbench.backbones.decoder_only import DecoderOnly
from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.backbones.dual_fusion import DualFusion
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.stems import Conv2, Conv3, Conv4, Linear, Timm
from vlpbench.plugin import Stem, Trunk, hookimpl

__all__ = ["vlpbench_stems", "vlpbench_trunks"]


@hookimpl
def vlpbench_stems() -> list[type[Stem]]:
    """Linear patches, ResNet stages, timm models."""
    return [Linear, Conv2, Conv3, Conv4, Timm]


@hookimpl
def vlpbench_trunks() -> list[type[Trunk]]:
    """Encoder-decoder, one stack, two towers, two towers and fusion layers."""
    return [EncoderDecoder, DecoderOnly, DualEncoder, DualFusion]
