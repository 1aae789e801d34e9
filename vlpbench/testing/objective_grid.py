"""A check that runs an objective as a grid does: ten steps, then the whole suite, to a record."""

from __future__ import annotations

from typing import Any

from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.testing.smoke import ABILITY_TASKS, BATCH, run_short_grid, settings_of
from vlpbench.testing.subject import Subject

__all__ = ["check_smoke_grid"]

_STEPS = 10


def check_smoke_grid(subject: Subject) -> str:
    """A grid of one cell, ten steps on a tiny world and every task, ends in a record; tells its scores."""
    kinds = subject.kinds
    trunk = _trunk(subject)
    batch = -(-BATCH // (2 * subject.group)) * 2 * subject.group
    said: dict[str, Any] = {
        "objective": subject.cls.name, "backbone": f"linear/{trunk.name}/nano", "tasks": [*ABILITY_TASKS],
        "budget.batch": batch, "budget.samples": _STEPS * batch, "budget.texts": batch,
        **settings_of("objective", subject.cls.name, subject.config),
    }
    if "texts" in kinds and not subject.cls.wants:  # texts alone have no fields
        said["texts"] = "shapes-texts"
    if subject.cls.views > 1:
        said["image.crop"] = 0.6
    if "match" in subject.cls.trains:
        said["tasks"].append("retrieval@match@zero-shot")
    return run_short_grid({"objective": subject.cls, "trunk": trunk}, said)


def _trunk(subject: Subject) -> Any:
    """The trunk that is checked on; of an author's own backbone, a trunk that could stand in its place."""
    try:
        return subject.trunk
    except CheckFailed:
        if subject.make is None:
            raise
        raise CheckSkipped("own-backbone") from None
