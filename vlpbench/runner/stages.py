"""The stages of a cell that are kept for others and for later: tune, pretrain, of each task fine-tune and predict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vlpbench.config.identity import settings_to_plain
from vlpbench.grid import Cell, task_why_not
from vlpbench.records import StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.tuning import chosen_of, tuning_of

__all__ = ["Stage", "next_shared", "predict_of", "stages_of"]


@dataclass(frozen=True)
class Stage:
    """One stage of a cell."""

    label: str
    """What a person calls it: "tune", "pretrain", "vqa: fine-tune", "vqa: predict"."""
    folder: StageFolder
    """Where it is kept."""


def stages_of(cell: Cell, results: Path, registry: Registry) -> Iterator[Stage]:
    """The stages in order. As long as a cell is to be tuned, what follows is not known, and left out."""
    tuning = tuning_of(cell, results)
    if tuning is not None:
        yield Stage("tune", tuning)
        told = tuning.told()
        if told is None:
            return
        cell = chosen_of(cell, told, registry)
    pretraining = stage_of(cell, results)
    if pretraining is not None:
        yield Stage("pretrain", pretraining)
    for task in cell.settings.tasks:
        if task_why_not(task, cell.settings, registry) is None:
            yield Stage(f"{task}: fine-tune", fine_tune_of(cell, task, results))
            yield Stage(f"{task}: predict", predict_of(cell, task, results))


def next_shared(cell: Cell, results: Path, registry: Registry) -> StageFolder | None:
    """The first stage of a cell that is not there yet, as far as others are likely to share it; None where all are."""
    for stage in stages_of(cell, results, registry):
        if stage.label not in ("tune", "pretrain"):
            return None
        if not stage.folder.closed:
            return stage.folder
    return None


def predict_of(cell: Cell, task: str, results: Path) -> StageFolder:
    """Where a task's predictions are kept: decided by what was learnt, and by how it is asked about what."""
    learnt = fine_tune_of(cell, task, results)
    plain = settings_to_plain(cell.settings)
    asked = {name: value for name, value in plain["protocol"][task].items() if name != "metrics"}
    decided_by = {"learnt": learnt.path.name, "split": cell.settings.split, "asked": asked}
    return StageFolder.of(results, "predict", decided_by, cell.code)
