"""Batches as `corrupt` sees them on the host and as `encode` sees them on the device, and backbones to ask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vlpbench.backbones.decoder_only import DecoderOnly
from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.backbones.dual_fusion import DualFusion
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Linear
from vlpbench.training.build import Blueprint
from vlpbench.types import Batch, Vocabulary

VOCABULARY = Vocabulary(40, 0, 1, 2, 3, 4, (5, 6))
SHARED = ("tokens", "mask", "image_ids", "caption_ids", "progress")


@pytest.fixture(scope="session")
def vocabulary():
    return VOCABULARY


@pytest.fixture(scope="session")
def host():
    """A batch of texts with these many tokens each, end of sentence included; in numpy, without pictures."""

    def make(lengths, width=8, has_image=True, seed=0):
        rng, lengths = np.random.default_rng(seed), np.asarray(lengths)
        mask = np.arange(width) < lengths[:, None]
        tokens = np.where(mask, rng.integers(7, VOCABULARY.size, mask.shape), VOCABULARY.pad)
        tokens[np.arange(len(lengths)), lengths - 1] = VOCABULARY.eos
        ids = np.arange(len(lengths))
        return Batch(None, tokens, mask, ids, ids + 100, np.float32(0), VOCABULARY, has_image)

    return make


@pytest.fixture(scope="session")
def crossed():
    """The same batch in torch, with pictures and states of this backbone, and what `corrupt` gave."""

    def make(batch, backbone=None, objective=None, rng=None):
        extras = {}
        if objective is not None:
            rng = rng or np.random.default_rng(0)
            extras = {key: torch.as_tensor(x) for key, x in objective.corrupt(batch, rng, objective.config).items()}
        there = {name: torch.as_tensor(getattr(batch, name)) for name in SHARED}
        images = torch.randn(len(batch), 3, 16, 16, generator=torch.Generator().manual_seed(1))
        there["images"] = images if batch.has_image else None
        if backbone is not None:
            there["image"] = backbone.see(images) if batch.has_image else None
            there["text"] = backbone.read(there["tokens"], there["mask"])
        return replace(batch, extras=extras, **there)

    return make


@pytest.fixture(scope="session")
def built():
    """A nano backbone over pictures of 16 pixels and texts of eight tokens."""

    def make(abilities, trunk=EncoderDecoder, seed=0):
        return Blueprint(Linear, "", trunk, SIZES["nano"], 16, VOCABULARY, 8, seed).build(abilities).eval()

    return make


@pytest.fixture(scope="module", params=[EncoderDecoder, DecoderOnly], ids=lambda trunk: trunk.name)
def decoding(built, request):
    """Backbones that speak."""
    return built({"context", "decode"}, request.param)


@pytest.fixture(scope="module", params=[EncoderDecoder, DecoderOnly, DualFusion], ids=lambda trunk: trunk.name)
def fusing(built, request):
    """Backbones in which pictures and words see each other."""
    return built({"fused_tokens", "text_tokens"}, request.param)


@pytest.fixture(scope="module", params=[EncoderDecoder, DualEncoder], ids=lambda trunk: trunk.name)
def towers(built, request):
    """Backbones with vectors."""
    return built({"image_vector", "text_vector"}, request.param)
