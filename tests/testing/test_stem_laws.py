"""Stems by themselves: right ones pass, wrong ones fail the right check."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vlpbench.backbones.decoder_only import DecoderOnly
from vlpbench.backbones.dual_encoder import DualEncoder
from vlpbench.backbones.stems import Conv2, Linear
from vlpbench.contract.wiring import Stem
from vlpbench.testing import BackboneSubject, CheckFailed, CheckSkipped, backbone_checks, check_backbone


class Patches(Stem):
    """Patches of eight pixels, behind its colon of as many as it says."""

    name = "patches"

    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        side = int(argument or 8)
        if pixels % side:
            raise ValueError(f"patches of {side} pixels do not fill {pixels}")
        self.grid = (pixels // side, pixels // side)
        self.project = nn.Conv2d(3, size.width, side, side)

    def forward(self, images):
        return self.project(images).flatten(2).transpose(1, 2)


class ColumnsFirst(Patches):
    def forward(self, images):
        return self.project(images).transpose(2, 3).flatten(2).transpose(1, 2)


class WrongGrid(Patches):
    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        self.grid = (4, 5)


class AlwaysFour(Patches):
    """Right for 32 pixels alone."""

    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        self.grid = (4, 4)


class Asserts(Patches):
    def __init__(self, size, pixels, argument=""):
        assert pixels == 32
        super().__init__(size, pixels, argument)


class Noisy(Patches):
    def forward(self, images):
        return super().forward(images + 0.1 * torch.randn_like(images))


class Remembers(Patches):
    seen = 0.0

    def forward(self, images):
        self.seen += 1.0
        return super().forward(images) + self.seen


class Centred(Patches):
    """Pictures less the mean of the batch's."""

    def forward(self, images):
        return super().forward(images - images.mean(0))


class Idle(Patches):
    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        self.spare = nn.Linear(2, 2)


class HalfBlind(Patches):
    """Never looks at more than a corner."""

    def forward(self, images):
        corner = nn.functional.interpolate(images[:, :, :16, :16], images.shape[2:])
        return super().forward(corner)


class Deaf(Patches):
    """Takes any argument and does nothing with it."""

    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels)


WRONG = {
    "stem-grid": (ColumnsFirst, WrongGrid), "stem-sizes": (AlwaysFour, Asserts), "stem-repeats": (Noisy, Remembers),
    "stem-samples-apart": (Centred,), "stem-gradients": (Idle, HalfBlind), "stem-argument": (Deaf,),
}
LAWS = [name for name in backbone_checks() if name.startswith("stem-")]
PAIRS = [(check, cls) for check, classes in WRONG.items() for cls in classes]


@pytest.mark.parametrize(("check", "cls"), PAIRS, ids=lambda one: getattr(one, "__name__", one))
def test_a_wrong_stem_fails_the_right_check(check, cls):
    with pytest.raises(CheckFailed) as caught:
        backbone_checks()[check](cls)
    assert caught.value.check == check and caught.value.remedy
    assert "test_stem_laws.py:" in caught.value.place


@pytest.mark.parametrize("stem", [Patches, Conv2, Linear], ids=lambda one: one.name)
def test_a_right_stem_passes(stem):
    found = check_backbone(DualEncoder, stem, only=LAWS)
    assert {one.state for one in found} <= {"passed", "skipped"} and len(found) == 6, "\n".join(map(str, found))


def test_it_is_told_which_sizes_a_stem_takes():
    assert backbone_checks()["stem-sizes"](BackboneSubject(stem=Patches, argument="32")) == (
        "takes 32 (1 x 1), 64 (2 x 2), 96 (3 x 3), 224 (7 x 7); refuses 48"
    )


def test_a_trunk_is_not_asked_about_our_stem():
    for name in LAWS:
        with pytest.raises(CheckSkipped, match="built-in-stem"):
            backbone_checks()[name](DecoderOnly)


def test_a_stem_runs_in_a_grid():
    (found,) = check_backbone(DualEncoder, Patches, only=["smoke-grid"])
    assert found.state == "passed" and "patches/dual/nano" in found.told and "needs decode" in found.told, found
