"""The VQA readout: where its features come from, and its formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.contract.abilities import Backbone
from vlpbench.data.splits import Split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.tasks.answering import NEEDS, Answering, AnsweringConfig
from vlpbench.tasks.trial import Trial
from vlpbench.types import Batch, Spec, Vocabulary

FORMS = ("decoder", "fused", "vectors")
QUESTIONS = ("which digit is red", "what colour is at the top left", "is any digit green")
VOCABULARY = Vocabulary(size=60, pad=0, bos=1, eos=2, unk=3, mask=4)


def host(tokens: np.ndarray) -> Batch:
    ids = np.zeros(len(tokens), np.int64)
    return Batch(None, tokens, tokens > 0, ids, ids, np.float32(0), VOCABULARY)


def ready(backbone: Backbone, trial: Trial, split: Split, texts: tuple[str, ...], length: int) -> Batch:
    """Questions about the first pictures of a split, as the device has them."""
    tokens, mask = trial.tokenizer.encode(texts, length)
    ids = np.zeros(len(texts), np.int64)
    made = Batch(None, tokens, mask, ids, ids, np.float32(0), trial.tokenizer.vocabulary)
    extras = {k: torch.from_numpy(v) for k, v in Answering.corrupt(made, np.random.default_rng(0), None).items()}  # type: ignore[arg-type]
    words, present = torch.from_numpy(tokens), torch.from_numpy(mask)
    seen = backbone.see(trial.pictures(split, range(len(texts))))
    return Batch(
        None, words, present, ids, ids, torch.zeros(()), trial.tokenizer.vocabulary, True, extras, seen,
        backbone.read(words, present),
    )


def test_the_decoder_reads_bos_and_the_question_and_stops_at_its_last_word() -> None:
    tokens = np.array([[9, 8, 7, 2, 0], [9, 2, 0, 0, 0], [9, 8, 7, 6, 2], [2, 0, 0, 0, 0]])
    made = Answering.corrupt(host(tokens), np.random.default_rng(0), AnsweringConfig())
    assert made["inputs"][:, 0].tolist() == [1] * 4
    assert np.array_equal(made["inputs"][:, 1:], tokens[:, :-1])
    assert made["last"].tolist() == [3, 1, 4, 0]
    read = made["inputs"][np.arange(4), made["last"]]
    assert read.tolist() == [7, 9, 6, 1]  # the last words; BOS where there is none


@pytest.mark.parametrize("form", FORMS)
def test_each_form_needs_what_it_asks_for(trial: Callable[..., Trial], form: Any) -> None:
    backbone = trial("vqa").build(Answering.needs_with(AnsweringConfig(form=form)))
    assert backbone.abilities == NEEDS[form]
    objective = Answering(AnsweringConfig(answers=7, form=form), backbone.spec)
    width = {"decoder": 1, "fused": 2, "vectors": 3}[form] * backbone.spec.width
    assert objective.classify.weight.shape == (7, width)


@pytest.mark.parametrize("form", FORMS)
def test_features_do_not_depend_on_padding_or_neighbours(
    trial: Callable[..., Trial], opened: Callable[..., Split], form: Any
) -> None:
    made, split = trial("vqa"), opened("test")
    backbone = made.build(NEEDS[form]).eval()
    objective = Answering(AnsweringConfig(answers=3, form=form), backbone.spec).eval()
    with torch.no_grad():
        together = objective.encode(backbone, ready(backbone, made, split, QUESTIONS, 20))["features"]
        short = int(made.tokenizer.lengths(QUESTIONS).max())
        tight = objective.encode(backbone, ready(backbone, made, split, QUESTIONS, short))["features"]
        alone = objective.encode(backbone, ready(backbone, made, split, QUESTIONS[:1], short))["features"]
    assert torch.allclose(together, tight, atol=1e-4)
    assert torch.allclose(together[:1], alone, atol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


def test_the_decoder_form_classifies_the_feature_of_the_last_word(
    trial: Callable[..., Trial], opened: Callable[..., Split], tokenizer: Tokenizer
) -> None:
    """Against decoding BOS and the words of one question alone, and taking the last feature."""
    made = trial("vqa")
    backbone = made.build(NEEDS["decoder"]).eval()
    objective = Answering(AnsweringConfig(answers=3), backbone.spec)
    split = opened("test")
    with torch.no_grad():
        found = objective.encode(backbone, ready(backbone, made, split, QUESTIONS, 20))["features"]
        for row, question in enumerate(QUESTIONS):
            tokens, mask = tokenizer.encode([question], 20)
            words = torch.tensor([[tokenizer.vocabulary.bos, *tokens[0][mask[0]][:-1].tolist()]])
            context = backbone.context(backbone.see(made.pictures(split, [row])))
            alone = backbone.decode(context, backbone.read(words, words >= 0))[0, -1]
            assert torch.allclose(found[row], alone, atol=1e-4)


def test_vectors_and_their_product(towers: Callable[..., Trial], opened: Callable[..., Split]) -> None:
    made = towers("vqa")
    backbone = made.build(NEEDS["vectors"]).eval()
    batch = ready(backbone, made, opened("test"), QUESTIONS, 20)
    objective = Answering(AnsweringConfig(3, "vectors"), backbone.spec)
    with torch.no_grad():
        image, text, product = objective.encode(backbone, batch)["features"].chunk(3, -1)
        assert torch.equal(image, backbone.image_vector(batch.image))
        assert torch.equal(text, backbone.text_vector(batch.text))
    assert torch.equal(product, image * text)


def test_the_loss_is_the_cross_entropy_with_the_soft_scores_as_a_distribution() -> None:
    objective = Answering(AnsweringConfig(answers=4, form="decoder"), Spec(8, 8, (2, 2), VOCABULARY))
    targets = torch.tensor([[1.0, 0.3, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.9]])
    features = {"features": torch.randn(3, 8)}
    batch = Batch(None, torch.ones(3, 2), None, None, None, None, VOCABULARY, extras={"targets": targets})
    with torch.no_grad():
        losses = objective.loss(features, batch).losses
        odds = objective.logits(features)
    assert isinstance(losses, torch.Tensor)
    chances = (odds.double().exp() / odds.double().exp().sum(1, keepdim=True)).log()
    first = -(chances[0, 0] * 1.0 + chances[0, 1] * 0.3) / 1.3
    assert losses.double().tolist() == pytest.approx([float(first), 0.0, -float(chances[2, 3])], rel=1e-5)
