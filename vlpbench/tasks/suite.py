"""The shared suite: run one task of a cell, from fine-tune to scores. It reads as that sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from vlpbench.contract.abilities import Backbone
from vlpbench.data.loader import Loader, Surgery
from vlpbench.errors import unknown
from vlpbench.tasks.captioning import Captioning
from vlpbench.tasks.retrieval import Retrieval
from vlpbench.tasks.task import Readout, Task
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.tasks.vqa import Vqa
from vlpbench.training.build import draw
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import Training, train

__all__ = ["TASKS", "Outcome", "primary_score", "readout_loader", "run_task", "task_named", "why_not"]

TASKS: Mapping[str, Task] = {
    "vqa": Vqa(), "vqa@decoder": Vqa("decoder"), "vqa@fused": Vqa("fused"),
    "captioning": Captioning(), "retrieval": Retrieval(),
}

CHECKS = 5
"""How often a fine-tune is scored on the validation split where the best weights are asked for."""


@dataclass(frozen=True)
class Outcome:
    """What one task of a cell came to."""

    scores: Scores
    """The metrics."""
    rows: list[dict[str, Any]]
    """Every prediction."""
    head: str
    """Which form the readout took."""
    training: Training
    """The fine-tune; empty for zero-shot."""


def task_named(name: str) -> Task:
    """The task of a grid file's name, zero-shot or not; an unknown one is a UserError."""
    plain = name.removesuffix("@zero-shot")
    if plain not in TASKS:
        raise unknown("task", plain, TASKS)
    return TASKS[plain]


def why_not(name: str, offers: Collection[str], trains: Collection[str]) -> str | None:
    """The reason not to run a task with a trunk that offers these abilities after training these things, or None."""
    return task_named(name).why_not(offers, trains, name.endswith("@zero-shot"))


def run_task(trial: Trial) -> Outcome:
    """Fine-tune, predict, score."""
    task = task_named(trial.task)
    readout = None if trial.zero_shot else task.readout(trial)
    if readout is None:
        backbone, told = trial.build(task.needs(trial.blueprint.offers)).eval(), Training()
    else:
        backbone, told = fine_tune(task, readout, trial)
    split = trial.open_split(trial.settings.split, "evaluate")
    rows = task.predict(backbone, readout, split, trial)
    scores = task.score(rows, split, readout, trial)
    return Outcome(scores, rows, readout.head if readout else "zero-shot", told)


def readout_loader(readout: Readout, trial: Trial) -> Loader:
    """The batches that the fine-tune sees; `data show --task` prints one of them."""
    settings, protocol, objective = trial.settings, trial.protocol, readout.objective
    return Loader(
        readout.examples,
        [Surgery(objective.name, type(objective).corrupt, objective.config, tuple(objective.wants))],
        trial.tokenizer.vocabulary,
        settings.image,
        settings.seed,
        protocol.batch,
        steps=max(1, protocol.samples // protocol.batch),
        stream=f"finetune/{trial.name}",
        workers=trial.workers,
    )


def fine_tune(task: Task, readout: Readout, trial: Trial) -> tuple[Backbone, Training]:
    """Teach the readout to the pretrained backbone; nothing is frozen."""
    settings, protocol, objective = trial.settings, trial.protocol, readout.objective
    draw(objective, settings.seed, prefix=f"readout/{task.name}/")
    learner = Learner(trial.build(objective.needs_with(objective.config)), [Term(1.0, objective)])
    learner = learner.to(trial.device.torch)
    readout.begin(learner.backbone)
    loader = readout_loader(readout, trial)
    optim = replace(settings.optim, lr=protocol.lr, warmup=protocol.warmup)
    best = _Best(task, readout, trial, learner, loader.steps) if settings.select == "validation" else None
    told = train(learner, loader, optim, trial.device, trial.heard, best.look if best else None)
    if best:
        best.restore()
    return learner.backbone.eval(), told


def primary_score(task: str, scores: Scores) -> float | None:
    """The metric that a choice on validation goes by; None where it has no value."""
    values = scores.values
    return values.get(task_named(task).primary, values.get("exact_normalised"))


class _Best:
    """The weights that scored best on the validation split; the last ones win a tie."""

    def __init__(self, task: Task, readout: Readout, trial: Trial, learner: Learner, steps: int) -> None:
        self.task, self.readout, self.trial, self.learner = task, readout, trial, learner
        self.looks = {round(steps * (look + 1) / CHECKS) for look in range(CHECKS)}
        self.score = -float("inf")
        self.weights: dict[str, Any] = {}

    def look(self, done: int) -> None:
        """Score the validation split at some of the steps, and keep a copy of the best weights."""
        if done not in self.looks:
            return
        self.learner.eval()
        split = self.trial.open_split("val", "select")
        rows = self.task.predict(self.learner.backbone, self.readout, split, self.trial)
        score = primary_score(self.trial.task, self.task.score(rows, split, self.readout, self.trial))
        if score is not None and score >= self.score:
            self.score, self.weights = score, _copied(self.learner)
        self.learner.train()

    def restore(self) -> None:
        """Go back to the best weights; where no look had a score (a metric may have none), the last ones stay."""
        if self.weights:
            self.learner.load_state_dict(self.weights)


def _copied(module: nn.Module) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
