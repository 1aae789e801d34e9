"""What was learnt for a task is kept and read back to the bit; what is damaged is learnt again; learning is sealed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from vlpbench.contract.objective import Objective
from vlpbench.contract.sealed import sealed_for
from vlpbench.data.errors import TestSplitRefused
from vlpbench.data.worlds.digits import Digits
from vlpbench.records import StageFolder
from vlpbench.tasks.fine_tuning import Asked, primary_score, readout_loader, ready, restored
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.suite import run_task, task_named
from vlpbench.tasks.task import Readout
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.training.checkpoint import read_weights
from vlpbench.training.pace import Pace, Stopped
from vlpbench.types import Batch, Step

Made = Callable[..., Trial]


def fields_of(made: Trial) -> dict[str, Any]:
    return {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}


@pytest.fixture
def kept(trial: Made, tmp_path: Path) -> Made:
    """The same trials, whose fine-tunes are kept in one folder a name."""

    def make(task: str, *more: Any, folder: str = "", **settings: Any) -> Trial:
        made = trial(task, *more, **settings)
        stage = StageFolder.of(tmp_path, "fine-tune", {"task": task, "folder": folder})
        return Trial(**{**fields_of(made), "kept": stage})

    return make


def equal(one: Asked, two: Asked) -> bool:
    """Whether two models are one to the last bit, heads included."""
    pairs = [(one.backbone, two.backbone), *zip(one.readout.objectives, two.readout.objectives, strict=True)]
    return all(
        left.state_dict().keys() == right.state_dict().keys()
        and all(torch.equal(value, right.state_dict()[name]) for name, value in left.state_dict().items())
        for left, right in pairs
    )


@pytest.mark.parametrize("task", ["vqa", "captioning", "retrieval", "vqa@fused", "retrieval@match", "vqa@ranking"])
def test_kept_and_read_back_it_says_the_same(kept: Made, trial: Made, task: str) -> None:
    """Learnt and not kept, learnt and kept, read back: equal rows, scores and curves."""
    plain, first, second = run_task(trial(task)), run_task(kept(task)), run_task(kept(task))
    for other in (first, second):
        assert other.rows == plain.rows and other.scores == plain.scores
        assert other.training == plain.training and other.head == plain.head
    stage = kept(task).kept
    assert stage is not None and {path.name for path in stage.path.iterdir()} == {
        "stage.json", "run.json", "weights.safetensors", "tokenizer.json"
    }


def test_what_is_read_back_trains_nothing(kept: Made) -> None:
    made = kept("vqa")
    first = ready(task_named("vqa"), made)
    steps: list[int] = []
    again = ready(task_named("vqa"), Trial(**{**fields_of(made), "heard": lambda done, of, _: steps.append(done)}))
    assert steps == [] and equal(first, again)
    assert again.training == first.training and again.training.samples == 24
    assert not again.backbone.training and again.readout.facts == first.readout.facts


def test_the_model_comes_back_without_any_data(kept: Made) -> None:
    made = kept("vqa")
    first = ready(task_named("vqa"), made)

    def refuse(name: str, purpose: Any) -> Any:
        raise AssertionError(f"{name} was opened")

    stage = made.kept
    assert stage is not None
    told = stage.told()
    assert told is not None
    elsewhere = Trial(**{**fields_of(made), "open_split": refuse, "kept": None})
    assert equal(restored(task_named("vqa"), elsewhere, told, read_weights(stage.weights)), first)


@pytest.mark.parametrize("damage", ["cut", "gone", "other", "untold"])
def test_what_is_damaged_is_learnt_again(kept: Made, damage: str) -> None:
    made = kept("retrieval")
    first = ready(task_named("retrieval"), made)
    stage = made.kept
    assert stage is not None
    whole = stage.weights.read_bytes()
    if damage == "cut":
        stage.weights.write_bytes(whole[:-9])
    elif damage == "gone":
        stage.weights.unlink()
    elif damage == "other":
        stage.weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        (stage.path / "stage.json").write_text("{")
    steps: list[int] = []
    again = ready(task_named("retrieval"), Trial(**{**fields_of(made), "heard": lambda done, *_: steps.append(done)}))
    assert steps == [1, 2, 3] and equal(again, first)
    assert stage.weights.read_bytes() == whole and stage.told() is not None


@pytest.mark.parametrize("task", ["captioning@zero-shot", "retrieval@zero-shot", "vqa@ranking@zero-shot"])
def test_zero_shot_keeps_facts_alone(kept: Made, task: str) -> None:
    made = kept(task)
    first = run_task(made)
    stage = made.kept
    assert stage is not None and not stage.weights.exists()
    told = stage.told()
    assert told is not None and told["learnt"] is False and told["training"]["samples"] == 0
    assert bool(told["facts"]) is task.startswith("vqa")
    assert run_task(made).rows == first.rows


class Peeking(Objective):
    """Opens a data set of its own, past the trial."""

    name = "peeking"
    world: Any = None
    split = "test"

    def encode(self, backbone: Any, batch: Batch) -> Mapping[str, Any]:
        self.seen = len(list(self.world.read(self.split)))
        return {"x": backbone.image_vector(batch.image).sum(1)}

    def loss(self, features: Mapping[str, Any], batch: Batch) -> Step:
        return Step(features["x"])


@pytest.mark.parametrize("name", ["test", "train", "val"])
def test_a_fine_tune_never_sees_a_test_split_whoever_opens_it(towers: Made, world: Digits, name: str) -> None:
    class Learning(Retrieval):
        def readout(self, trial: Trial, facts: Mapping[str, Any]) -> Readout:
            objective = Peeking(None, trial.blueprint.spec)
            objective.world, objective.split = world, name
            return Readout("vectors", (objective,))

    if name != "test":
        assert ready(Learning(), towers("retrieval")).training.samples == 24
        return
    with pytest.raises(TestSplitRefused, match="the fine-tune of retrieval may not read the test split"):
        ready(Learning(), towers("retrieval"))
    assert sealed_for() == "" and len(list(world.read("test"))) == 12, "the seal is off again"


def test_a_choice_on_validation_does_not_hang_on_how_many_are_asked_at_once(towers: Made) -> None:
    """Of weights that all but tie the last bit of a score decides, so each look goes by the task's own number."""
    heard: list[tuple[str, int]] = []

    class Counting(Retrieval):
        def predict(self, backbone: Any, readout: Readout, split: Any, trial: Trial) -> Any:
            heard.append((split.name, trial.pace.at_once))
            return super().predict(backbone, readout, split, trial)

    ready(Counting(), dataclasses.replace(towers("retrieval", select="validation"), pace=Pace(at_once=3)))
    assert set(heard) == {("val", 0)}


