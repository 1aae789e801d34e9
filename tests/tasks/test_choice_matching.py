"""Multiple choice by a matching head: its formula, choices that are not there, and the head that pretraining left."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.backbones import DualEncoder, DualFusion, EncoderDecoder
from vlpbench.contract.noconfig import NoConfig
from vlpbench.data.splits import Split
from vlpbench.objectives.image_text_matching import Config, ImageTextMatching
from vlpbench.tasks.choice_matching import ChoiceMatching, ChoosingByMatch
from vlpbench.tasks.choice_questions import choices_of
from vlpbench.tasks.fine_tuning import readout_loader, ready
from vlpbench.tasks.suite import run_task
from vlpbench.tasks.trial import Trial
from vlpbench.testing.tiny import VOCABULARY, tiny_backbone
from vlpbench.training.pace import Pace
from vlpbench.types import Batch, Spec

Made = Callable[..., Trial]
Opened = Callable[..., Split]


@pytest.fixture
def asked(trial: Made, chosen: Opened) -> Made:
    """A trial on the set with choices, with a head as pretraining would leave it."""

    def make(task: str, trunk: Any = DualFusion, **settings: Any) -> Trial:
        made = trial(task, trunk, lambda name, purpose: chosen(name, purpose, settings.get("blind", False)), **settings)
        return dataclasses.replace(made, heads={"match": head})

    return make


def head(spec: Spec) -> ImageTextMatching:
    """A head with known weights."""
    made = ImageTextMatching(Config(), spec)
    with torch.no_grad():
        made.head.weight.copy_(torch.linspace(-1, 1, 2 * spec.width)[None])
        made.head.bias.zero_()
    return made


def batch(there: list[list[bool]], right: list[int]) -> Batch:
    tokens = torch.ones(len(right), 3, dtype=torch.long)
    extras = {"choice_there": torch.tensor(there), "right": torch.tensor(right)}
    ids = tokens[:, 0]
    return Batch(None, tokens, tokens > 0, ids, ids, torch.zeros(()), VOCABULARY, True, extras)


def test_the_loss_is_cross_entropy_over_the_choices_that_are_there() -> None:
    objective = ChoiceMatching(NoConfig(), tiny_backbone({"fused_tokens"}, EncoderDecoder).spec)
    odds = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.1, 99.0]])
    made = batch([[True, True, True], [True, True, False]], [2, 1])
    step = objective.loss({"log_odds": odds}, made)
    first = -np.log(np.exp(0.5) / (np.exp(1) + np.exp(-2) + np.exp(0.5)))
    second = -np.log(np.exp(0.1) / (np.exp(0.3) + np.exp(0.1)))
    assert isinstance(step.losses, torch.Tensor)
    assert step.losses.tolist() == pytest.approx([first, second], abs=1e-5)
    assert float(step.figures["chosen"]) == 0.0


def test_the_gradient_of_choices_that_are_not_there_is_nought() -> None:
    objective = ChoiceMatching(NoConfig(), tiny_backbone({"fused_tokens"}, EncoderDecoder).spec)
    odds = torch.zeros(1, 3, requires_grad=True)
    losses = objective.loss({"log_odds": odds}, batch([[True, True, False]], [0])).losses
    assert isinstance(losses, torch.Tensor)
    losses.sum().backward()
    assert odds.grad is not None and odds.grad.tolist() == [[-0.5, 0.5, 0.0]]


def test_what_is_taught(asked: Made, chosen: Opened) -> None:
    task, made = ChoosingByMatch(), asked("vqa@choices-match")
    examples, choices = task.examples(made, task.readout(made, {})), choices_of(chosen("train", "train"))
    fields, cut = examples.fields, 0
    for at, one in enumerate(choices):
        many = len(one.question.choices)
        assert fields["choice_there"][at].tolist() == [place < many for place in range(4)]
        assert one.question.choices[fields["right"][at]] == one.right
        for place, choice in enumerate(one.question.choices):
            said = made.tokenizer.decode(fields["choice_tokens"][at, place])
            question = said.removesuffix(f" {choice.lower()}")
            assert said.endswith(f" {choice.lower()}") and one.question.text.startswith(question)
            cut += question != one.question.text
    assert 0 < cut < len(choices), "a long question loses words, never the choice behind it"
    assert fields["choice_present"].any(2).all(), "what fills up has words, so that nobody looks at nothing"


def test_features_are_those_of_one_pair_at_a_time(asked: Made) -> None:
    task, made = ChoosingByMatch(), asked("vqa@choices-match")
    readout = task.readout(made, {})
    (objective,) = readout.objectives
    backbone = made.build(readout.needs).eval()
    view = readout_loader(task, readout, made).host(0).to(torch.device("cpu"))["pairs"]["choice-matching"]
    seen = dataclasses.replace(view, image=backbone.see(view.images))
    with torch.no_grad():
        found = objective.encode(backbone, seen)["log_odds"]
        for at, place in ((0, 0), (3, 1), (7, 0)):
            words = view["choice_tokens"][at, place][view["choice_present"][at, place]].long()[None]
            text = backbone.read(words, words >= 0)
            alone = objective.match(backbone, backbone.see(view.images[at : at + 1]), text)
            assert float(found[at, place]) == pytest.approx(float(alone[0]), abs=1e-4)


@pytest.mark.parametrize("trunk", [DualFusion, EncoderDecoder])
def test_a_run(asked: Made, trunk: Any) -> None:
    outcome = run_task(asked("vqa@choices-match", trunk))
    assert outcome.head == "match of choices" and outcome.training.samples == 24
    right = [row["prediction"] == row["right_choice"] for row in outcome.rows]
    assert outcome.scores.values["multiple_choice"] == pytest.approx(100 * sum(right) / len(right))
    assert set(outcome.scores.floors) == {"chance", "majority"}
    assert outcome.scores.told == {"images": 12, "prompt": "{question} {choice}"}
    assert all(len(row["scores"]) == len(row["choices"]) for row in outcome.rows)


def test_zero_shot_asks_the_head_of_pretraining(asked: Made, chosen: Opened) -> None:
    task, made, split = ChoosingByMatch(), asked("vqa@choices-match@zero-shot"), chosen("test")
    one = ready(task, made)
    rows = task.predict(one.backbone, one.readout, split, made)
    assert one.training.samples == 0
    judge, seen = head(one.backbone.spec), 0
    with torch.no_grad():
        for row, choice in list(zip(rows, choices_of(split), strict=True))[:5]:
            image = one.backbone.see(made.pictures(split, [choice.row]))
            for text, score in zip(row["choices"], row["scores"], strict=True):
                tokens, mask = made.tokenizer.encode([f"{row['question']} {text}"], made.settings.text.length)
                said = one.backbone.read(torch.from_numpy(tokens), torch.from_numpy(mask))
                if made.tokenizer.lengths([f"{row['question']} {text}"])[0] <= made.settings.text.length:
                    seen += 1
                    assert score == pytest.approx(float(judge.match(one.backbone, image, said)[0]), abs=1e-4)
    assert seen


def test_rows_do_not_depend_on_how_many_are_asked_at_once(asked: Made, chosen: Opened) -> None:
    task, made, split = ChoosingByMatch(), asked("vqa@choices-match@zero-shot"), chosen("test")
    one = ready(task, made)
    found = [
        task.predict(one.backbone, one.readout, split, dataclasses.replace(made, pace=Pace(at_once=size)))
        for size in (1, 3, 64)
    ]
    for rows in zip(*found, strict=True):
        assert all(row["scores"] == pytest.approx(rows[0]["scores"], abs=1e-4) for row in rows)


def test_a_blind_run_sees_no_picture(asked: Made) -> None:
    found: dict[tuple[str, ...], set[str]] = {}
    for row in run_task(asked("vqa@choices-match", blind=True)).rows:
        found.setdefault((row["question"], *row["choices"]), set()).add(row["prediction"])
    assert all(len(said) == 1 for said in found.values())


def test_why_not() -> None:
    task = ChoosingByMatch()
    assert task.why_not(DualEncoder.offers, set(), "fine-tune") == "n/a: needs fused_tokens"
    assert task.why_not(DualFusion.offers, set(), "fine-tune") is None
    assert task.why_not(DualFusion.offers, {"decode"}, "zero-shot") == "n/a: pretraining trained no matching head"
    assert task.why_not({"image_vector"}, {"match"}, "zero-shot") is None
