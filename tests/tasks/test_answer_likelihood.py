"""What is taught in words: which answer is drawn, and its likelihood against one decode of one answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.contract.abilities import Backbone
from vlpbench.tasks.answer_likelihood import AnswerLikelihood, LikelihoodConfig, answer_fields
from vlpbench.tasks.task import DECODING
from vlpbench.tasks.trial import Trial
from vlpbench.testing.tiny import PIXELS, VOCABULARY, tiny_backbone
from vlpbench.types import Batch

BOS, EOS = VOCABULARY.bos, VOCABULARY.eos
ANSWERS = np.array([[[20, EOS, 0], [21, 22, EOS]], [[EOS, 0, 0], [23, EOS, 0]], [[20, 21, EOS], [0, 0, 0]]], np.int32)
LENGTHS = np.array([[2, 3], [1, 2], [3, 0]])
QUESTIONS = np.array([[30, 31, 32, EOS], [33, EOS, 0, 0], [34, 35, EOS, 0]])


def host(worth: Any) -> Batch:
    """Three questions with up to two answers each, worth this much."""
    fields = {"answer_tokens": ANSWERS, "answer_lengths": LENGTHS, "answer_worth": np.array(worth, np.float32)}
    ids = np.arange(3)
    return Batch(None, QUESTIONS, QUESTIONS > 0, ids, ids, np.float32(0), VOCABULARY, True, fields)


def corrupted(worth: Any, seed: int = 0) -> Any:
    return AnswerLikelihood.corrupt(host(worth), np.random.default_rng(seed), LikelihoodConfig())


def test_the_answer_stands_behind_bos_and_ends() -> None:
    made = corrupted([[0, 1], [1, 0], [0.3, 0]])
    assert made["targets"].tolist() == [[21, 22, EOS], [EOS, 0, 0], [20, 21, EOS]]
    assert made["inputs"].tolist() == [[BOS, 21, 22], [BOS, EOS, 0], [BOS, 20, 21]]
    assert made["said"].sum(1).tolist() == [3, 1, 3]
    assert made["asked"].sum(1).tolist() == [3, 1, 2], "the question without its end"
    assert made["targets"].dtype == made["inputs"].dtype == np.int64


def test_a_question_without_a_worthy_answer_says_nothing() -> None:
    assert corrupted([[0, 0], [0, 1], [0, 0]])["said"].sum(1).tolist() == [0, 2, 0]


def test_surgery_is_pure_and_seeded() -> None:
    worth = np.full((3, 2), 0.5, np.float32)
    batch = host(worth)
    kept = {name: array.copy() for name, array in batch.extras.items()}
    drawn = [AnswerLikelihood.corrupt(batch, np.random.default_rng(3), LikelihoodConfig()) for _ in range(2)]
    assert all(np.array_equal(drawn[0][name], drawn[1][name]) for name in drawn[0])
    assert all(np.array_equal(batch.extras[name], kept[name]) for name in kept)


def test_answers_are_drawn_by_their_share_of_the_worth() -> None:
    rng = np.random.default_rng(0)
    batch = host([[0.3, 0.9], [1.0, 1.0], [0.6, 0.0]])
    first = np.mean(
        [AnswerLikelihood.corrupt(batch, rng, LikelihoodConfig())["targets"][:, 0] == ANSWERS[:, 0, 0]
         for _ in range(4000)], 0,
    )
    assert first.tolist() == pytest.approx([0.25, 0.5, 1.0], abs=0.03)


@torch.no_grad()
def slow(backbone: Backbone, picture: torch.Tensor, question: list[int], answer: list[int], visible: Any) -> float:
    """-log P of one answer after one question about one picture, word by word."""
    asked, total = torch.tensor([question]), 0.0
    context = backbone.context(backbone.see(picture[None]), backbone.read(asked, asked > 0), visible)
    for at, word in enumerate(answer):
        said = torch.tensor([[BOS, *answer[:at]]])
        features = backbone.decode(context, backbone.read(said, said > 0))
        total -= float(backbone.logits(features)[0, -1].log_softmax(-1)[word])
    return total


@pytest.mark.parametrize(
    ("trunk", "config", "visible"),
    [
        (EncoderDecoder, None, "all"),
        (DecoderOnly, None, "causal"),
        (DualFusion, DualFusionConfig(decoder="own"), "all"),
    ],
)
def test_the_loss_is_that_of_one_answer_at_a_time(trunk: Any, config: Any, visible: Any) -> None:
    backbone = tiny_backbone(DECODING, trunk, config=config)
    objective = AnswerLikelihood(LikelihoodConfig(visible), backbone.spec)
    pictures = torch.randn(3, 3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(0))
    made = {name: torch.from_numpy(array) for name, array in corrupted([[0, 1], [0, 0], [1, 0]]).items()}
    words = torch.from_numpy(QUESTIONS)
    batch = Batch(
        pictures, words, words > 0, words[:, 0], words[:, 0], torch.zeros(()), VOCABULARY, True, made,
        backbone.see(pictures), backbone.read(words, words > 0),
    )
    with torch.no_grad():
        found = objective.loss(objective.encode(backbone, batch), batch).losses
    assert isinstance(found, torch.Tensor)
    expected = [
        slow(backbone, pictures[0], [30, 31, 32], [21, 22, EOS], visible), 0.0,
        slow(backbone, pictures[2], [34, 35], [20, 21, EOS], visible),
    ]
    assert found.tolist() == pytest.approx(expected, abs=1e-4)


def test_it_has_no_weights_of_its_own() -> None:
    backbone = tiny_backbone(DECODING, EncoderDecoder)
    assert not list(AnswerLikelihood(LikelihoodConfig(), backbone.spec).parameters())
    assert AnswerLikelihood.needs_with(LikelihoodConfig()) == {"context", "decode"}


def test_fields_of_answers(trial: Callable[..., Trial]) -> None:
    tokenizer = trial("vqa").tokenizer
    worth = [{"red": 1.0, "two": 0.3}, {}, {"two": 0.6}]
    fields = answer_fields(worth, tokenizer, 20)
    tokens, lengths, scores = (fields[name] for name in AnswerLikelihood.wants)
    assert tokens.shape[:2] == lengths.shape == scores.shape == (3, 2)
    for at, each in enumerate(worth):
        for place, (answer, score) in enumerate(each.items()):
            assert tokenizer.decode(tokens[at, place]) == answer and scores[at, place] == pytest.approx(score)
            assert lengths[at, place] == tokenizer.lengths([answer])[0]
        assert scores[at, len(each):].sum() == 0
    assert answer_fields([{}, {}], tokenizer, 20)["answer_worth"].tolist() == [[0.0], [0.0]]
