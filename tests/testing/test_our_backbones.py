"""Our own trunks and stems pass every check."""

from __future__ import annotations

from vlpbench.backbones import Conv2, Conv3, Conv4, vlpbench_trunks
from vlpbench.backbones.dual_fusion import DualFusion, DualFusionConfig
from vlpbench.testing import BackboneSubject, backbone_checks, parametrize_backbone_checks

FORMS = [
    DualFusionConfig(decoder="own"), DualFusionConfig(two_way=False, decoder="own"), DualFusionConfig(text_norm="post"),
]


@parametrize_backbone_checks(vlpbench_trunks())
def test_a_built_in_backbone_passes(backbone, check):
    assert check(backbone) is None


LAWS = [name for name in backbone_checks() if name != "smoke-grid"]
"""Checks that each form is asked; grids are run with the trunks and stems themselves."""


@parametrize_backbone_checks([Conv2, Conv4], only=LAWS)
def test_a_built_in_stem_passes(backbone, check):
    assert check(backbone) is None


@parametrize_backbone_checks([BackboneSubject(trunk, Conv3) for trunk in vlpbench_trunks()], only=LAWS)
def test_a_built_in_trunk_passes_behind_convolutions(backbone, check):
    assert check(backbone) is None


@parametrize_backbone_checks([BackboneSubject(DualFusion, config=form) for form in FORMS], only=LAWS)
def test_dual_fusion_passes_in_all_its_forms(backbone, check):
    assert check(backbone) is None


@parametrize_backbone_checks(
    [BackboneSubject(DualFusion, config=DualFusionConfig(decoder="split"))],
    expected_failures={"visible-obeyed": "its text tower writes, so that words of a prefix see what came before alone"},
    only=LAWS,
)
def test_dual_fusion_with_a_split_decoder_passes(backbone, check):
    assert check(backbone) is None
