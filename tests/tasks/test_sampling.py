"""Drawing words: the nucleus against its definition, frequencies against probabilities, rows apart from each other."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from vlpbench.backbones import EncoderDecoder
from vlpbench.contract.abilities import Backbone, Context
from vlpbench.tasks.generate import generate
from vlpbench.tasks.sampling import draw, nucleus
from vlpbench.tasks.search import Search
from vlpbench.testing.tiny import PIXELS, VOCABULARY, tiny_backbone

CHANCES = torch.tensor([0.05, 0.4, 0.05, 0.3, 0.0, 0.2], dtype=torch.float64)


def smallest_set(chances: list[float], top_p: float) -> set[int]:
    """The fewest words whose probabilities reach `top_p`, and of those the likeliest; lower ids before equal ones."""
    for many in range(1, len(chances) + 1):
        sets = itertools.combinations(range(len(chances)), many)
        best = max(sets, key=lambda some: (sum(chances[one] for one in some), [-one for one in some]))
        if sum(chances[one] for one in best) >= top_p - 1e-12:
            return set(best)
    raise AssertionError("all words together reach any probability")


@pytest.mark.parametrize("top_p", [0.01, 0.39, 0.41, 0.69, 0.71, 0.89, 0.92, 0.94, 0.96])
def test_the_nucleus_by_its_definition(top_p: float) -> None:
    words, sizes = nucleus(CHANCES[None], top_p)
    inside = {int(word) for word, size in zip(words[0], sizes[0], strict=True) if size > 0}
    assert inside == smallest_set(CHANCES.tolist(), top_p)
    assert all(size == CHANCES[word] for word, size in zip(words[0], sizes[0], strict=True) if size > 0)


def test_the_nucleus_of_one_is_all_that_can_be() -> None:
    words, sizes = nucleus(CHANCES[None], 1.0)
    assert {int(word) for word, size in zip(words[0], sizes[0], strict=True) if size > 0} == {0, 1, 2, 3, 5}


@pytest.mark.parametrize("top_p", [0.3, 0.75, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_words_come_as_often_as_they_should(top_p: float, temperature: float) -> None:
    many = 20_000
    at = (torch.arange(many, dtype=torch.float64) + 0.5) / many  # every part of the interval equally often
    found = draw(CHANCES.log().expand(many, -1), at, Search(top_p=top_p, temperature=temperature))
    warm = (CHANCES.log() / temperature).softmax(0)
    inside = smallest_set(warm.tolist(), top_p) - {4}
    expected = torch.tensor([float(warm[word]) if word in inside else 0.0 for word in range(6)], dtype=torch.float64)
    often = torch.bincount(found, minlength=6) / many
    assert torch.allclose(often.double(), expected / expected.sum(), atol=2 / many)
    assert set(found.tolist()) == inside


def test_the_ends_of_the_interval_stay_inside() -> None:
    ends = torch.tensor([0.0, 1.0, 1 - 2**-53], dtype=torch.float64)
    for top_p in (0.3, 0.75, 1.0):
        found = draw(CHANCES.log().expand(3, -1), ends, Search(top_p=top_p))
        assert set(found.tolist()) <= smallest_set(CHANCES.tolist(), top_p) - {4}


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return tiny_backbone({"context", "decode"}, EncoderDecoder)


def seen(backbone: Backbone, rows: list[int]) -> Context:
    images = torch.randn(1, 3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return backbone.context(backbone.see(images.expand(len(rows), -1, -1, -1)))


def said(backbone: Backbone, keys: list[int], seed: int = 0) -> list[list[int]]:
    return generate(backbone, seen(backbone, keys), [VOCABULARY.bos], 8, Search(top_p=0.95, seed=seed), keys)


def test_a_row_draws_by_its_key_alone(backbone: Backbone) -> None:
    together = said(backbone, list(range(8)))
    assert together == [said(backbone, [key])[0] for key in range(8)]
    assert together[::-1] == said(backbone, list(range(8))[::-1])
    assert len({tuple(words) for words in together}) > 4, "one picture, but every key draws for itself"
    assert together != said(backbone, list(range(8)), seed=1)


def test_first_words_of_a_model_come_as_often_as_it_says(backbone: Backbone) -> None:
    many = 4000
    context = seen(backbone, [0] * many)
    with torch.no_grad():
        bos = torch.full((1, 1), VOCABULARY.bos)
        logits: Tensor = backbone.logits(backbone.decode(seen(backbone, [0]), backbone.read(bos, bos > 0)))[0, 0]
    logits[sorted(VOCABULARY.special - {VOCABULARY.eos})] = -torch.inf
    chances = logits.softmax(0)
    found = generate(backbone, context, [VOCABULARY.bos], 1, Search(top_p=1.0))
    often = torch.zeros(VOCABULARY.size)
    for words in found:
        often[words[0] if words else VOCABULARY.eos] += 1 / many
    spread = (chances * (1 - chances) / many).sqrt()
    assert bool(((often - chances).abs() <= 5 * spread + 1e-6).all())
