"""An outside model's parts: a plan that copies it, its own tokenizer, its own matching head."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vlpbench.contract.outside import Outside
from vlpbench.runner.given import HEADS, Cutter, Given, Match
from vlpbench.types import Vocabulary


class Letters(Outside):
    """Cuts texts into letters; a picture and a text match by how long the text is."""

    offers = frozenset({"image_vector", "text_vector"})
    joint_width, grid = 3, (2, 5)
    vocabulary = Vocabulary(size=128, pad=0, bos=1, eos=2, unk=3, mask=4)

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(128, 3)

    def cut(self, texts: Sequence[str]) -> tuple[Any, Any]:
        longest = max(map(len, texts))
        rows = [[*map(ord, text), *[0] * (longest - len(text))] for text in texts]
        tokens = torch.tensor(rows, dtype=torch.int32)
        return tokens, tokens > 0

    def said(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def match(self, image: Any, text: Any) -> Tensor:
        return cast(Tensor, text.mask.sum(1) - 1.5)


@pytest.fixture
def model() -> Letters:
    return Letters()


def test_what_it_offers_and_its_widths_are_its_own(model: Letters) -> None:
    plan = Given(model)
    assert plan.offers == {"image_vector", "text_vector"}
    assert (plan.spec.joint_width, plan.spec.grid) == (3, (2, 5)) and plan.spec is model.spec


def test_each_task_gets_a_copy_whatever_it_asks_for(model: Letters) -> None:
    before = model.words.weight.detach().clone()
    one, two = Given(model).build({"image_vector"}), Given(model).build(())
    assert isinstance(one, Letters) and isinstance(two, Letters) and one is not model
    with torch.no_grad():
        one.words.weight.add_(1)  # a fine-tune
    assert torch.equal(model.words.weight, before) and torch.equal(two.words.weight, before)


def test_its_tokenizer_cuts_rows_as_long_as_it_likes(model: Letters) -> None:
    cutter = Cutter(model)
    tokens, mask = cutter.encode(("ab", "abcd"), 2)
    assert (tokens.dtype, mask.dtype) == (np.int64, np.bool_)
    assert tokens.tolist() == [[97, 98, 0, 0], [97, 98, 99, 100]] and mask.sum() == 6
    assert cutter.lengths(["ab", "abcd", "a"]).tolist() == [2, 4, 1]
    assert cutter.decode(np.array([104, 105])) == "hi" and cutter.decode(iter([])) == ""
    assert cutter.vocabulary == model.vocabulary


def test_two_classes_have_two_tokenizers_and_two_models_of_one_have_one(model: Letters) -> None:
    class Others(Letters):
        """Another class."""

    assert Cutter(model).digest == Cutter(Letters()).digest != Cutter(Others()).digest


def test_its_matching_head_is_asked_and_never_taught(model: Letters) -> None:
    head = Match(None, model.spec)
    text: Any = SimpleNamespace(mask=torch.tensor([[True, True], [True, False]]))
    image: Any = SimpleNamespace()
    assert head.match(model, image, text).tolist() == [0.5, -0.5]
    assert list(head.parameters()) == [] and head.trains == {"match"}
    nothing: Any = None
    assert head.encode(model, nothing) == {}
    with pytest.raises(RuntimeError, match="is not taught here"):
        head.loss({}, nothing)


def test_its_similarity_is_asked_and_never_taught(model: Letters) -> None:
    class Alike(Letters):
        def similarity(self, image: Any, text: Any) -> tuple[Tensor, Tensor]:
            return image.rows, text.rows

    head = HEADS["similarity"](None, model.spec)
    image, text = (cast(Any, SimpleNamespace(rows=torch.full((2, 3), value))) for value in (1.0, 2.0))
    to_text, to_image = head.similarity(Alike(), image, text)
    assert to_text is image.rows and to_image is text.rows
    assert list(head.parameters()) == [] and head.trains == {"similarity"}
    with pytest.raises(AttributeError, match="Letters has no similarity"):
        head.similarity(model, image, text)


def test_a_model_that_says_too_little_is_told_what_to_override() -> None:
    mute = Outside()
    with pytest.raises(AttributeError, match=r"override cut\(\)"):
        Cutter(mute).encode(["a"], 4)
    with pytest.raises(AttributeError, match=r"override said\(\)"):
        Cutter(mute).decode([1])
