"""A wrapped model says what it can do; what its author left out is named when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import vlpbench
from vlpbench.contract.abilities import ABILITIES
from vlpbench.contract.outside import Outside
from vlpbench.types import Vocabulary


class Pictures(Outside):
    """Sees pictures, reads nothing."""

    offers = frozenset({"image_vector"})
    width, joint_width, grid = 4, 3, (2, 5)
    vocabulary = Vocabulary(7, 0, 1, 2, 3, 4)

    def image_vector(self, image: Any) -> torch.Tensor:
        return torch.nn.functional.normalize(image.images.mean((2, 3)), dim=-1)


def test_its_spec_is_what_its_class_says() -> None:
    model = Pictures()
    assert (model.spec.width, model.spec.joint_width, model.spec.grid) == (4, 3, (2, 5))
    assert model.spec.vocabulary.size == 7
    assert model.abilities == {"image_vector"} and model.trains == frozenset() and model.pixels == 224


def test_it_is_asked_through_states() -> None:
    model = Pictures()
    found = model.image_vector(model.see(torch.ones(2, 3, 4, 4)))
    assert found.shape == (2, 3) and torch.allclose(found.norm(dim=1), torch.ones(2))


def test_it_is_a_public_name() -> None:
    assert vlpbench.Outside is Outside and {"Outside", "evaluate"} <= set(dir(vlpbench))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model: model.cut(["a"]), r"Pictures does not say how it cuts texts; override cut\(\)"),
        (lambda model: model.said([1]), r"Pictures does not say how its ids read; override said\(\)"),
        (lambda model: model.match(None, None), "Pictures has no matching head"),
        (lambda model: model.logits(torch.zeros(1, 4)), "has no 'decode'"),
        (lambda model: model.word_vectors(torch.zeros(1)), "has no 'decode'"),
        (lambda model: model.token_losses(torch.zeros(1, 4), torch.zeros(1)), "has no 'decode'"),
        (lambda model: model.text_vector(None), "has no 'text_vector'"),
    ],
)
def test_what_is_not_there_says_so(ask: Callable[[Outside], Any], said: str) -> None:
    with pytest.raises(AttributeError, match=said):
        ask(Pictures())


def test_an_ability_that_nobody_has_is_none() -> None:
    assert Pictures.offers <= set(ABILITIES)
