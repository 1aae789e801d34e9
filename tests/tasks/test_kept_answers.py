"""Model and predictions of a task are kept: read back they give the same, and what of them was lost is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vlpbench.data.splits import Split
from vlpbench.records import StageFolder
from vlpbench.tasks.suite import outcome_of, ready_for, run_task
from vlpbench.tasks.trial import Trial

Made = Callable[..., Trial]


def kept(made: Trial, results: Path) -> Trial:
    """The same trial, its model and its predictions kept in stages."""
    stages = [StageFolder.of(results, name, {"task": made.task}) for name in ("fine-tune", "predict")]
    for stage in stages:
        if stage.told() is None:
            stage.begin()
    return replace(made, kept=stages[0], answered=stages[1])


@pytest.mark.parametrize("task", ["vqa", "retrieval", "retrieval@zero-shot"])
def test_predictions_are_read_back_and_equal_those_of_a_straight_run(towers: Made, task: str, tmp_path: Path) -> None:
    straight = run_task(towers(task))
    first = run_task(kept(towers(task), tmp_path))
    found = kept(towers(task, opener=lambda name, purpose: pytest.fail("nothing is opened")), tmp_path)
    assert ready_for(found) is None, "model and predictions are there"
    again = outcome_of(found, None)
    for one in (first, again):
        assert (one.scores, one.rows, one.head) == (straight.scores, straight.rows, straight.head)
        assert one.training.result() == straight.training.result() and one.told == straight.told
    other = kept(towers(task), tmp_path / "other")
    run_task(other)
    stages = [(one.answered.predictions, one.answered.path / "stage.json") for one in (found, other) if one.answered]
    assert [path.read_bytes() for path in stages[0]] == [path.read_bytes() for path in stages[1]]


def test_predictions_that_were_lost_are_asked_for_again_and_nothing_is_learnt(
    towers: Made, opened: Callable[..., Split], tmp_path: Path
) -> None:
    before = run_task(kept(towers("retrieval"), tmp_path))
    lost = kept(towers("retrieval"), tmp_path)
    assert lost.kept is not None and lost.answered is not None
    whole, weights = lost.answered.predictions.read_bytes(), lost.kept.weights.stat().st_mtime_ns
    lost.answered.predictions.write_bytes(whole[:-5])
    asked: list[tuple[str, str]] = []

    def opener(name: str, purpose: Any) -> Split:
        asked.append((name, purpose))
        return opened(name, purpose)

    after = run_task(kept(towers("retrieval", opener=opener), tmp_path))
    assert (after.rows, after.scores) == (before.rows, before.scores)
    assert set(asked) == {("test", "evaluate")} and lost.kept.weights.stat().st_mtime_ns == weights
    assert lost.answered.predictions.read_bytes() == whole


def test_a_model_that_was_lost_is_made_again_beside_its_predictions(towers: Made, tmp_path: Path) -> None:
    """`export`, `ask` and `caption` want it; its answers are the same again."""
    before = run_task(kept(towers("retrieval"), tmp_path))
    lost = kept(towers("retrieval"), tmp_path)
    assert lost.kept is not None and lost.answered is not None
    weights, answers = lost.kept.weights.read_bytes(), lost.answered.predictions.read_bytes()
    lost.kept.weights.unlink()
    made = kept(towers("retrieval"), tmp_path)
    asked = ready_for(made)
    assert asked is not None and asked.training.samples == 24
    after = outcome_of(made, asked)
    assert (after.rows, after.scores) == (before.rows, before.scores)
    assert (lost.kept.weights.read_bytes(), lost.answered.predictions.read_bytes()) == (weights, answers)


def test_scores_are_computed_from_what_was_kept_by_the_metrics_asked_for_now(trial: Made, tmp_path: Path) -> None:
    made = kept(trial("captioning"), tmp_path)
    run_task(made)
    few = replace(kept(trial("captioning"), tmp_path), protocol=replace(made.protocol, metrics=("CIDEr",)))
    assert ready_for(few) is None
    assert set(outcome_of(few, None).scores.values) == {"CIDEr"}


def test_a_trial_that_keeps_nothing_asks_a_model_each_time(towers: Made) -> None:
    made = towers("retrieval@zero-shot")
    assert made.kept is None and made.answered is None
    assert ready_for(made) is not None
