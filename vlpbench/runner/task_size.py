"""A task that sees pictures of its own size: what that changes of its cell, and a refusal before anything runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace

import torch

from vlpbench.config.settings import CellSettings
from vlpbench.device import Device
from vlpbench.errors import UserError
from vlpbench.grid import Cell
from vlpbench.registry import Registry
from vlpbench.runner.synthetic import synthetic_bench
from vlpbench.runner.workbench import Workbench
from vlpbench.training.build import Blueprint
from vlpbench.training.other_size import AtSize

__all__ = ["plan_at", "refuse_size", "refuse_sizes", "settings_at"]


def settings_at(bench: Workbench, task: str) -> CellSettings:
    """The cell's settings as a task has them: `image.size` is the size at which the task sees pictures."""
    size, image = bench.size_of(task), bench.settings.image
    return bench.settings if size == image.size else replace(bench.settings, image=replace(image, size=size))


def plan_at(bench: Workbench, task: str) -> Blueprint | AtSize:
    """How to build the backbone that a task is learnt by and asked of."""
    size = bench.size_of(task)
    same = size == bench.settings.image.size
    return bench.blueprint if same else AtSize(bench.blueprint, size, f"protocol.{task}.size")


def refuse_sizes(cells: Iterable[Cell], registry: Registry) -> None:
    """UserError for the first task whose `protocol.TASK.size` its cell's backbone cannot be brought to.

    Each backbone is built without numbers, at both sizes; a cell whose sizes are still to be tried is left to its try.
    """
    seen = set[str]()
    for cell in cells:
        settings = cell.settings
        if cell.reason is not None or any(name.endswith(".size") for name in settings.tune.tries):
            continue
        for task in settings.tasks:
            size = settings.protocol[task].size
            key = repr((settings.backbone, settings.wiring, settings.image.size, settings.text, task, size))
            if size in (0, settings.image.size) or key in seen:
                continue
            seen.add(key)
            refuse_size(synthetic_bench(cell, registry, Device("cpu")), task)


def refuse_size(bench: Workbench, task: str) -> None:
    """UserError where the backbone cannot be brought to a task's size.

    One that cannot be built at all, at whatever size, is left to its cell, which says why.
    """
    plan = plan_at(bench, task)
    if not isinstance(plan, AtSize):
        return
    try:
        with torch.device("meta"):  # shapes alone
            plan.build(plan.offers)
    except UserError:
        raise
    except Exception:  # noqa: BLE001 (a stranger's constructor, or one that cannot do without numbers)
        with contextlib.suppress(ValueError, RuntimeError):
            plan.spec  # noqa: B018 (at least the stem is asked)
