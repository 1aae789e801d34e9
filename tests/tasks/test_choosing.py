"""Multiple choice by likelihood: against each choice by itself, whatever stands beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.config.settings import Protocol
from vlpbench.data.splits import Split
from vlpbench.tasks.choice_questions import choices_of
from vlpbench.tasks.choosing import Choosing
from vlpbench.tasks.fine_tuning import ready
from vlpbench.tasks.suite import run_task, task_named
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace

Made = Callable[..., Trial]
Opened = Callable[..., Split]


@pytest.fixture
def asked(trial: Made, chosen: Opened) -> Made:
    """A trial on the set with choices."""

    def make(task: str, trunk: Any = EncoderDecoder, config: Any = None, **settings: Any) -> Trial:
        made = trial(task, trunk, lambda name, purpose: chosen(name, purpose, settings.get("blind", False)), **settings)
        return dataclasses.replace(made, blueprint=dataclasses.replace(made.blueprint, config=config))

    return make


@torch.no_grad()
def alone(backbone: Any, made: Trial, picture: torch.Tensor, question: str, choice: str) -> float:
    """log P of one choice of one question about one picture, word by word."""
    vocabulary = made.tokenizer.vocabulary

    def ids(text: str) -> list[int]:
        tokens, mask = made.tokenizer.encode([text], 20)
        return [int(token) for token in tokens[0][mask[0]]]

    words, total = torch.tensor([ids(question)[:-1]]), 0.0
    context = backbone.context(backbone.see(picture), backbone.read(words, words >= 0), "all")
    answer = ids(choice)
    for at, word in enumerate(answer):
        said = torch.tensor([[vocabulary.bos, *answer[:at]]])
        features = backbone.decode(context, backbone.read(said, said >= 0))
        total += float(backbone.logits(features)[0, -1].log_softmax(-1)[word])
    return total


@pytest.mark.parametrize(
    ("trunk", "config"),
    [(EncoderDecoder, None), (DecoderOnly, None), (DualFusion, DualFusionConfig(decoder="own"))],
)
def test_scores_are_the_likelihoods_of_each_choice(asked: Made, chosen: Opened, trunk: Any, config: Any) -> None:
    task, made, split = Choosing(), asked("vqa@choices@zero-shot", trunk, config), chosen("test")
    one = ready(task, made)
    small = dataclasses.replace(split, samples=split.samples[:2])
    rows = task.predict(one.backbone, one.readout, small, made)
    for row, choice in zip(rows, choices_of(small), strict=True):
        picture = made.pictures(split, [choice.row])
        expected = [alone(one.backbone, made, picture, row["question"], text) for text in row["choices"]]
        assert row["scores"] == pytest.approx(expected, abs=1e-3)
        assert row["tokens"] == made.tokenizer.lengths(row["choices"]).tolist()
        assert row["prediction"] == row["choices"][expected.index(max(expected))]


@pytest.mark.parametrize("trunk", [EncoderDecoder, DecoderOnly])
def test_rows_do_not_depend_on_how_many_are_asked_at_once(asked: Made, chosen: Opened, trunk: Any) -> None:
    task, made = Choosing(), asked("vqa@choices@zero-shot", trunk)
    one, split = ready(task, made), chosen("test")
    few = dataclasses.replace(split, samples=split.samples[:6])
    found = [
        task.predict(one.backbone, one.readout, few, dataclasses.replace(made, pace=Pace(at_once=size)))
        for size in (1, 3, 64)
    ]
    for rows in zip(*found, strict=True):
        assert {row["prediction"] for row in rows} == {rows[0]["prediction"]}
        assert all(row["scores"] == pytest.approx(rows[0]["scores"], abs=1e-4) for row in rows)


@pytest.mark.parametrize("task", ["vqa@choices", "vqa@choices@zero-shot"])
def test_a_run(asked: Made, chosen: Opened, task: str) -> None:
    outcome = run_task(asked(task))
    assert outcome.head == "likelihood of choices"
    assert outcome.training.samples == (0 if "zero-shot" in task else 24)
    scores = outcome.scores
    right = [row["prediction"] == row["right_choice"] for row in outcome.rows]
    assert scores.values["multiple_choice"] == pytest.approx(100 * sum(right) / len(right))
    assert scores.values[task_named(task).primary] is not None
    assert set(scores.floors) == {"chance", "majority"} and scores.examples == len(outcome.rows)
    assert scores.told == {"images": 12, "prompt": "{question}", "visible": "all"}
    again = task_named(task).score([dict(row) for row in outcome.rows])
    assert (again.values, again.floors) == (scores.values, scores.floors)


def test_what_is_taught_is_the_right_choice(asked: Made, chosen: Opened) -> None:
    made = asked("vqa@choices")
    task = Choosing()
    examples = task.examples(made, task.readout(made, {}))
    choices = choices_of(chosen("train", "train"))
    assert len(examples) == len(choices)
    for at, one in enumerate(choices):
        assert made.tokenizer.decode(examples.tokens[at]) == one.question.text
        assert made.tokenizer.decode(examples.fields["answer_tokens"][at, 0]) == one.right.lower()
        assert examples.image_rows[at] == one.row
    assert examples.fields["answer_worth"].tolist() == [[1.0]] * len(choices)


def test_learning_makes_the_right_choice_likelier(asked: Made) -> None:
    """Of choices seen in training: a few steps at a high rate."""
    made = asked("vqa@choices", protocol=Protocol(samples=320, batch=16, lr=3e-3))
    curve = ready(Choosing(), made).training.curve
    assert curve[-1]["loss"] < 0.5 * curve[0]["loss"]


def test_a_blind_run_sees_no_picture(asked: Made) -> None:
    outcome = run_task(asked("vqa@choices", blind=True))
    found: dict[tuple[str, ...], set[str]] = {}
    for row in outcome.rows:
        asked_this = (row["question"], *row["choices"])
        found.setdefault(asked_this, set()).add(row["prediction"])
    assert all(len(said) == 1 for said in found.values())
    assert outcome.scores.values["multiple_choice"] is not None


def test_why_not() -> None:
    task, offers = Choosing(), {"context", "decode"}
    assert task.why_not({"fused_tokens"}, {"decode"}, "fine-tune") == "n/a: needs decode"
    assert task.why_not(offers, set(), "fine-tune") is None
    assert task.why_not(offers, {"vectors"}, "zero-shot") == "n/a: pretraining did not train decode"
    assert task.why_not(offers, {"decode"}, "zero-shot") is None
