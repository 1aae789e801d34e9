"""A check that runs a stem or a trunk as a grid does: ten steps, then the whole suite, to a record."""

from __future__ import annotations

from typing import Any

from vlpbench.objectives import vlpbench_objectives
from vlpbench.testing.backbone_subject import BackboneSubject
from vlpbench.testing.findings import CheckSkipped
from vlpbench.testing.smoke import ABILITY_TASKS, BATCH, run_short_grid, settings_of

__all__ = ["check_backbone_smoke_grid"]

_STEPS = 10

_FIRST = ("prefix-lm", "contrastive")
"""Objectives that are tried first."""


def check_backbone_smoke_grid(subject: BackboneSubject) -> str:
    """A grid of one cell, ten steps of an objective and every task that it serves, ends in a record; tells scores."""
    ours = sorted(vlpbench_objectives(), key=lambda one: _FIRST.index(one.name) if one.name in _FIRST else len(_FIRST))
    fit = [one.name for one in ours if one.uses and one.needs_with(one.config_class()) <= subject.offers]
    if not fit:
        raise CheckSkipped("no-such-ability", "no built-in objective can do with what the trunk offers")
    stem = f"{subject.stem.name}:{subject.argument}" if subject.argument else subject.stem.name
    said: dict[str, Any] = {
        "objective": fit[0], "backbone": f"{stem}/{subject.trunk.name}/nano", "tasks": [*ABILITY_TASKS],
        "image.size": subject.pixels, "budget.batch": BATCH, "budget.samples": _STEPS * BATCH,
    }
    if subject.config is not None:
        said |= settings_of("trunk", subject.trunk.name, subject.config)
    parts = {"stem": subject.stem, "trunk": subject.trunk}
    author = "trunk" if subject.author is subject.trunk else "stem"
    return run_short_grid({author: parts.pop(author), **parts}, said)
