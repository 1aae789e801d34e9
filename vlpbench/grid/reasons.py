"""Why a cell, or one task of it, cannot be run: a sentence for the table, never a crash and never a silent skip."""

from __future__ import annotations

from collections.abc import Mapping

from vlpbench.config.known import backbone_parts
from vlpbench.config.settings import CellSettings
from vlpbench.config.sums import parse_sum
from vlpbench.config.typed import make
from vlpbench.registry import Registry

__all__ = ["task_why_not", "why_not"]

_ABILITIES: Mapping[str, frozenset[str]] = {
    "vqa": frozenset(),
    "captioning": frozenset({"context", "decode"}),
    "retrieval": frozenset({"image_vector", "text_vector"}),
}
"""What a trunk must offer for a task; VQA reads whatever there is."""

_TRAINED: Mapping[str, frozenset[str]] = {
    "captioning": frozenset({"decode"}),
    "retrieval": frozenset({"vectors", "similarity", "match"}),
}
"""Of what pretraining must have trained at least one for a task without fine-tune."""


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
    reasons = [task_why_not(task, settings, registry) for task in settings.tasks]
    return "; ".join(dict.fromkeys(one for one in reasons if one)) if all(reasons) else None


def task_why_not(task: str, settings: CellSettings, registry: Registry) -> str | None:
    """The reason why a cell has no score of a task; None if it has one."""
    _, trunk, _ = backbone_parts(settings.backbone)
    base, _, protocol = task.partition("@")
    lacking = sorted(_ABILITIES.get(base, frozenset()) - frozenset(registry.trunk(trunk).offers))
    if lacking:
        return f"n/a: {task} needs {', '.join(lacking)}, {trunk} has none"
    if protocol == "zero-shot":
        trained = {one for _, name in parse_sum(settings.objective) for one in registry.objective(name).trains}
        if not trained & _TRAINED[base]:
            wanted = " or ".join(sorted(_TRAINED[base]))
            have = ", ".join(sorted(trained)) or "none"
            return f"n/a: {task} needs trained {wanted}, {settings.objective} trains {have}"
    return None
