"""Sentences scored together, in blocks and by way of a tree, against each by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import pad

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.contract.abilities import Backbone, Context, TextState
from vlpbench.tasks.answer_scores import answer_scores
from vlpbench.tasks.likelihood import candidate_scores, pair_scores
from vlpbench.testing.tiny import PIXELS, VOCABULARY, tiny_backbone

TRUNKS = {
    "encoder-decoder": (EncoderDecoder, None),
    "decoder-only": (DecoderOnly, None),
    "own": (DualFusion, DualFusionConfig(decoder="own")),
    "split": (DualFusion, DualFusionConfig(decoder="split")),
}
START = [VOCABULARY.bos, 20, 21]
EOS, IMAGES, T, L = VOCABULARY.eos, 5, 23, 4


@pytest.fixture(scope="module", params=TRUNKS)
def backbone(request: pytest.FixtureRequest) -> Backbone:
    trunk, config = TRUNKS[request.param]
    made = tiny_backbone({"context", "decode"}, trunk, config=config)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=rng)
    return made


@pytest.fixture
def context(backbone: Backbone) -> Context:
    """Five pictures with prefixes of different lengths, one of them without any word; no keys of its own made yet."""
    rng = torch.Generator().manual_seed(2)
    images = torch.randn(IMAGES, 3, PIXELS, PIXELS, generator=rng)
    words = torch.randint(13, VOCABULARY.size, (IMAGES, 4), generator=rng)
    with torch.no_grad():
        prefix = backbone.read(words, torch.arange(4) < torch.arange(IMAGES)[:, None])
        return backbone.context(backbone.see(images), prefix)


@pytest.fixture
def texts() -> TextState:
    """Sentences of no to three of five words, and their end; many begin alike, some are equal."""
    rng = torch.Generator().manual_seed(3)
    many = torch.arange(T) % L + 1
    mask = torch.arange(L) < many[:, None]
    tokens = torch.where(mask, torch.randint(13, 18, (T, L), generator=rng), VOCABULARY.pad)
    tokens[torch.arange(T), many - 1] = EOS
    return TextState(tokens, mask)


@torch.no_grad()
def alone(backbone: Backbone, context: Context, row: int, words: list[int]) -> float:
    """log P of one sentence, by one decode."""
    one = context.rows(torch.tensor([row]))
    tokens = torch.tensor([[*START, *words[:-1]]])
    chances = backbone.logits(backbone.decode(one, backbone.read(tokens, tokens >= 0)))[0].log_softmax(-1)
    return sum(float(chances[len(START) - 1 + at, word]) for at, word in enumerate(words))


def words_of(texts: TextState, *at: int) -> list[int]:
    return [int(word) for word in texts.tokens[at][texts.mask[at]]]


def table(backbone: Backbone, context: Context, texts: TextState) -> Tensor:
    """I, T: every text by itself given every picture."""
    return torch.tensor(
        [[alone(backbone, context, row, words_of(texts, text)) for text in range(T)] for row in range(IMAGES)]
    )


def close(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found, expected, rtol=0, atol=2e-5)


Scores = Callable[..., Tensor]


@pytest.mark.parametrize("scores", [answer_scores, pair_scores])
def test_all_answers_and_all_captions_are_as_one_by_one(
    backbone: Backbone, context: Context, texts: TextState, scores: Scores
) -> None:
    expected = table(backbone, context, texts)
    for block in (1, 3, 40, 2048):
        assert close(scores(backbone, context, texts, START, block=block), expected)
    lengths = texts.mask.sum(1)
    assert close(scores(backbone, context, texts, START, per_token=True), expected / lengths)


@pytest.mark.parametrize("scores", [answer_scores, pair_scores])
def test_padding_and_neighbours_change_nothing(
    backbone: Backbone, context: Context, texts: TextState, scores: Scores
) -> None:
    whole = scores(backbone, context, texts, START)
    wider = TextState(pad(texts.tokens, (0, 2)), pad(texts.mask, (0, 2)))
    assert close(scores(backbone, context, wider, START), whole)
    some = torch.tensor([7, 2, 2, 19])
    assert close(scores(backbone, context, texts.rows(some), START), whole[:, some])
    rows = torch.tensor([3, 1])
    assert close(scores(backbone, context.rows(rows), texts, START), whole[rows])


def test_pairs_in_any_order(backbone: Backbone, context: Context, texts: TextState) -> None:
    expected = table(backbone, context, texts)
    pairs = torch.cartesian_prod(torch.arange(IMAGES), torch.arange(T))
    pairs = pairs[torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))]
    for some in (pairs, pairs[:40], pairs[:1], pairs[pairs[:, 0] == 2], pairs[[5, 5, 9]]):
        for block in (1, 7, 2048):
            found = pair_scores(backbone, context, texts, START, some, block)
            assert close(found, expected[some[:, 0], some[:, 1]])
    assert pair_scores(backbone, context, texts, START, pairs[:0]).shape == (0,)
    found = pair_scores(backbone, context, texts, START, pairs, per_token=True)
    assert close(found, (expected / texts.mask.sum(1))[pairs[:, 0], pairs[:, 1]])


def test_choices_of_each_row(backbone: Backbone, context: Context, texts: TextState) -> None:
    """Three or four choices; the fourth of the first row is none."""
    at = torch.randint(0, T, (IMAGES, 4), generator=torch.Generator().manual_seed(4))
    choices = TextState(texts.tokens[at], texts.mask[at].clone())
    choices.mask[0, 3] = False
    expected = table(backbone, context, texts).gather(1, at)
    expected[0, 3] = -torch.inf
    for block in (1, 2, 5, 2048):
        assert close(candidate_scores(backbone, context, choices, START, block), expected)
    found = candidate_scores(backbone, context, choices, START, per_token=True)
    assert close(found, expected / texts.mask.sum(1)[at])


def test_an_answer_without_any_word_is_impossible(backbone: Backbone, context: Context, texts: TextState) -> None:
    texts.mask[3] = False
    for scores in (answer_scores, pair_scores):
        found = scores(backbone, context, texts, START)
        assert bool((found[:, 3] == -torch.inf).all()) and bool(found[:, 4:].isfinite().all())


def test_what_cannot_be_scored_is_refused(backbone: Backbone, context: Context, texts: TextState) -> None:
    hole = TextState(texts.tokens, texts.mask.flip(1))
    each = TextState(texts.tokens[:3, None], texts.mask[:3, None])
    short = TextState(texts.tokens, texts.mask[:, :2])
    for scores in (answer_scores, pair_scores):
        with pytest.raises(ValueError, match="padding stands behind"):
            scores(backbone, context, hole, START)
        with pytest.raises(ValueError, match=r"mask is \(23, 2\)"):
            scores(backbone, context, short, START)
        with pytest.raises(ValueError, match="BOS at least"):
            scores(backbone, context, texts, [])
    with pytest.raises(ValueError, match="candidates for 3 rows; the context has 5"):
        candidate_scores(backbone, context, each, START)
    for pair in ([5, 0], [0, 23], [-1, 0]):
        with pytest.raises(ValueError, match="not there: 5 pictures, 23 texts"):
            pair_scores(backbone, context, texts, START, torch.tensor([pair]))


def test_each_beginning_is_read_once_a_row(backbone: Backbone, context: Context, texts: TextState) -> None:
    read = []
    step = backbone.step
    backbone.step = lambda state, token: read.append(token.shape[1]) or step(state, token)  # type: ignore[method-assign,func-returns-value]
    try:
        answer_scores(backbone, context, texts, START)
    finally:
        del backbone.step
    beginnings = {tuple(words_of(texts, text)[:many]) for text in range(T) for many in range(1, L)}
    inner = {words for words in beginnings if words[-1] != EOS}
    assert sum(read) == len(START) + len(inner)
