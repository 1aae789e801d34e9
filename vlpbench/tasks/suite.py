"""The shared suite: run one task of a cell, from fine-tune to scores. It reads as that sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vlpbench.config.measured import suite_metrics
from vlpbench.config.task_name import parse_task
from vlpbench.tasks.answer_ranking import AnswerRanking
from vlpbench.tasks.captioning import Captioning
from vlpbench.tasks.choice_matching import ChoosingByMatch
from vlpbench.tasks.choosing import Choosing
from vlpbench.tasks.classification import Classification
from vlpbench.tasks.extra import Extra
from vlpbench.tasks.extra_metrics import add_extras
from vlpbench.tasks.fine_tuning import Asked, ready
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.task import Row, Task
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.tasks.vqa import Vqa
from vlpbench.training.fitting import asked_with_less
from vlpbench.training.loop import Training

__all__ = ["TASKS", "Outcome", "outcome_of", "ready_for", "run_task", "scored", "task_named", "why_not"]

TASKS: Mapping[tuple[str, str], Task] = {
    ("vqa", ""): Vqa(), ("vqa", "decoder"): Vqa("decoder"), ("vqa", "fused"): Vqa("fused"),
    ("vqa", "ranking"): AnswerRanking(), ("vqa", "choices"): Choosing(),
    ("vqa", "choices-match"): ChoosingByMatch(),
    ("captioning", ""): Captioning(), ("retrieval", ""): Retrieval(),
    ("retrieval", "match"): Retrieval("match"), ("retrieval", "likelihood"): Retrieval("likelihood"),
    ("classification", ""): Classification(),
}
"""Each task in each of its forms."""


@dataclass(frozen=True)
class Outcome:
    """What one task of a cell came to."""

    scores: Scores
    """The metrics."""
    rows: list[Row]
    """Every prediction."""
    head: str
    """Which form the readout took."""
    training: Training
    """The fine-tune; empty for zero-shot."""
    told: Mapping[str, Any]
    """What a probe chose; empty elsewhere."""


def task_named(name: str) -> Task:
    """The task of a grid file's name; an unknown one is a UserError."""
    said = parse_task(name)
    return TASKS[said.task, said.form]


def why_not(name: str, offers: Collection[str], trains: Collection[str]) -> str | None:
    """The reason not to run a task with a trunk that offers these abilities after training these things, or None."""
    return task_named(name).why_not(offers, trains, parse_task(name).protocol)


def run_task(trial: Trial) -> Outcome:
    """Fine-tune, predict, score."""
    return outcome_of(trial, ready_for(trial))


def ready_for(trial: Trial) -> Asked | None:
    """The model that the task is asked of; None where it is there already, and its predictions too."""
    stages = (trial.kept, trial.answered)
    if all(stage is not None and stage.told() is not None for stage in stages):
        return None
    return ready(task_named(trial.task), trial)


def outcome_of(trial: Trial, asked: Asked | None) -> Outcome:
    """Predict, or read what an earlier run predicted; then score."""
    told, rows = _told(asked), _rows(trial, asked)
    if trial.answered is not None:
        if asked is not None:
            trial.answered.keep(rows)
            trial.answered.close(told)
        told, rows = trial.answered.told() or told, trial.answered.rows()  # read back: the same however it came to be
    scores = scored(trial.task, rows, suite_metrics(trial.protocol), trial.extras)
    return Outcome(scores, rows, told["head"], Training(**told["training"]), told["chosen"])


def scored(name: str, rows: Sequence[Row], metrics: Sequence[str], extras: Sequence[Extra] = ()) -> Scores:
    """The suite's metrics of a task's rows, then the extra ones; adds each row's own scores to it."""
    scores = task_named(name).score(rows, metrics)
    add_extras(extras, rows, scores)
    return scores


def _told(asked: Asked | None) -> dict[str, Any]:
    """What is to be said of the model beside its predictions."""
    if asked is None:
        return {}
    return {"head": asked.readout.head, "training": asked.training.result(), "chosen": dict(asked.told)}


def _rows(trial: Trial, asked: Asked | None) -> list[Row]:
    if asked is None:
        return []
    task, split = task_named(trial.task), trial.open_split(trial.settings.split, "evaluate")
    return asked_with_less(
        lambda pace: task.predict(asked.backbone, asked.readout, split, replace(trial, pace=pace)), trial.pace
    )
