"""Backbones small enough to be looked into, every weight of which matters."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vlpbench.backbones.decoder_only import DecoderOnly
from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig
from vlpbench.backbones.encoder_decoder import EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.backbones.stems import Linear
from vlpbench.training.build import Blueprint
from vlpbench.types import Vocabulary

VOCABULARY = Vocabulary(40, 0, 1, 2, 3, 4, (5, 6))
SMALL = replace(SIZES["nano"], width=32, heads=2, encoder=2, decoder=2, channels=(8, 8, 16, 16))
"""Two layers on both sides: what is masked in the first only would show."""

WRITERS = {
    "encoder-decoder": {"trunk": EncoderDecoder},
    "decoder-only": {"trunk": DecoderOnly},
    "own, two-way": {"trunk": DualFusion, "config": DualFusionConfig(2, decoder="own")},
    "own, one-way": {"trunk": DualFusion, "config": DualFusionConfig(2, two_way=False, decoder="own")},
    "split": {"trunk": DualFusion, "size": replace(SMALL, decoder=4), "config": DualFusionConfig(decoder="split")},
}
"""Every wiring that decodes; fusion layers two deep."""

WIRINGS = {**WRITERS, "dual": {"trunk": DualEncoder}, "no decoder": {"trunk": DualFusion}}
"""Every wiring: a trunk and what decides its layers."""


@pytest.fixture(scope="session")
def blueprint():
    """A plan of pictures of 16 pixels, four tokens each, and texts of eight; any part of it by name."""

    def make(**changes):
        plan = Blueprint(Linear, "", EncoderDecoder, SMALL, 16, VOCABULARY, 8, 0)
        return replace(plan, **changes)

    return make


@pytest.fixture(scope="session")
def lively(blueprint):
    """A backbone in evaluation whose every weight is stirred: what starts at zero or one has a say too."""

    def make(abilities, **changes):
        backbone = blueprint(**changes).build(abilities).eval()
        rng = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in backbone.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=rng)
        return backbone

    return make


def offered(changes):
    """The abilities of a wiring."""
    trunk = changes["trunk"]
    return trunk.offers_with(changes.get("config", trunk.config_class()))


@pytest.fixture(scope="module", params=WRITERS)
def writer(request, lively):
    """A backbone of every wiring that decodes, with all abilities that it can have."""
    return lively(offered(WRITERS[request.param]), **WRITERS[request.param])


@pytest.fixture(params=WIRINGS)
def wiring(request):
    """Every wiring: what to change in the blueprint, and the abilities it offers."""
    return WIRINGS[request.param], offered(WIRINGS[request.param])


@pytest.fixture
def images():
    """Three pictures of 16 pixels."""
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def tokens():
    """Three texts of eight words, no special id among them."""
    return torch.randint(7, 40, (3, 8), generator=torch.Generator().manual_seed(3))


@pytest.fixture
def present():
    """Where the three texts have words: all eight, five, one."""
    return torch.arange(8) < torch.tensor([[8], [5], [1]])
