"""What a run would do, as lines: each cell, its steps, and why some cells or tasks can't run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod

from vlpbench.config.task_name import parse_task
from vlpbench.errors import UserError
from vlpbench.grid import Cell, task_why_not
from vlpbench.registry import Registry
from vlpbench.runner.grid_run import Plan

__all__ = ["NothingSelected", "plan_lines"]

_WORDS = {"run": "to run", "done": "done", "failed": "failed", "skip": "can't run"}


class NothingSelected(UserError):
    """No cell is left to look at."""

    exit_code = 4


def plan_lines(plan: Plan, registry: Registry) -> Iterator[str]:
    """One line a cell and one a task that has no score, then the sum."""
    width = max(len(cell.row) for cell in plan.cells)
    for cell in plan.cells:
        fate = plan.fates[cell.id]
        what = cell.reason if fate == "skip" else _work(cell) if fate == "run" else _hint(fate)
        yield f"{cell.id}  {_WORDS[fate]:9}  {cell.row:{width}}  seed {cell.seed}  {what}"
        if fate == "run":
            reasons = {task: task_why_not(task, cell.settings, registry) for task in cell.settings.tasks}
            yield from (f"{'':25}{task}: {reason}" for task, reason in reasons.items() if reason)
    counts = Counter(plan.fates[cell.id] for cell in plan.cells)
    told = ", ".join(f"{counts[fate]} {word}" for fate, word in _WORDS.items() if counts[fate])  # type: ignore[index]
    yield f"{len(plan.cells)} cell{'s' * (len(plan.cells) != 1)}: {told}; results in {plan.results}"


def _hint(fate: str) -> str:
    return "--retry-failed runs it again" if fate == "failed" else ""


def _work(cell: Cell) -> str:
    """The stages of a cell in a clause."""
    settings = cell.settings
    steps = [] if settings.objective == "none" else [f"{settings.objective} on {settings.budget.samples:,} samples"]
    tries = prod(len(values) for values in settings.tune.tries.values()) if settings.tune.tries else 0
    if tries:
        steps.insert(0, f"{tries} tries on {settings.tune.samples or settings.budget.samples:,} samples each")
    for task in settings.tasks:
        tuned = f" {settings.protocol[task].samples:,}" if parse_task(task).protocol == "fine-tune" else ""
        steps.append(f"{task}{tuned}")
    return ", ".join(steps)
