"""What a run has to do: the stages of each cell in their order, and how much work each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vlpbench.config.settings import CellSettings
from vlpbench.config.task_name import parse_task
from vlpbench.grid import Cell, task_why_not
from vlpbench.registry import Registry
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.plan import Plan
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.stages import predict_of
from vlpbench.runner.tuning import tries_of, tuning_of

__all__ = ["Part", "Work", "asking", "work_of"]

ASKED = 500.0
"""Asking a model after its fine-tune costs about as much as this many samples of it, until it is known better."""


@dataclass(frozen=True)
class Part:
    """One stage of one cell."""

    stage: str
    """What its progress is called."""
    units: float
    """How much work it is: samples, or seconds where an estimate was made."""
    kind: str
    """Parts of one kind and one shape take equally long a unit: "pretrain", or the task."""
    shape: tuple[str, str] = ("", "")
    """The model, and what else decides how long a unit takes; parts of one model are slow or fast together."""
    key: str = ""
    """Equal for what cells share, which only the first of them runs."""

    @property
    def silent(self) -> bool:
        """Whether it is work also where no progress is heard of it: asking a model."""
        return self.stage.endswith(asking(""))


@dataclass(frozen=True)
class Work:
    """All parts of a run."""

    parts: Mapping[str, Sequence[Part]]
    """Those of each cell in their order, by the cell's id; none that is there already."""
    in_seconds: bool = False
    """Whether units are seconds; else they are samples, of which nobody knows yet how long they take."""

    @classmethod
    def of(cls, units: Mapping[str, Mapping[str, float]], in_seconds: bool = False) -> Work:
        """Cells that share nothing, each with its stages and how much they are."""
        return cls({
            cell: [Part(stage, much, stage, ("", ""), f"{cell} {stage}") for stage, much in stages.items()]
            for cell, stages in units.items()
        }, in_seconds)

    def timed(self, seconds: Mapping[str, Mapping[str, float]]) -> Work:
        """The same with seconds in place of samples, by the cell's id and the stage.

        A part that the estimate does not know takes as long as its samples would at the mean of those that it does.
        """
        timed = [(part, seconds.get(cell, {}).get(part.stage)) for cell, part in self._each()]
        units = sum(part.units for part, known in timed if known is not None)
        if not units:
            return self
        mean = sum(known for _, known in timed if known is not None) / units
        return Work({
            cell: [replace(part, units=seconds.get(cell, {}).get(part.stage, part.units * mean)) for part in parts]
            for cell, parts in self.parts.items()
        }, in_seconds=True)

    def _each(self) -> Iterator[tuple[str, Part]]:
        return ((cell, part) for cell, parts in self.parts.items() for part in parts)


def asking(task: str) -> str:
    """What the part that predicts is called, after the fine-tune that has the task's own name."""
    return f"{task}: predict"


def work_of(plan: Plan, cells: Sequence[str], registry: Registry | None = None) -> Work:
    """What is to be done for these cells; a stage that is there already is not, and of its weights nothing is read.

    With a registry, tasks that a cell cannot be asked are left out.
    """
    chosen = [cell for cell in plan.chosen("run") if cell.id in cells]
    return Work({cell.id: [*_parts(cell, plan, registry)] for cell in chosen})


def _parts(cell: Cell, plan: Plan, registry: Registry | None) -> Iterator[Part]:
    """The parts of one cell: tries, pretraining, then each task's fine-tune and asking."""
    settings = cell.settings
    model = f"{settings.backbone} {settings.image} {settings.text} {settings.wiring}"
    pretraining = model, f"{settings.objective} {settings.budget.batch}"
    tuning, pretrained = tuning_of(cell, plan.results), stage_of(cell, plan.results)
    if tuning is not None and not tuning.closed:
        for stage, units in _tries(settings).items():
            kind = stage.partition(": ")[2]
            shape = pretraining if kind == "pretrain" else (model, "")
            yield Part(stage, units, kind, shape, f"{tuning.path.name} {stage}")
    if pretrained is not None and not pretrained.closed:
        yield Part("pretrain", float(settings.budget.samples), "pretrain", pretraining, pretrained.path.name)
    for task in settings.tasks:
        if registry is not None and task_why_not(task, settings, registry):
            continue
        learnt, asked = (of(cell, task, plan.results) for of in (fine_tune_of, predict_of))
        if asked.closed:
            continue
        if parse_task(task).protocol == "fine-tune" and not learnt.closed:
            yield Part(task, float(settings.protocol[task].samples), task, (model, ""), learnt.path.name)
        yield Part(asking(task), ASKED, asking(task), (model, ""), asked.path.name)


def _tries(settings: CellSettings) -> dict[str, float]:
    """Samples of each stage of each try."""
    many, tune = len(tries_of(settings)), settings.tune
    pretrain = 0.0 if settings.objective == "none" else float(tune.samples or settings.budget.samples)
    samples = float(settings.protocol[tune.task].samples)
    stages = {"pretrain": pretrain, tune.task: samples, asking(tune.task): ASKED}
    return {f"try {n}/{many}: {stage}": work for n in range(1, many + 1) for stage, work in stages.items() if work}
