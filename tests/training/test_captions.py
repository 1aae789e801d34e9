"""Several captions of a picture in one step: encoded once, learnt from as if it were there again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.backbones import Conv2, EncoderDecoder
from vlpbench.backbones.sizes import SIZES
from vlpbench.contract.objective import Objective
from vlpbench.data.examples import Examples
from vlpbench.data.loader import Loader
from vlpbench.device import Device
from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.objectives.language_model import LanguageModel
from vlpbench.objectives.masked_lm import MaskedLM
from vlpbench.objectives.prefix_lm import PrefixLM
from vlpbench.training.build import Blueprint
from vlpbench.training.gradient import joint_gradient, together
from vlpbench.training.joint import Views
from vlpbench.training.learner import Learner, Term
from vlpbench.types import Vocabulary

VOCABULARY = Vocabulary(size=60, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=(5, 6))
LENGTH = 6
CPU = Device("cpu")
SUMS = [[PrefixLM], [Contrastive], [Contrastive, ImageTextMatching, MaskedLM], [LanguageModel, Contrastive]]


def gradients(learner: Learner, views: Views, micro_batch: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """The joint loss of a batch of pairs, and its gradient by the name of each weight."""
    learner.zero_grad(set_to_none=True)
    torch.manual_seed(0)
    loss, _, _ = joint_gradient(learner, {"pairs": views}, CPU, micro_batch)
    return loss, {name: one.grad for name, one in learner.named_parameters() if one.grad is not None}


def seen(learner: Learner) -> list[int]:
    """How many pictures the stem is given from now on, call by call."""
    found: list[int] = []
    stem = learner.backbone.stem
    assert isinstance(stem, nn.Module)
    stem.register_forward_pre_hook(lambda _, given: found.append(len(given[0])))
    return found


@pytest.fixture
def batches(loader: Callable[..., Loader]) -> Callable[[list[type[Objective]]], tuple[Views, Views]]:
    """(objectives) -> a batch of 4 pictures with 3 captions each, and the same that does not know of it."""

    def make(objectives: list[type[Objective]]) -> tuple[Views, Views]:
        (host, *_) = replace(loader(objectives, batch=12), captions=3)
        some = host.to(CPU.torch)["pairs"]
        return some, {name: replace(view, captions=1) for name, view in some.items()}

    return make


@pytest.mark.parametrize("objectives", SUMS, ids=lambda some: "+".join(one.name for one in some))
@pytest.mark.parametrize("micro_batch", [0, 4])
def test_gradients_are_those_of_the_pictures_repeated(
    learner: Callable[..., Learner], batches: Any, objectives: list[type[Objective]], micro_batch: int
) -> None:
    once, again = batches(objectives)
    one, two = learner(objectives), learner(objectives)
    pictures = seen(one)
    loss, found = gradients(one, once, micro_batch)
    wanted_loss, wanted = gradients(two, again)
    torch.testing.assert_close(loss, wanted_loss, rtol=1e-5, atol=1e-5)
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-5, msg=name)
    assert pictures and max(pictures) <= 4  # never one twice at a time


def test_each_picture_is_encoded_once(learner: Callable[..., Learner], batches: Any) -> None:
    one = learner([PrefixLM])
    pictures = seen(one)
    gradients(one, batches([PrefixLM])[0])
    assert pictures == [4]


def test_a_piece_is_whole_pictures(learner: Callable[..., Learner], batches: Any) -> None:
    once, again = batches([PrefixLM])
    assert together(learner([PrefixLM]), {"pairs": once}) == {"pairs": 3}
    assert together(learner([PrefixLM]), {"pairs": again}) == {"pairs": 1}
    both = [PrefixLM, ImageTextMatching]
    assert together(learner(both), {"pairs": batches(both)[0]}) == {"pairs": 3 * 16}


def test_it_is_so_behind_a_stem_with_group_norm(batches: Any) -> None:
    once, again = batches([PrefixLM, Contrastive])
    plan = Blueprint(Conv2, "", EncoderDecoder, SIZES["tiny"], 32, VOCABULARY, LENGTH, seed=0)
    found = []
    for views in (once, again):
        backbone = plan.build({"context", "decode", "image_vector", "text_vector"})
        terms = [Term(1.0, one(one.config_class(), backbone.spec)) for one in (PrefixLM, Contrastive)]
        found.append(gradients(Learner(backbone, terms), views)[1])
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[1].items():
        torch.testing.assert_close(found[0][name], gradient, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("objective", [PrefixLM, LanguageModel, Contrastive])
def test_a_shorter_row_has_the_same_loss(
    blueprint: Blueprint, examples: Examples, loader: Callable[..., Loader], objective: type[Objective]
) -> None:
    wide = ((0, 0), (0, 24 - LENGTH))
    long = replace(examples, tokens=np.pad(examples.tokens, wide), mask=np.pad(examples.mask, wide))
    backbone = replace(blueprint, length=24).build(objective.needs_with(objective.config_class()))
    learner = Learner(backbone, [Term(1.0, objective(objective.config_class(), backbone.spec))])
    plain = replace(loader([objective]), examples=long)
    for whole, cut in zip(plain, replace(plain, lengths="few"), strict=True):
        one, two = (host.to(CPU.torch)["pairs"] for host in (whole, cut))
        assert (one[objective.name].tokens.shape[1], two[objective.name].tokens.shape[1]) == (24, 8)
        (loss, gradient), (other, others) = gradients(learner, one), gradients(learner, two)
        torch.testing.assert_close(loss, other, rtol=1e-5, atol=1e-5)
        for name, wanted in gradient.items():
            torch.testing.assert_close(others[name], wanted, rtol=1e-4, atol=1e-5, msg=name)
