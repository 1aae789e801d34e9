"""Several models as one: attention, dropout and masks of each are what they are alone."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import dropout

from vlpbench.parts.attention import Attention, attend
from vlpbench.parts.block import DecoderBlock, EncoderBlock
from vlpbench.parts.masks import causal, padding
from vlpbench.parts.seeds import are_together, together

CPU = torch.device("cpu")
SEEDS = (3, 1, 4)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def each(models: list[nn.Module], *given: Tensor) -> Tensor:
    """What the models say as one, each of its own row of what is given."""
    weights = {
        name: torch.stack([model.get_parameter(name).detach() for model in models])
        for name, _ in models[0].named_parameters()
    }
    with together(SEEDS, CPU), warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns where it runs one model after the other
        said: Tensor = vmap(lambda w, *x: functional_call(models[0], w, x))(weights, *given)
    return said


MASKS = {
    "none": (None, None),
    "shared by all": (causal(5), None),
    "shared, one a row": (padding(torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)), None),
    "each its own, one a row": (torch.rand(3, 2, 1, 1, 5, generator=torch.Generator().manual_seed(1)) < 0.8, 0),
    "each its own, one for all rows": (drawn(3, 1, 2, 5, 5), 0),
    "without an axis of rows": (drawn(5, 5), None),
    "each its own, without an axis of rows": (drawn(3, 5, 5), 0),
}


@pytest.mark.parametrize("name", MASKS)
def test_attention_of_each_is_what_it_is_alone(name: str) -> None:
    mask, axis = MASKS[name]
    query, key, value = (drawn(3, 2, 2, 5, 4, seed=seed) for seed in range(3))
    if mask is not None and mask.dtype == torch.bool:
        mask[..., 0] = True  # a look at nothing is NaN, alone as well
    with together(SEEDS, CPU):
        said = vmap(attend, in_dims=(0, 0, 0, axis))(query, key, value, mask)
    for at in range(3):
        own = mask if axis is None or mask is None else mask[at]
        torch.testing.assert_close(said[at], attend(query[at], key[at], value[at], own))


def test_causal_attention_and_keys_that_all_share() -> None:
    query, key = drawn(3, 2, 2, 5, 4), drawn(2, 2, 5, 4, seed=1)
    with together(SEEDS, CPU):
        said = vmap(lambda q: attend(q, key, key, causal=True))(query)
    for at in range(3):
        torch.testing.assert_close(said[at], attend(query[at], key, key, causal=True))


@pytest.mark.parametrize("make", [lambda: Attention(8, 2), lambda: EncoderBlock(8, 2)], ids=["attention", "block"])
def test_gradients_of_each_model_are_its_own(make: Any) -> None:
    models = [make() for _ in SEEDS]
    x = drawn(3, 2, 5, 8).requires_grad_()
    (found,) = torch.autograd.grad(each(models, x).pow(2).sum(), x)
    for at, model in enumerate(models):
        own = x[at].detach().requires_grad_()
        (alone,) = torch.autograd.grad(model(own).pow(2).sum(), own)
        torch.testing.assert_close(found[at], alone, rtol=1e-5, atol=1e-5)


def test_a_block_that_looks_at_a_memory() -> None:
    models = [DecoderBlock(8, 2) for _ in SEEDS]
    x, memory = drawn(3, 2, 1, 5, 8), (drawn(3, 2, 2, 6, 4, seed=1), drawn(3, 2, 2, 6, 4, seed=2))
    weights = {
        name: torch.stack([one.get_parameter(name).detach() for one in models])
        for name, _ in models[0].named_parameters()
    }
    with together(SEEDS, CPU):
        said = vmap(lambda w, x, k, v: functional_call(models[0], w, (x, (k, v), None, None)))(weights, x, *memory)
    for at, model in enumerate(models):
        torch.testing.assert_close(said[at], model(x[at], (memory[0][at], memory[1][at]), None, None))


class Dropped(nn.Module):
    """Dropout twice, as a module and as a function, and with nothing dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.drop = nn.Parameter(torch.ones(1)), nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        x = dropout(self.drop(self.weight * x), p=0.5, training=self.training)
        return dropout(x, 0.0)


def test_dropout_of_each_is_drawn_from_its_own_seed_as_alone() -> None:
    models: list[nn.Module] = [Dropped().train() for _ in SEEDS]
    x = drawn(3, 40, 8)
    said = each(models, x)
    for at, (model, seed) in enumerate(zip(models, SEEDS, strict=True)):
        torch.manual_seed(seed)
        alone = model(x[at])
        torch.testing.assert_close(said[at], alone)
        assert 0.4 < float((alone == 0).float().mean()) < 0.9
    quiet = each([model.eval() for model in models], x)
    torch.testing.assert_close(quiet, x)


def test_chance_that_belongs_to_no_seed_is_refused() -> None:
    with together(SEEDS, CPU), pytest.raises(RuntimeError, match="randomness"):
        vmap(lambda x: x + torch.rand(2))(drawn(3, 2))


def test_only_inside_are_they_together() -> None:
    assert not are_together()
    with together(SEEDS, CPU):
        assert are_together()
    with pytest.raises(RuntimeError), together(SEEDS, CPU):
        torch.stack([])
    assert not are_together()