class Once:
    """Says stop after so many steps of this run."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


@pytest.mark.parametrize("select", ["last", "validation"])
@pytest.mark.parametrize("stops", [[1], [2], [3], [1, 1, 1]])
def test_cut_off_and_taken_up_again_it_keeps_the_same_bytes(kept: Made, select: str, stops: list[int]) -> None:
    """The best weights on validation so far are remembered, too: here the first look wins."""

    class Falling(Retrieval):
        def score(self, rows: Any, metrics: Any = ()) -> Scores:
            return Scores({self.primary: float(left.pop(0))})

    left = [3, 2, 1]
    whole = kept("retrieval", folder="whole", select=select)
    ready(Falling(), whole)
    left = [3, 2, 1]
    often = kept("retrieval", folder="often", select=select)
    for stop in stops:
        with pytest.raises(Stopped):
            ready(Falling(), dataclasses.replace(often, pace=Pace(stop=Once(stop))))
        assert often.kept is not None and often.kept.told() is None
    ready(Falling(), often)
    assert left == ([] if select == "validation" else [3, 2, 1]), "each look was taken once"
    assert whole.kept is not None and often.kept.told() == whole.kept.told() is not None
    assert not often.kept.checkpoint.exists() and often.kept.facts()["micro_batch"] == 0
    assert often.kept.weights.read_bytes() == whole.kept.weights.read_bytes()


@pytest.mark.parametrize("task", ["retrieval", "retrieval@zero-shot"])
def test_facts_are_of_training_alone(towers: Made, world: Digits, task: str) -> None:
    class Asking(Retrieval):
        def facts(self, trial: Trial) -> dict[str, Any]:
            return {"many": len(list(world.read("test")))}

    with pytest.raises(TestSplitRefused, match="may not read the test split"):
        ready(Asking(), towers(task))


def test_the_batches_of_a_fine_tune(trial: Made) -> None:
    made = trial("vqa")
    task = task_named("vqa")
    loader = readout_loader(task, task.readout(made, task.facts(made)), made)
    assert loader.steps == 3
    assert [len(batch.pixels) for batch in loader] == [8, 8, 8]


def test_what_a_choice_goes_by() -> None:
    vqa = task_named("vqa")
    assert primary_score(vqa, Scores({"accuracy": 3.0, "exact": 1.0})) == 3.0
    assert primary_score(vqa, Scores({"exact": 1.0, "exact_normalised": 2.0})) == 2.0
    assert primary_score(task_named("captioning"), Scores({"CIDEr": None})) is None
    assert primary_score(task_named("captioning"), Scores({})) is None
