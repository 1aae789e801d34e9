"""Distinct shapes of cells, and each cell's work in pieces: what is to be measured, and how much of it there is.

Cells have one shape where they differ only in what costs no time: seed, rates, blindness, how long they train.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from vlpbench.config.identity import settings_to_plain
from vlpbench.config.measured import without_extras
from vlpbench.config.settings import CellSettings
from vlpbench.config.task_name import parse_task
from vlpbench.files import digest
from vlpbench.grid import Cell, task_why_not, why_not
from vlpbench.records import StageFolder
from vlpbench.registry import Registry
from vlpbench.runner.finetuning import fine_tune_of
from vlpbench.runner.plan import Plan
from vlpbench.runner.pretraining import stage_of
from vlpbench.runner.stages import predict_of
from vlpbench.runner.tuning import chosen_of, tried, tries_of, tuning_of
from vlpbench.tasks.fine_tuning import CHECKS

__all__ = ["PRETRAIN", "Amount", "Kind", "Part", "Piece", "Shape", "part_of", "pieces_of", "shape_of", "shapes_of"]

Kind = Literal["pretrain", "fine-tune", "predict"]

PRETRAIN = "pretrain"
"""The part of a shape that is its pretraining; each other part is a task."""

_FREE = ("seed", "blind", "tasks", "protocol", "split", "select", "tune")
"""Settings of a cell that change the speed of no step."""
_RATES = ("samples", "lr", "warmup")
"""Settings of a protocol that change the speed of no step."""


@dataclass(frozen=True)
class Part:
    """One task of a shape."""

    key: str
    """Tells it from others of its shape: the task's name, and a digest of those settings that change its speed."""
    task: str
    """The task's name in the grid file."""
    cell: Cell
    """A cell that asks for it."""
    splits: frozenset[str] = frozenset()
    """The splits that it is predicted on; their samples are counted."""


@dataclass
class Shape:
    """What is measured together, in one process."""

    key: str
    """A digest of the settings that change the speed."""
    cell: Cell
    """The cell that stands for all of this shape."""
    pretrains: bool
    """Whether its pretraining is to be measured."""
    parts: dict[str, Part] = field(default_factory=dict)
    """Its tasks by key."""


@dataclass(frozen=True)
class Amount:
    """How much there is to do."""

    steps: int = 0
    """Optimiser steps."""
    looks: int = 0
    """How often pretraining looks at the validation split."""
    predicted: tuple[str, ...] = ()
    """The splits that are predicted and scored, one entry a time."""


@dataclass(frozen=True)
class Piece:
    """A part of a cell's work that is either to be done or there already."""

    label: str
    """What its progress is called: "try 1/3: pretrain", "pretrain", "vqa", "vqa: predict"."""
    kind: Kind
    """What is done."""
    shape: str
    """Key of the shape that tells how fast."""
    part: str
    """Key of the part within it."""
    cell: Cell
    """The cell whose settings it has: that of a try, or the cell itself."""
    stage: str
    """Name of the stage's folder, by which cells share it."""
    amount: Amount = Amount()
    """How much of it there is."""
    done: bool = False
    """Whether an earlier run has left it."""

    @property
    def column(self) -> str:
        """Where it stands in a table: "tune", "pretrain" or the task."""
        return "tune" if self.label.startswith("try ") else self.label.removesuffix(": predict")


def pieces_of(cell: Cell, plan: Plan, registry: Registry) -> Iterator[Piece]:
    """All work of a cell in order, tuning first; of a tuning that is still to come, the first try is the choice."""
    tuning = tuning_of(cell, plan.results)
    if tuning is not None:
        told, tries = tuning.told(), tries_of(cell.settings)
        if told is None or tuning in plan.outdated:
            told = {"choice": tries[0]}
            for number, changes in enumerate(tries, 1):
                one, name = tried(cell, changes, registry), f"try {number}/{len(tries)}"
                if why_not(one.settings, registry) is None:
                    for piece in _pieces(one, plan, registry):
                        # its predictions are kept with the tuning, not as a stage
                        own = f"{tuning.path.name}/{number}" if piece.kind == "predict" else piece.stage
                        yield replace(piece, label=f"{name}: {piece.label}", stage=own)
        cell = chosen_of(cell, told, registry)
    yield from _pieces(cell, plan, registry)


def _pieces(cell: Cell, plan: Plan, registry: Registry) -> Iterator[Piece]:
    settings, shape = cell.settings, shape_of(cell)
    redone = {stage.path.name for stage in plan.outdated}

    def piece(label: str, kind: Kind, part: str, stage: StageFolder, amount: Amount, done: bool = False) -> Piece:
        there = done or (stage.closed and stage.path.name not in redone)
        return Piece(label, kind, shape, part, cell, stage.path.name, amount, there)

    pretraining = stage_of(cell, plan.results)
    if pretraining is not None:
        budget = settings.budget
        amount = Amount(max(1, budget.samples // budget.batch), budget.looks)
        yield piece("pretrain", "pretrain", PRETRAIN, pretraining, amount)
    for task in settings.tasks:
        if task_why_not(task, settings, registry):
            continue
        part, protocol, learns = part_of(task, settings), settings.protocol[task], parse_task(task).protocol
        steps = max(1, protocol.samples // protocol.batch) if learns == "fine-tune" else 0
        looks = ("val",) * CHECKS if steps and settings.select == "validation" else ()
        asked = piece(f"{task}: predict", "predict", part, predict_of(cell, task, plan.results),
                      Amount(predicted=(settings.split,)))
        learnt = fine_tune_of(cell, task, plan.results)
        yield piece(task, "fine-tune", part, learnt, Amount(steps, 0, looks), asked.done)
        yield asked


def shape_of(cell: Cell) -> str:
    """The key of a cell's shape."""
    plain = settings_to_plain(cell.settings)
    kept = {name: value for name, value in plain.items() if name not in _FREE}
    kept["budget"] = {key: value for key, value in plain["budget"].items() if key not in ("samples", "looks")}
    kept["optim"] = {"clips": plain["optim"]["clip"] > 0}
    return digest({"settings": kept, "data": dict(cell.fingerprints)})[:12]


def part_of(task: str, settings: CellSettings) -> str:
    """The key of a task among the parts of its shape."""
    plain = settings_to_plain(without_extras(settings))["protocol"][task]
    return f"{task}-{digest({key: value for key, value in plain.items() if key not in _RATES})[:6]}"


def shapes_of(pieces: Iterable[Piece]) -> list[Shape]:
    """The distinct shapes of all work that is still to be done, in the order of its first piece."""
    found: dict[str, Shape] = {}
    for piece in pieces:
        if piece.done:
            continue
        shape = found.setdefault(piece.shape, Shape(piece.shape, piece.cell, False))
        if len(piece.cell.settings.protocol) > len(shape.cell.settings.protocol):
            shape.cell = piece.cell  # its data sets serve more of the tasks
        if piece.kind == "pretrain":
            shape.pretrains = True
            continue
        task = piece.label.removesuffix(": predict").rpartition(": ")[2]
        part = shape.parts.get(piece.part, Part(piece.part, task, piece.cell))
        shape.parts[piece.part] = replace(part, splits=part.splits | {*piece.amount.predicted})
    return list(found.values())
