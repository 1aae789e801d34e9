"""A cell's settings with some of them changed, everything that depends on them filled in anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vlpbench.config.known import Known
from vlpbench.config.layers import layer_of
from vlpbench.config.merge import merge, settings_of
from vlpbench.config.settings import CellSettings

__all__ = ["with_changes"]


def with_changes(settings: CellSettings, changes: Mapping[str, Any], known: Known) -> CellSettings:
    """The settings with other values under some dotted keys; a key of what the cell does not use changes nothing.

    `protocol.vqa.lr` changes every form of the task (`vqa@fused`), as it does in a grid file.
    """
    told = {key: value for key, value in layer_of(settings).items() if key != "seed" and not key.startswith("tune.")}
    return replace(settings_of(merge([told, _by_form(changes, settings)]), settings.seed, known), tune=settings.tune)


def _by_form(changes: Mapping[str, Any], settings: CellSettings) -> dict[str, Any]:
    """The changes with a task's protocol said for each form of the task that the cell evaluates."""
    found: dict[str, Any] = {}
    for key, value in changes.items():
        table, _, rest = key.partition(".")
        name, _, last = rest.partition(".")
        forms = [task for task in settings.tasks if table == "protocol" and f"{task}@".startswith(f"{name}@")]
        found.update({f"protocol.{task}.{last}": value for task in forms} or {key: value})
    return {**found, **{key: value for key, value in changes.items() if key in found}}
