"""What a run would do, as lines: each cell, its steps, what it finds there already, and why some can't run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import prod

from vlpbench.cli.grid_place import Place, name_of, typed
from vlpbench.cli.grid_waste import waste_line
from vlpbench.config.task_name import parse_task
from vlpbench.errors import UserError
from vlpbench.grid import Cell, task_why_not
from vlpbench.registry import Registry
from vlpbench.runner.earlier import asked_by
from vlpbench.runner.plan import Plan
from vlpbench.runner.standing import StageStanding, Standing

__all__ = ["NothingSelected", "plan_lines"]

_WORDS = ("to run", "to retry", "running", "done", "failed", "timeout", "can't run")
"""What is said of a cell, in the order in which they are counted."""

_INDENT = " " * 25


class NothingSelected(UserError):
    """No cell is left to look at."""

    exit_code = 4


def plan_lines(plan: Plan, registry: Registry, overrides: Sequence[str] = ()) -> Iterator[str]:
    """One line a cell, one more where something of it is there already or its record is another's; then the sum.

    `overrides`: what -S said, for the commands that the lines name.
    """
    place = _place(plan, registry, overrides)
    stands = place.standings()
    words = {cell.id: _word(plan, stands[cell.id]) for cell in plan.cells}
    width = max(len(cell.row) for cell in plan.cells)
    outdated = {stage.path.name for stage in plan.outdated}
    for cell in plan.cells:
        word, one = words[cell.id], stands[cell.id]
        yield f"{cell.id}  {word:9}  {cell.row:{width}}  seed {cell.seed}  {_what(cell, word, one)}".rstrip()
        if word in ("to run", "to retry"):
            reasons = {task: task_why_not(task, cell.settings, registry) for task in cell.settings.tasks}
            yield from (f"{_INDENT}{task}: {reason}" for task, reason in reasons.items() if reason)
            if more := "; ".join([*_why(one), *_stages(one.stages, outdated)]):
                yield _INDENT + more
    yield from (f"warning: {one}" for one in plan.warnings)
    counts = Counter(words.values())
    told = ", ".join(f"{counts[word]} {word}" for word in _WORDS if counts[word])
    left = waste_line(place)
    many = len(plan.cells)
    yield f"{many} cell{'s' * (many != 1)}: {told}; results in {plan.results}" + (f"; {left}" if left else "")


def _place(plan: Plan, registry: Registry, overrides: Sequence[str]) -> Place:
    """The grid as the other commands see it, and what to type for it."""
    grid = plan.grid
    is_named = grid.name in registry.names("grid") and registry.grid(grid.name) == grid.path
    said = typed(grid.name if is_named else str(grid.path), overrides)
    return Place(said, grid.name, plan.results, [asked_by(cell) for cell in plan.cells], plan.cells, registry)


def _word(plan: Plan, one: Standing) -> str:
    fate = plan.fates[one.asked.id]
    if fate == "run":
        return "running" if one.state == "running" else "to retry" if one.state in ("failed", "timeout") else "to run"
    return {"skip": "can't run", "failed": "timeout" if one.state == "timeout" else "failed"}.get(fate, fate)


def _what(cell: Cell, word: str, one: Standing) -> str:
    """The rest of a cell's line."""
    if word in ("failed", "timeout"):
        return f"{_cut(one.why)}{'; ' if one.why else ''}--retry-failed runs it again"
    if word in ("can't run", "running"):
        return one.why
    return "" if word == "done" else _work(cell)


def _cut(text: str, longest: int = 100) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= longest else f"{first[:longest]}..."


def _why(one: Standing) -> Iterator[str]:
    """Why a cell runs that has been run before."""
    if one.state in ("failed", "timeout"):
        yield f"it {'failed' if one.state == 'failed' else 'ran out of time'}: {_cut(one.why)}"
    elif one.state == "damaged":
        yield f"its record is damaged: {one.why}"
    elif one.state == "done":
        yield "it is done, but code of it has changed since"
    elif one.state == "stale":
        yield f"stale: {one.why}"


def _stages(stages: Sequence[StageStanding], outdated: set[str]) -> Iterator[str]:
    """What a run does not simply run, in a clause for each kind."""
    there = [stage.label for stage in stages if stage.doing == "reuse" and stage.folder not in outdated]
    if there:
        yield f"reuses {', '.join(there)}"
    for stage in stages:
        if stage.doing == "resume":
            yield f"{stage.label} goes on at step {stage.step:,}" + (f" of {stage.of:,}" if stage.of else "")
        elif stage.doing == "running" and stage.holder is not None:
            yield f"{stage.label} is run by {stage.holder.sentence()}"
    shared: dict[str, list[str]] = {}
    for stage in stages:
        if stage.doing == "shared" and stage.cell is not None:
            shared.setdefault(name_of(stage.cell), []).append(stage.label)
    yield from (f"shares {', '.join(labels)} with {cell}" for cell, labels in shared.items())


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
