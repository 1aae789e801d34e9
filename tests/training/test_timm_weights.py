"""Weights of timm models in a stem: by timm's names, without the classifier, positions resized by timm."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.models.maxxvit import checkpoint_filter_fn

from vlpbench.backbones import Conv2, DualEncoder, Timm
from vlpbench.errors import UserError
from vlpbench.training.timm_weights import fit_stem

SIDE = 64


@pytest.fixture
def file_of(tmp_path):
    """(name, settings) -> a drawn timm model with its classifier, and its weights on disk."""

    def make(name, **settings):
        torch.manual_seed(3)
        net = timm.create_model(name, pretrained=False, **settings).eval()
        path = tmp_path / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in net.state_dict().items()}, path)
        return net, path

    return make


@pytest.fixture
def with_stem(blueprint):
    def make(name, pixels=SIDE):
        plan = replace(blueprint, trunk=DualEncoder, stem=Timm, argument=name, pixels=pixels)
        return plan.build({"image_vector"}).eval()

    return make


@pytest.mark.parametrize(("name", "settings", "classifier"), [
    ("resnet10t", {}, "fc"), ("test_vit", {"img_size": SIDE}, "head"), ("test_convnext", {}, "head.fc"),
])
def test_the_stem_computes_what_the_model_does(file_of, with_stem, name, settings, classifier):
    net, path = file_of(name, **settings)
    backbone = with_stem(name)
    fitted = fit_stem(backbone, path)
    assert fitted.unused == (f"{classifier}.bias", f"{classifier}.weight")
    assert fitted.resized == ()
    missing, surplus = backbone.load_state_dict(fitted.weights, strict=False)
    assert not surplus
    assert not any(key.startswith("stem.net.") for key in missing)
    images = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = net.forward_features(images)
        assert torch.equal(backbone.stem.net.forward_features(images), expected)


def test_positions_are_resized_as_timm_does(file_of, with_stem):
    small, path = file_of("test_vit", img_size=32)
    backbone = with_stem("test_vit", 64)
    fitted = fit_stem(backbone, path)
    assert fitted.resized == ("stem.net.pos_embed",)
    by_timm = timm.layers.resample_abs_pos_embed(
        small.pos_embed.detach(), backbone.stem.net.patch_embed.grid_size, num_prefix_tokens=1)
    assert torch.allclose(fitted.weights["stem.net.pos_embed"], by_timm)
    assert not torch.allclose(by_timm[:, 1:3], small.pos_embed[:, 1:3])
    backbone.load_state_dict(fitted.weights, strict=False)
    assert torch.isfinite(backbone.image_vector(backbone.see(torch.zeros(1, 3, 64, 64)))).all()


def test_relative_tables_are_resized_as_timm_does(file_of, with_stem):
    """Such tables stand for offsets, (2R-1)(2C-1) of them; timm stretches them by a rule of its own."""
    _, path = file_of("test_coatnet", img_size=64)
    backbone = with_stem("test_coatnet", 128)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch complains of how timm indexes; a user cannot do anything about it
        fitted, wanted = fit_stem(backbone, path), backbone.state_dict()
    assert fitted.resized
    assert all(name.endswith("relative_position_bias_table") for name in fitted.resized)
    for name in fitted.resized:
        assert fitted.weights[name].shape == wanted[name].shape
    held = load_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = checkpoint_filter_fn(dict(held), backbone.stem.net)
    assert all(torch.equal(fitted.weights[name], expected[name.removeprefix("stem.net.")]) for name in fitted.resized)


def test_other_differences_are_errors_that_name_them(file_of, with_stem, tmp_path):
    _, path = file_of("resnet10t")
    with pytest.raises(UserError, match=r"not those of this stem: .*and \d+ more") as caught:
        fit_stem(with_stem("test_vit"), path)
    assert "timm model" in caught.value.remedy
    net, _ = file_of("test_vit", img_size=SIDE)
    good = {key: value.contiguous() for key, value in net.state_dict().items()}
    first = "patch_embed.proj.weight"
    for spoilt, said in (
        ({key: value for key, value in good.items() if key != first}, f"{first} is not in the file"),
        ({**good, "extra": torch.zeros(1)}, "extra is only in the file"),
        ({**good, first: good[first][..., :8, :8].contiguous()}, f"{first}: 64 x 3 x 8 x 8 in the file"),
        ({**good, "pos_embed": good["pos_embed"][:, :-2].contiguous()}, "timm cannot resize|pos_embed: "),
    ):
        save_file(spoilt, tmp_path / "spoilt.safetensors")
        with pytest.raises(UserError, match=said):
            fit_stem(with_stem("test_vit"), tmp_path / "spoilt.safetensors")


def test_other_stems_have_no_use_for_them(blueprint, file_of):
    _, path = file_of("resnet10t")
    with pytest.raises(UserError, match="this backbone's stem is 'conv2'") as caught:
        fit_stem(replace(blueprint, stem=Conv2).build({"image_tokens"}), path)
    assert "timm:NAME" in caught.value.remedy
