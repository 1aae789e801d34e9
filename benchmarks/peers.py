"""Models of other libraries with our widths, layers, picture and text lengths; random weights, no download.

Each is a module that turns (images B, 3, H, H float; tokens B, T int64) into its own loss, so that one rule can train,
compile and count all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vlpbench.contract.wiring import Stem


@dataclass(frozen=True)
class Shape:
    """What all sides have in common."""

    width: int
    """D, of encoder and decoder."""
    heads: int
    """Attention heads of each layer."""
    encoder: int
    """Layers that see the picture."""
    decoder: int
    """Layers that write."""
    pixels: int
    """H, pixels a side."""
    patch: int
    """Pixels a side of one image token."""
    text: int
    """T, tokens of a text, even: a prefix model reads the first half and writes the second."""
    words: int
    """V, ids of the vocabulary."""

    @property
    def tokens(self) -> int:
        """Image tokens."""
        return (self.pixels // self.patch) ** 2


class Blip(nn.Module):
    """transformers' BLIP as it is trained to caption: a ViT, and a decoder that looks at it and writes all T tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        from transformers import BlipConfig, BlipForConditionalGeneration

        layer = {"hidden_size": shape.width, "intermediate_size": 4 * shape.width, "num_attention_heads": shape.heads}
        text = layer | {
            "num_hidden_layers": shape.decoder, "encoder_hidden_size": shape.width, "vocab_size": shape.words,
            "max_position_embeddings": shape.text, "bos_token_id": 1, "eos_token_id": 2, "sep_token_id": 2,
            "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        }
        vision = layer | {
            "num_hidden_layers": shape.encoder, "image_size": shape.pixels, "patch_size": shape.patch,
            "initializer_range": 0.02,
        }
        config = BlipConfig(text_config=text, vision_config=vision, projection_dim=shape.width)
        self.model = BlipForConditionalGeneration(config)

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        """Mean loss of the words."""
        loss: Tensor = self.model(pixel_values=images, input_ids=tokens, labels=tokens).loss
        return loss


class Bart(nn.Module):
    """transformers' BART on our stem: the encoder reads image tokens and half of the text, the decoder writes the rest.

    This is our encoder-decoder's wiring, but for norms behind the layers instead of before.
    """

    def __init__(self, shape: Shape, stem: Stem) -> None:
        super().__init__()
        from transformers import BartConfig, BartForConditionalGeneration

        self.stem, self.read = stem, shape.text // 2
        self.model = BartForConditionalGeneration(BartConfig(
            vocab_size=shape.words, d_model=shape.width, encoder_layers=shape.encoder, decoder_layers=shape.decoder,
            encoder_attention_heads=shape.heads, decoder_attention_heads=shape.heads, dropout=0.0,
            encoder_ffn_dim=4 * shape.width, decoder_ffn_dim=4 * shape.width,
            max_position_embeddings=stem.grid[0] * stem.grid[1] + shape.text, pad_token_id=0, bos_token_id=1,
            eos_token_id=2, decoder_start_token_id=1, forced_eos_token_id=None, use_cache=False,
        ))

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        """Mean loss of the words of the second half."""
        known, said = tokens[:, : self.read], tokens[:, self.read :].contiguous()
        seen = torch.cat([self.stem(images), self.model.get_input_embeddings()(known)], 1)
        loss: Tensor = self.model(inputs_embeds=seen, labels=said).loss
        return loss


class Coca(nn.Module):
    """open_clip's CoCa: a ViT, a text tower of half of the decoder's layers, the rest on top with the picture in view.

    Contrastive and captioning loss, weighted 1 and 2 as in its paper (arXiv 2205.01917).
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        from open_clip import CoCaLoss
        from open_clip.coca_model import CoCa

        vision = {
            "image_size": shape.pixels, "layers": shape.encoder, "width": shape.width, "patch_size": shape.patch,
            "head_width": shape.width // shape.heads, "attentional_pool": True, "attn_pooler_heads": shape.heads,
            "output_tokens": True,
        }
        tower = {"context_length": shape.text, "vocab_size": shape.words, "width": shape.width, "heads": shape.heads}
        text = tower | {"layers": shape.decoder // 2, "embed_cls": True, "output_tokens": True}
        above = tower | {"layers": shape.decoder - shape.decoder // 2, "attn_pooler_heads": shape.heads}
        self.model = CoCa(shape.width, above, text, vision)
        nn.init.normal_(self.model.text_decoder.text_projection, std=shape.width**-0.5)  # open_clip leaves it as it is
        self.formula = CoCaLoss(2.0, 1.0)

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        """Both losses."""
        made = self.model(images, tokens)
        made.pop("logit_bias", None)
        losses: tuple[Tensor, ...] = self.formula(**made)
        return losses[0] + losses[1]


def available(shape: Shape, stem: Callable[[], Stem]) -> tuple[dict[str, Callable[[], nn.Module]], list[str]]:
    """How to build each peer that is installed, by name; and a sentence for each that is not."""
    wanted: dict[str, tuple[str, str, Callable[[], nn.Module]]] = {
        "BLIP": ("transformers", "transformers", lambda: Blip(shape)),
        "BART": ("transformers", "transformers", lambda: Bart(shape, stem())),
        "CoCa": ("open_clip", "open_clip_torch", lambda: Coca(shape)),
    }
    found, missing = {}, []
    for name, (module, package, build) in wanted.items():
        try:
            library: Any = __import__(module)
        except ImportError:
            missing.append(f"{name} is left out: {package} is not installed (pip install {package})")
            continue
        if hasattr(library, "logging"):
            library.logging.set_verbosity_error()
        found[name] = build
    return found, missing
