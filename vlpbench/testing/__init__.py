"""The kit that knows when a plugin is wrong: named checks of objectives, backbones, data sets and launchers.

A plugin's whole test file may be:

    from vlpbench.testing import parametrize_objective_checks
    from my_plugin import MyObjective

    @parametrize_objective_checks([MyObjective])
    def test_objective(objective, check):
        check(objective)

Outside of pytest, `check_objective(MyObjective)` returns findings. Names are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "REASONS": "findings",
    "BackboneSubject": "backbone_subject",
    "CheckFailed": "findings",
    "CheckSkipped": "findings",
    "Finding": "findings",
    "LauncherSubject": "launcher_subject",
    "Subject": "subject",
    "backbone_checks": "backbone_kit",
    "check_backbone": "backbone_kit",
    "check_dataset": "dataset_kit",
    "check_launcher": "launcher_kit",
    "check_metric": "metric_kit",
    "check_objective": "objective_kit",
    "check_seed_axis": "seed_axis",
    "check_table": "table_kit",
    "dataset_checks": "dataset_kit",
    "launcher_checks": "launcher_kit",
    "metric_checks": "metric_kit",
    "n_checks": "counting",
    "objective_checks": "objective_kit",
    "parametrize_backbone_checks": "backbone_kit",
    "parametrize_dataset_checks": "dataset_kit",
    "parametrize_launcher_checks": "launcher_kit",
    "parametrize_metric_checks": "metric_kit",
    "parametrize_objective_checks": "objective_kit",
    "parametrize_table_checks": "table_kit",
    "table_checks": "table_kit",
    "tiny_backbone": "tiny",
    "tiny_batches": "tiny",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vlpbench.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"vlpbench.testing.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
