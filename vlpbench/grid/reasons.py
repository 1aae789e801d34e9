"""Why a cell, or one task of it, cannot be run: a sentence for the table, never a crash and never a silent skip."""

from __future__ import annotations

from vlpbench.config.known import backbone_parts
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import parse_sum
from vlpbench.config.typed import make
from vlpbench.registry import Registry
from vlpbench.tasks import suite

__all__ = ["task_why_not", "why_not"]

def why_not(settings: CellSettings, registry: Registry) -> str | None:
    """The reason not to run a cell: an ability that its trunk lacks, or no task left; None if it can be run."""
    _, trunk, _ = backbone_parts(settings.backbone)
    offers = frozenset(registry.trunk(trunk).offers)
    for _, name in parse_sum(settings.objective):
        objective = registry.objective(name)
        needs = frozenset(objective.needs_with(make(objective.config_class, settings.objectives.get(name, {}))))
        lacking = sorted(needs - offers)
        if lacking:
            return f"n/a: {name} needs {', '.join(lacking)}, {trunk} has none"
    reasons = {task: task_why_not(task, settings, registry) for task in settings.tasks}
    if not all(reasons.values()):
        return None
    return "n/a: " + "; ".join(f"{task} {(why or '').removeprefix('n/a: ')}" for task, why in reasons.items())


def task_why_not(task: str, settings: CellSettings, registry: Registry) -> str | None:
    """The reason why a cell has no score of a task, as the table says it; None if it has one."""
    _, trunk, _ = backbone_parts(settings.backbone)
    trained = {one for _, name in parse_sum(settings.objective) for one in registry.objective(name).trains}
    return suite.why_not(task, registry.trunk(trunk).offers, trained)
