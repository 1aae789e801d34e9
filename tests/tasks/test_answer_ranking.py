"""Open questions by ranking: against each answer by itself, whoever else is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vlpbench.backbones import DecoderOnly, DualFusion, EncoderDecoder
from vlpbench.backbones.dual_fusion import DualFusionConfig
from vlpbench.config.settings import Protocol
from vlpbench.data.splits import Split
from vlpbench.metrics.vqa_accuracy import soft_targets
from vlpbench.tasks.answer_ranking import AnswerRanking
from vlpbench.tasks.fine_tuning import Asked, ready, restored
from vlpbench.tasks.suite import run_task, task_named, why_not
from vlpbench.tasks.trial import Trial
from vlpbench.training.pace import Pace

Made = Callable[..., Trial]
Opened = Callable[..., Split]
TRUNKS = {
    "encoder-decoder": (EncoderDecoder, None, "all"),
    "decoder-only": (DecoderOnly, None, "causal"),
    "dual-fusion": (DualFusion, DualFusionConfig(decoder="own"), "causal"),
}


@pytest.fixture
def asked(trial: Made) -> Made:
    """(task, name of a trunk) -> a trial."""

    def make(task: str, trunk: str = "encoder-decoder", **settings: Any) -> Trial:
        wiring, config, visible = TRUNKS[trunk]
        made = trial(task, wiring, **settings)
        blueprint = dataclasses.replace(made.blueprint, config=config)
        return dataclasses.replace(made, blueprint=blueprint, visible=visible)

    return make


@torch.no_grad()
def likelihoods(one: Asked, made: Trial, picture: torch.Tensor, question: str, visible: Any) -> np.ndarray:
    """log P of each answer, one decode each."""
    found = []
    for answer in one.readout.facts["answers"]:
        asked, said = (
            [int(token) for token, there in zip(*(part[0] for part in made.tokenizer.encode([text], 20)), strict=True)
             if there]
            for text in (question, answer)
        )
        words, read = torch.tensor([asked[:-1]]), torch.tensor([[made.tokenizer.vocabulary.bos, *said[:-1]]])
        backbone = one.backbone
        context = backbone.context(backbone.see(picture), backbone.read(words, words >= 0), visible)
        chances = backbone.logits(backbone.decode(context, backbone.read(read, read >= 0)))[0].log_softmax(-1)
        found.append(sum(float(chances[at, word]) for at, word in enumerate(said)))
    return np.array(found)


@pytest.mark.parametrize(
    ("trunk", "visible"), [("encoder-decoder", "all"), ("decoder-only", "causal"), ("dual-fusion", "all")]
)
def test_the_likeliest_answer_and_its_share(asked: Made, opened: Opened, trunk: str, visible: str) -> None:
    made, split, task = asked("vqa@ranking@zero-shot", trunk), opened("test"), AnswerRanking()
    one = ready(task, made)
    assert one.readout.objectives[0].config.visible == visible
    questions = ["is any digit red", "how many digits are there"]
    said = task.answers(one.backbone, one.readout, made.pictures(split, [0, 1]), questions, made)
    for at, (answer, sure) in enumerate(said):
        scores = likelihoods(one, made, made.pictures(split, [at]), questions[at], visible)
        assert answer == one.readout.facts["answers"][scores.argmax()]
        assert sure == pytest.approx(float(np.exp(scores.max()) / np.exp(scores).sum()), abs=1e-4)


@pytest.mark.parametrize("trunk", TRUNKS)
def test_rows_do_not_depend_on_how_many_are_asked_at_once(asked: Made, opened: Opened, trunk: str) -> None:
    task, made, split = AnswerRanking(), asked("vqa@ranking@zero-shot", trunk), opened("test")
    few = dataclasses.replace(split, samples=split.samples[:3])
    one = ready(task, made)
    found = [
        task.predict(one.backbone, one.readout, few, dataclasses.replace(made, pace=Pace(at_once=size)))
        for size in (1, 3, 64)
    ]
    for rows in zip(*found, strict=True):
        assert {row["prediction"] for row in rows} == {rows[0]["prediction"]}
        assert all(row["probability"] == pytest.approx(rows[0]["probability"], abs=1e-4) for row in rows)


@pytest.mark.parametrize("task", ["vqa@ranking", "vqa@ranking@zero-shot"])
def test_a_run(asked: Made, task: str) -> None:
    outcome = run_task(asked(task))
    scores = outcome.scores
    assert outcome.head == "ranking" and outcome.training.samples == (0 if "zero-shot" in task else 24)
    assert {"accuracy", "accuracy[rule=2016]", "accuracy[rule=2021]"} <= set(scores.values)
    assert set(scores.floors) == {"chance", "majority", "majority of its question type"} and scores.ceilings
    assert scores.told == {"images": 12, "normalisation": "always", "prompt": "{question}", "visible": "all"}
    again = task_named(task).score([dict(row) for row in outcome.rows])
    assert (again.values, again.floors, again.ceilings) == (scores.values, scores.floors, scores.ceilings)


def test_what_is_taught_are_all_given_answers_by_their_soft_scores(asked: Made, opened: Opened) -> None:
    made = asked("vqa@ranking", protocol=Protocol(answers=5, prompt="say: {question}"))
    task = AnswerRanking()
    readout = task.readout(made, task.facts(made))
    examples = task.examples(made, readout)
    questions = [q for sample in opened("train", "train").samples for q in sample.questions]
    assert len(examples) == len(questions)
    known, rare = set(readout.facts["answers"]), 0
    for at, question in enumerate(questions):
        assert made.tokenizer.decode(examples.tokens[at]).startswith("say: ")
        fields = zip(examples.fields["answer_tokens"][at], examples.fields["answer_worth"][at], strict=True)
        taught = {made.tokenizer.decode(tokens): worth for tokens, worth in fields if worth > 0}
        assert taught == pytest.approx(soft_targets(question.answers))
        rare += not known >= set(taught)
    assert rare, "five answers are not all"


def test_learning_makes_right_answers_likelier(asked: Made) -> None:
    made = asked("vqa@ranking", protocol=Protocol(samples=320, batch=16, lr=3e-3, answers=30))
    curve = ready(AnswerRanking(), made).training.curve
    assert curve[-1]["loss"] < 0.5 * curve[0]["loss"]


def test_zero_shot_is_restored_from_its_facts(asked: Made, opened: Opened) -> None:
    made, split, task = asked("vqa@ranking@zero-shot"), opened("test"), AnswerRanking()
    one = ready(task, made)
    told = {"facts": {"answers": one.readout.facts["answers"]}, "learnt": False, "chosen": {},
            "training": dataclasses.asdict(one.training)}
    again = restored(task, made, told, {})
    pictures = made.pictures(split, [0])
    said = [task.answers(model.backbone, model.readout, pictures, ["how many"], made) for model in (one, again)]
    assert said[0] == said[1]


def test_a_blind_run_sees_no_picture(asked: Made) -> None:
    found: dict[str, set[str]] = {}
    for row in run_task(asked("vqa@ranking", blind=True)).rows:
        found.setdefault(row["question"], set()).add(row["prediction"])
    assert all(len(said) == 1 for said in found.values())


def test_why_not() -> None:
    offers = {"context", "decode"}
    assert why_not("vqa@ranking", {"fused_tokens"}, {"decode"}) == "n/a: needs decode"
    assert why_not("vqa@ranking", offers, set()) is None
    assert why_not("vqa@ranking@zero-shot", offers, {"match"}) == "n/a: pretraining did not train decode"
    assert why_not("vqa@ranking@zero-shot", offers, {"decode"}) is None
