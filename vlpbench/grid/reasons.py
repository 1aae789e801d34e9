"""Why a cell, or one task of it, cannot be run: a sentence for the table, never a crash and never a silent skip."""

from __future__ import annotations

from vlpbench.config.known import backbone_parts
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import names_of
from vlpbench.config.typed import make
from vlpbench.registry import Registry
from vlpbench.tasks import suite

__all__ = ["task_why_not", "untrainable", "why_not"]


def why_not(settings: CellSettings, registry: Registry) -> str | None:
    """The reason not to run a cell; None if it can be run.

    What `untrainable` says, or no task left.
    """
    if reason := untrainable(settings, registry):
        return reason
    reasons = {task: task_why_not(task, settings, registry) for task in settings.tasks}
    if not all(reasons.values()):
        return None
    return "n/a: " + "; ".join(f"{task} {(why or '').removeprefix('n/a: ')}" for task, why in reasons.items())


def untrainable(settings: CellSettings, registry: Registry) -> str | None:
    """The reason why a cell cannot be pretrained, whatever its tasks; None if it can.

    An ability that its trunk lacks, batches that its data has not, or weights that its stem cannot take.
    """
    stem, trunk, _ = backbone_parts(settings.backbone)
    offers = _offers(settings, registry)
    for name in names_of(settings.objective):
        objective = registry.objective(name)
        needs = frozenset(objective.needs_with(make(objective.config_class, settings.objectives.get(name, {}))))
        lacking = sorted(needs - offers)
        if lacking:
            return f"n/a: {name} needs {', '.join(lacking)}, {trunk} has none"
        if objective.views > 1 and settings.image.crop == 1 and not settings.image.flip:
            return f"n/a: {name} sees each picture {objective.views} times, and all would be equal: image.crop is 1"
        unread = _unread(frozenset(objective.uses), settings)
        if unread:
            return f"n/a: {name} learns from {unread}"
    if settings.init.stem and stem.partition(":")[0] != "timm":
        return f"n/a: init.stem has weights of a timm model, {stem} is none"
    return None


def task_why_not(task: str, settings: CellSettings, registry: Registry) -> str | None:
    """The reason why a cell has no score of a task, as the table says it; None if it has one."""
    trained = {one for name in names_of(settings.objective) for one in registry.objective(name).trains}
    return suite.why_not(task, _offers(settings, registry), trained)


def _offers(settings: CellSettings, registry: Registry) -> frozenset[str]:
    """The abilities that the trunk can be built with under its settings."""
    trunk = registry.trunk(backbone_parts(settings.backbone)[1])
    return frozenset(trunk.offers_with(make(trunk.config_class, settings.wiring)))


def _unread(uses: frozenset[str], settings: CellSettings) -> str:
    """What an objective learns from that the cell's data has not; empty if there is any, or it learns from nothing."""
    there = {"pairs": settings.data, "texts": settings.texts}
    if not uses or any(there[one] != "none" for one in uses):
        return ""
    return " and ".join(f"{one}, but {'data' if one == 'pairs' else 'texts'} is none" for one in sorted(uses))
