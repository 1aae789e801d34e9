"""How many checks there are, so that a run can say how many of them it ran."""

from __future__ import annotations

from typing import Literal

from vlpbench.testing.backbone_kit import backbone_checks
from vlpbench.testing.dataset_kit import dataset_checks
from vlpbench.testing.launcher_kit import launcher_checks
from vlpbench.testing.objective_kit import objective_checks

__all__ = ["n_checks"]


def n_checks(kind: Literal["objective", "backbone", "data set", "launcher"] = "objective") -> int:
    """The number of checks of a kind of component."""
    checks = {
        "objective": objective_checks, "backbone": backbone_checks, "data set": dataset_checks,
        "launcher": launcher_checks,
    }
    return len(checks[kind]())
