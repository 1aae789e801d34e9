"""Torch blocks that know no vlpbench type: each could be pasted into another project."""

from vlpbench.parts import masks
from vlpbench.parts.attention import Attention, Keys, attend, joined
from vlpbench.parts.block import DecoderBlock, EncoderBlock, FusionBlock, Mlp
from vlpbench.parts.heads import Projection, WordTable, masked_mean, pooled_pair
from vlpbench.parts.losses import two_sided_cross_entropy
from vlpbench.parts.pairs import same, single, spread
from vlpbench.parts.past import FixedPast, Past
from vlpbench.parts.positions import PositionTable, RelativeBias
from vlpbench.parts.post_norm import BERT_EPS, PostNormBlock
from vlpbench.parts.precision import full_precision
from vlpbench.parts.sight import Mask, Sight

__all__ = [
    "BERT_EPS", "Attention", "DecoderBlock", "EncoderBlock", "FixedPast", "FusionBlock", "Keys", "Mask", "Mlp", "Past",
    "PositionTable", "PostNormBlock", "Projection", "RelativeBias", "Sight", "WordTable", "attend", "full_precision",
    "joined", "masked_mean", "masks", "pooled_pair", "same", "single", "spread", "two_sided_cross_entropy",
]
