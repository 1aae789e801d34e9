"""Which checks there are for each kind of component, and what they are run on: one table for all that runs them.

Homes are loaded on use: whoever checks an objective need not load what starts launchers.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from vlpbench.config.typed import WrongValue, make
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.errors import UserError
from vlpbench.testing.backbone_subject import BackboneSubject
from vlpbench.testing.findings import Check
from vlpbench.testing.objective_kit import get_ready
from vlpbench.testing.subject import Subject

__all__ = ["KITS", "checks_of", "get_ready_for", "subject_for"]

KITS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "objective": ("objective_kit", "objective_checks"),
    "stem": ("backbone_kit", "backbone_checks"),
    "trunk": ("backbone_kit", "trunk_checks"),
    "data set": ("dataset_kit", "dataset_checks"),
    "launcher": ("launcher_kit", "launcher_checks"),
    "metric": ("metric_kit", "metric_checks"),
    "table": ("table_kit", "table_checks"),
})
"""Kind of component -> the file here that has its kit, and the function that gives its checks by name."""


def checks_of(kind: str) -> dict[str, Check]:
    """name -> check; what each takes, `subject_for` makes. ValueError for a kind without a kit."""
    if kind not in KITS:
        raise ValueError(f"a {kind} has no kit; there is one for: {', '.join(KITS)}")
    home, function = KITS[kind]
    found: dict[str, Check] = getattr(importlib.import_module(f"vlpbench.testing.{home}"), function)()
    return found


def get_ready_for(kind: str, only: Iterable[str] = ()) -> None:
    """Start what these checks of a kind (all, where none is named) will wait for."""
    if kind == "objective":
        get_ready(only)


def subject_for(kind: str, cls: Any, values: Mapping[str, Any], argument: str = "") -> Any:
    """What the checks of a kind take: the class with these settings. UserError for wrong ones, or where it has none.

    `argument` is what stands behind the colon of a stem's name.
    """
    config = _config(kind, cls, values)
    if kind == "objective":
        return Subject(cls, config)
    if kind in ("stem", "trunk"):
        return BackboneSubject(cls, config=config) if kind == "trunk" else BackboneSubject(stem=cls, argument=argument)
    return cls(config, data_root(), cache_folder()) if kind == "data set" else cls


def _config(kind: str, cls: Any, values: Mapping[str, Any]) -> Any:
    config_class = getattr(cls, "config_class", None)
    if config_class is None:
        if values:
            raise UserError(f"{kind} {cls.name!r} has no settings", "-S", "leave -S out")
        return None
    try:
        return make(config_class, values)
    except WrongValue as wrong:
        remedy = wrong.remedy or "say it with -S key=value"
        raise UserError(f"{kind} {cls.name!r}: {wrong}", f"settings of {config_class.__name__}", remedy) from wrong
