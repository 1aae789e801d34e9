"""The rules of a search, word by word, against their definitions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vlpbench.tasks.search import Search
from vlpbench.tasks.wording import Wording
from vlpbench.types import Vocabulary

TINY = Vocabulary(size=12, pad=0, bos=1, eos=2, unk=3, mask=4, sentinels=(5, 6))
WORDS = range(7, 12)
CPU = torch.device("cpu")


def logits(rows: int, beams: int) -> Tensor:
    return torch.randn(rows, beams, TINY.size, generator=torch.Generator().manual_seed(0))


def said(rows: int, beams: int, length: int) -> Tensor:
    return torch.randint(7, 12, (rows, beams, length), generator=torch.Generator().manual_seed(1))


def test_special_ids_have_no_part_in_the_probabilities() -> None:
    given = logits(2, 3)
    before = given.clone()
    likely = Wording(TINY, Search(), CPU).likely(given, said(2, 3, 4))
    keep = [TINY.eos, *WORDS]
    assert torch.allclose(likely[..., keep], given[..., keep].log_softmax(-1))
    assert torch.equal(likely.exp().sum(-1).round(decimals=5), torch.ones(2, 3))
    assert bool((likely[..., [0, 1, 3, 4, 5, 6]] == -torch.inf).all())
    assert torch.equal(given, before), "what the backbone gave is not written to"


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_the_end_comes_not_before_so_many_words(length: int) -> None:
    free = Wording(TINY, Search(), CPU).likely(logits(2, 3), said(2, 3, length))
    likely = Wording(TINY, Search(least=2), CPU).likely(logits(2, 3), said(2, 3, length))
    assert bool((likely[..., TINY.eos] == -torch.inf).all()) == (length < 2)
    assert torch.equal(likely[..., 7:], free[..., 7:]), "words do not become likelier by it"


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 9])
def test_no_run_of_words_comes_twice(size: int, length: int) -> None:
    rows, beams, before = 6, 3, said(6, 3, length)
    free = Wording(TINY, Search(), CPU).likely(logits(rows, beams), before)
    likely = Wording(TINY, Search(no_repeat=size), CPU).likely(logits(rows, beams), before)
    forbidden = 0
    for row in range(rows):
        for beam in range(beams):
            words = before[row, beam].tolist()
            runs = [words[at : at + size] for at in range(length - size + 1)]
            for word in [TINY.eos, *WORDS]:
                again = [*words[length - size + 1 :], word] in runs if length >= size else False
                forbidden += again
                assert likely[row, beam, word] == (-torch.inf if again else free[row, beam, word])
    assert forbidden or length <= size or size == 3
