"""From pretrained weights to a model that can be asked: the short fine-tune, the probe, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from vlpbench.contract.abilities import Backbone
from vlpbench.contract.sealed import sealed
from vlpbench.data.ahead import threads
from vlpbench.data.loader import Loader, Surgery
from vlpbench.files import digest
from vlpbench.parts import ranks
from vlpbench.tasks.task import Readout, Task
from vlpbench.tasks.trial import Scores, Trial
from vlpbench.training.build import draw
from vlpbench.training.checkpoint import read_weights, save_weights
from vlpbench.training.course import Course, Training
from vlpbench.training.going import Lesson
from vlpbench.training.learner import Learner, Term
from vlpbench.training.loop import train_lesson

__all__ = ["CHECKS", "Asked", "Begun", "begin", "primary_score", "ready", "readout_loader", "restored"]

CHECKS = 5
"""How often a fine-tune is scored on the validation split where the best weights are asked for."""


@dataclass(frozen=True)
class Asked:
    """A model ready to be asked, and how it came to be."""

    backbone: Backbone
    """In evaluation mode."""
    readout: Readout
    """Its heads, and what they took from the training split."""
    training: Training
    """The fine-tune; empty where there was none."""
    told: Mapping[str, Any]
    """What a probe chose; empty elsewhere."""


@dataclass(frozen=True)
class Begun:
    """A model that is about to be taught, to be probed, or to be taken as it is."""

    task: Task
    """What it is made ready for."""
    trial: Trial
    """Of which cell, and where it is kept."""
    readout: Readout
    """Its heads."""
    learner: Learner
    """Backbone and heads as they begin."""
    lesson: Lesson | None = None
    """The fine-tune; None where there is none."""

    def end(self, training: Training, chosen: Mapping[str, Any] | None = None) -> Asked:
        """The model as it has become, kept where it is to be; `chosen` is what a probe chose."""
        if self.lesson is not None and isinstance(best := self.lesson.course.watch, _Best):
            best.take()
        asked = Asked(self.learner.eval().backbone, self.readout, training, chosen or {})
        if self.trial.kept is not None:
            _keep(asked, self.learner, self.trial)
        return asked


def ready(task: Task, trial: Trial) -> Asked:
    """Fine-tune, probe, or take the pretrained model as it is; or read what an earlier run of the same has kept."""
    told = None if trial.kept is None else trial.kept.told()
    if trial.kept is not None and told is not None:
        return restored(task, trial, told, read_weights(trial.kept.weights) if told["learnt"] else {})
    begun, chosen = begin(task, trial), dict[str, Any]()
    with sealed(_doing(trial)):
        training = Training() if begun.lesson is None else train_lesson(begun.lesson, trial.device)
        if trial.name.protocol == "probe":
            chosen = task.probe(begun.learner.eval().backbone, begun.readout, begun.trial)
    return begun.end(training, chosen)


def begin(task: Task, trial: Trial) -> Begun:
    """Backbone, heads and, where it is to be taught, its lesson; nothing was kept of it yet."""
    # a choice on validation may hang on the last bit: that hangs on no pace
    learning = replace(trial, pace=replace(trial.pace, at_once=0))
    with sealed(_doing(trial)):
        readout = task.readout(learning, task.facts(learning))
        learner = _learner(task, readout, learning)
        lesson = _lesson(task, readout, learning, learner) if trial.name.protocol == "fine-tune" else None
    return Begun(task, learning, readout, learner, lesson)


def _doing(trial: Trial) -> str:
    return f"the {trial.name.protocol} of {trial.task}"


def restored(task: Task, trial: Trial, told: Mapping[str, Any], weights: Mapping[str, Any]) -> Asked:
    """The model that `ready` kept, without any training data."""
    readout = task.readout(trial, told["facts"])
    learner = _learner(task, readout, trial)
    if told["learnt"]:
        learner.load_state_dict(dict(weights))
    return Asked(learner.eval().backbone, readout, Training(**told["training"]), told["chosen"])


def readout_loader(task: Task, readout: Readout, trial: Trial) -> Loader:
    """The batches that the fine-tune sees; `data show --task` prints one of them."""
    settings, protocol = trial.settings, trial.protocol
    return Loader(
        task.examples(trial, readout),
        [Surgery(one.name, type(one).corrupt, one.config, tuple(one.wants)) for one in readout.objectives],
        trial.tokenizer.vocabulary,
        settings.image,
        settings.seed,
        protocol.batch,
        steps=max(1, protocol.samples // protocol.batch),
        stream=f"finetune/{task.name}",
        workers=threads(trial.pace.workers, trial.device),
        device=trial.device,
        resident=trial.pace.resident,
    )


def primary_score(task: Task, scores: Scores) -> float | None:
    """The metric that a choice on validation goes by; None where it has no value."""
    return scores.values.get(task.primary, scores.values.get("exact_normalised"))


def _learner(task: Task, readout: Readout, trial: Trial) -> Learner:
    """Backbone and heads on the device; heads that are to be taught are drawn, those of pretraining as they were."""
    if not trial.zero_shot:
        for one in readout.objectives:
            draw(one, trial.settings.seed, prefix=f"readout/{task.name}/")
    backbone = trial.build(readout.needs | task.needs(trial.blueprint.offers))
    return Learner(backbone, [Term(1.0, one) for one in readout.objectives]).to(trial.device.torch)


def _lesson(task: Task, readout: Readout, trial: Trial, learner: Learner) -> Lesson:
    """How the readout is taught to the pretrained backbone; nothing is frozen."""
    settings, protocol = trial.settings, trial.protocol
    readout.begin(learner.backbone)
    loader = readout_loader(task, readout, trial)
    optim = replace(settings.optim, lr=protocol.lr, warmup=protocol.warmup)
    best = _Best(task, readout, trial, learner, loader.steps) if settings.select == "validation" else None
    course = Course(
        trial.heard, best, pace=trial.pace, setting=f"protocol.{trial.task}.batch",
        joined=partial(trial.pace.joined, f"{trial.task}: fine-tune", settings),
    )
    if trial.kept is not None:
        course = replace(course, folder=trial.kept.checkpoint, mark=digest(dict(trial.kept.made_by)))
    return Lesson(learner, loader, optim, course)


def _keep(asked: Asked, learner: Learner, trial: Trial) -> None:
    """Write what was learnt, so that it can be asked again and taken along; zero-shot has only its facts to keep."""
    assert trial.kept is not None
    if learnt := trial.name.protocol != "zero-shot":
        save_weights(learner, trial.kept.weights)
    trial.tokenizer.save(trial.kept.path / "tokenizer.json")
    trial.kept.close({
        "learnt": learnt, "facts": dict(asked.readout.facts), "training": asked.training.result(),
        "chosen": dict(asked.told),
    }, facts={"micro_batch": asked.training.micro_batch} if asked.training.samples else None)


class _Best:
    """The weights that scored best on the validation split; the last ones win a tie."""

    def __init__(self, task: Task, readout: Readout, trial: Trial, learner: Learner, steps: int) -> None:
        self.task, self.readout, self.trial, self.learner = task, readout, trial, learner
        self.looks = {round(steps * (look + 1) / CHECKS) for look in range(CHECKS)}
        self.score = -float("inf")
        self.weights: dict[str, Tensor] = {}

    def __call__(self, done: int) -> None:
        """Score the validation split at some of the steps, and keep a copy of the best weights."""
        if done not in self.looks:
            return
        self.learner.eval()
        split = self.trial.open_split("val", "select")
        rows = self.task.predict(self.learner.backbone, self.readout, split, self.trial)
        score = primary_score(self.task, self.task.score(rows))
        if score is not None and score >= self.score:
            self.score, self.weights = score, _copied(self.learner)
        self.learner.train()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The best weights so far and their score, for a checkpoint."""
        return self.weights, {"score": self.score}

    def restore(self, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
        """Remember the best weights of an earlier run of the same fine-tune."""
        self.weights, self.score = dict(tensors), float(plain["score"])

    def take(self) -> None:
        """Go back to the best weights; where no look had a score (a metric may have none), the last ones stay."""
        if self.weights:
            self.learner.load_state_dict(self.weights)


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: ranks.whole(value).clone() for name, value in module.state_dict().items()}
