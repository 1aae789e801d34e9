"""Measures one shape in a process of its own: it builds what a cell builds, and goes a cell's way for a few steps.

Nothing is left in any results. Training and choosing are under the seal, as in a cell; the scored split is opened for
evaluation alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from vlpbench.config.measured import suite_metrics
from vlpbench.contract.sealed import sealed
from vlpbench.data.splits import Split
from vlpbench.device import Device, prepare_process
from vlpbench.errors import UserError
from vlpbench.metrics.external.java import Unavailable, find_java
from vlpbench.registry import Registry, load_registry
from vlpbench.runner.batches import pretraining_loader
from vlpbench.runner.few import few_examples, few_pictures, few_steps, kept, looked_at
from vlpbench.runner.measured import OPEN, START, Failure, Measured
from vlpbench.runner.pretraining import Pretrained, learner_of
from vlpbench.runner.shapes import PRETRAIN, Part, Shape
from vlpbench.runner.trials import trial_of
from vlpbench.runner.validation import Validation
from vlpbench.runner.workbench import Purpose, Workbench
from vlpbench.tasks.fine_tuning import Asked, readout_loader, restored
from vlpbench.tasks.suite import task_named
from vlpbench.tasks.task import Task
from vlpbench.tasks.trial import Trial
from vlpbench.training.learner import Learner, Term
from vlpbench.training.pace import PACE, Pace

__all__ = ["BEGUN", "ToMeasure", "measure"]

BEGUN = "begun"
"""Said beside the parts: one is built, and its steps or examples begin."""

FORWARD = 1 / 3
"""A look at a batch as a share of a step, which goes forward once and backward at twice the cost."""
JAVA = {"METEOR": 8.0, "SPICE": 30.0}
"""Seconds that these programs take once a scoring, about (measured for METEOR: the demo's captions on two cores)."""
PROBED = 400
"""Pictures of each split that a probe is tried on; its time grows with their number."""


@dataclass(frozen=True)
class ToMeasure:
    """What a measuring process is to do."""

    shape: Shape
    """What to measure."""
    plugins: Sequence[Path]
    """Single plugin files to load."""
    blocked: Sequence[str]
    """Plugins to leave alone."""
    device: str
    """ "cpu" or "cuda"."""
    pace: Pace = PACE
    """Threads that make batches ahead of time, examples asked at once."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """The variables that name the data and cache folders."""


def measure(order: ToMeasure, pipe: Connection) -> None:
    """Say (part, Measured or Failure) for each part of the shape as it is found; a pretraining that fails is the end.

    All that is printed is lost.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    if hasattr(os, "setsid"):
        os.setsid()  # so that all that a plugin starts can be ended with it
    os.environ.update(order.folders)
    with Path(os.devnull).open("w") as lost, contextlib.redirect_stdout(lost), contextlib.redirect_stderr(lost):
        device = Device(order.device)
        prepare_process(device)
        registry = load_registry(order.plugins, order.blocked)
        _Measuring(order, registry, device, pipe).all(time.time() - psutil.Process().create_time())


class _Measuring:
    """One shape's parts, in the order of a cell."""

    def __init__(self, order: ToMeasure, registry: Registry, device: Device, pipe: Connection) -> None:
        self.shape, self.registry, self.device, self.pipe = order.shape, registry, device, pipe
        self.bench = Workbench(order.shape.cell, registry, device, order.pace)
        self.pretrained = Pretrained({}, {}, {})

    def all(self, ready: float) -> None:
        """The start, which took `ready` seconds; the data; pretraining; each task."""
        self._say(START, lambda: Measured(ready))
        if not self._say(OPEN, self._open):
            return
        if self.shape.pretrains and not self._say(PRETRAIN, self._pretrain):
            return
        for key, part in self.shape.parts.items():
            self._say(key, lambda part=part: self._task(part))  # type: ignore[misc]

    def _say(self, key: str, work: Callable[[], Measured]) -> bool:
        """Measure a part and say what came out; whether it went well."""
        start = self.device.seconds()
        found: Measured | Failure
        try:
            found = replace(work(), peak=self.device.peak_bytes())
        except Exception as error:  # noqa: BLE001 (a plugin's fault is a result here)
            seconds = self.device.seconds() - start
            cause = error.cause if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            found = Failure(f"fails after {seconds:.0f} s: {cause}", seconds)
        self.pipe.send((key, found))
        return isinstance(found, Measured)

    def _open(self) -> Measured:
        start, bench = self.device.seconds(), self.bench
        bench.tokenizer  # noqa: B018 (read once, for all that follows)
        for name in sorted(bench.tested_data):
            for size in bench.sizes_of(name):
                bench.split(name, "train", "train", size=size)
                bench.split(name, bench.settings.split, "evaluate", bench.settings.blind, size=size)
        return Measured(self.device.seconds() - start)

    def _pretrain(self) -> Measured:
        start, settings = self.device.seconds(), self.bench.settings
        loader = pretraining_loader(self.bench)
        with sealed("measuring"):
            learner = learner_of(self.bench)
        build = self.device.seconds() - start
        self.pipe.send((BEGUN, None))
        with sealed("measuring"):
            first, step = few_steps(
                learner, loader, settings.optim, self.device, settings.budget.micro_batch, self.bench.pace
            )
        watch = Validation(self.bench, learner, loader.steps)
        look = FORWARD * step * watch.loader.steps if watch.loader is not None else 0.0
        self.pretrained = _left_by(learner)
        return Measured(build, first, step, look, *kept(learner, self.device))

    def _task(self, part: Part) -> Measured:
        pretrained = self._left()
        start, bench, task = self.device.seconds(), self._bench(part), task_named(part.task)
        trial = trial_of(bench, part.task, pretrained)
        with sealed("measuring"):
            model, fitted = _probed(task, trial) if trial.name.protocol == "probe" else (_built(task, trial), 0.0)
        learner = Learner(model.backbone, [Term(1.0, one) for one in model.readout.objectives])
        found = Measured(self.device.seconds() - start, fitted=fitted)
        if trial.name.protocol == "fine-tune":
            with sealed("measuring"):
                model.readout.begin(model.backbone)
                loader = readout_loader(task, model.readout, trial)
                build = self.device.seconds() - start
                self.pipe.send((BEGUN, None))
                found = Measured(build, *few_steps(learner, loader, bench.settings.optim, self.device, 0, bench.pace))
        if not trial.zero_shot:
            keep, weights = kept(learner, self.device)
            found = replace(found, keep=keep, weights=weights)
        learner.eval()
        self.pipe.send((BEGUN, None))
        splits = {name: trial.open_split(name, "evaluate") for name in part.splits}
        examples = {name: len(looked_at(trial.name, split)) for name, split in splits.items()}
        asked, rows = few_examples(task, trial, model, splits[max(examples, key=lambda name: examples[name])])
        return replace(found, asked=asked, rows=rows, examples=examples, external=_external(task, trial))

    def _left(self) -> Pretrained:
        """Weights as pretraining leaves them: as measured, or drawn where it is there already and not measured."""
        if not self.pretrained.weights and self.bench.terms:
            with sealed("measuring"):
                self.pretrained = _left_by(learner_of(self.bench))
        return self.pretrained

    def _bench(self, part: Part) -> Workbench:
        """The shape's own, so that splits are opened once, where its protocol is this part's."""
        mine = self.bench.settings.protocol.get(part.task)
        if mine == part.cell.settings.protocol[part.task]:
            return self.bench
        return Workbench(part.cell, self.registry, self.device, self.bench.pace, self.bench.tokenizer)


def _left_by(learner: Learner) -> Pretrained:
    return Pretrained(dict(learner.backbone.state_dict()), dict(learner.terms.state_dict()), {})


def _built(task: Task, trial: Trial) -> Asked:
    """The model that a fine-tune begins with, or that zero-shot asks."""
    told = {"learnt": False, "facts": task.facts(trial), "training": {}, "chosen": {}}
    return restored(task, trial, told, {})


def _probed(task: Task, trial: Trial) -> tuple[Asked, float]:
    """A probe fitted to a part of the pictures, and the seconds that it takes with all of them."""
    whole, few = dict[str, int](), dict[str, int]()

    def open_few(name: str, purpose: Purpose) -> Split:
        split = trial.open_split(name, purpose)
        rows = looked_at(trial.name, split)
        some = few_pictures(split, rows, PROBED)
        whole[name], few[name] = len(rows), len(some.samples)
        return some

    small = replace(trial, open_split=open_few)
    model = _built(task, small)
    start = trial.device.seconds()
    task.probe(model.backbone, model.readout, small)
    return model, (trial.device.seconds() - start) * sum(whole.values()) / sum(few.values())


def _external(task: Task, trial: Trial) -> float:
    """Seconds of the programs in Java that score captions, where there is Java."""
    try:
        find_java()
    except Unavailable:
        return 0.0
    return sum(JAVA.get(metric, 0.0) for metric in suite_metrics(trial.protocol)) if task.name == "captioning" else 0.0
