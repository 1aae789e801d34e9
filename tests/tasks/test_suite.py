"""From fine-tune to scores: which splits are opened for what, which weights are kept, what zero-shot leaves alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from vlpbench.config.settings import Protocol
from vlpbench.contract.abilities import Backbone
from vlpbench.data.errors import TestSplitRefused
from vlpbench.data.splits import Split
from vlpbench.errors import UserError
from vlpbench.metrics.recall import chance
from vlpbench.tasks.fine_tuning import CHECKS, ready
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.suite import run_task, task_named, why_not
from vlpbench.tasks.task import Readout
from vlpbench.tasks.trial import Scores, Trial

Made = Callable[..., Trial]


def fields_of(made: Trial) -> dict[str, Any]:
    """What a trial is made of."""
    return {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}


class Scored(Retrieval):
    """Retrieval that writes down its validation scores, or says others."""

    def __init__(self, say: Sequence[float | None] = ()) -> None:
        self.say, self.seen = list(say), list[Any]()

    def score(self, rows: Any, metrics: Sequence[str] | None = None) -> Scores:
        scores = super().score(rows)
        if self.say:
            scores.values[self.primary] = self.say[len(self.seen)]
        self.seen.append(scores.values[self.primary])
        return scores


def same(one: Backbone, two: Backbone) -> bool:
    other = two.state_dict()
    return all(torch.equal(value, other[name]) for name, value in one.state_dict().items())


def tuned(trial: Trial, task: Retrieval) -> Backbone:
    return ready(task, trial).backbone


@pytest.mark.parametrize("task", ["vqa", "captioning", "retrieval"])
def test_a_task_is_a_function_of_its_trial(trial: Made, task: str) -> None:
    one, two = run_task(trial(task)), run_task(trial(task))
    assert (one.scores, one.rows, one.training) == (two.scores, two.rows, two.training)
    assert one.scores.examples == len(one.rows)
    assert one.training.samples == 24 and len(one.training.curve) == 3
    assert one.scores.values[task_named(task).primary] is not None
    assert set(one.scores.floors) >= {"chance"}


def test_seeds_differ(towers: Made) -> None:
    one, two = run_task(towers("retrieval")), run_task(towers("retrieval", seed=1))
    assert one.training.curve != two.training.curve


def test_splits_are_opened_for_what_they_are_for(trial: Made, opened: Callable[..., Split]) -> None:
    for task in ("vqa", "captioning", "retrieval"):
        asked: list[tuple[str, str]] = []

        def opener(name: str, purpose: Any, asked: list[tuple[str, str]] = asked) -> Split:
            asked.append((name, purpose))
            return opened(name, purpose)

        run_task(trial(task, opener=opener))
        assert set(asked) == {("train", "train"), ("test", "evaluate")}, task
        asked.clear()
        run_task(trial(task, opener=opener, select="validation", split="val"))
        assert set(asked) == {("train", "train"), ("val", "select"), ("val", "evaluate")}, task


def test_choosing_weights_never_opens_the_test_split(trial: Made, opened: Callable[..., Split]) -> None:
    with pytest.raises(TestSplitRefused):
        opened("test", "select")
    asked: list[tuple[str, str]] = []

    def opener(name: str, purpose: Any) -> Split:
        asked.append((name, purpose))
        return opened(name, purpose)

    made = trial("retrieval", opener=opener, select="validation")
    tuned(made, Retrieval())
    assert ("val", "select") in asked and not any(name == "test" for name, _ in asked)


def test_the_best_weights_on_validation_are_kept(towers: Made, opened: Callable[..., Split]) -> None:
    protocol = Protocol(samples=80, batch=8, lr=1e-2)
    made = towers("retrieval", protocol=protocol, select="validation")
    task = Scored()
    backbone = tuned(made, task)
    assert len(task.seen) == CHECKS
    again = Retrieval()
    rows = again.predict(backbone, Readout("vectors"), opened("val", "select"), made)
    found = again.score(rows).values["rsum"]
    assert found == max(task.seen)


@pytest.mark.parametrize(
    ("said", "kept"),
    [([1, 1, 1, 1, 1], 5), ([1, 2, 3, 2, 1], 3), ([9, 1, 1, 1, 9], 5), ([9, 1, 1, 1, 8], 1), ([None] * 5, 5),
     ([float("nan")] * 5, 5), ([None, 3.0, None, None, None], 2)],
)
def test_ties_go_to_later_weights_and_no_score_to_the_last(towers: Made, said: list[float | None], kept: int) -> None:
    """Ten steps, five looks: what is kept is what a training had after `kept` fifths of the very same steps."""
    weights: list[dict[str, torch.Tensor]] = []

    class Copying(Scored):
        def predict(self, backbone: Backbone, *rest: Any) -> list[dict[str, Any]]:
            weights.append({name: value.clone() for name, value in backbone.state_dict().items()})
            return super().predict(backbone, *rest)

    made = towers("retrieval", protocol=Protocol(samples=80, batch=8), select="validation")
    found = tuned(made, Copying(said)).state_dict()
    assert all(torch.equal(value, weights[kept - 1][name]) for name, value in found.items())
    if kept == 5:
        last = tuned(towers("retrieval", protocol=Protocol(samples=80, batch=8)), Retrieval()).state_dict()
        assert all(torch.equal(value, last[name]) for name, value in found.items()), "looking changes no step"


def test_a_fine_tune_of_fewer_steps_than_looks(towers: Made) -> None:
    task = Scored()
    tuned(towers("retrieval", protocol=Protocol(samples=16, batch=8), select="validation"), task)
    assert len(task.seen) == 2


@pytest.mark.parametrize("task", ["captioning@zero-shot", "retrieval@zero-shot"])
def test_zero_shot_trains_nothing(trial: Made, task: str) -> None:
    outcome = run_task(trial(task))
    assert outcome.head == {"captioning@zero-shot": "decoder", "retrieval@zero-shot": "vectors"}[task]
    assert outcome.training.curve == [] and outcome.training.samples == 0
    assert outcome.scores.examples == len(outcome.rows) > 0


def test_zero_shot_asks_the_pretrained_weights(towers: Made) -> None:
    made = towers("retrieval@zero-shot")
    pretrained = made.blueprint.build({"image_vector", "text_vector"}).state_dict()
    other = {**fields_of(made), "weights": {name: 0 * value for name, value in pretrained.items()}}
    scores = run_task(Trial(**other)).scores
    expected = chance(12, [row for row in range(12) for _ in range(5)])
    assert scores.values["rsum"] == pytest.approx(expected["rsum"]), "weights of nought see no difference"
    assert run_task(made).scores.values["rsum"] != pytest.approx(expected["rsum"])


def test_pretrained_weights_are_where_a_fine_tune_starts(towers: Made) -> None:
    plain = towers("retrieval")
    pretrained = plain.blueprint.build({"image_vector", "text_vector"}).state_dict()
    moved = {name: value + 0.01 if value.is_floating_point() else value for name, value in pretrained.items()}
    one = run_task(plain).training.curve[0]["loss"]
    assert run_task(Trial(**{**fields_of(plain), "weights": pretrained})).training.curve[0]["loss"] == one
    assert run_task(Trial(**{**fields_of(plain), "weights": moved})).training.curve[0]["loss"] != one


def test_names_of_tasks() -> None:
    assert task_named("captioning@zero-shot") is task_named("captioning")
    with pytest.raises(UserError, match="unknown task 'captoning@zero-shot'") as caught:
        task_named("captoning@zero-shot")
    assert "did you mean 'captioning@zero-shot'?" in caught.value.remedy


def test_why_not_goes_by_task_and_protocol() -> None:
    towers = {"image_vector", "text_vector"}
    assert why_not("retrieval@zero-shot", towers, {"vectors"}) is None
    assert why_not("retrieval@zero-shot", towers, set()) == "n/a: pretraining did not train vectors"
    assert why_not("captioning", towers, {"vectors"}) == "n/a: needs decode"
    with pytest.raises(UserError, match="unknown task 'vqa@zero-shot'"):
        why_not("vqa@zero-shot", towers, {"vectors"})
