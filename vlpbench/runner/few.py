"""A few steps of a training and a few examples of an evaluation: enough to know what one costs.

Axes: N samples that a task looks at.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from vlpbench.config.settings import Optim
from vlpbench.config.task_name import TaskName
from vlpbench.data.ahead import crossed
from vlpbench.data.joint_loader import Batches
from vlpbench.data.labels import label_of
from vlpbench.data.splits import Split
from vlpbench.device import Device
from vlpbench.files import digest_file
from vlpbench.metrics.captions import PURE
from vlpbench.records import write_predictions
from vlpbench.runner.measured import Line
from vlpbench.tasks.fine_tuning import Asked
from vlpbench.tasks.task import Row, Task
from vlpbench.tasks.trial import Trial
from vlpbench.training.checkpoint import save_weights
from vlpbench.training.fitting import Fitting
from vlpbench.training.learner import Learner
from vlpbench.training.pace import PACE, Pace
from vlpbench.training.stopwatch import Patience, Taking, timed_steps
from vlpbench.types import Sample

__all__ = ["few_examples", "few_pictures", "few_steps", "kept", "looked_at"]

LOOK = Patience(warm=2, least=3, most=20, seconds=2.0)
"""How long a training is looked at."""
FIRST, TIMES, ENOUGH = 16, 4, 0.5
"""Examples that are asked first, how many times as many next, and seconds after which no more are asked."""


def few_steps(
    learner: Learner, loader: Batches, optim: Optim, device: Device, micro_batch: int = 0, pace: Pace = PACE
) -> tuple[float, float]:
    """Seconds of the first step, and of any other: the median of a few.

    On the first step operations are counted; what compiling takes is part of it.
    """
    taking = Taking(learner, optim, device, Fitting(learner, micro_batch, pace=pace))
    with contextlib.closing(crossed(iter(loader.from_step(0)), device)) as batches:  # worker threads end with it
        timed = timed_steps(lambda given: taking.step(given[1]), batches, device, LOOK)
    return timed.start, timed.steps.median


def kept(learner: Learner, device: Device) -> tuple[float, int]:
    """Seconds to write the weights of a learner and to take their digest, and their bytes; nothing stays."""
    start = device.seconds()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(learner, path)
        digest_file(path)
        return device.seconds() - start, path.stat().st_size


def looked_at(name: TaskName, split: Split) -> list[int]:
    """The rows of the samples that a task looks at."""
    return [row for row, sample in enumerate(split.samples) if _serves(name, sample, split)]


def _serves(name: TaskName, sample: Sample, split: Split) -> bool:
    if name.task == "vqa":
        chosen = name.form.startswith("choices")
        return any(question.choices if chosen else question.answers for question in sample.questions)
    if name.task == "classification":
        return bool(label_of(sample, split))
    return bool(sample.captions)


def few_pictures(split: Split, rows: Collection[int], many: int) -> Split:
    """Some of these rows, evenly over all of them, as a split of its own."""
    found = list(rows)
    places = np.unique(np.linspace(0, len(found) - 1, min(many, len(found))).round().astype(int))
    chosen = [found[place] for place in places]
    pixels = split.pixels[chosen] if len(split.pixels) else split.pixels
    return replace(split, samples=tuple(split.samples[row] for row in chosen), pixels=pixels)


def few_examples(task: Task, trial: Trial, model: Asked, split: Split) -> tuple[Line, Line]:
    """Seconds to predict and score N samples of a split without any other program, and bytes of their rows.

    Ever more samples are asked until it takes long enough or there are no more. Each number is asked twice, and the
    faster counts, since others may have disturbed the slower; of two halves of the split, since what was said once may
    be remembered. The last two numbers make the line.
    """
    rows, asking = looked_at(trial.name, split), _asking(task, trial)
    halves = [rows[::2], rows[1::2] or rows]
    first = max(FIRST, trial.protocol.shortlist if task.name == "retrieval" else 0)
    points: list[tuple[int, float, int]] = []
    while len(points) < 2 or points[-1][1] < ENOUGH:
        if points and points[-1][0] >= len(halves[1]):
            break
        seconds = []
        for half in halves:
            some = few_pictures(split, half, min(len(halves[1]), first * TIMES ** len(points)))
            start = trial.device.seconds()
            found = _ask(task, asking, model, some)
            seconds.append(trial.device.seconds() - start)
        points.append((len(some.samples), min(seconds), _bytes(found)))
    return _line([(n, seconds) for n, seconds, _ in points]), _line([(n, size) for n, _, size in points])


@torch.no_grad()
def _ask(task: Task, trial: Trial, model: Asked, split: Split) -> list[Row]:
    rows = task.predict(model.backbone, model.readout, split, trial)
    task.score(rows, [metric for metric in trial.protocol.metrics if metric in PURE])
    return rows


def _asking(task: Task, trial: Trial) -> Trial:
    """The trial as a few samples can be asked: one gallery, and sentences as long as people's.

    A model that has learnt for a few steps never ends a sentence by itself.
    """
    protocol, settings = replace(trial.protocol, folds=1), trial.settings
    if task.name == "captioning":
        taught = trial.open_split("train", "train") if "train" in trial.splits else None
        texts = [text for sample in taught.samples[:500] for text in sample.captions] if taught else []
        if texts:
            usual = int(np.ceil(trial.tokenizer.lengths(texts).mean())) + len(protocol.prompt.split()) * 2
            length = min(settings.text.length, max(4, usual))
            settings = replace(settings, text=replace(settings.text, length=length))
    return replace(trial, protocol=protocol, settings=settings)


def _bytes(rows: list[Row]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write_predictions(path, rows)
        return path.stat().st_size


def _line(points: list[tuple[float, float]]) -> Line:
    """Through the last two points, never falling; through nought where there is one."""
    many, cost = points[-1]
    if len(points) == 1:
        return Line(0.0, cost / many)
    before, less = points[-2]
    each = min(max(0.0, (cost - less) / (many - before)), cost / many)
    return Line(cost - each * many, each)
